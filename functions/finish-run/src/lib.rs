//! Writes the one terminal status of a run.

mod config;
mod error;
mod event;
mod jobs;

use dropcast_domain::{failure::Failure, status::Transition};
use dropcast_lambda_kit::error::HandlerError;
use dropcast_store::{RunCompletion, Runs, StoreError};
use jiff::Timestamp;

pub use config::Config;
pub use error::Error;
pub use event::{FinishRequest, Finished};
pub use jobs::{BatchJobs, StopJob};

#[derive(Debug)]
pub struct Deps<S, J> {
    pub store: S,
    pub jobs: J,
    pub now: fn() -> Timestamp,
}

/// Ends a run; a run that has ended stays as it is.
pub async fn handle<S: Runs + RunCompletion, J: StopJob>(
    deps: &Deps<S, J>,
    request: FinishRequest,
) -> Result<Finished, HandlerError> {
    Ok(end(deps, request).await?)
}

async fn end<S: Runs + RunCompletion, J: StopJob>(
    deps: &Deps<S, J>,
    request: FinishRequest,
) -> Result<Finished, Error> {
    let FinishRequest {
        run_id,
        status,
        code,
        message,
    } = request;
    let run = deps
        .store
        .get(&run_id)
        .await?
        .ok_or_else(|| StoreError::NoSuchRun(run_id.clone()))?;
    let failure = code.map(|code| {
        let message = message.unwrap_or_else(|| code.advice_on(run.kind).to_owned());
        Failure::new(code, message)
    });
    let end = Transition {
        progress: run.progress_to(status.into()),
        at: (deps.now)(),
    };
    let run = deps.store.finish(&run_id, end, failure.as_ref()).await?;
    // The wait timed out, or the event of the job's end was lost: a job that runs on costs money.
    if let (Some(job), None) = (&run.job, &run.job_end) {
        deps.jobs.stop(job).await?;
    }
    tracing::info!(run.id = %run_id, status = %run.status(), "the run has ended");
    Ok(Finished {
        run_id,
        status: run.status(),
    })
}
