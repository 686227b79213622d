//! Dropcast's own events, which are the messages of the queue.

use dropcast_domain::{ids::RunId, registry::BuildId};
use serde::Deserialize;

/// An event that may be the reason for a mail.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "detail-type", content = "detail")]
pub enum Notice {
    #[serde(rename = "Run Status Changed")]
    Run(RunNotice),
    #[serde(rename = "Build Finished")]
    Build(BuildNotice),
}

/// The detail of `Run Status Changed`, as far as it is used.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RunNotice {
    pub run_id: RunId,
}

/// The detail of `Build Finished`, as far as it is used.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BuildNotice {
    pub build_id: BuildId,
}
