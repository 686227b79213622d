//! The state's input and output.

use dropcast_domain::{failure::ErrorCode, ids::RunId, status::Status};
use serde::{Deserialize, Serialize};

/// How the run ends.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Finish {
    /// The run.
    pub run_id: RunId,
    /// The terminal status.
    pub status: End,
    /// Why it did not succeed.
    #[serde(default)]
    pub code: Option<ErrorCode>,
    /// What happened, in a sentence.
    #[serde(default)]
    pub message: Option<String>,
}

/// A terminal status; no other is taken.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum End {
    /// The outputs are published.
    Succeeded,
    /// The run ended without outputs.
    Failed,
    /// The input was not accepted.
    Rejected,
    /// Somebody stopped the run.
    Cancelled,
}

impl From<End> for Status {
    fn from(end: End) -> Self {
        match end {
            End::Succeeded => Self::Succeeded,
            End::Failed => Self::Failed,
            End::Rejected => Self::Rejected,
            End::Cancelled => Self::Cancelled,
        }
    }
}

/// How the run stands now.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Finished {
    /// The run.
    pub run_id: RunId,
    /// Its terminal status, which an earlier end may have settled.
    pub status: Status,
}
