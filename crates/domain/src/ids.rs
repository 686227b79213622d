//! Ids: of runs, of jobs, and the numbers of model versions.

use std::{fmt, str::FromStr};

use data_encoding::BASE32_NOPAD;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use thiserror::Error;

/// Defines an id that is a checked string, with what serde, clap and schemars need, and the error for
/// any other text. `$parse: fn(&str) -> Option<&str>` returns the part of the text that is the id.
macro_rules! id_newtype {
    (
        $(#[$id_meta:meta])*
        pub struct $id:ident;
        $(#[$error_meta:meta])*
        pub struct $error:ident;
        $parse:path
    ) => {
        #[derive(
            Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash,
            serde::Serialize, serde::Deserialize, schemars::JsonSchema,
        )]
        #[serde(try_from = "String", into = "String")]
        $(#[$id_meta])*
        pub struct $id(String);

        #[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
        $(#[$error_meta])*
        pub struct $error(String);

        impl $id {
            /// The id as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::str::FromStr for $id {
            type Err = $error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                match $parse(text) {
                    Some(id) => Ok(Self(id.to_owned())),
                    // The start of it: the error is shown to people.
                    None => Err($error(text.chars().take(80).collect())),
                }
            }
        }

        impl TryFrom<String> for $id {
            type Error = $error;

            fn try_from(text: String) -> Result<Self, Self::Error> {
                text.parse()
            }
        }

        impl From<$id> for String {
            fn from(id: $id) -> Self {
                id.0
            }
        }

        impl std::fmt::Display for $id {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

pub(crate) use id_newtype;

id_newtype! {
    /// The id of one run: 26 characters of lower-case base32 (RFC 4648, `a-z2-7`).
    ///
    /// They are the first 128 bits of SHA-256 over the upload's bucket, key and version id, and
    /// over nothing else: however often S3's event arrives, and whatever its time, it is the
    /// same run (invariant 1). When the upload was made is a field of the record, by which lists
    /// are sorted.
    ///
    /// It is safe as an execution name, a job name and a segment of an S3 key. Neither `0` nor
    /// `1`, `8` nor `9` is in it, so that it can be read out and typed.
    #[schemars(description = "The id of one run.", extend("pattern" = "^[a-z2-7]{26}$"))]
    pub struct RunId;
    /// A text that is not a run id.
    #[error(
        "“{0}” is not a run id; one looks like mfrggzdfmztwq2lknnwg23tpoa, 26 characters from a to z and 2 to 7"
    )]
    pub struct ParseRunIdError;
    parse_run_id
}

/// How much of the digest a run id holds, in bytes. Among 2⁴⁰ uploads, the probability
/// that two share an id is below 10⁻¹⁴.
const RUN_ID_BYTES: usize = 16;

impl RunId {
    /// Length of every run id, in characters.
    pub const CHARS: usize = 26;

    /// Derives the id of the run that one upload starts.
    ///
    /// `generation` distinguishes the uploads under one key: the object's version id or, in a
    /// bucket without versions, the event's sequencer.
    pub fn derive(bucket: &str, key: &str, generation: &str) -> Self {
        let mut hash = Sha256::new();
        // Each part after its length, so that no two triples collide by shifting characters from
        // one part to the next.
        for part in [bucket, key, generation] {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part.as_bytes());
        }
        let digest = hash.finalize();
        let head = digest.get(..RUN_ID_BYTES).unwrap_or(&digest);
        Self(BASE32_NOPAD.encode(head).to_ascii_lowercase())
    }
}

fn parse_run_id(text: &str) -> Option<&str> {
    let lower_case = !text.bytes().any(|byte| byte.is_ascii_uppercase());
    let decoded = BASE32_NOPAD.decode(text.to_ascii_uppercase().as_bytes());
    let good = lower_case && decoded.is_ok_and(|bytes| bytes.len() == RUN_ID_BYTES);
    good.then_some(text)
}

id_newtype! {
    /// The id that AWS Batch gave a job (a UUID).
    #[schemars(extend("pattern" = "^[A-Za-z0-9:_-]{1,128}$"))]
    pub struct JobId;
    /// A text that cannot be a Batch job id.
    #[error("“{0}” is not a Batch job id")]
    pub struct ParseJobIdError;
    parse_job_id
}

fn parse_job_id(text: &str) -> Option<&str> {
    // Array children read `<uuid>:<index>`. A slash would break the S3 key it becomes a part of.
    let good = (1..=128).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b':' | b'_'));
    good.then_some(text)
}

