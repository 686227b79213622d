//! What can go wrong, the file's own faults excepted.

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
    /// The schema was compiled at registration, and does not compile now.
    #[error("the registered input schema is invalid")]
    Schema,
    /// The disk of the function's sandbox.
    #[error("the function's temporary storage failed")]
    Disk(#[from] std::io::Error),
    /// Reading a table panicked.
    #[error("reading the table was interrupted")]
    BrokeOff(#[source] tokio::task::JoinError),
    #[error("the problems cannot be written as JSON")]
    Unwritable(#[source] serde_json::Error),
}

impl FunctionError for Error {
    fn class(&self) -> Class {
        match self {
            Self::Store(error) => error.class(),
            Self::Call(error) => error.class(),
            // Another sandbox has another disk.
            Self::Disk(_) => Class::Transient,
            Self::Schema | Self::BrokeOff(_) | Self::Unwritable(_) => Class::Permanent,
        }
    }
}
