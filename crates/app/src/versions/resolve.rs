//! Which version runs.

use dropcast_domain::{
    failure::ErrorCode,
    ids::Version,
    model::ModelName,
    registry::{self, Model, RegisteredVersion},
    text,
    upload::Request,
};
use dropcast_store::{History, Models, Promotion, StoreResult};
use jiff::Timestamp;
use thiserror::Error;

use crate::models::{UnknownModel, find_model};

/// Why no version runs. The text is the sentence that people read, whether a run is rejected with
/// it or a command refuses before anything is uploaded.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ResolveError {
    /// The object's key names no model.
    #[error("The file is directly under inputs/, where no model reads it.")]
    NoModel,
    /// There is no such model.
    #[error(transparent)]
    UnknownModel(#[from] UnknownModel),
    /// What is pinned is not a version number.
    #[error("{reason}.")]
    InvalidVersion {
        /// What is wrong with it, on one line and without the full stop.
        reason: String,
    },
    /// The model has no such version.
    #[error("The model {model} has no version {version}; the newest is {newest}.")]
    UnknownVersion {
        /// The model.
        model: ModelName,
        /// The version that was asked for.
        version: Version,
        /// The model's newest version.
        newest: Version,
    },
    /// The pinned version was retired.
    #[error("Version {version} of the model {model} was retired and can no longer run.")]
    Retired {
        /// The model.
        model: ModelName,
        /// The version.
        version: Version,
    },
    /// A refresh was asked for, and the version has no command for it.
    #[error(
        "Version {version} of {model} cannot be refreshed: its manifest has no [refresh] section."
    )]
    NotRefreshable {
        /// The model.
        model: ModelName,
        /// The version.
        version: Version,
    },
}

impl ResolveError {
    /// The code of a run that is rejected for this.
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::NoModel | Self::UnknownModel(_) => ErrorCode::ModelUnknown,
            Self::InvalidVersion { .. } | Self::UnknownVersion { .. } => ErrorCode::VersionUnknown,
            Self::Retired { .. } => ErrorCode::VersionRetired,
            Self::NotRefreshable { .. } => ErrorCode::InputRejected,
        }
    }

    /// The existing version that is refused.
    pub fn version(&self) -> Option<Version> {
        match self {
            Self::Retired { version, .. } | Self::NotRefreshable { version, .. } => Some(*version),
            Self::NoModel
            | Self::UnknownModel(_)
            | Self::InvalidVersion { .. }
            | Self::UnknownVersion { .. } => None,
        }
    }
}

/// The version that runs on a file: the pinned one, or what was the model's default when the file
/// was uploaded.
///
/// A retired version runs only where nothing was pinned and it is still the default.
pub async fn resolve_version<S: Models + Promotion + History>(
    store: &S,
    request: &Request,
    uploaded_at: Timestamp,
) -> StoreResult<Result<RegisteredVersion, ResolveError>> {
    if request.model.is_empty() {
        return Ok(Err(ResolveError::NoModel));
    }
    let model = match find_model(store, &request.model).await? {
        Ok(model) => model,
        Err(unknown) => return Ok(Err(unknown.into())),
    };
    let name = &model.name;
    let version = match request.version.as_deref().map(str::parse::<Version>) {
        None => default_version(store, &model, uploaded_at).await?,
        Some(Ok(version)) => {
            if store.retirement(name, version).await?.is_some() {
                let model = model.name;
                return Ok(Err(ResolveError::Retired { model, version }));
            }
            version
        }
        Some(Err(error)) => {
            let reason = text::clean_line(&error.to_string());
            return Ok(Err(ResolveError::InvalidVersion { reason }));
        }
    };
    let found = store.version(name, version).await?;
    Ok(found.ok_or_else(|| ResolveError::UnknownVersion {
        newest: model.newest(),
        model: model.name,
        version,
    }))
}

/// The version whose refresh command runs: that of [`resolve_version`], if it has one.
pub async fn resolve_refresh<S: Models + Promotion + History>(
    store: &S,
    request: &Request,
    requested_at: Timestamp,
) -> StoreResult<Result<RegisteredVersion, ResolveError>> {
    let resolved = resolve_version(store, request, requested_at).await?;
    Ok(resolved.and_then(|version| {
        if version.spec.manifest.refresh.is_some() {
            return Ok(version);
        }
        Err(ResolveError::NotRefreshable {
            model: version.model,
            version: version.version,
        })
    }))
}

/// The default at the upload, however long ago that was and whatever was promoted since. Where
/// that is not known, or was retired, today's default: a file that pins nothing gets a result.
async fn default_version<S: Promotion>(
    store: &S,
    model: &Model,
    uploaded_at: Timestamp,
) -> StoreResult<Version> {
    let moment = registry::default_moment(uploaded_at);
    match store.default_at(&model.name, moment).await? {
        Some(version)
            if version == model.default_version
                || store.retirement(&model.name, version).await?.is_none() =>
        {
            Ok(version)
        }
        _ => Ok(model.default_version),
    }
}
