//! An upload becomes a run: one record, one execution.

mod config;
mod error;
mod event;

use std::convert::Infallible;

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent};
pub use config::Config;
use dropcast_app::runs::start_run;
use dropcast_aws::ports::StartExecutions;
use dropcast_domain::upload::Upload;
use dropcast_lambda_kit::batch::{self, Envelope};
use dropcast_store::Runs;
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

async fn start<S: Runs, X: StartExecutions>(
    deps: &Deps<S, X>,
    upload: Upload,
) -> Result<(), Error> {
    let started = start_run(&deps.store, &deps.executions, upload, deps.retention_days).await?;
    if let Some(run) = started {
        tracing::info!(run.id = %run.id, status = %run.status(), "the run of the upload exists");
    } else {
        tracing::info!("a folder was created; this is not an upload");
    }
    Ok(())
}
