//! A run's status, and the order of statuses.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::variants::named_enum;

named_enum! {
    /// The status of a run.
    pub enum Status {
        /// The upload was received and the run has a record.
        Received = "received",
        /// The input is being checked.
        Validating = "validating",
        /// The job was submitted to AWS Batch.
        Submitted = "submitted",
        /// The job is waiting for compute resources.
        Waiting = "waiting",
        /// The job's container is being started.
        Starting = "starting",
        /// The model is running.
        Running = "running",
        /// The outputs are being collected.
        Collecting = "collecting",
        /// The outputs are published.
        Succeeded = "succeeded",
        /// The run ended without results.
        Failed = "failed",
        /// The input was rejected.
        Rejected = "rejected",
        /// The job was cancelled.
        Cancelled = "cancelled",
    }
    /// A text that is not the name of a status.
    #[error("“{0}” is not a run status")]
    pub struct ParseStatusError;
}

impl Status {
    /// The rank within one attempt; the four terminal states share the last.
    pub fn rank(self) -> u8 {
        match self {
            Self::Received => 0,
            Self::Validating => 1,
            Self::Submitted => 2,
            Self::Waiting => 3,
            Self::Starting => 4,
            Self::Running => 5,
            Self::Collecting => 6,
            Self::Succeeded | Self::Failed | Self::Rejected | Self::Cancelled => 9,
        }
    }

    /// Whether a run in this status has ended.
    pub fn is_terminal(self) -> bool {
        self.rank() == 9
    }
}

/// The status of a run that has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Status")]
pub struct TerminalStatus(Status);

impl TerminalStatus {
    /// The run ended without results.
    pub const FAILED: Self = Self(Status::Failed);
}

/// A run with this status has not ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("a run with the status {0} has not ended")]
pub struct NotTerminal(Status);

impl TryFrom<Status> for TerminalStatus {
    type Error = NotTerminal;

    fn try_from(status: Status) -> Result<Self, Self::Error> {
        if status.is_terminal() {
            Ok(Self(status))
        } else {
            Err(NotTerminal(status))
        }
    }
}

impl From<TerminalStatus> for Status {
    fn from(status: TerminalStatus) -> Self {
        status.0
    }
}

/// A run's status together with how many attempts of its job had finished.
///
/// The pair orders a run's life: a retry goes back to `waiting`, yet forward,
/// because one more attempt has finished (invariant 2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Progress {
    /// The number of the job's finished attempts.
    pub attempts: u32,
    /// The run's status.
    pub status: Status,
}

impl Progress {
    /// A status before any attempt has finished.
    pub fn first(status: Status) -> Self {
        Self {
            attempts: 0,
            status,
        }
    }

    /// One number that grows with every step forward: attempts × 16 + rank.
    pub fn order(self) -> u64 {
        u64::from(self.attempts) * 16 + u64::from(self.status.rank())
    }
}

/// One step of a run's timeline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Transition {
    /// The new status.
    #[serde(flatten)]
    pub progress: Progress,
    /// When the run reached it, by the clock of the reporting service.
    pub at: Timestamp,
}

impl Transition {
    /// Whether a run at `current` takes this step.
    ///
    /// Two reports of one step differ at most in their time (Batch's SUBMITTED
    /// and PENDING are both `submitted`); the earlier one is kept, so that the
    /// record does not depend on the order of arrival.
    pub fn supersedes(&self, current: &Self) -> bool {
        if current.progress.status.is_terminal() {
            return false;
        }
        let (new, old) = (self.progress.order(), current.progress.order());
        new > old
            || (new == old
                && self.progress.status == current.progress.status
                && self.at < current.at)
    }
}

/// A timeline whose times never go back, for people to read.
///
/// EventBridge gives Batch's events whole seconds, so `waiting` may have an
/// earlier time than the `submitted` before it, which our own clock gave. Each
/// step is shown no earlier than the one before it.
pub fn in_order(mut timeline: Vec<Transition>) -> Vec<Transition> {
    let mut latest = Timestamp::MIN;
    for step in &mut timeline {
        latest = latest.max(step.at);
        step.at = latest;
    }
    timeline
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn any_transition() -> impl Strategy<Value = Transition> {
        (0u32..4, 0usize..Status::ALL.len(), 0i64..10).prop_map(|(attempts, status, second)| {
            Transition {
                progress: Progress {
                    attempts,
                    status: Status::ALL[status],
                },
                at: Timestamp::from_second(second).unwrap(),
            }
        })
    }

    #[test]
    fn every_status_reads_back_from_its_name() {
        for status in Status::ALL {
            assert_eq!(status.as_str().parse::<Status>().unwrap(), status);
            assert_eq!(serde_json::to_value(status).unwrap(), status.as_str());
        }
    }

    #[test]
    fn a_retry_goes_back_to_waiting_yet_forward() {
        let at = Timestamp::UNIX_EPOCH;
        let running = Transition {
            progress: Progress::first(Status::Running),
            at,
        };
        let retried = Transition {
            progress: Progress {
                attempts: 1,
                status: Status::Waiting,
            },
            at,
        };
        assert!(retried.supersedes(&running));
        assert!(!running.supersedes(&retried));
    }

    #[test]
    fn a_timeline_is_shown_without_steps_back() {
        let step = |status, milli| Transition {
            progress: Progress::first(status),
            at: Timestamp::from_millisecond(milli).unwrap(),
        };
        let shown = in_order(vec![
            step(Status::Submitted, 1_250),
            step(Status::Waiting, 1_000),
            step(Status::Running, 2_000),
        ]);
        assert_eq!(
            shown
                .iter()
                .map(|step| step.at.as_millisecond())
                .collect::<Vec<_>>(),
            [1_250, 1_250, 2_000]
        );
    }

    proptest! {
        #[test]
        fn invariant_2_a_status_only_moves_forward_and_terminal_states_absorb(
            steps in prop::collection::vec(any_transition(), 1..40)
        ) {
            let mut current = Transition { progress: Progress::first(Status::Received), at: Timestamp::UNIX_EPOCH };
            for step in steps {
                let before = current;
                if step.supersedes(&current) {
                    current = step;
                }
                prop_assert!(current.progress.order() >= before.progress.order());
                if before.progress.status.is_terminal() {
                    prop_assert_eq!(current, before);
                }
            }
        }
    }
}
