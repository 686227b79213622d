use dropcast_app::runs::StartRunError;
use dropcast_lambda_kit::error::{Class, FunctionError};
use thiserror::Error;

#[derive(Debug, Error)]
#[error(transparent)]
pub struct Error(#[from] StartRunError);

impl FunctionError for Error {
    fn class(&self) -> Class {
        match &self.0 {
            StartRunError::Store(error) => error.class(),
            StartRunError::Call(error) => error.class(),
            StartRunError::NoGeneration | StartRunError::Time(_) => Class::Permanent,
        }
    }
}
