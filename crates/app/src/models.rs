//! Registered models and their builds.

use dropcast_domain::{
    model::ModelName,
    problem::nearest,
    registry::{Build, Model, RegisteredVersion},
    title,
};
use dropcast_store::{History, Models, StoreResult};
use thiserror::Error;

/// No model of this name is registered.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("There is no model called “{name}”.")]
pub struct UnknownModel {
    /// The name that was asked for, cleaned for display.
    pub name: String,
    /// The names of all registered models.
    pub registered: Vec<ModelName>,
}

impl UnknownModel {
    /// The registered model whose name is so close that it may be meant.
    pub fn suggestion(&self) -> Option<&str> {
        nearest(&self.name, self.registered.iter().map(ModelName::as_str))
    }
}

/// Finds a model by a name as somebody wrote it, which need not be one that a model can have.
pub async fn find_model<S: Models + History>(
    store: &S,
    name: &str,
) -> StoreResult<Result<Model, UnknownModel>> {
    let found = match name.parse::<ModelName>() {
        Ok(name) => store.model(&name).await?,
        Err(_) => None,
    };
    if let Some(model) = found {
        return Ok(Ok(model));
    }
    let registered = store.models().await?;
    Ok(Err(UnknownModel {
        name: title::clean(name),
        registered: registered.into_iter().map(|model| model.name).collect(),
    }))
}

/// A model and its newest versions.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelVersions {
    /// The model.
    pub model: Model,
    /// Its newest versions, newest first.
    pub versions: Vec<RegisteredVersion>,
    /// Its default version, even if it is not among the newest.
    pub default: Option<RegisteredVersion>,
}

/// Loads a model with its newest versions.
pub async fn show_model<S: Models + History>(
    store: &S,
    name: &ModelName,
    limit: u16,
) -> StoreResult<Result<ModelVersions, UnknownModel>> {
    let model = match find_model(store, name.as_str()).await? {
        Ok(model) => model,
        Err(unknown) => return Ok(Err(unknown)),
    };
    let versions = store.versions(name, limit).await?;
    let default = model.default_version;
    let default = match versions.iter().find(|version| version.version == default) {
        Some(version) => Some(version.clone()),
        None => store.version(name, default).await?,
    };
    Ok(Ok(ModelVersions {
        model,
        versions,
        default,
    }))
}

/// Lists the finished builds of a model, newest first. A model whose first build failed is not
/// registered, but has builds.
pub async fn list_builds<S: Models + History>(
    store: &S,
    name: &ModelName,
    limit: u16,
) -> StoreResult<Result<Vec<Build>, UnknownModel>> {
    let builds = store.builds_of(name, limit).await?;
    if builds.is_empty()
        && let Err(unknown) = find_model(store, name.as_str()).await?
    {
        return Ok(Err(unknown));
    }
    Ok(Ok(builds))
}
