//! The state's input and output.

use dropcast_domain::ids::{JobId, RunId};
use serde::{Deserialize, Serialize};

/// Which attempt to publish.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Index {
    /// The run.
    pub run_id: RunId,
    /// Its job.
    pub job_id: JobId,
    /// The attempt that succeeded, from 1.
    pub attempt: u32,
}

/// What was published.
#[derive(Debug, Clone, Serialize)]
pub struct Indexed {
    /// Always `indexed`.
    pub outcome: &'static str,
    /// How many objects the manifest lists.
    pub count: u64,
}
