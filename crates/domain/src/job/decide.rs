//! The rule: from the run's record and one event to the effects.

use super::{JobChange, JobEnd, JobStatus, stop_reason, translate};
use crate::{
    cancellation::{Cancellation, explains},
    ids::JobId,
    run::Run,
    status::{Progress, Transition},
};

/// What there is to do about a job's event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Name the job on the record unless one is named; stop if another one is.
    AssignJob(JobId),
    /// Add a step to the timeline and move the record forward if it leads there.
    Advance(Transition),
    /// Keep the last lines of this log stream with the run.
    KeepLog(String),
    /// Keep how the job ended.
    RecordJobEnd(JobEnd),
    /// Resume the execution with the end of the job, unless it was resumed.
    Resume(JobEnd),
    /// Stop this job, for this reason: the run has another one, is over, or was cancelled.
    Terminate(JobId, &'static str),
}

/// Decides what one event means for the run.
pub fn decide(run: &Run, change: &JobChange) -> Vec<Effect> {
    let stops = matches!(change.status, JobStatus::Succeeded | JobStatus::Failed);
    let unknown = matches!(change.status, JobStatus::Unknown(_));
    if run.job.as_ref().is_some_and(|job| *job != change.job) {
        return if stops || unknown {
            Vec::new()
        } else {
            vec![Effect::Terminate(
                change.job.clone(),
                stop_reason::OTHER_JOB,
            )]
        };
    }
    if run.is_over() {
        return if stops || unknown || run.job_end.is_some() {
            Vec::new()
        } else {
            vec![Effect::Terminate(
                change.job.clone(),
                stop_reason::RUN_ENDED,
            )]
        };
    }
    if unknown {
        return Vec::new();
    }
    // A record that names this job already is not written again for it.
    let mut effects = match run.job {
        None => vec![Effect::AssignJob(change.job.clone())],
        Some(_) => Vec::new(),
    };
    if let Some(status) = change.status.as_run_status() {
        let progress = Progress {
            attempts: change.finished_attempts(),
            status,
        };
        effects.push(Effect::Advance(Transition {
            progress,
            at: change.at,
        }));
        if run.cancellation.is_some() {
            let job = change.job.clone();
            effects.push(Effect::Terminate(job, stop_reason::CANCELLED));
        }
        return effects;
    }
    let request = run.cancellation.as_ref();
    let failure = (change.status == JobStatus::Failed).then(|| {
        let request = request.filter(|_| explains(change));
        request.map_or_else(|| translate(change), Cancellation::failure)
    });
    if let (Some(_), Some(stream)) = (&failure, change.log_stream()) {
        effects.push(Effect::KeepLog(stream.to_owned()));
    }
    // A success without a listed attempt still had one.
    let attempts = change.finished_attempts().max(u32::from(failure.is_none()));
    let end = JobEnd {
        attempts,
        at: change.at,
        failure,
        log_stream: change.log_stream().map(ToOwned::to_owned),
    };
    effects.push(Effect::RecordJobEnd(end.clone()));
    effects.push(Effect::Resume(end));
    effects
}
