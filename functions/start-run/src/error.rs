use dropcast_aws::CallError;
use dropcast_lambda_kit::error::{Class, FunctionError};
use dropcast_store::StoreError;
use thiserror::Error;

#[derive(Debug, Error)]
pub enum Error {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Call(#[from] CallError),
    /// The event does not distinguish the upload from others under its key.
    #[error("the event has neither the object's version nor a sequencer")]
    NoGeneration,
    /// The event's time plus the retention is no time.
    #[error("the upload's time is out of range")]
    Time(#[from] jiff::Error),
}

impl FunctionError for Error {
    fn class(&self) -> Class {
        match self {
            Self::Store(error) => error.class(),
            Self::Call(error) => error.class(),
            Self::NoGeneration | Self::Time(_) => Class::Permanent,
        }
    }
}
