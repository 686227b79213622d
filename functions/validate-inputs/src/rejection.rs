//! Why an input is not accepted.

use dropcast_domain::{
    failure::ErrorCode,
    model::ModelName,
    problem::{ProblemList, nearest},
    registry::{self, Model, RegisteredVersion},
    run::Run,
    run_id::Version,
    title,
};
use dropcast_inputs::file;
use dropcast_store::{History, Models, Promotion, StoreError};

use crate::Error;

/// Why an input is not accepted.
#[derive(Debug)]
pub(crate) struct Rejection {
    pub(crate) code: ErrorCode,
    pub(crate) message: String,
    pub(crate) problems: ProblemList,
    pub(crate) version: Option<Version>,
    /// Whether a marked copy of the file is kept.
    pub(crate) marked: bool,
}

impl Rejection {
    fn new(code: ErrorCode, message: String) -> Self {
        Self {
            code,
            message,
            problems: ProblemList::default(),
            version: None,
            marked: false,
        }
    }

    /// A file that is not what the model takes.
    pub(crate) fn of(rejected: file::Rejection) -> Self {
        Self {
            message: rejected.message(),
            code: rejected.code,
            problems: rejected.problems,
            version: None,
            marked: false,
        }
    }

    /// A file that is refused before it is read: its one problem says it all.
    pub(crate) fn unread(rejected: file::Rejection) -> Self {
        Self {
            message: rejected.problems.to_string(),
            ..Self::of(rejected)
        }
    }

    pub(crate) fn of_version(self, version: Version) -> Self {
        Self {
            version: Some(version),
            ..self
        }
    }

    pub(crate) fn deleted() -> Self {
        Self::new(
            ErrorCode::InputRejected,
            "The file was deleted before it could be read.".to_owned(),
        )
    }

    /// A refresh of a version that has none.
    pub(crate) fn not_refreshable(version: &RegisteredVersion) -> Self {
        let RegisteredVersion { model, version, .. } = version;
        Self::new(
            ErrorCode::InputRejected,
            format!(
                "Version {version} of {model} cannot be refreshed: its manifest has no [refresh] section."
            ),
        )
    }

    pub(crate) fn problem_count(&self) -> u64 {
        self.problems.total()
    }

    /// What is kept as `problems.json`.
    pub(crate) fn problems_json(&self) -> Result<Vec<u8>, Error> {
        serde_json::to_vec_pretty(&self.problems).map_err(Error::Unwritable)
    }
}

/// The version that the key asks for, or what was the model's default when the file was uploaded.
pub(crate) async fn requested_version<S: Models + Promotion + History>(
    store: &S,
    run: &Run,
) -> Result<Result<RegisteredVersion, Rejection>, StoreError> {
    let request = &run.request;
    let model = match request.model.parse::<ModelName>() {
        Ok(name) => store.model(&name).await?,
        Err(_) => None,
    };
    let Some(model) = model else {
        let known = store.models().await?;
        return Ok(Err(unknown_model(
            &request.model,
            known.iter().map(|model| model.name.as_str()),
        )));
    };
    let name = &model.name;
    let version = match request.version.as_deref().map(str::parse::<Version>) {
        None => default_version(store, &model, run).await?,
        Some(Ok(version)) => {
            if store.retirement(name, version).await?.is_some() {
                return Ok(Err(retired(name, version)));
            }
            version
        }
        Some(Err(error)) => {
            return Ok(Err(Rejection::new(
                ErrorCode::VersionUnknown,
                title::one_line(&format!("{error}.")),
            )));
        }
    };
    Ok(store.version(name, version).await?.ok_or_else(|| {
        Rejection::new(
            ErrorCode::VersionUnknown,
            format!("The model {name} has no version {version}."),
        )
    }))
}

/// What was the default at the upload, however long ago that is and whatever was promoted since.
/// The one of now, where that is not known or runs no more: who pinned nothing gets a result.
async fn default_version<S: Promotion>(
    store: &S,
    model: &Model,
    run: &Run,
) -> Result<Version, StoreError> {
    let moment = registry::default_moment(run.upload.at);
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

fn retired(model: &ModelName, version: Version) -> Rejection {
    let message = format!("Version {version} of the model {model} was retired and runs no more.");
    Rejection::new(ErrorCode::VersionRetired, message).of_version(version)
}

fn unknown_model<'a>(asked: &str, known: impl Iterator<Item = &'a str>) -> Rejection {
    if asked.is_empty() {
        let message = "The file lies directly under inputs/, where no model reads it.";
        return Rejection::new(ErrorCode::ModelUnknown, message.to_owned());
    }
    let asked = title::clean(asked);
    let hint = nearest(&asked, known)
        .map(|name| format!(" Did you mean “{name}”?"))
        .unwrap_or_default();
    Rejection::new(
        ErrorCode::ModelUnknown,
        format!("There is no model called “{asked}”.{hint}"),
    )
}
