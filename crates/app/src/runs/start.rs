//! Starting the run of an upload.

use dropcast_aws::{CallError, ports::StartExecutions};
use dropcast_domain::{run::Run, upload::Upload};
use dropcast_store::{Runs, StoreError};
use jiff::SignedDuration;
use thiserror::Error;

/// Why a run was not started.
#[derive(Debug, Error)]
pub enum StartRunError {
    /// The runs table refused a call or could not be reached.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A call of Step Functions failed.
    #[error(transparent)]
    Call(#[from] CallError),
    /// Nothing distinguishes the upload from others with its key: it would be one run with all of
    /// them, and the later files would be lost.
    #[error("the event has neither the object's version nor a sequencer")]
    NoGeneration,
    /// The upload's time plus the retention is out of range.
    #[error("the upload's time is out of range")]
    Time(#[from] jiff::Error),
}

/// Starts the run of an upload: creates its record, unless there is one, and starts its execution,
/// unless the run has ended. Repeating it changes nothing (invariant 1).
///
/// Returns the run; `None` for a folder, which is not an upload.
pub async fn start_run<S: Runs, X: StartExecutions>(
    store: &S,
    executions: &X,
    upload: Upload,
    retention_days: u32,
) -> Result<Option<Run>, StartRunError> {
    if upload.is_folder() {
        return Ok(None);
    }
    if upload.generation().is_none() {
        return Err(StartRunError::NoGeneration);
    }
    let retention = SignedDuration::from_hours(24 * i64::from(retention_days));
    let expires_at = upload.at.saturating_add(retention)?;
    let run = store
        .create_if_absent(&Run::received(upload, expires_at))
        .await?;
    if !run.is_over() {
        executions.start(&run.id).await?;
    }
    Ok(Some(run))
}
