//! Why a link does not open.

use dropcast_aws::{CallError, secrets::KeysError};
use dropcast_domain::link::LinkError;
use dropcast_store::StoreError;
use thiserror::Error;

#[derive(Debug, Error)]
pub enum Error {
    #[error(transparent)]
    Link(#[from] LinkError),
    /// The run or its file is gone.
    #[error("the target of the link was deleted")]
    Gone,
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Keys(#[from] KeysError),
    #[error(transparent)]
    Call(#[from] CallError),
}
