use dropcast_aws::{CallError, ports::NotPublished};
use thiserror::Error;

#[derive(Debug, Error)]
pub enum Error {
    #[error(transparent)]
    Call(#[from] CallError),
    #[error(transparent)]
    NotPublished(#[from] NotPublished),
    #[error("the record cannot be parsed")]
    Unreadable(#[source] serde_dynamo::Error),
    #[error("the change cannot be serialized")]
    Unwritable(#[source] serde_json::Error),
}