/// The number of a model's version: 1, 2, 3 and so on, up to six digits.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(transparent)]
#[schemars(extend("minimum" = 1, "maximum" = MAX_VERSION))]
pub struct Version(u32);

/// The digits that the table's sort key has room for.
const MAX_VERSION_DIGITS: usize = 6;

/// The largest number of so many digits.
const MAX_VERSION: u32 = 999_999;

impl Version {
    /// The first version of a model.
    pub const FIRST: Self = Self(1);

    /// The number.
    pub fn number(self) -> u32 {
        self.0
    }

    /// The version after this one.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }

    /// The version before this one; the first has none before it and stays.
    #[must_use]
    pub fn previous(self) -> Self {
        Self(self.0.saturating_sub(1).max(1))
    }
}

/// A text that is not a version number.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "“{0}” is not a version; a version is a whole number from 1 to 999999, written in digits without a leading zero, such as 3"
)]
pub struct ParseVersionError(String);

impl FromStr for Version {
    type Err = ParseVersionError;

    /// Reads `[1-9][0-9]{0,5}`. A version is written in this one way: what allows a key with `@3`
    /// and forbids `@4` would otherwise be circumvented by `@04`, `@v4` or `@+4`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = || ParseVersionError(text.chars().take(80).collect());
        let digits = text.len() <= MAX_VERSION_DIGITS && text.bytes().all(|b| b.is_ascii_digit());
        if !digits || text.starts_with('0') {
            return Err(error());
        }
        text.parse().map(Self).map_err(|_| error())
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_run_id_is_the_upload_and_nothing_else() {
        let id = RunId::derive("in", "inputs/m/a.json", "v1");
        assert_eq!(id, RunId::derive("in", "inputs/m/a.json", "v1"));
        // What is published under it lies in S3 for months: the derivation must not change.
        assert_eq!(id.as_str(), "rmyrs2jl3edf5bncupiw65zkvq");
        assert_eq!(id.as_str().parse::<RunId>().unwrap(), id);
    }

    #[test]
    fn shifting_a_character_between_the_parts_gives_another_run() {
        assert_ne!(RunId::derive("ab", "c", "d"), RunId::derive("a", "bc", "d"));
        assert_ne!(RunId::derive("a", "bc", "d"), RunId::derive("a", "b", "cd"));
    }

    #[test]
    fn a_run_id_is_written_in_one_way() {
        let id = "mfrggzdfmztwq2lknnwg23tpoa";
        assert!(id.parse::<RunId>().is_ok());
        for other in [
            &id.to_uppercase(),
            "mfrggzdfmztwq2lknnwg23tpo",
            "mfrggzdfmztwq2lknnwg23tpoaa",
            // The last two bits of the last character do not count.
            "mfrggzdfmztwq2lknnwg23tpob",
            "mfrggzdfmztwq2lknnwg23tp/a",
            "",
        ] {
            assert!(other.parse::<RunId>().is_err(), "{other}");
        }
    }

    #[test]
    fn versions_are_whole_numbers_from_one_written_in_one_way() {
        assert_eq!("12".parse::<Version>().unwrap().number(), 12);
        assert_eq!("999999".parse::<Version>().unwrap().number(), 999_999);
        for bad in [
            "0", "-1", "1.5", "", "latest", "1000000", "v3", "V3", "+3", "03", "3 ", " 3", "٣",
        ] {
            assert!(bad.parse::<Version>().is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn every_derived_id_parses(bucket in ".*", key in ".*", version in ".*") {
            let id = RunId::derive(&bucket, &key, &version);
            prop_assert_eq!(id.as_str().len(), RunId::CHARS);
            prop_assert_eq!(id.as_str().parse::<RunId>().unwrap(), id);
        }

        #[test]
        fn no_other_text_passes_for_a_run_id(text in "\\PC{0,40}") {
            if let Ok(id) = text.parse::<RunId>() {
                prop_assert_eq!(id.as_str().len(), RunId::CHARS);
                prop_assert!(id.as_str().bytes().all(|b| matches!(b, b'a'..=b'z' | b'2'..=b'7')));
            }
        }

        #[test]
        fn a_version_that_parses_reads_as_it_was_written(text in "[-+v ]?[0-9]{0,8}") {
            if let Ok(version) = text.parse::<Version>() {
                prop_assert_eq!(version.to_string(), text);
            }
        }
    }
}
