//! Ending a run.

use dropcast_aws::{CallError, ports::StopJobs};
use dropcast_domain::{
    failure::{ErrorCode, Failure},
    ids::RunId,
    job::stop_reason,
    mail::MailKind,
    run::Run,
    status::{TerminalStatus, Transition},
};
use dropcast_store::{DueMails, RunCompletion, Runs, StoreError};
use jiff::Timestamp;
use thiserror::Error;

/// How a run ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunEnd {
    /// The final status.
    pub status: TerminalStatus,
    /// The error code, if the run did not succeed.
    pub code: Option<ErrorCode>,
    /// What happened, in a sentence; what the code means if there is none.
    pub message: Option<String>,
}

/// Why a run could not be ended.
#[derive(Debug, Error)]
pub enum FinishRunError {
    /// The runs table refused a call or could not be reached.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A call of AWS Batch failed.
    #[error(transparent)]
    Call(#[from] CallError),
}

/// Ends a run and stops its job, if that is still running. A run that has ended keeps its status,
/// which is that of the returned record.
pub async fn finish_run<S: Runs + RunCompletion + DueMails, J: StopJobs>(
    store: &S,
    jobs: &J,
    run_id: &RunId,
    end: RunEnd,
    at: Timestamp,
) -> Result<Run, FinishRunError> {
    let run = store
        .get(run_id)
        .await?
        .ok_or_else(|| StoreError::NoSuchRun(run_id.clone()))?;
    let failure = end.code.map(|code| {
        let message = end.message.unwrap_or_else(|| code.sentence());
        Failure::new(code, message)
    });
    let transition = Transition {
        progress: run.progress_to(end.status.into()),
        at,
    };
    if !run.is_over() && MailKind::at_end(run.kind, end.status).is_some() {
        // Before the end is written: from then on the notice of it may be lost.
        store.expect_mails(&run, at).await?;
    }
    let run = store.finish(run_id, transition, failure.as_ref()).await?;
    // The wait for the job timed out, or the event of its end was lost: nobody needs its result.
    if let (Some(job), None) = (&run.job, &run.job_end) {
        jobs.stop(job, stop_reason::RUN_ENDED).await?;
    }
    Ok(run)
}
