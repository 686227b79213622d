//! Registered models.

use dropcast_domain::{model::ModelName, problem::nearest, registry::Model, title};
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
