//! A build that was started from a model's folder.

use dropcast_domain::{
    ids::Version,
    model::ModelName,
    registry::{BuildId, MAX_BUILD_LINES},
};
use schemars::JsonSchema;
use serde::Serialize;

use crate::patterns;

/// What `dropcast model push --json` prints, whether the build went well or not.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Pushed {
    /// The stack: its CloudFormation name, or `local`.
    #[schemars(length(min = 1))]
    pub stack: String,
    /// The model's name.
    pub model: ModelName,
    /// The zip file that is built.
    pub source: SourceView,
    /// The commit that the folder is at; null when Git does not know.
    pub commit: Option<String>,
    /// The CodeBuild project.
    pub project: String,
    /// The build's own id.
    pub build_id: BuildId,
    /// How far it is. It goes with the exit code.
    pub status: PushStatus,
    /// The version that it made; null unless it is registered.
    pub version: Option<Version>,
    /// Whether the version is new, or the newest one again; null unless it is registered.
    pub new: Option<bool>,
    /// The version that runs when a file pins none; null when the model has no version.
    pub default_version: Option<Version>,
    /// The phase that failed, as CodeBuild names it; REGISTER when what was built cannot be a version.
    pub phase: Option<String>,
    /// Why it failed.
    pub message: Option<String>,
    /// The last lines of a failed build.
    #[schemars(length(max = MAX_BUILD_LINES))]
    pub lines: Vec<String>,
    /// How long it took in all, in seconds.
    #[schemars(range(min = 0))]
    pub seconds: f64,
}

/// How far a pushed build is: `started` with `--no-wait`, otherwise how it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum PushStatus {
    /// It has started, and nobody waited for its end.
    Started,
    /// The build was registered as a version.
    Registered,
    /// The build created no version.
    Failed,
}

/// The zip file of a model's folder.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Source")]
pub struct SourceView {
    /// The bucket that it was uploaded to.
    pub bucket: String,
    /// Its key in the bucket.
    pub key: String,
    /// SHA-256 of its content.
    #[schemars(regex(pattern = patterns::SHA256))]
    pub sha256: String,
    /// Size in bytes.
    pub bytes: u64,
    /// How many files and links it holds.
    #[schemars(range(min = 1))]
    pub files: usize,
}
