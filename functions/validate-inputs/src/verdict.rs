//! Why an input is not accepted.

use dropcast_domain::{
    failure::ErrorCode,
    model::{InputSpec, ModelName},
    problem::{Problem, ProblemList, nearest},
    registry::RegisteredVersion,
    run_id::Version,
    title,
    upload::Request,
};
use dropcast_run_store::{History, Models, StoreError};

use crate::Error;

/// Why an input is not accepted.
#[derive(Debug)]
pub(crate) struct Rejection {
    pub(crate) code: ErrorCode,
    pub(crate) message: String,
    pub(crate) problems: ProblemList,
    pub(crate) version: Option<Version>,
}

impl Rejection {
    fn new(code: ErrorCode, message: String) -> Self {
        Self {
            code,
            message,
            problems: ProblemList::default(),
            version: None,
        }
    }

    fn with_problem(code: ErrorCode, problem: Problem) -> Self {
        Self {
            code,
            message: problem.message.clone(),
            problems: ProblemList::of(problem),
            version: None,
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

    pub(crate) fn too_large(bytes: u64, most: u64) -> Self {
        Self::with_problem(
            ErrorCode::InputTooLarge,
            dropcast_inputs::json::too_large(bytes, most),
        )
    }

    pub(crate) fn wrong_extension(file: &str, spec: &InputSpec) -> Self {
        let allowed: Vec<String> = spec
            .accepts
            .iter()
            .map(|format| format!(".{}", format.extension()))
            .collect();
        let allowed = allowed.join(", ");
        let message = format!(
            "The file is named “{}”; the model reads files that end in {allowed}.",
            title::clean(file)
        );
        Self::with_problem(
            ErrorCode::InputRejected,
            Problem::with_message("", file, &allowed, &message),
        )
    }

    pub(crate) fn problem_count(&self) -> u64 {
        self.problems.problems.len() as u64 + self.problems.more
    }

    /// What is kept as `problems.json`.
    pub(crate) fn problems_json(&self) -> Result<Vec<u8>, Error> {
        serde_json::to_vec_pretty(&self.problems).map_err(Error::Unwritable)
    }
}

/// The version that the key asks for, or the model's default one.
pub(crate) async fn requested_version<S: Models + History>(
    store: &S,
    request: &Request,
) -> Result<Result<RegisteredVersion, Rejection>, StoreError> {
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
    let version = match request.version.as_deref().map(str::parse::<Version>) {
        None => model.default_version,
        Some(Ok(version)) => version,
        Some(Err(error)) => {
            return Ok(Err(Rejection::new(
                ErrorCode::VersionUnknown,
                title::one_line(&format!("{error}.")),
            )));
        }
    };
    Ok(store.version(&model.name, version).await?.ok_or_else(|| {
        Rejection::new(
            ErrorCode::VersionUnknown,
            format!("The model {} has no version {version}.", model.name),
        )
    }))
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
