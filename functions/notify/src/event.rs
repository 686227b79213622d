//! Our own event as it arrives.

use dropcast_domain::run_id::RunId;
use serde::Deserialize;

/// The detail of `Run Status Changed`, as far as it is used.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Notice {
    /// The run.
    pub run_id: RunId,
}
