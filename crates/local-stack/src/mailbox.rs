//! The mails that the local SES was given.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use serde::Deserialize;

use crate::{Error, http};

/// Where the emulator lists them.
const MESSAGES: &str = "/_ministack/ses/messages";

/// A mail that the local SES was given.
#[derive(Debug, Clone, PartialEq)]
pub struct Mail {
    /// SES's id of the message.
    pub message_id: String,
    /// When SES took it.
    pub at: Timestamp,
    /// The sender's address.
    pub from: String,
    /// The recipients' addresses.
    pub to: Vec<String>,
    /// The subject, decoded.
    pub subject: String,
    /// The plain text, decoded.
    pub text: String,
    /// The HTML, decoded; empty when it has none.
    pub html: String,
    /// The whole mail as it was sent, which a mail program opens.
    pub file: Option<PathBuf>,
}

#[derive(Deserialize)]
struct Listing {
    messages: BTreeMap<String, Vec<Message>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Message {
    #[serde(rename = "MessageId")]
    id: String,
    source: String,
    #[serde(default)]
    to: Vec<String>,
    #[serde(default)]
    subject: String,
    #[serde(default)]
    body_text: Option<String>,
    #[serde(default)]
    body_html: Option<String>,
    timestamp: f64,
}

/// Where the emulator's start script keeps whole mails, as `<message id>.eml`.
pub(crate) fn folder(state: &Path) -> PathBuf {
    state.join("mails")
}

/// All of them, the oldest first.
pub(crate) async fn read(endpoint: &str, state: &Path) -> Result<Vec<Mail>, Error> {
    let failed = || Error::call("reading the local mailbox");
    let answer = http::client()?
        .get(format!("{endpoint}{MESSAGES}"))
        .send()
        .await
        .and_then(reqwest::Response::error_for_status)
        .map_err(failed())?;
    let listing: Listing = answer.json().await.map_err(failed())?;
    let folder = folder(state);
    let mut mails: Vec<Mail> = listing
        .messages
        .into_values()
        .flatten()
        .map(|message| message.into_mail(&folder))
        .collect();
    mails.sort_by_key(|mail| mail.at);
    Ok(mails)
}

impl Message {
    fn into_mail(self, folder: &Path) -> Mail {
        let file = folder.join(format!("{}.eml", self.id));
        Mail {
            at: moment(self.timestamp),
            from: self.source,
            to: self.to,
            subject: self.subject,
            text: self.body_text.unwrap_or_default(),
            html: self.body_html.unwrap_or_default(),
            file: file.is_file().then_some(file),
            message_id: self.id,
        }
    }
}

/// A moment from seconds since 1970 as Python writes them.
fn moment(seconds: f64) -> Timestamp {
    let span = jiff::SignedDuration::try_from_secs_f64(seconds).unwrap_or_default();
    Timestamp::from_duration(span).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listing_becomes_mails_in_the_order_of_their_time() {
        let text = r#"{"messages": {"000000000000": [
            {"MessageId": "b@x", "Source": "f@corp.example", "To": ["a@corp.example"], "CC": [], "BCC": [],
             "Subject": "Später", "BodyText": "text", "BodyHtml": null, "Timestamp": 1700000001.5, "Type": "SendRawEmail"}]}}"#;
        let listing: Listing = serde_json::from_str(text).unwrap();
        let message = listing.messages.into_values().flatten().next().unwrap();
        let mail = message.into_mail(Path::new("/nowhere"));
        assert_eq!(mail.subject, "Später");
        assert_eq!(mail.at.to_string(), "2023-11-14T22:13:21.5Z");
        assert_eq!((mail.html.as_str(), mail.file), ("", None));
    }
}
