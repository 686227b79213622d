//! The state's input and the function's answer.

use dropcast_domain::{
    ids::{JobId, RunId},
    task::TaskAttempt,
};
use serde::{Deserialize, Serialize};

#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Submit {
    pub run_id: RunId,
    /// What resumes the execution. A secret: it has no `Debug`.
    pub task_token: String,
    /// The attempt that the token belongs to.
    pub attempt: TaskAttempt,
}

/// The function's answer, which Step Functions ignores: the task's result comes with the token.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Submitted {
    /// The run's job; none if a later attempt provides it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub job_id: Option<JobId>,
}
