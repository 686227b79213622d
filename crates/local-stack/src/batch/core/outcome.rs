//! How an attempt ended, in the words of AWS.
//!
//! The words are those that AWS Batch and Amazon ECS use, see
//! <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/stopped-task-error-codes.html>
//! and <https://docs.aws.amazon.com/batch/latest/userguide/troubleshooting.html>.

use super::{
    faults::{Fault, FaultKind},
    job::{Ending, Placement},
};

/// The status reason of an attempt whose process ended by itself, whatever its exit code.
pub(crate) const EXITED: &str = "Essential container in task exited";
/// The status reason of an attempt whose container never ran.
pub(crate) const NOT_STARTED: &str = "Task failed to start";
/// The status reason of an attempt that ran for too long.
pub(crate) const TIMED_OUT: &str = "Job attempt duration exceeded timeout";
/// The status reason of a job whose dependency failed.
pub(crate) const DEPENDENCY_FAILED: &str = "Dependent Job failed";
/// The status reason of a job that asks for more vCPUs than there will ever be.
pub(crate) const TOO_LARGE: &str = "MISCONFIGURATION:COMPUTE_ENVIRONMENT_MAX_RESOURCE - CE(s) associated with the job queue cannot meet the CPU requirement of the job.";
/// The status reason of a job for which no host is found.
pub(crate) const NO_CAPACITY: &str = "CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY - Service cannot fulfill the capacity requested for instance type [m6i.large]";

/// What becomes of the job after an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AttemptResult {
    /// The job has succeeded.
    Succeeded,
    /// The attempt failed; the retry strategy decides.
    Failed,
    /// The job has failed, whatever its retry strategy says.
    FailedForGood,
}

/// How an attempt ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) result: AttemptResult,
    pub(crate) status_reason: String,
    pub(crate) reason: Option<String>,
    pub(crate) exit_code: Option<i32>,
}

/// The outcome of a process that ended with `exit_code`, in the light of what was done to it.
pub(crate) fn of_exit(placement: &Placement, exit_code: i32) -> Outcome {
    let (result, status_reason) = match (&placement.ending, &placement.fault) {
        (Some(Ending::Terminated(reason)), _) => (AttemptResult::FailedForGood, reason.clone()),
        (Some(Ending::TimedOut), _) => (AttemptResult::FailedForGood, TIMED_OUT.to_owned()),
        (None, Some(fault)) => return of_running_fault(fault, placement),
        (None, None) if exit_code == 0 => (AttemptResult::Succeeded, EXITED.to_owned()),
        (None, None) => (AttemptResult::Failed, EXITED.to_owned()),
    };
    Outcome {
        result,
        status_reason,
        reason: None,
        exit_code: Some(exit_code),
    }
}

/// The outcome of an attempt whose container could not be started because of `reason`.
pub(crate) fn not_started(reason: impl Into<String>) -> Outcome {
    Outcome {
        result: AttemptResult::Failed,
        status_reason: NOT_STARTED.to_owned(),
        reason: Some(reason.into()),
        exit_code: None,
    }
}

/// The outcome of an attempt that was terminated before its container was started.
pub(crate) fn terminated_before_start(reason: &str) -> Outcome {
    Outcome {
        result: AttemptResult::FailedForGood,
        status_reason: reason.to_owned(),
        reason: None,
        exit_code: None,
    }
}

/// The outcome that a fault gives an attempt before it starts; `None` for a fault that strikes
/// later. `image` and `role` are named in the messages.
pub(crate) fn of_starting_fault(fault: &Fault, image: &str, role: &str) -> Option<Outcome> {
    let outcome = match fault.kind {
        FaultKind::ImageNotPulled => not_started(format!(
            "CannotPullContainerError: Error response from daemon: manifest for {image} not found: manifest unknown: Requested image not found"
        )),
        FaultKind::TaskFailedToStart => not_started(
            "DockerTimeoutError: Could not transition to created; timed out after waiting 4m0s",
        ),
        FaultKind::RoleNotAssumed => Outcome {
            result: AttemptResult::Failed,
            status_reason: format!(
                "ECS was unable to assume the role '{role}' that was provided for this task. Please verify that the role being passed has the proper trust relationship and permissions and that your IAM user has permissions to pass this role."
            ),
            reason: None,
            exit_code: None,
        },
        FaultKind::HostLost
        | FaultKind::OutOfMemory
        | FaultKind::CannotInspect
        | FaultKind::StuckRunnable => return None,
    };
    Some(overridden(outcome, fault))
}

/// The outcome that a fault gives an attempt while it runs.
fn of_running_fault(fault: &Fault, placement: &Placement) -> Outcome {
    let (status_reason, reason, exit_code) = match fault.kind {
        FaultKind::HostLost => (
            format!("Host EC2 (instance {}) terminated.", placement.instance_id),
            None,
            None,
        ),
        FaultKind::OutOfMemory => (
            EXITED.to_owned(),
            Some("OutOfMemoryError: Container killed due to memory usage".to_owned()),
            Some(137),
        ),
        // Only these three are left: the others end an attempt before it runs.
        _ => (
            EXITED.to_owned(),
            Some(
                "CannotInspectContainerError: Could not transition to inspecting; timed out after waiting 30s"
                    .to_owned(),
            ),
            None,
        ),
    };
    let outcome = Outcome {
        result: AttemptResult::Failed,
        status_reason,
        reason,
        exit_code,
    };
    overridden(outcome, fault)
}

fn overridden(outcome: Outcome, fault: &Fault) -> Outcome {
    Outcome {
        status_reason: fault.status_reason.clone().unwrap_or(outcome.status_reason),
        reason: fault.reason.clone().or(outcome.reason),
        exit_code: fault.exit_code.or(outcome.exit_code),
        result: outcome.result,
    }
}
