use dropcast_aws::{CallError, secrets::KeysError};
use dropcast_lambda_kit::{
    error::{Class, FunctionError, class_of_call},
    telemetry,
};
use dropcast_mail::{mime::MessageError, render::RenderError};
use dropcast_store::StoreError;
use thiserror::Error;

use crate::mailer::SendError;

#[derive(Debug, Error)]
pub enum Error {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Call(#[from] CallError),
    #[error(transparent)]
    Send(#[from] SendError),
    #[error(transparent)]
    Keys(#[from] KeysError),
    /// Another delivery of the event is sending the same mail.
    #[error("another delivery of the message is sending this mail")]
    Held,
    #[error(transparent)]
    Render(#[from] RenderError),
    #[error(transparent)]
    Message(#[from] MessageError),
    /// Several recipients have no mail yet, for different reasons.
    #[error("{} mails were not sent: {}", .0.len(), join_chains(.0))]
    Several(Vec<Error>),
}

impl Error {
    /// The error of a run's or build's mails; none if each recipient has its mail.
    ///
    /// That another delivery is sending a mail is the error only if there is no other.
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

/// Each failure with its causes: only one line is logged.
fn join_chains(failures: &[Error]) -> String {
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
            Self::Send(error) => error.error.class(),
            Self::Keys(error) => class_of_call(error.is_transient()),
            Self::Held => Class::Conflict,
            Self::Render(_) | Self::Message(_) => Class::Permanent,
            // A retry is worthwhile if one of the mails can still be sent.
            Self::Several(failures) => failures
                .iter()
                .map(Self::class)
                .find(|class| *class != Class::Permanent)
                .unwrap_or(Class::Permanent),
        }
    }
}
