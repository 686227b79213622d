//! Signed links, which mails contain instead of presigned URLs.
//!
//! A presigned URL expires with the credentials that signed it, which for a
//! Lambda function is a matter of hours. A link of Dropcast is a token that names
//! one output of one run; opening it makes a fresh presigned URL.

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use thiserror::Error;

use crate::ids::RunId;

/// The longest token that is looked at, in bytes. An output's path has at most 1,024.
const TOKEN_BYTES: usize = 2_048;

/// Set apart from every other use of the key.
const CONTEXT: &[u8] = b"dropcast link v1\0";

/// What a link leads to, and until when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// The run.
    #[serde(rename = "r")]
    pub run: RunId,
    /// The output's path on the run's record.
    #[serde(rename = "p")]
    pub path: String,
    /// When the link expires, in Unix seconds.
    #[serde(rename = "x")]
    pub expires: i64,
    /// The record's links epoch when the link was made.
    #[serde(rename = "e")]
    pub epoch: u32,
}

/// The payload as it is signed: the link and the key's id.
#[derive(Serialize, Deserialize)]
struct Signed {
    #[serde(rename = "k")]
    key: String,
    #[serde(flatten)]
    link: Link,
}

/// The signing keys by id, and the id of the one that signs new links.
///
/// The secret is a JSON object: `{"current": "k1", "k1": "<at least 32 characters>"}`.
/// To rotate, add a key and name it as current; links signed with the old one remain
/// valid until it is removed.
#[derive(Clone)]
pub struct LinkKeys {
    current: String,
    keys: BTreeMap<String, Vec<u8>>,
}

/// A key secret that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the link-signing secret is invalid: {0}")]
pub struct LinkKeysError(&'static str);

/// Why a link cannot be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum LinkError {
    /// It was not created by Dropcast, or it was changed.
    #[error("the link was not created by Dropcast")]
    Forged,
    /// Its expiry time has passed.
    #[error("the link has expired")]
    Expired,
    /// The run's links were revoked after it was made.
    #[error("the link was revoked")]
    Revoked,
}

impl LinkKeys {
    /// Reads the keys from the secret's text.
    pub fn parse(secret: &str) -> Result<Self, LinkKeysError> {
        let mut entries: BTreeMap<String, String> = serde_json::from_str(secret)
            .map_err(|_| LinkKeysError("it is not a JSON object of strings"))?;
        let current = entries
            .remove("current")
            .ok_or(LinkKeysError("it does not name the “current” key"))?;
        if !entries.contains_key(&current) {
            return Err(LinkKeysError("it does not contain the current key"));
        }
        if entries.values().any(|key| key.len() < 32) {
            return Err(LinkKeysError("a key is shorter than 32 characters"));
        }
        Ok(Self {
            current,
            keys: entries
                .into_iter()
                .map(|(id, key)| (id, key.into_bytes()))
                .collect(),
        })
    }

    /// Signs a link with the current key; the token is URL-safe.
    pub fn sign(&self, link: &Link) -> String {
        let signed = Signed {
            key: self.current.clone(),
            link: link.clone(),
        };
        // A struct of strings and numbers always serialises; an empty payload would never verify.
        let payload = serde_json::to_vec(&signed).unwrap_or_default();
        let signature = self
            .mac(&self.current, &payload)
            .map(|mac| mac.finalize().into_bytes())
            .unwrap_or_default();
        format!(
            "{}.{}",
            URL_SAFE_NO_PAD.encode(payload),
            URL_SAFE_NO_PAD.encode(signature)
        )
    }

    /// Checks a token's signature and its time.
    ///
    /// The epoch is the caller's to check, against the record: [`Link::check_epoch`].
    pub fn verify(&self, token: &str, now: Timestamp) -> Result<Link, LinkError> {
        if token.len() > TOKEN_BYTES {
            return Err(LinkError::Forged);
        }
        let (payload, signature) = token.split_once('.').ok_or(LinkError::Forged)?;
        let payload = URL_SAFE_NO_PAD
            .decode(payload)
            .map_err(|_| LinkError::Forged)?;
        let signature = URL_SAFE_NO_PAD
            .decode(signature)
            .map_err(|_| LinkError::Forged)?;
        let signed: Signed = serde_json::from_slice(&payload).map_err(|_| LinkError::Forged)?;
        // `verify_slice` compares in constant time.
        let mac = self.mac(&signed.key, &payload).ok_or(LinkError::Forged)?;
        mac.verify_slice(&signature)
            .map_err(|_| LinkError::Forged)?;
        if now.as_second() >= signed.link.expires {
            return Err(LinkError::Expired);
        }
        Ok(signed.link)
    }

