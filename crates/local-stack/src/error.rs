//! Why something about the local stack failed, as sentences for the person at the terminal.

use std::{
    io,
    path::{Path, PathBuf},
};

use dropcast_model_folder::FolderError;
use dropcast_store::StoreError;

use crate::service::StartError;

/// Why something about the local stack failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Something that has to be built or installed first is not there.
    #[error("{what} is missing ({}). Run `{remedy}` first.", .path.display())]
    Missing {
        /// What it is.
        what: String,
        /// Where it was expected.
        path: PathBuf,
        /// The command that makes it.
        remedy: &'static str,
    },
    /// There is a stack in this state folder.
    #[error(
        "A local stack is already running in {}{}. Stop it with `dropcast local down`, or use a different state folder.",
        .state.display(),
        .pid.map(|pid| format!(" (process {pid})")).unwrap_or_default()
    )]
    AlreadyUp {
        /// The state folder.
        state: PathBuf,
        /// The process that holds it, when its `stack.json` says so.
        pid: Option<u32>,
    },
    /// There is no stack in this state folder.
    #[error("No local stack is running in {}. Start one with `dropcast local up`.", .state.display())]
    NotUp {
        /// The state folder.
        state: PathBuf,
    },
    /// The emulator ended, or never answered.
    #[error("The AWS emulator {what}. Its last lines ({}):\n{tail}", .log.display())]
    Emulator {
        /// What it did.
        what: String,
        /// Its log file.
        log: PathBuf,
        /// The end of the log.
        tail: String,
    },
    /// CloudFormation refused the template or one of its resources.
    #[error("The template was not deployed: {status}.\n{reasons}")]
    Deployment {
        /// The stack's status, or what was refused.
        status: String,
        /// One line for each failed resource.
        reasons: String,
    },
    /// The template lacks what it needs to be packaged.
    #[error("{} cannot be packaged: {problem}.", .template.display())]
    Template {
        /// The template.
        template: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// The folder of a model has problems.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// The Python environment of a model could not be made.
    #[error("The Python environment for {} could not be made: {what}\n{tail}", .requirements.display())]
    Venv {
        /// The requirements file.
        requirements: PathBuf,
        /// Which step failed.
        what: String,
        /// The step's last lines.
        tail: String,
    },
    /// The local Batch or the local CodeBuild did not start.
    #[error(transparent)]
    Service(#[from] StartError),
    /// The runs table.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A call of AWS's API failed.
    #[error("{doing} failed")]
    Call {
        /// What was being done.
        doing: String,
        /// What the SDK says.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The system refused something.
    #[error("{doing} failed")]
    System {
        /// What was being done, the path included.
        doing: String,
        /// What the system says.
        #[source]
        source: io::Error,
    },
}

impl Error {
    /// For `map_err` behind calls of an SDK.
    pub(crate) fn call<E>(doing: impl Into<String>) -> impl FnOnce(E) -> Self
    where
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let doing = doing.into();
        move |source| Self::Call {
            doing,
            source: source.into(),
        }
    }

    /// For `map_err` behind file operations.
    pub(crate) fn at(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let doing = format!("{doing} {}", path.display());
        move |source| Self::System { doing, source }
    }
}
