//! Requests to cancel a run.
//!
//! A request is written to the run's record first, and then the run's job is stopped, if it has one
//! already. Whatever submits or follows a job reads the request there, so a job that is submitted at
//! the same moment is stopped as well. The run ends as cancelled when its job has stopped.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    failure::{ErrorCode, Failure},
    job::{JobChange, stop_reason},
    run::Run,
    text,
};

/// The maximum length of the reason for a cancellation, in characters.
pub const REASON_LENGTH: usize = 500;

/// The longest name of a person that a sentence contains, in characters.
const NAME_LENGTH: usize = 200;

/// A request to cancel a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Cancellation {
    /// When the cancellation was requested.
    pub at: Timestamp,
    /// Who requested it: the ARN of their credentials.
    pub by: String,
    /// Why, in one line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = REASON_LENGTH))]
    pub reason: Option<String>,
}

impl Cancellation {
    /// A request; the reason is shortened and reduced to one line, and left out if it is empty.
    pub fn new(by: &str, reason: Option<&str>, at: Timestamp) -> Self {
        let reason = reason.map(|reason| text::one_line(reason, REASON_LENGTH));
        Self {
            at,
            by: by.to_owned(),
            reason: reason.filter(|reason| !reason.is_empty()),
        }
    }

    /// The name of the person who requested it: the session of a role, or the user.
    pub fn requester(&self) -> String {
        let name = self.by.rsplit(['/', ':']).next().unwrap_or_default();
        match text::one_line(name, NAME_LENGTH) {
            name if name.is_empty() => "somebody".to_owned(),
            name => name,
        }
    }

    /// Who cancelled the run and why, in a sentence.
    pub fn sentence(&self) -> String {
        let by = self.requester();
        match &self.reason {
            Some(reason) => format!("The run was cancelled by {by}: “{reason}”."),
            None => format!("The run was cancelled by {by}."),
        }
    }

    /// How a run ends that was cancelled.
    pub fn failure(&self) -> Failure {
        Failure::new(ErrorCode::Cancelled, self.sentence())
    }
}

/// Whether the failed job of a run that was to be cancelled was stopped for that, and did not fail
/// by itself before. Batch does not say of every job whether it was stopped on request.
pub fn explains(change: &JobChange) -> bool {
    change.status_reason.as_deref() == Some(stop_reason::CANCELLED)
        || change
            .stopped_on_request
            .unwrap_or(change.attempts.is_empty())
}

/// Whether a run can no longer be cancelled: it is over, or its job has ended and only its results
/// are being indexed.
pub fn is_too_late(run: &Run) -> bool {
    run.is_over() || run.job_end.is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::{Attempt, JobStatus};

    const ARN: &str = "arn:aws:sts::123456789012:assumed-role/Analysts/ana@corp.example";

    fn cancellation(reason: Option<&str>) -> Cancellation {
        Cancellation::new(ARN, reason, Timestamp::UNIX_EPOCH)
    }

    fn failed(stopped: Option<bool>, reason: Option<&str>, attempts: usize) -> JobChange {
        JobChange {
            job: "job-1".parse().unwrap(),
            status: JobStatus::Failed,
            status_reason: reason.map(Into::into),
            stopped_on_request: stopped,
            attempts: vec![Attempt::default(); attempts],
            at: Timestamp::UNIX_EPOCH,
        }
    }

    #[test]
    fn the_sentence_names_the_person_and_the_reason() {
        assert_eq!(
            cancellation(None).sentence(),
            "The run was cancelled by ana@corp.example."
        );
        assert_eq!(
            cancellation(Some("wrong\nfile")).sentence(),
            "The run was cancelled by ana@corp.example: “wrong file”."
        );
        assert_eq!(cancellation(Some(" \n ")).reason, None);
        let long = cancellation(Some(&"x".repeat(9_000)));
        assert!(long.sentence().chars().count() < 1_000, "a message's limit");
        let root = Cancellation::new(
            "arn:aws:iam::123456789012:root",
            None,
            Timestamp::UNIX_EPOCH,
        );
        assert_eq!(root.requester(), "root");
        let nobody = Cancellation::new("", None, Timestamp::UNIX_EPOCH);
        assert_eq!(nobody.sentence(), "The run was cancelled by somebody.");
    }

    #[test]
    fn a_job_that_failed_by_itself_before_it_was_stopped_is_not_explained() {
        assert!(explains(&failed(Some(true), None, 1)));
        assert!(explains(&failed(None, None, 0)), "it never ran");
        assert!(explains(&failed(None, Some(stop_reason::CANCELLED), 1)));
        let by_itself = Some("Essential container in task exited");
        assert!(!explains(&failed(Some(false), by_itself, 1)));
        assert!(!explains(&failed(Some(false), None, 0)), "no image");
        assert!(!explains(&failed(None, by_itself, 1)));
    }
}
