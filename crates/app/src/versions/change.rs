//! Changing which version is the default, and which versions can run.

use dropcast_domain::{
    ids::{RunId, Version},
    model::ModelName,
    registry::{AuditStamp, DefaultEntry, Defaults, Model, PromotionError, Retirement},
};
use dropcast_store::{History, Models, Promotion, StoreResult};
use thiserror::Error;

use crate::models::{UnknownModel, find_model};

/// How many open runs of a model are checked before one of its versions is retired.
const MAX_OPEN_RUNS: u16 = 10_000;

/// A model's new default.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DefaultChange {
    /// The default until now.
    pub previous: Version,
    /// The entry of the new one.
    pub entry: DefaultEntry,
}

/// Why a default or a version was not changed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ChangeError {
    /// There is no such model.
    #[error(transparent)]
    UnknownModel(#[from] UnknownModel),
    /// The version has runs that are not over.
    #[error("version {version} has {} open runs", runs.len())]
    OpenRuns {
        /// The version.
        version: Version,
        /// The runs, the longest unchanged first.
        runs: Vec<RunId>,
    },
    /// The model has more open runs than are checked, and none of those checked has the version.
    #[error("the model has at least {MAX_OPEN_RUNS} open runs")]
    TooManyOpenRuns,
    /// The model's versions and defaults do not allow it.
    #[error(transparent)]
    Refused(Box<ChangeRefusedError>),
}

/// A change that a model's versions and defaults do not allow.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{reason}")]
pub struct ChangeRefusedError {
    /// The rule that forbids it.
    pub reason: PromotionError,
    /// The model before the change.
    pub model: Model,
    /// Its defaults and retired versions.
    pub defaults: Defaults,
}

/// Makes a version its model's default.
pub async fn promote<S: Models + Promotion + History>(
    store: &S,
    name: &ModelName,
    version: Version,
    stamp: AuditStamp<'_>,
) -> StoreResult<Result<DefaultChange, ChangeError>> {
    let model = match find_model(store, name.as_str()).await? {
        Ok(model) => model,
        Err(unknown) => return Ok(Err(unknown.into())),
    };
    let promoted = store.promote(name, version, stamp).await?;
    finish_change(store, model, promoted).await
}

/// Makes the previous default the default again.
pub async fn roll_back<S: Models + Promotion + History>(
    store: &S,
    name: &ModelName,
    stamp: AuditStamp<'_>,
) -> StoreResult<Result<DefaultChange, ChangeError>> {
    let model = match find_model(store, name.as_str()).await? {
        Ok(model) => model,
        Err(unknown) => return Ok(Err(unknown.into())),
    };
    let rolled_back = store.roll_back(name, stamp).await?;
    finish_change(store, model, rolled_back).await
}

/// Retires a version, which then cannot run. Refused for the default, and for a version that an open
/// run has or will have.
pub async fn retire<S: Models + Promotion + History>(
    store: &S,
    name: &ModelName,
    version: Version,
    stamp: AuditStamp<'_>,
) -> StoreResult<Result<Retirement, ChangeError>> {
    let model = match find_model(store, name.as_str()).await? {
        Ok(model) => model,
        Err(unknown) => return Ok(Err(unknown.into())),
    };
    // For the default, that is the reason to give, whether or not it has open runs.
    if version != model.default_version {
        let defaults = store.defaults(name).await?;
        let open = store.open_runs_of(name.as_str(), MAX_OPEN_RUNS).await?;
        let runs = defaults.is_run_by(version, &open);
        if !runs.is_empty() {
            return Ok(Err(ChangeError::OpenRuns { version, runs }));
        }
        if open.len() >= usize::from(MAX_OPEN_RUNS) {
            return Ok(Err(ChangeError::TooManyOpenRuns));
        }
    }
    match store.retire(name, version, stamp).await? {
        Ok(retirement) => Ok(Ok(retirement)),
        Err(reason) => explain_refusal(store, model, reason).await.map(Err),
    }
}

async fn finish_change<S: Promotion>(
    store: &S,
    model: Model,
    changed: Result<DefaultEntry, PromotionError>,
) -> StoreResult<Result<DefaultChange, ChangeError>> {
    match changed {
        Ok(entry) => Ok(Ok(DefaultChange {
            previous: model.default_version,
            entry,
        })),
        Err(reason) => explain_refusal(store, model, reason).await.map(Err),
    }
}

async fn explain_refusal<S: Promotion>(
    store: &S,
    model: Model,
    reason: PromotionError,
) -> StoreResult<ChangeError> {
    let defaults = store.defaults(&model.name).await?;
    Ok(ChangeError::Refused(Box::new(ChangeRefusedError {
        reason,
        model,
        defaults,
    })))
}
