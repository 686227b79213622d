//! The state's input and the function's answer.

use dropcast_domain::ids::{JobId, RunId};
use serde::{Deserialize, Serialize};

#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Submit {
    pub run_id: RunId,
    /// What resumes the execution. A secret: it has no `Debug`.
    pub task_token: String,
}

/// The function's answer, which Step Functions ignores: the task's result comes with the token.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Submitted {
    /// The job that counts.
    pub job_id: JobId,
}
