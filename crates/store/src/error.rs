//! Why a verb failed.

use dropcast_domain::ids::RunId;
use thiserror::Error;

/// Why a verb failed.
#[derive(Debug, Error)]
pub enum StoreError {
    /// The table refused or could not be reached.
    #[error("the runs table: {verb}")]
    Call {
        /// The verb.
        verb: &'static str,
        /// Whether the same call may succeed later.
        transient: bool,
        /// What the SDK says.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// An item does not read back: written by another release, or by hand.
    #[error("the runs table contains an item that cannot be parsed ({key})")]
    Unreadable {
        /// The item's key.
        key: String,
        /// What does not fit.
        #[source]
        source: serde_dynamo::Error,
    },
    /// There is no record of that run.
    #[error("there is no record of run {0}")]
    NoSuchRun(RunId),
    /// Somebody else changed the same thing at the same time, again and again.
    #[error("the runs table: {0} conflicted too often with other changes to the same item")]
    Contended(&'static str),
}

impl StoreError {
    /// Whether the same call may succeed later.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Call { transient, .. } => *transient,
            Self::Contended(_) => true,
            Self::Unreadable { .. } | Self::NoSuchRun(_) => false,
        }
    }
}
