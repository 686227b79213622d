//! Writes the one terminal status of a run.

mod config;
mod error;
mod event;

pub use config::Config;
use dropcast_app::runs::finish_run;
use dropcast_aws::ports::StopJobs;
use dropcast_lambda_kit::error::HandlerError;
use dropcast_store::{DueMails, RunCompletion, Runs};
pub use error::Error;
pub use event::{FinishRequest, Finished};
use jiff::Timestamp;

#[derive(Debug)]
pub struct Deps<S, J> {
    pub store: S,
    pub jobs: J,
    pub now: fn() -> Timestamp,
}

/// Ends a run; a run that has ended stays as it is.
pub async fn handle<S: Runs + RunCompletion + DueMails, J: StopJobs>(
    deps: &Deps<S, J>,
    request: FinishRequest,
) -> Result<Finished, HandlerError> {
    Ok(end(deps, request).await?)
}

async fn end<S: Runs + RunCompletion + DueMails, J: StopJobs>(
    deps: &Deps<S, J>,
    request: FinishRequest,
) -> Result<Finished, Error> {
    let (run_id, end) = request.into_parts();
    let run = finish_run(&deps.store, &deps.jobs, &run_id, end, (deps.now)()).await?;
    tracing::info!(run.id = %run_id, status = %run.status(), "the run has ended");
    Ok(Finished {
        run_id,
        status: run.status(),
    })
}
