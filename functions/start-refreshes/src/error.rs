//! What can go wrong.

use dropcast_aws::CallError;
use dropcast_domain::model::ModelName;
use dropcast_lambda_kit::error::{Class, FunctionError};
use dropcast_store::StoreError;
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
    /// Some models could not be looked at; the first fault is the source.
    #[error("schedules that could not be checked: {count}; the first is that of the model {model}")]
    Models {
        /// How many.
        count: usize,
        /// The first of them.
        model: ModelName,
        /// What went wrong there.
        #[source]
        source: Box<Error>,
    },
}

impl FunctionError for Error {
    fn class(&self) -> Class {
        match self {
            Self::Store(error) => error.class(),
            Self::Call(error) => error.class(),
            Self::Models { source, .. } => source.class(),
        }
    }
}
