//! What can go wrong.

use dropcast_aws::{CallError, secrets::KeysError};
use dropcast_lambda_kit::{
    error::{Class, FunctionError, class_of_call},
    telemetry,
};
use dropcast_mail::{mime::MessageError, render::RenderError};
use dropcast_store::StoreError;
use thiserror::Error;

use crate::mailer::NotSent;

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
    #[error("another delivery of the message is sending this mail")]
    Held,
    /// The texts cannot be made.
    #[error(transparent)]
    Render(#[from] RenderError),
    /// The message cannot be made.
    #[error(transparent)]
    Message(#[from] MessageError),
    /// Several recipients of one run have no mail yet, each for a reason of its own.
    #[error("{} mails were not sent: {}", .0.len(), told(.0))]
    Several(Vec<Error>),
}

impl Error {
    /// What became of all recipients of a run; none if each has its mail.
    ///
    /// Another delivery at work is told only where it is all there is to tell.
    pub(crate) fn of_all(mut failures: Vec<Self>) -> Option<Self> {
        let number = failures.len();
        failures.retain(|error| !matches!(error, Self::Held));
        match failures.len() {
            0 => (number > 0).then_some(Self::Held),
            1 => failures.pop(),
            _ => Some(Self::Several(failures)),
        }
    }
}

/// Each failure with its causes, so that none is lost from the one line that is logged.
fn told(failures: &[Error]) -> String {
    let chains: Vec<String> = failures
        .iter()
        .map(|error| telemetry::chain(error))
        .collect();
    chains.join("; ")
}

impl FunctionError for Error {
    fn class(&self) -> Class {
        match self {
            Self::Store(error) => error.class(),
            Self::Call(error) => error.class(),
            Self::NotSent(not_sent) => not_sent.error.class(),
            Self::Keys(error) => class_of_call(error.is_transient()),
            Self::Held => Class::Conflict,
            Self::Render(_) | Self::Message(_) => Class::Permanent,
            // One mail that may still go out is worth the next try.
            Self::Several(failures) => failures
                .iter()
                .map(Self::class)
                .find(|class| *class != Class::Permanent)
                .unwrap_or(Class::Permanent),
        }
    }
}
