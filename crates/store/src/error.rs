//! Why an operation failed.

use dropcast_domain::{ids::RunId, model::ModelName};
use thiserror::Error;

/// Why an operation on the store failed.
#[derive(Debug, Error)]
pub enum StoreError {
    /// The table refused or could not be reached.
    #[error("the runs table: {operation}")]
    Call {
        /// The port's method.
        operation: &'static str,
        /// Whether the same call may succeed later.
        transient: bool,
        /// What the SDK says.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// An item, or a value to write, does not have the form that it must have.
    #[error("the runs table: {key} is not in the expected form")]
    Invalid {
        /// The item's key, or the attribute's name.
        key: String,
        /// What does not fit.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A model without an entry for its default version, which registering writes with the model.
    #[error(
        "the runs table: model {model} has no DEFAULT# entry, so its default cannot be changed; restore the item"
    )]
    NoDefault {
        /// The model.
        model: ModelName,
    },
    /// There is no record of that run.
    #[error("there is no record of run {0}")]
    NoSuchRun(RunId),
    /// Every try lost against another change of the same item.
    #[error("the runs table: {0} conflicted too often with other changes to the same item")]
    Contended(&'static str),
}

impl StoreError {
    /// Whether the same call may succeed later.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Call { transient, .. } => *transient,
            Self::Contended(_) => true,
            Self::Invalid { .. } | Self::NoDefault { .. } | Self::NoSuchRun(_) => false,
        }
    }
}
