use dropcast_domain::ids::{JobId, RunId};
use serde::{Deserialize, Serialize};

/// The attempt whose outputs are published.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Index {
    pub run_id: RunId,
    pub job_id: JobId,
    /// The attempt that succeeded, from 1.
    pub attempt: u32,
}

/// The state's output.
#[derive(Debug, Clone, Serialize)]
pub struct Indexed {
    /// Always `indexed`.
    pub outcome: &'static str,
    /// How many objects the manifest lists.
    pub count: u64,
}
