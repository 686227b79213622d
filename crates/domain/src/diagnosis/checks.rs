//! The checks, one for each signal, from the cheapest to the most expensive.

mod instances;
mod state;

use super::{Cause, Certainty, Evidence, Finding, texts};
use crate::job::JobStatus;

/// Looks at one signal.
type Check = fn(&Evidence) -> Option<Finding>;

/// The checks in the order in which they decide.
pub(super) const IN_ORDER: &[Check] = &[
    refusal,
    job_texts,
    request,
    exit_code,
    vanished,
    dependency,
    blocked_event,
    state::queue,
    state::environments,
    state::size,
    state::consumables,
    state::launch_rate,
    state::snapshot,
    scaling,
    instances::registered,
    instances::unregistered,
    state::quotas,
    state::network,
    state::image,
    state::secrets,
    state::roles,
    state::log_group,
    state::foreign_changes,
];

/// What was recognized, with the text as its evidence.
fn from_text(recognized: texts::Recognized<'_>, signal: &str) -> Finding {
    Finding::new(recognized.cause, recognized.certainty).with_evidence(signal, recognized.text)
}

/// What `SubmitJob` answered.
fn refusal(evidence: &Evidence) -> Option<Finding> {
    let refusal = evidence.refusal.as_deref()?;
    Some(from_text(
        texts::recognize_refusal(&[refusal])?,
        "SubmitJob",
    ))
}

/// What Batch and ECS say about the job.
fn job_texts(evidence: &Evidence) -> Option<Finding> {
    let recognized = texts::recognize_job(&evidence.job_texts())?;
    if recognized.certainty != Certainty::Certain && evidence.request().is_some() {
        return None;
    }
    let gpus = evidence.size.is_some_and(|size| size.gpus > 0);
    if recognized.cause == Cause::NoTypeLargeEnough && gpus && state::has_no_gpu(evidence) {
        return Some(Finding::certain(Cause::NoGpu).with_evidence("Job", recognized.text));
    }
    // The state of the environments tells more than that they are invalid.
    if recognized.cause == Cause::EnvironmentInvalid
        && let Some(finding) = state::environments(evidence)
    {
        return Some(finding.with_evidence("Job", recognized.text));
    }
    Some(from_text(recognized, "Job"))
}

/// Whether somebody asked for the end.
fn request(evidence: &Evidence) -> Option<Finding> {
    let reason = evidence.request()?;
    Some(Finding::certain(Cause::Cancelled).with_evidence("Reason of the request", reason))
}

/// How the model ended, by its exit code and its last lines.
fn exit_code(evidence: &Evidence) -> Option<Finding> {
    let code = evidence.exit_code().filter(|code| *code != 0)?;
    let lines: Vec<&str> = evidence
        .last_lines
        .iter()
        .flatten()
        .map(String::as_str)
        .collect();
    let by_lines = texts::recognize_lines(&lines);
    let finding = match code {
        126 | 127 => Finding::certain(Cause::CommandNotFound),
        137 if is_at_memory_limit(evidence) => Finding::likely(Cause::OutOfMemory),
        137 => Finding::likely(Cause::Killed),
        139 | 143 => Finding::certain(Cause::Killed),
        _ => match by_lines {
            Some(recognized) => from_text(recognized, "Last lines"),
            None => Finding::certain(Cause::ModelFailed),
        },
    };
    Some(finding.with_evidence("Exit code", &code.to_string()))
}

/// Whether the model's memory was at its limit.
fn is_at_memory_limit(evidence: &Evidence) -> bool {
    let limit = evidence.size.map(|size| size.memory_mib);
    let near = limit.map(|limit| limit - limit / 20);
    evidence
        .peak_memory_mib
        .zip(near)
        .is_some_and(|(peak, near)| peak >= near)
}

/// Whether Batch still knows the job.
fn vanished(evidence: &Evidence) -> Option<Finding> {
    (evidence.known_to_batch == Some(false) && !evidence.is_over())
        .then(|| Finding::certain(Cause::JobVanished).with_evidence("DescribeJobs", "no such job"))
}

/// Whether the job waits for another one.
fn dependency(evidence: &Evidence) -> Option<Finding> {
    let open = evidence.open_dependencies.first()?;
    (evidence.status == Some(JobStatus::Pending)).then(|| {
        Finding::certain(Cause::DependencyPending).with_evidence("dependsOn", open.as_str())
    })
}

/// What the queue's event says about the job at its head.
fn blocked_event(evidence: &Evidence) -> Option<Finding> {
    let blocked = evidence
        .blocked
        .as_ref()
        .filter(|_| evidence.is_waiting())?;
    let recognized = texts::recognize_job(&[&blocked.reason]);
    let Some(other) = &blocked.other_job else {
        return Some(from_text(recognized?, "Queue blocked"));
    };
    let finding = Finding::certain(Cause::BlockedByAnother)
        .with_evidence("Job at the head", other.as_str())
        .with_evidence("Queue blocked", &blocked.reason);
    Some(match recognized {
        Some(recognized) if recognized.cause != Cause::Undetermined => {
            finding.with_detail(recognized.cause.facts().sentence)
        }
        _ => finding,
    })
}

/// What scaling activities say.
fn scaling(evidence: &Evidence) -> Option<Finding> {
    match evidence.scaling.as_ref()? {
        Ok(activities) => {
            let said: Vec<&str> = activities.iter().map(String::as_str).collect();
            Some(from_text(
                texts::recognize_scaling(&said)?,
                "Scaling activity",
            ))
        }
        Err(denied) => Some(
            Finding::likely(Cause::ScalingActivitiesDenied)
                .with_evidence("Scaling activities", denied),
        ),
    }
}
