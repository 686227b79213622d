use dropcast_aws::CallError;
use dropcast_domain::{failure::ErrorCode, ids::Version, model::ModelName};
use dropcast_lambda_kit::error::{Class, FunctionError};
use dropcast_store::StoreError;
use thiserror::Error;

#[derive(Debug, Error)]
pub enum Error {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Call(#[from] CallError),
    /// The version's job definition was deregistered.
    #[error(
        "Version {version} of {model} can no longer run, because its job definition was deregistered."
    )]
    DefinitionGone { model: ModelName, version: Version },
    /// The run was never accepted; the state machine does not submit such runs.
    #[error("the run's input was never accepted")]
    NotAccepted,
    /// The run was cancelled before its job was submitted; by whom, and why.
    #[error("{0}")]
    Cancelled(String),
    /// The run has ended: a job would run for nothing.
    #[error("the run has ended")]
    Over,
}

impl FunctionError for Error {
    fn class(&self) -> Class {
        match self {
            Self::Store(error) => error.class(),
            Self::Call(error) => error.class(),
            Self::DefinitionGone { .. } | Self::NotAccepted | Self::Cancelled(_) | Self::Over => {
                Class::Permanent
            }
        }
    }

    fn name(&self) -> &'static str {
        match self {
            Self::DefinitionGone { .. } => ErrorCode::VersionUnknown.as_str(),
            Self::Cancelled(_) => ErrorCode::Cancelled.as_str(),
            other => other.class().name(),
        }
    }
}
