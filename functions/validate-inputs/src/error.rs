//! What can go wrong, the file's own faults excepted.

use dropcast_lambda_kit::error::{CallError, Class, FunctionError, class_of_call};
use dropcast_run_store::StoreError;
use thiserror::Error;

/// What can go wrong.
#[derive(Debug, Error)]
pub enum Error {
    /// The table.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// S3.
    #[error(transparent)]
    Call(#[from] CallError),
    /// The schema was compiled at registration, and does not compile now.
    #[error("the registered input schema is not a schema")]
    Schema,
    /// The problems cannot be written.
    #[error("the problems cannot be written as JSON")]
    Unwritable(#[source] serde_json::Error),
}

impl FunctionError for Error {
    fn class(&self) -> Class {
        match self {
            Self::Store(error) => class_of_call(error.is_transient()),
            Self::Call(error) => error.class(),
            Self::Schema | Self::Unwritable(_) => Class::Permanent,
        }
    }
}
