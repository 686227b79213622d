//! Cancelling a run. The rule is [`dropcast_domain::cancellation`].

use dropcast_aws::{CallError, ports::StopJobs};
use dropcast_domain::{
    cancellation::{Cancellation, is_too_late},
    ids::RunId,
    job::stop_reason,
    run::Run,
};
use dropcast_store::{Cancellations, StoreError};
use thiserror::Error;

/// What became of a request to cancel a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CancelOutcome {
    /// The request is recorded, and the run's job is being stopped if it has one.
    Requested(Box<Run>),
    /// Somebody had requested it before; the job is being stopped once more.
    AlreadyRequested(Box<Run>),
    /// The run is over, or its job has ended and its results are being indexed.
    TooLate(Box<Run>),
}

/// Why a run could not be cancelled.
#[derive(Debug, Error)]
pub enum CancelRunError {
    /// The runs table refused a call or could not be reached; [`StoreError::NoSuchRun`] if there is no
    /// such run.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A call of AWS Batch failed. The request is recorded, and the next pass of `repair-runs` stops the job.
    #[error(transparent)]
    Call(#[from] CallError),
}

/// Cancels a run: records the request, and stops the run's job if it has one. The run ends when its
/// job has stopped, or when its execution reaches the job's submission. Repeating it changes nothing.
pub async fn cancel_run<S: Cancellations, J: StopJobs>(
    store: &S,
    jobs: &J,
    run: &RunId,
    request: &Cancellation,
) -> Result<CancelOutcome, CancelRunError> {
    let run = Box::new(store.request_cancellation(run, request).await?);
    let (Some(recorded), false) = (&run.cancellation, is_too_late(&run)) else {
        return Ok(CancelOutcome::TooLate(run));
    };
    if let Some(job) = &run.job {
        jobs.stop(job, stop_reason::CANCELLED).await?;
    }
    Ok(if recorded == request {
        CancelOutcome::Requested(run)
    } else {
        CancelOutcome::AlreadyRequested(run)
    })
}
