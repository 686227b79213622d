use dropcast_app::jobs::FollowJobError;
use dropcast_domain::ids::ParseJobIdError;
use dropcast_lambda_kit::error::{Class, FunctionError};
use thiserror::Error;

#[derive(Debug, Error)]
pub enum Error {
    #[error(transparent)]
    Follow(#[from] FollowJobError),
    /// The event names no job.
    #[error(transparent)]
    Event(#[from] ParseJobIdError),
}

impl FunctionError for Error {
    fn class(&self) -> Class {
        match self {
            Self::Follow(FollowJobError::Store(error)) => error.class(),
            Self::Follow(FollowJobError::Call(error)) => error.class(),
            Self::Event(_) => Class::Permanent,
        }
    }
}
