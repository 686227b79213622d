//! What can go wrong.

use dropcast_lambda_kit::error::{CallError, Class, FunctionError, class_of_call};
use dropcast_link_keys::KeysError;
use dropcast_run_store::StoreError;
use thiserror::Error;

use crate::{mailer::NotSent, mime::MessageError, render::RenderError};

/// What can go wrong.
#[derive(Debug, Error)]
pub enum Error {
    /// The table.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// S3.
    #[error(transparent)]
    Call(#[from] CallError),
    /// SES.
    #[error(transparent)]
    NotSent(#[from] NotSent),
    /// The link-signing keys.
    #[error(transparent)]
    Keys(#[from] KeysError),
    /// Another delivery of the event is sending this very mail.
    #[error("another delivery is sending this mail")]
    Held,
    /// The texts cannot be made.
    #[error(transparent)]
    Render(#[from] RenderError),
    /// The message cannot be made.
    #[error(transparent)]
    Message(#[from] MessageError),
}

impl FunctionError for Error {
    fn class(&self) -> Class {
        match self {
            Self::Store(error) => class_of_call(error.is_transient()),
            Self::Call(error) => error.class(),
            Self::NotSent(not_sent) => not_sent.error.class(),
            Self::Keys(error) => error.class(),
            Self::Held => Class::Conflict,
            Self::Render(_) | Self::Message(_) => Class::Permanent,
        }
    }
}
