//! The versions of a model: which one runs, and changing that.

mod change;
mod resolve;

pub use change::{ChangeError, ChangeRefusedError, DefaultChange, promote, retire, roll_back};
use dropcast_domain::{
    model::ModelName,
    registry::{Defaults, Model, RegisteredVersion},
};
use dropcast_store::{History, Models, Promotion, StoreResult};
pub use resolve::{ResolveError, resolve_refresh, resolve_version};

use crate::models::{UnknownModel, find_model};

/// A model's versions, retired ones included.
#[derive(Debug, Clone, PartialEq)]
pub struct VersionList {
    /// The model.
    pub model: Model,
    /// Its versions, the newest first.
    pub versions: Vec<RegisteredVersion>,
    /// Its defaults and retired versions.
    pub defaults: Defaults,
}

/// Lists the newest versions of a model.
pub async fn list_versions<S: Models + Promotion + History>(
    store: &S,
    name: &ModelName,
    limit: u16,
) -> StoreResult<Result<VersionList, UnknownModel>> {
    let model = match find_model(store, name.as_str()).await? {
        Ok(model) => model,
        Err(unknown) => return Ok(Err(unknown)),
    };
    Ok(Ok(VersionList {
        versions: store.versions(name, limit).await?,
        defaults: store.defaults(name).await?,
        model,
    }))
}