    fn mac(&self, key: &str, payload: &[u8]) -> Option<Hmac<Sha256>> {
        let mut mac = Hmac::<Sha256>::new_from_slice(self.keys.get(key)?).ok()?;
        mac.update(CONTEXT);
        mac.update(payload);
        Some(mac)
    }
}

impl std::fmt::Debug for LinkKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LinkKeys")
            .field("current", &self.current)
            .finish_non_exhaustive()
    }
}

impl Link {
    /// Refuses a link that was made before the run's links were revoked.
    pub fn check_epoch(&self, current: u32) -> Result<(), LinkError> {
        if self.epoch == current {
            Ok(())
        } else {
            Err(LinkError::Revoked)
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn keys() -> LinkKeys {
        let secret = format!(
            r#"{{"current":"k2","k1":"{}","k2":"{}"}}"#,
            "a".repeat(64),
            "b".repeat(64)
        );
        LinkKeys::parse(&secret).unwrap()
    }

    fn link() -> Link {
        Link {
            run: "mfrggzdfmztwq2lknnwg23tpoa".parse().unwrap(),
            path: "sub folder/forecast.csv".into(),
            expires: 2_000,
            epoch: 0,
        }
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn a_signed_link_opens_until_it_expires() {
        let token = keys().sign(&link());
        assert_eq!(keys().verify(&token, at(1_999)).unwrap(), link());
        assert_eq!(keys().verify(&token, at(2_000)), Err(LinkError::Expired));
    }

    #[test]
    fn a_link_of_the_former_key_opens_after_a_rotation() {
        let old =
            LinkKeys::parse(&format!(r#"{{"current":"k1","k1":"{}"}}"#, "a".repeat(64))).unwrap();
        assert!(keys().verify(&old.sign(&link()), at(1)).is_ok());
    }

    #[test]
    fn a_link_under_another_key_is_forged() {
        let other =
            LinkKeys::parse(&format!(r#"{{"current":"k2","k2":"{}"}}"#, "c".repeat(64))).unwrap();
        assert_eq!(
            keys().verify(&other.sign(&link()), at(1)),
            Err(LinkError::Forged)
        );
    }

    #[test]
    fn a_signature_does_not_fit_another_payload() {
        let one = keys().sign(&link());
        let two = keys().sign(&Link {
            path: "secret.csv".into(),
            ..link()
        });
        let (payload, _) = two.split_once('.').unwrap();
        let (_, signature) = one.split_once('.').unwrap();
        assert_eq!(
            keys().verify(&format!("{payload}.{signature}"), at(1)),
            Err(LinkError::Forged)
        );
    }

    #[test]
    fn a_raised_epoch_revokes_a_link() {
        assert_eq!(link().check_epoch(0), Ok(()));
        assert_eq!(link().check_epoch(1), Err(LinkError::Revoked));
    }

    #[test]
    fn a_weak_or_incomplete_secret_is_refused() {
        for bad in [
            "",
            "[]",
            "{}",
            r#"{"current":"k1"}"#,
            r#"{"current":"k1","k1":"short"}"#,
        ] {
            assert!(LinkKeys::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn keys_do_not_show_in_debug_output() {
        assert!(!format!("{:?}", keys()).contains("bbb"));
    }

    proptest! {
        #[test]
        fn any_changed_character_is_refused(at_byte in 0usize..120, with in "[A-Za-z0-9_.-]") {
            let token = keys().sign(&link());
            let at_byte = at_byte % token.len();
            let mut changed = token.clone();
            changed.replace_range(at_byte..=at_byte, &with);
            if changed != token {
                // The last character of unpadded base64 has bits that do not count.
                let decode = |t: &str| t.rsplit('.').next().map(|s| URL_SAFE_NO_PAD.decode(s).ok());
                let same = decode(&changed) == decode(&token);
                prop_assert!(same || keys().verify(&changed, at(1)).is_err());
            }
        }

        #[test]
        fn junk_is_forged(token in "\\PC{0,200}") {
            prop_assert_eq!(keys().verify(&token, at(1)), Err(LinkError::Forged));
        }
    }
}
