//! What can go wrong, a build's own faults excepted.

use dropcast_aws::CallError;
use dropcast_domain::registry::ParseBuildIdError;
use dropcast_lambda_kit::error::{Class, FunctionError};
use dropcast_store::StoreError;
use thiserror::Error;

#[derive(Debug, Error)]
pub enum Error {
    #[error(transparent)]
    Store(#[from] StoreError),
    /// S3, Batch, IAM, `CodeBuild` or CloudWatch Logs.
    #[error(transparent)]
    Call(#[from] CallError),
    /// The event names no build.
    #[error(transparent)]
    Event(#[from] ParseBuildIdError),
    /// Some of the reconciled builds could not be processed; each was logged.
    #[error("{0} builds could not be processed")]
    Several(usize),
}

impl FunctionError for Error {
    fn class(&self) -> Class {
        match self {
            Self::Store(error) => error.class(),
            Self::Call(error) => error.class(),
            Self::Event(_) => Class::Permanent,
            Self::Several(_) => Class::Transient,
        }
    }
}
