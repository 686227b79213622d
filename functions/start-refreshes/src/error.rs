use dropcast_aws::CallError;
use dropcast_domain::model::ModelName;
use dropcast_lambda_kit::error::{Class, FunctionError};
use dropcast_store::StoreError;
use thiserror::Error;

#[derive(Debug, Error)]
pub enum Error {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Call(#[from] CallError),
    /// Some models could not be checked; the first error is the source.
    #[error("schedules that could not be checked: {count}; the first is that of the model {model}")]
    Models {
        count: usize,
        model: ModelName,
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
