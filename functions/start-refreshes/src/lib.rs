//! Asks for the refreshes that models have on a schedule.
//!
//! Invoked every few minutes, it looks which moment of each model's schedule is due and puts the
//! object that starts the refresh, under a key that the moment gives: whoever asks for the same
//! moment again puts the same key, which is there already. Only then is the moment remembered, so
//! that a crash between the two is made up for by the next invocation.

mod config;
mod error;
mod requests;

use dropcast_domain::{
    model::{ModelName, Schedule},
    registry::Model,
    upload::scheduled_refresh_key,
};
use dropcast_lambda_kit::error::HandlerError;
use dropcast_store::{History, Models, Refreshes};
use futures::{StreamExt as _, stream};
use jiff::Timestamp;
use serde::{Serialize, de::IgnoredAny};

pub use config::Config;
pub use error::Error;
pub use requests::Requests;

/// Models that are looked at side by side.
const AT_ONCE: usize = 8;

/// What the handler works with.
#[derive(Debug)]
pub struct Deps<S, R> {
    /// The runs table.
    pub store: S,
    /// Where refreshes are asked for.
    pub requests: R,
    /// The clock.
    pub now: fn() -> Timestamp,
}

/// What one invocation did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Started {
    /// How many models there are.
    pub models: usize,
    /// How many refreshes were due.
    pub due: usize,
}

/// Looks at every model; one that cannot be looked at does not keep the others waiting.
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
    let looked: Vec<(ModelName, Result<bool, Error>)> = stream::iter(models)
        .map(async |model| {
            let due = start_one(deps, &model, now).await;
            (model.name, due)
        })
        .buffer_unordered(AT_ONCE)
        .collect()
        .await;
    let mut due = 0;
    let mut faults = Vec::new();
    for (model, looked) in looked {
        match looked {
            Ok(was_due) => due += usize::from(was_due),
            Err(error) => faults.push((model, error)),
        }
    }
    let count = faults.len();
    if let Some((model, source)) = faults.into_iter().next() {
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

/// Asks for the refresh of one model that is due, if one is.
async fn start_one<S, R>(deps: &Deps<S, R>, model: &Model, now: Timestamp) -> Result<bool, Error>
where
    S: Models + Refreshes,
    R: Requests,
{
    let name = &model.name;
    let Some(version) = deps.store.version(name, model.default_version).await? else {
        return Ok(false);
    };
    let refresh = version.spec.manifest.refresh.as_ref();
    let Some(schedule) = refresh.and_then(|refresh| refresh.schedule.as_ref()) else {
        return Ok(false);
    };
    // What was due before there was such a version is nobody's to make up for.
    let since = match deps.store.last_refresh(name).await? {
        Some(last) => last,
        None => version.spec.built_at,
    };
    let Some(due) = schedule.due(since, now) else {
        return Ok(false);
    };
    let asked = deps
        .requests
        .put(&scheduled_refresh_key(name, due), request(schedule, due))
        .await?;
    deps.store.record_refresh(name, due).await?;
    tracing::info!(model = %name, %due, asked, "refresh due");
    Ok(true)
}

/// What the object says to whoever looks into it.
fn request(schedule: &Schedule, due: Timestamp) -> String {
    serde_json::json!({ "schedule": schedule, "due": due }).to_string()
}
