//! The log of a run's job.

use dropcast_domain::ids::RunId;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

/// What `dropcast logs --json` prints.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RunLog {
    /// The stack: its CloudFormation name, or `local`.
    #[schemars(length(min = 1))]
    pub stack: String,
    /// The run's id.
    pub run: RunId,
    /// What the job wrote in its latest attempt, the oldest line first.
    pub lines: Vec<LoggedLine>,
}

/// A line of a log.
#[derive(Debug, Serialize, JsonSchema)]
pub struct LoggedLine {
    /// When the job wrote it.
    pub at: Timestamp,
    /// The line.
    pub message: String,
}
