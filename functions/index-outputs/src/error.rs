use dropcast_aws::CallError;
use dropcast_domain::{failure::ErrorCode, model::OutputPatternError};
use dropcast_lambda_kit::error::{Class, FunctionError};
use dropcast_store::StoreError;
use thiserror::Error;

#[derive(Debug, Error)]
pub enum Error {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Call(#[from] CallError),
    /// The model did not write what it must.
    #[error("The model finished without writing {}.", .0.join(", "))]
    Missing(Vec<String>),
    /// The state machine was resumed by a job that the record does not name.
    #[error("the run's record names a different job")]
    AnotherJob,
    /// The run has no version, or it was taken out of the table.
    #[error("the run's version is not registered")]
    NotAccepted,
    /// The manifest was checked at registration.
    #[error("the registered manifest contains an invalid output pattern")]
    Pattern(#[from] OutputPatternError),
}

impl FunctionError for Error {
    fn class(&self) -> Class {
        match self {
            Self::Store(error) => error.class(),
            Self::Call(error) => error.class(),
            Self::Missing(_) | Self::AnotherJob | Self::NotAccepted | Self::Pattern(_) => {
                Class::Permanent
            }
        }
    }

    fn name(&self) -> &'static str {
        match self {
            Self::Missing(_) => ErrorCode::OutputsMissing.as_str(),
            other => other.class().name(),
        }
    }
}
