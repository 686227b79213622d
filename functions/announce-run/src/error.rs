//! What can go wrong.

use dropcast_aws::CallError;
use thiserror::Error;

/// What can go wrong.
#[derive(Debug, Error)]
pub enum Error {
    /// The call failed.
    #[error(transparent)]
    Call(#[from] CallError),
    /// The bus refused the entry.
    #[error("the event bus did not take the event ({0})")]
    NotTaken(String),
    /// The record does not read back.
    #[error("the record cannot be parsed")]
    Unreadable(#[source] serde_dynamo::Error),
    /// The event cannot be written.
    #[error("the event cannot be serialized")]
    Unwritable(#[source] serde_json::Error),
}
