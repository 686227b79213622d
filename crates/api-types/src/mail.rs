//! The mails that the local SES received.

use dropcast_domain::ids::RunId;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use crate::patterns;

/// What `dropcast mail --json` prints.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Mails {
    /// The stack: its CloudFormation name, or `local`.
    #[schemars(length(min = 1))]
    pub stack: String,
    /// The mails, the oldest first.
    pub mails: Vec<MailView>,
}

/// One mail that the local SES received.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Mail")]
pub struct MailView {
    /// SES's id of the message.
    #[schemars(length(min = 1))]
    pub message_id: String,
    /// When SES accepted it, RFC 3339, UTC.
    pub at: Timestamp,
    /// The run that it is about; null when it names none.
    pub run_id: Option<RunId>,
    /// The sender's address.
    pub from: String,
    /// The recipients' addresses.
    #[schemars(length(min = 1))]
    pub to: Vec<String>,
    /// The subject line.
    pub subject: String,
    /// The body as plain text.
    pub text: String,
    /// The HTML; empty when there is none.
    pub html: String,
    /// The http and https links in the text, in their order, each once.
    #[schemars(inner(regex(pattern = patterns::LINK)))]
    pub links: Vec<String>,
    /// The whole mail on disk, for a mail program.
    pub file: Option<String>,
}
