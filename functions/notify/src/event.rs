//! Our own events as they arrive.

use dropcast_domain::{ids::RunId, registry::BuildId};
use serde::Deserialize;

/// An event that somebody may have to be mailed about.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "detail-type", content = "detail")]
pub enum Notice {
    /// A run changed.
    #[serde(rename = "Run Status Changed")]
    Run(RunNotice),
    /// A build ended.
    #[serde(rename = "Build Finished")]
    Build(BuildNotice),
}

/// The detail of `Run Status Changed`, as far as it is used.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RunNotice {
    /// The run.
    pub run_id: RunId,
}

/// The detail of `Build Finished`, as far as it is used.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BuildNotice {
    /// The build.
    pub build_id: BuildId,
}
