//! Starts the scheduled refreshes of models.
//!
//! Invoked every few minutes, it puts the object that starts a refresh for each model whose
//! schedule is due. The object's key contains the due time, so that a second attempt finds the
//! object there. The due time is recorded only afterwards: after a crash between the two, the next
//! invocation does the rest.

mod config;
mod error;
mod requests;

pub use config::Config;
use dropcast_app::refreshes::{DueRefresh, find_due_refresh};
use dropcast_domain::{
    model::{ModelName, Schedule},
    registry::Model,
    upload::scheduled_refresh_key,
};
use dropcast_lambda_kit::error::HandlerError;
use dropcast_store::{History, Models, Refreshes};
pub use error::Error;
use futures::{StreamExt as _, stream};
use jiff::Timestamp;
pub use requests::Requests;
use serde::{Serialize, de::IgnoredAny};

/// How many models are checked at the same time.
const CONCURRENT_MODELS: usize = 8;

#[derive(Debug)]
pub struct Deps<S, R> {
    pub store: S,
    pub requests: R,
    pub now: fn() -> Timestamp,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Started {
    /// How many models there are.
    pub models: usize,
    /// How many refreshes were due.
    pub due: usize,
}

/// Checks every model; an error with one does not keep the others waiting.
pub async fn handle<S, R>(deps: &Deps<S, R>, _event: IgnoredAny) -> Result<Started, HandlerError>
where
    S: History + Models + Refreshes,
    R: Requests,
{
    Ok(start(deps).await?)
}

async fn start<S, R>(deps: &Deps<S, R>) -> Result<Started, Error>
where
    S: History + Models + Refreshes,
    R: Requests,
{
    let now = (deps.now)();
    let models = deps.store.models().await?;
    let started = models.len();
    let checked: Vec<(ModelName, Result<bool, Error>)> = stream::iter(models)
        .map(async |model| {
            let due = start_one(deps, &model, now).await;
            (model.name, due)
        })
        .buffer_unordered(CONCURRENT_MODELS)
        .collect()
        .await;
    let mut due = 0;
    let mut failures = Vec::new();
    for (model, checked) in checked {
        match checked {
            Ok(was_due) => due += usize::from(was_due),
            Err(error) => failures.push((model, error)),
        }
    }
    let count = failures.len();
    if let Some((model, source)) = failures.into_iter().next() {
        let source = Box::new(source);
        return Err(Error::Models {
            count,
            model,
            source,
        });
    }
    tracing::info!(models = started, due, "schedules checked");
    Ok(Started {
        models: started,
        due,
    })
}

/// Starts the refresh of one model, if one is due.
async fn start_one<S, R>(deps: &Deps<S, R>, model: &Model, now: Timestamp) -> Result<bool, Error>
where
    S: Models + Refreshes,
    R: Requests,
{
    let Some(DueRefresh { schedule, due }) = find_due_refresh(&deps.store, model, now).await?
    else {
        return Ok(false);
    };
    let name = &model.name;
    let put = deps
        .requests
        .put(&scheduled_refresh_key(name, due), request(&schedule, due))
        .await?;
    deps.store.record_refresh(name, due).await?;
    tracing::info!(model = %name, %due, put, "refresh due");
    Ok(true)
}

/// The object's content. No function reads it; it tells people why the object is there.
fn request(schedule: &Schedule, due: Timestamp) -> String {
    serde_json::json!({ "schedule": schedule, "due": due }).to_string()
}
