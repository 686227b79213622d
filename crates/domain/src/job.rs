//! What a Batch job's event means for the run that it serves.
//!
//! [`decide`] is the whole rule: from the run's record and one event to the
//! effects. The events come at least once and in any order; every effect is
//! such that any order of them, any number of times, leaves the same record
//! (invariants 2 and 3).

mod context;
mod decide;
pub mod stop_reason;
mod translate;
mod wait;

pub use context::JobContext;
pub use decide::{Effect, decide};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
pub use translate::{exit_sentence, translate};

use crate::{failure::Failure, ids::JobId, status::Status};

/// The status of a job in Batch.
///
/// See <https://docs.aws.amazon.com/batch/latest/userguide/job_states.html>.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JobStatus {
    /// Accepted.
    Submitted,
    /// Waits for other jobs.
    Pending,
    /// Waits for a machine.
    Runnable,
    /// A machine was found; the image is fetched.
    Starting,
    /// The container runs.
    Running,
    /// The container exited with 0.
    Succeeded,
    /// Every attempt failed, or the job was stopped.
    Failed,
    /// A status that this release does not know.
    Unknown(String),
}

impl JobStatus {
    /// Reads Batch's name of a status.
    pub fn from_name(name: &str) -> Self {
        match name {
            "SUBMITTED" => Self::Submitted,
            "PENDING" => Self::Pending,
            "RUNNABLE" => Self::Runnable,
            "STARTING" => Self::Starting,
            "RUNNING" => Self::Running,
            "SUCCEEDED" => Self::Succeeded,
            "FAILED" => Self::Failed,
            other => Self::Unknown(other.to_owned()),
        }
    }

    /// The run's status while its job is in this one; none for an end or the unknown.
    pub(crate) fn as_run_status(&self) -> Option<Status> {
        match self {
            Self::Submitted | Self::Pending => Some(Status::Submitted),
            Self::Runnable => Some(Status::Waiting),
            Self::Starting => Some(Status::Starting),
            Self::Running => Some(Status::Running),
            Self::Succeeded | Self::Failed | Self::Unknown(_) => None,
        }
    }
}

/// One attempt of a job, as far as it is known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Attempt {
    /// Whether it has a `stoppedAt`.
    pub finished: bool,
    /// The container's exit code.
    pub exit_code: Option<i32>,
    /// Why the container stopped, in the container service's words.
    pub container_reason: Option<String>,
    /// Why the attempt ended, in Batch's words.
    pub status_reason: Option<String>,
    /// The CloudWatch Logs stream of its output.
    pub log_stream: Option<String>,
}

/// A `Batch Job State Change`, as far as it is used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobChange {
    /// The job.
    pub job: JobId,
    /// The job's status.
    pub status: JobStatus,
    /// Batch's words about it.
    pub status_reason: Option<String>,
    /// Whether it was cancelled or terminated by a request; unknown when Batch does not say.
    pub stopped_on_request: Option<bool>,
    /// Its attempts, first to last; empty when it never was placed.
    pub attempts: Vec<Attempt>,
    /// When it changed.
    pub at: Timestamp,
}

impl JobChange {
    /// How many attempts have finished.
    pub fn finished_attempts(&self) -> u32 {
        u32::try_from(
            self.attempts
                .iter()
                .filter(|attempt| attempt.finished)
                .count(),
        )
        .unwrap_or(u32::MAX)
    }

    /// The log stream of the last attempt that has one.
    pub fn log_stream(&self) -> Option<&str> {
        self.attempts
            .iter()
            .rev()
            .find_map(|attempt| attempt.log_stream.as_deref())
    }
}

/// How a job ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct JobEnd {
    /// Finished attempts; the last is the one that counts.
    pub attempts: u32,
    /// When Batch saw it end.
    pub at: Timestamp,
    /// Why, unless it succeeded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
    /// The CloudWatch Logs stream of the last attempt, if it was started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log_stream: Option<String>,
}

#[cfg(test)]
mod tests;

#[cfg(test)]
mod translate_tests;
