use dropcast_aws::CallError;
use dropcast_domain::ids::ParseJobIdError;
use dropcast_lambda_kit::error::{Class, FunctionError};
use dropcast_store::StoreError;
use thiserror::Error;

#[derive(Debug, Error)]
pub enum Error {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Call(#[from] CallError),
    /// The event names no job.
    #[error(transparent)]
    Event(#[from] ParseJobIdError),
}

impl FunctionError for Error {
    fn class(&self) -> Class {
        match self {
            Self::Store(error) => error.class(),
            Self::Call(error) => error.class(),
            Self::Event(_) => Class::Permanent,
        }
    }
}
