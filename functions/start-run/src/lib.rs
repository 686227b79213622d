//! An upload becomes a run: one record, one execution.

mod config;
mod error;
mod event;

use std::convert::Infallible;

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent};
use dropcast_aws::executions::StartExecutions;
use dropcast_domain::{run::Run, upload::Upload};
use dropcast_lambda_kit::batch::{self, Envelope};
use dropcast_store::Runs;
use jiff::SignedDuration;

pub use config::Config;
pub use error::Error;
pub use event::ObjectCreated;

#[derive(Debug)]
pub struct Deps<S, X> {
    pub store: S,
    pub executions: X,
    /// How long a record is kept, in days.
    pub retention_days: u32,
}

/// Handles a batch of S3 `Object Created` events.
pub async fn handle<S: Runs, X: StartExecutions>(
    deps: &Deps<S, X>,
    event: SqsEvent,
) -> Result<SqsBatchResponse, Infallible> {
    Ok(batch::each(event, |event: Envelope<ObjectCreated>| {
        start(deps, event.detail.uploaded_at(event.time))
    })
    .await)
}

/// Starts the run of one upload; a repeated event finds it started (invariant 1).
async fn start<S: Runs, X: StartExecutions>(
    deps: &Deps<S, X>,
    upload: Upload,
) -> Result<(), Error> {
    if upload.is_folder() {
        tracing::info!("a folder was created; this is not an upload");
        return Ok(());
    }
    if upload.generation().is_none() {
        // All such uploads under the key would be one run, and the second file would be lost.
        return Err(Error::NoGeneration);
    }
    let kept_for = SignedDuration::from_hours(24 * i64::from(deps.retention_days));
    let expires_at = upload.at.saturating_add(kept_for)?;
    let run = deps
        .store
        .create_if_absent(&Run::received(upload, expires_at))
        .await?;
    tracing::info!(run.id = %run.id, status = %run.status(), "the run of the upload exists");
    if !run.is_over() {
        deps.executions.start(&run.id).await?;
    }
    Ok(())
}
