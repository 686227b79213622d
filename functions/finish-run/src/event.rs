use dropcast_app::runs::RunEnd;
use dropcast_domain::{
    failure::ErrorCode,
    ids::RunId,
    status::{Status, TerminalStatus},
};
use serde::{Deserialize, Serialize};

/// The state's input.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FinishRequest {
    pub run_id: RunId,
    pub status: TerminalStatus,
    /// The error code, unless the run succeeded.
    #[serde(default)]
    pub code: Option<ErrorCode>,
    /// What happened, in one sentence; the code's own text without.
    #[serde(default)]
    pub message: Option<String>,
}

impl FinishRequest {
    pub(crate) fn into_parts(self) -> (RunId, RunEnd) {
        let end = RunEnd {
            status: self.status,
            code: self.code,
            message: self.message,
        };
        (self.run_id, end)
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
