//! The state's input and output.

use dropcast_domain::{failure::ErrorCode, ids::RunId};
use serde::{Deserialize, Serialize};

use crate::rejection::RunRejection;

/// Which run to validate.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Validate {
    pub run_id: RunId,
}

/// What was decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "outcome", rename_all = "lowercase")]
pub enum Outcome {
    /// The job may be submitted.
    #[serde(rename_all = "camelCase")]
    Accepted {
        /// How long the execution waits for the job at most.
        wait_seconds: u64,
    },
    /// The run ends here.
    Rejected {
        /// The stable code.
        code: ErrorCode,
        /// What happened, in a sentence.
        message: String,
    },
}

impl Outcome {
    pub(crate) fn accepted(wait_seconds: u64) -> Self {
        Self::Accepted { wait_seconds }
    }

    pub(crate) fn rejected(rejection: &RunRejection) -> Self {
        Self::Rejected {
            code: rejection.code,
            message: rejection.message.clone(),
        }
    }
}
