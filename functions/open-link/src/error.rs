//! Why a link does not open.

use dropcast_aws::{CallError, secrets::KeysError};
use dropcast_domain::link::Refused;
use dropcast_store::StoreError;
use thiserror::Error;

/// Why a link does not open.
#[derive(Debug, Error)]
pub enum Error {
    /// The link itself.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The run or its file is gone.
    #[error("the target of the link was deleted")]
    Gone,
    /// The table.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The keys.
    #[error(transparent)]
    Keys(#[from] KeysError),
    /// S3.
    #[error(transparent)]
    Call(#[from] CallError),
}
