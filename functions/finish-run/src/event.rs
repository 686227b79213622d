use dropcast_domain::{failure::ErrorCode, ids::RunId, status::Status};
use serde::{Deserialize, Serialize};

/// The state's input.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FinishRequest {
    pub run_id: RunId,
    pub status: RunEnd,
    /// The error code, unless the run succeeded.
    #[serde(default)]
    pub code: Option<ErrorCode>,
    /// What happened, in one sentence; the code's own text without.
    #[serde(default)]
    pub message: Option<String>,
}

/// A terminal status; no other one is accepted.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RunEnd {
    Succeeded,
    Failed,
    Rejected,
    Cancelled,
}

impl From<RunEnd> for Status {
    fn from(end: RunEnd) -> Self {
        match end {
            RunEnd::Succeeded => Self::Succeeded,
            RunEnd::Failed => Self::Failed,
            RunEnd::Rejected => Self::Rejected,
            RunEnd::Cancelled => Self::Cancelled,
        }
    }
}

/// The run's end as it is recorded.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Finished {
    pub run_id: RunId,
    /// The terminal status, which may be that of an earlier call.
    pub status: Status,
}
