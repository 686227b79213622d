//! Errors in the form of AWS's JSON 1.1 services.

use super::wire::SUPPORTED;

/// Why a call of the API was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ApiError {
    /// The request is wrong.
    #[error("{0}")]
    InvalidInput(String),
    /// What the request names does not exist.
    #[error("{0}")]
    NotFound(String),
    /// The body is not the JSON that the operation takes.
    #[error("{0}")]
    Serialization(String),
    /// An operation that the local CodeBuild does not have.
    #[error(
        "The local CodeBuild does not support the operation {0}. It supports {supported}.",
        supported = SUPPORTED.join(", ")
    )]
    Unknown(String),
}

impl ApiError {
    /// The name that SDKs read from `__type`.
    pub(crate) const fn code(&self) -> &'static str {
        match self {
            Self::InvalidInput(_) => "InvalidInputException",
            Self::NotFound(_) => "ResourceNotFoundException",
            Self::Serialization(_) => "SerializationException",
            Self::Unknown(_) => "UnknownOperationException",
        }
    }
}
