//! Batch's and ECS's words for a failure, in ours.

use super::{Attempt, JobChange};
use crate::failure::{ErrorCode, Failure};

/// Turns a FAILED job's reasons into a code and a sentence.
///
/// The strings are those of
/// <https://docs.aws.amazon.com/batch/latest/userguide/troubleshooting.html> and
/// <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/stopped-task-error-codes.html>.
/// `Essential container in task exited` says nothing, so the attempt's own
/// reason and exit code are read before Batch's.
pub fn translate(change: &JobChange) -> Failure {
    let last = change.attempts.last();
    let reasons: Vec<&str> = last
        .and_then(|attempt| attempt.container_reason.as_deref())
        .into_iter()
        .chain(last.and_then(|attempt| attempt.status_reason.as_deref()))
        .chain(change.status_reason.as_deref())
        .collect();
    let saying = |needle: &str| {
        reasons
            .iter()
            .find(|reason| reason.contains(needle))
            .copied()
    };

    if let Some(reason) = saying("OutOfMemory") {
        return out_of_memory(reason);
    }
    if saying("CannotPullContainer")
        .or_else(|| saying("CannotPullImage"))
        .is_some()
    {
        return Failure::new(
            ErrorCode::ImageNotPulled,
            "The model's container image could not be pulled.",
        );
    }
    if saying("exceeded timeout").is_some() {
        return Failure::new(
            ErrorCode::TimedOut,
            "The model ran longer than its version's time limit and was stopped.",
        );
    }
    if saying("Host EC2")
        .or_else(|| saying("Spot interruption"))
        .or_else(|| saying("SpotInterruption"))
        .or_else(|| saying("Your Spot Task was interrupted"))
        .is_some()
    {
        return Failure::new(
            ErrorCode::HostLost,
            "The machine that ran the model was lost before the model finished.",
        );
    }
    if let Some(reason) = change
        .status_reason
        .as_deref()
        .filter(|reason| is_capacity(reason))
    {
        return Failure::new(
            ErrorCode::CapacityUnavailable,
            format!(
                "No machine was available for the model. AWS Batch reports: {}",
                sentence(reason)
            ),
        );
    }
    if last.is_none_or(|attempt| attempt.exit_code.is_none() && attempt.container_reason.is_none())
        && let Some(reason) = request(change)
    {
        return stopped(reason);
    }
    // A retry would be refused again, and only the operator can fix it.
    if let Some(reason) = saying(ROLE_REFUSED) {
        return Failure::new(
            ErrorCode::Internal,
            format!(
                "The job is not allowed to use its IAM role. AWS reports: {}",
                sentence(reason)
            ),
        );
    }
    // As with the role: the person who manages the model's secrets has to fix it.
    if let Some(reason) = saying("unable to retrieve secret") {
        return Failure::new(
            ErrorCode::Internal,
            format!(
                "A secret that the model declares could not be passed to the job. AWS reports: {}",
                sentence(reason)
            ),
        );
    }
    // The runtime could not start, watch or place the container: not the model's doing.
    if let Some(reason) = reasons.iter().find(|reason| is_host_trouble(reason)) {
        return Failure::new(
            ErrorCode::HostLost,
            format!(
                "The model's container could not be started. AWS reports: {}",
                sentence(reason)
            ),
        );
    }
    match last {
        Some(Attempt {
            exit_code: Some(code),
            ..
        }) => exited(*code, change),
        _ => lost(change.status_reason.as_deref()),
    }
}

fn lost(reason: Option<&str>) -> Failure {
    let message = match reason {
        Some(reason) => format!(
            "The job ended without running the model. AWS Batch reports: {}",
            sentence(reason)
        ),
        None => "The job ended, and AWS Batch gave no reason.".to_owned(),
    };
    Failure::new(ErrorCode::JobLost, message)
}

fn stopped(reason: &str) -> Failure {
    Failure::new(
        ErrorCode::JobCancelled,
        format!("The job was stopped: {}", sentence(reason)),
    )
}

fn exited(code: i32, change: &JobChange) -> Failure {
    // A model that is stopped and does not heed it is killed, with the code of a killed model.
    if let Some(reason) = request(change) {
        return stopped(reason);
    }
    Failure::new(ErrorCode::JobFailed, exit_sentence(code))
}

/// How a model ended that did not end well, by its exit code.
///
/// 126 and 127 are what `dropcast-job`, shells and Docker say of a program that cannot be started:
/// <https://pubs.opengroup.org/onlinepubs/9799919799/utilities/V3_chap02.html#tag_19_08_02>.
pub fn exit_sentence(code: i32) -> String {
    match code {
        126 => "The model stopped because a program could not be run (exit code 126): the command in model.toml, or \
                one that it starts, is not a program for this processor, or may not be executed."
            .to_owned(),
        127 => "The model stopped because a program was not found (exit code 127): the command in model.toml, or one \
                that it starts, is not on the PATH where it runs."
            .to_owned(),
        137 => "The model was killed (exit code 137), often because it used too much memory.".to_owned(),
        code => format!("The model stopped with an error (exit code {code})."),
    }
}

fn out_of_memory(_reason: &str) -> Failure {
    Failure::new(
        ErrorCode::OutOfMemory,
        "The model needed more memory than its version is allowed and was killed.",
    )
}

/// Codes that begin the status reason of a job stuck in RUNNABLE; match the prefix only. See
/// <https://docs.aws.amazon.com/batch/latest/userguide/job_stuck_in_runnable.html>.
fn is_capacity(reason: &str) -> bool {
    [
        "CAPACITY:",
        "MISCONFIGURATION:",
        "ACTION_REQUIRED",
        "UNDETERMINED",
    ]
    .iter()
    .any(|prefix| reason.contains(prefix))
}

/// How ECS says that the role's trust policy, or the caller's `iam:PassRole`, is wrong.
const ROLE_REFUSED: &str = "unable to assume the role";

fn is_host_trouble(reason: &str) -> bool {
    [
        "Task failed to start",
        "CannotInspectContainer",
        "CannotStartContainer",
        "CannotCreateContainer",
        "DockerTimeoutError",
        "ResourceInitializationError",
        ROLE_REFUSED,
    ]
    .iter()
    .any(|needle| reason.contains(needle))
}

/// The reason given by the caller who stopped the job, if there is one. Where Batch does not say, any reason
/// counts that is none of AWS's own.
fn request(change: &JobChange) -> Option<&str> {
    let reason = change.status_reason.as_deref()?;
    let asked = change.stopped_on_request.unwrap_or_else(|| {
        !reason.contains("Essential container in task exited") && !is_host_trouble(reason)
    });
    asked.then_some(reason)
}

/// The reason with a full stop, on one line, not shortened: AWS's longer reasons end with what to do.
fn sentence(reason: &str) -> String {
    let line = crate::text::clean_line(reason);
    if line.ends_with(['.', '…', '!', '?']) {
        line
    } else {
        format!("{line}.")
    }
}
