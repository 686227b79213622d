//! What the demo saw.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Serialize;

use crate::{MailView, RunDetail, patterns};

/// What `dropcast demo --json` prints when every step succeeded.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Demo {
    /// Whether a stack was started for it; otherwise one was up already, and still is.
    pub started_stack: bool,
    /// The folder that holds what was downloaded.
    pub folder: PathBuf,
    /// The file that was accepted.
    pub accepted: ReportedRun,
    /// One for each link to an output.
    #[schemars(length(min = 1))]
    pub downloads: Vec<Download>,
    /// The file that was rejected.
    pub rejected: ReportedRun,
}

/// A run and the mail about it.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReportedRun {
    /// The run.
    pub run: RunDetail,
    /// The mail.
    pub mail: MailView,
    /// Milliseconds from the run's end until SES accepted the mail.
    pub mail_after_ms: i64,
}

/// What a link in the mail led to.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Download {
    /// The link in the mail.
    #[schemars(regex(pattern = patterns::LINK))]
    pub link: String,
    /// The output's path.
    pub path: String,
    /// The HTTP status of the link's response, then that of the response it redirects to.
    pub statuses: [u16; 2],
    /// The media type that it was served with.
    pub media_type: String,
    /// Size in bytes.
    pub bytes: u64,
    /// SHA-256 of the content; the same as in the run's record.
    #[schemars(regex(pattern = patterns::SHA256))]
    pub sha256: String,
    /// Where it was saved.
    pub file: PathBuf,
}
