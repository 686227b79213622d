use dropcast_aws::CallError;
use thiserror::Error;

#[derive(Debug, Error)]
pub enum Error {
    #[error(transparent)]
    Call(#[from] CallError),
    #[error("the event bus did not take the event ({0})")]
    NotTaken(String),
    #[error("the record cannot be parsed")]
    Unreadable(#[source] serde_dynamo::Error),
    #[error("the event cannot be serialized")]
    Unwritable(#[source] serde_json::Error),
}
