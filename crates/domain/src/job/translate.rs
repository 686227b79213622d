//! Batch's and ECS's words for a failure, in ours.

use super::JobChange;
use crate::{
    diagnosis::{Cause, Certainty, Evidence, Phase, Recognized, recognize_job},
    failure::{ErrorCode, Failure, MESSAGE_LENGTH},
    text,
};

/// Turns a FAILED job's reasons into a code and a sentence.
///
/// [`crate::diagnosis`] lists what the reasons mean.
/// `Essential container in task exited` says nothing, so the attempt's own
/// reason and exit code are read before Batch's.
pub fn translate(change: &JobChange) -> Failure {
    let evidence = Evidence::of(change);
    let request = evidence.request();
    let recognized = recognize_job(&evidence.job_texts())
        .filter(|it| it.certainty == Certainty::Certain || request.is_none());
    if let Some(recognized) = recognized {
        return failure_of(recognized);
    }
    // A model that is stopped and does not heed it is killed, with the code of a killed model.
    if let Some(reason) = request {
        return Failure::new(
            ErrorCode::Cancelled,
            format!("The job was stopped: {}", sentence(reason)),
        );
    }
    match evidence.exit_code() {
        Some(code) => Failure::new(ErrorCode::JobFailed, exit_sentence(code)),
        None => lost(change.status_reason.as_deref()),
    }
}

/// The code and the sentence for a text that was recognized.
///
/// A cause that only the operator can remove ends in a code that does not ask for the file again
/// at once: it would fail again.
fn failure_of(recognized: Recognized<'_>) -> Failure {
    let Recognized { cause, text, .. } = recognized;
    let own = cause.facts().sentence;
    match cause {
        Cause::OutOfMemory => Failure::new(ErrorCode::OutOfMemory, own),
        Cause::TimeLimit => Failure::new(ErrorCode::TimedOut, own),
        Cause::SpotReclaimed | Cause::HostReplaced => Failure::new(
            ErrorCode::HostLost,
            "The machine that ran the model was lost before the model finished.",
        ),
        Cause::ImageGone if recognized.certainty == Certainty::Undetermined => reported(
            ErrorCode::ImageNotPulled,
            "The model's container image could not be pulled.",
            text,
        ),
        Cause::ImageGone | Cause::PullRateLimited | Cause::WrongProcessor => {
            Failure::new(ErrorCode::ImageNotPulled, own)
        }
        Cause::SecretMissing => match secret_name(text) {
            Some(name) => reported(
                ErrorCode::SecretMissing,
                &format!("{own} It is “{name}”."),
                text,
            ),
            None => reported(ErrorCode::SecretMissing, own, text),
        },
        Cause::PullDenied
        | Cause::RegistryUnreachable
        | Cause::LayersUnreachable
        | Cause::NoSpaceForImage
        | Cause::SecretsUnreachable
        | Cause::SecretDenied
        | Cause::LogGroupMissing
        | Cause::RoleNotAssumed
        | Cause::VolumeNotMounted => reported(ErrorCode::Internal, own, text),
        Cause::CommandNotFound => reported(ErrorCode::JobFailed, own, text),
        // No retry repairs what ECS prepares for a task: a role, a network, a log group.
        Cause::StartFailed if text.contains("ResourceInitializationError") => {
            reported(ErrorCode::Internal, own, text)
        }
        Cause::NoFargateCapacity | Cause::Cancelled => no_machine(text),
        _ if cause.phase() == Phase::Waiting => no_machine(text),
        // The runtime could not start, watch or place the container: not the model's doing.
        _ => reported(
            ErrorCode::HostLost,
            "The model's container could not be started.",
            text,
        ),
    }
}

fn no_machine(reason: &str) -> Failure {
    Failure::new(
        ErrorCode::CapacityUnavailable,
        format!(
            "No machine was available for the model. AWS Batch reports: {}",
            sentence(reason)
        ),
    )
}

/// A failure with AWS's words behind ours.
fn reported(code: ErrorCode, own: &str, reason: &str) -> Failure {
    Failure::new(code, format!("{own} AWS reports: {}", sentence(reason)))
}

/// The name of the secret that a text of ECS is about: what follows `:secret:` in its ARN, without
/// the key of its JSON.
fn secret_name(text: &str) -> Option<&str> {
    let (_, after) = text.split_once(":secretsmanager:")?;
    let (_, name) = after.split_once(":secret:")?;
    let is_part = |c: char| c.is_ascii_alphanumeric() || "/_+=.@!-".contains(c);
    let end = name.find(|c| !is_part(c)).unwrap_or(name.len());
    let name = name.get(..end)?.trim_end_matches('.');
    (!name.is_empty()).then_some(name)
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

/// The reason with a full stop, on one line in which nothing is a link. It is not shortened, because
/// AWS's longer ones end with what to do.
fn sentence(reason: &str) -> String {
    let line = text::one_line(reason, MESSAGE_LENGTH);
    if line.ends_with(['.', '…', '!', '?']) {
        line
    } else {
        format!("{line}.")
    }
}
