//! Finished builds of a model.

use dropcast_domain::{
    ids::Version,
    model::ModelName,
    registry::{Build, BuildCode, BuildEnd, BuildId, BuildPhase, BuildStatus, MAX_BUILD_LINES},
};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

/// What `dropcast model builds --json` prints.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Builds {
    /// The stack: its CloudFormation name, or `local`.
    #[schemars(length(min = 1))]
    pub stack: String,
    /// The model's name.
    #[schemars(with = "ModelName")]
    pub model: String,
    /// The finished builds, the newest first.
    pub builds: Vec<BuildView>,
}

/// One finished build.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Build")]
pub struct BuildView {
    /// The build: the UUID after the colon of CodeBuild's own id.
    pub build_id: BuildId,
    /// Whether it was registered as a version or failed.
    pub status: BuildStatus,
    /// The version that it made; null if it failed.
    pub version: Option<Version>,
    /// Why it made no version; null if it did.
    pub failure: Option<BuildFailureView>,
    /// The commit that it was built from, where that is known.
    pub commit: Option<String>,
    /// Who pushed, where that is known.
    pub requested_by: Option<String>,
    /// When it ended, RFC 3339, UTC.
    pub at: Timestamp,
}

/// Why a build made no version.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "BuildFailure")]
pub struct BuildFailureView {
    /// The stable code; docs/ERRORS.md explains each.
    pub code: BuildCode,
    /// The phase that failed, as CodeBuild names it; REGISTER when what it built cannot be a version.
    pub phase: BuildPhase,
    /// What happened, one or more sentences.
    pub message: String,
    /// What to do, one or more sentences.
    pub advice: &'static str,
    /// The last lines that it logged, at most 40.
    #[schemars(length(max = MAX_BUILD_LINES))]
    pub log: Vec<String>,
}

impl From<&Build> for BuildView {
    fn from(build: &Build) -> Self {
        let (version, failure) = match &build.end {
            BuildEnd::Registered { version } => (Some(*version), None),
            BuildEnd::Failed(failure) => {
                let view = BuildFailureView {
                    code: failure.code,
                    phase: failure.phase,
                    message: failure.message.clone(),
                    advice: failure.advice(),
                    log: failure.lines.clone(),
                };
                (None, Some(view))
            }
        };
        Self {
            build_id: build.build_id.clone(),
            status: build.end.status(),
            version,
            failure,
            commit: build.commit.clone(),
            requested_by: build.requested_by.clone(),
            at: build.at,
        }
    }
}
