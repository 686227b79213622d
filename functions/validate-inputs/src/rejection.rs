//! Why a run's input is not accepted.

use dropcast_app::versions::ResolveError;
use dropcast_domain::{failure::ErrorCode, ids::Version, problem::ProblemList};
use dropcast_inputs::file;

use crate::Error;

/// The rejection of a run's input.
#[derive(Debug)]
pub(crate) struct RunRejection {
    pub(crate) code: ErrorCode,
    pub(crate) message: String,
    pub(crate) problems: ProblemList,
    pub(crate) version: Option<Version>,
    /// Whether a marked copy of the file is kept.
    pub(crate) marked: bool,
}

impl RunRejection {
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
    pub(crate) fn of(rejected: file::FileRejection) -> Self {
        Self {
            message: rejected.message(),
            code: rejected.code,
            problems: rejected.into_problems(),
            version: None,
            marked: false,
        }
    }

    /// A file that is refused before it is read: its one problem is the whole message.
    pub(crate) fn unread(rejected: file::FileRejection) -> Self {
        Self {
            message: rejected.problems().to_string(),
            ..Self::of(rejected)
        }
    }

    pub(crate) fn with_version(self, version: Version) -> Self {
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

    /// A file for which no version runs.
    pub(crate) fn unresolved(error: &ResolveError) -> Self {
        let hint = match error {
            ResolveError::UnknownModel(unknown) => unknown.suggestion(),
            _ => None,
        };
        let hint = hint.map(|name| format!(" Did you mean “{name}”?"));
        Self {
            version: error.version(),
            ..Self::new(error.code(), format!("{error}{}", hint.unwrap_or_default()))
        }
    }

    pub(crate) fn problem_count(&self) -> u64 {
        self.problems.total()
    }

    /// The content of `problems.json`.
    pub(crate) fn problems_json(&self) -> Result<Vec<u8>, Error> {
        serde_json::to_vec_pretty(&self.problems).map_err(Error::Unwritable)
    }
}
