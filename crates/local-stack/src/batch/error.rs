//! Errors in the form of AWS's REST-JSON services.

use super::wire::operations;

/// Why a call of the API was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ApiError {
    /// The request is wrong: what AWS Batch answers with `ClientException`.
    #[error("{0}")]
    Client(String),
    /// The body is not the JSON that the operation takes.
    #[error("{0}")]
    Serialization(String),
    /// An operation of AWS Batch that the local Batch does not have.
    #[error(
        "The local Batch does not support the operation {0}. It supports {supported}.",
        supported = operations::supported()
    )]
    Unsupported(String),
    /// Neither an operation of AWS Batch nor an address of the local Batch.
    #[error("{0} is not an operation of AWS Batch.")]
    Unknown(String),
}

impl ApiError {
    /// A `ClientException` with this message.
    pub(crate) fn client(message: impl Into<String>) -> Self {
        Self::Client(message.into())
    }

    /// The name that SDKs read from `x-amzn-errortype`.
    pub(crate) const fn code(&self) -> &'static str {
        match self {
            Self::Client(_) | Self::Unsupported(_) => "ClientException",
            Self::Serialization(_) => "SerializationException",
            Self::Unknown(_) => "UnknownOperationException",
        }
    }

    /// The HTTP status of the answer. None is 5xx: SDKs would try those again.
    pub(crate) const fn status(&self) -> u16 {
        match self {
            Self::Unknown(_) => 404,
            _ => 400,
        }
    }
}
