use dropcast_app::runs::FinishRunError;
use dropcast_lambda_kit::error::{Class, FunctionError};
use thiserror::Error;

#[derive(Debug, Error)]
#[error(transparent)]
pub struct Error(#[from] FinishRunError);

impl FunctionError for Error {
    fn class(&self) -> Class {
        match &self.0 {
            FinishRunError::Store(error) => error.class(),
            FinishRunError::Call(error) => error.class(),
        }
    }
}
