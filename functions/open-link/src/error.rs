//! Why a link does not open.

use dropcast_aws::{CallError, secrets::KeysError};
use dropcast_domain::link::Refused;
use dropcast_store::StoreError;
use thiserror::Error;

#[derive(Debug, Error)]
pub enum Error {
    #[error(transparent)]
    Refused(#[from] Refused),
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
