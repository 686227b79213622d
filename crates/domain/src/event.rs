//! The events that Dropcast publishes.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    failure::{Failure, MESSAGE_LENGTH},
    ids::{RunId, Version},
    model::ModelName,
    registry::{Build, BuildCode, BuildEnd, BuildId, BuildStatus},
    run::Run,
    status::Status,
    title::TITLE_LENGTH,
    upload::RunKind,
};

/// The `source` of all events that Dropcast publishes.
pub const SOURCE: &str = "dropcast";

/// The `detail-type` of [`BuildFinished`].
pub const BUILD_FINISHED: &str = "Build Finished";

/// The `detail-type` of [`RunStatusChanged`].
pub const RUN_STATUS_CHANGED: &str = "Run Status Changed";

/// An event that Dropcast publishes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Announcement {
    /// About a run.
    Run(RunStatusChanged),
    /// About a build.
    Build(BuildFinished),
}

impl Announcement {
    /// Its `detail-type`.
    pub fn detail_type(&self) -> &'static str {
        match self {
            Self::Run(_) => RUN_STATUS_CHANGED,
            Self::Build(_) => BUILD_FINISHED,
        }
    }
}

/// A build has ended.
///
/// It contains no e-mail addresses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(
    title = "Build Finished",
    description = "The detail of the event that Dropcast publishes when a build has ended and its version is registered or not: source dropcast, detail-type \"Build Finished\". Delivered at least once. It never says who is mailed.",
    extend("oneOf" = [
        { "properties": { "status": { "const": BuildStatus::Registered }, "error": false }, "required": ["version"] },
        { "properties": { "status": { "const": BuildStatus::Failed }, "version": false }, "required": ["error"] },
    ])
)]
pub struct BuildFinished {
    /// The build's id.
    pub build_id: BuildId,
    /// The model's name; absent where it was not known before the build failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<ModelName>,
    /// How it ended.
    pub status: BuildStatus,
    /// The version that it made: a new one, or the earlier one that is the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<Version>,
    /// Why it made no version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<BuildError>,
    /// When the build ended.
    pub at: Timestamp,
}

/// Why a build created no version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BuildError {
    /// The stable code; docs/ERRORS.md explains each.
    pub code: BuildCode,
    /// What happened, in a sentence.
    #[schemars(length(max = MESSAGE_LENGTH + 1))]
    pub message: String,
}

impl From<&Build> for BuildFinished {
    fn from(build: &Build) -> Self {
        let (version, error) = match &build.end {
            BuildEnd::Registered { version } => (Some(*version), None),
            BuildEnd::Failed(failure) => {
                let error = BuildError {
                    code: failure.code,
                    message: failure.message.clone(),
                };
                (None, Some(error))
            }
        };
        Self {
            build_id: build.build_id.clone(),
            model: build.model.clone(),
            status: build.end.status(),
            version,
            error,
            at: build.at,
        }
    }
}

/// A run's status changed.
///
/// It contains no address and no input: anybody with a rule on the bus can read it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(
    title = "Run Status Changed",
    description = "The detail of the event that Dropcast publishes for every status change of a run: source dropcast, detail-type \"Run Status Changed\". Delivered at least once, in no order; (attempts, rank of status) orders the events of a run. It never contains an address or an input."
)]
pub struct RunStatusChanged {
    /// The run's id.
    pub run_id: RunId,
    /// What the run does; absent for a run of the model on a file.
    #[serde(default, skip_serializing_if = "RunKind::is_run")]
    #[schemars(extend("default" = RunKind::Run))]
    pub kind: RunKind,
    /// The model's name as the upload gave it; there may be no such model.
    #[schemars(length(max = 1024))]
    pub model: String,
    /// The version, once it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<Version>,
    /// What the run is called, one line.
    #[schemars(length(max = TITLE_LENGTH))]
    pub title: String,
    /// The new status.
    pub status: Status,
    /// The previous status; absent for a new run. After a retry, it can equal the new status.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous_status: Option<Status>,
    /// The number of the job's finished attempts.
    pub attempts: u32,
    /// When the status changed.
    pub at: Timestamp,
    /// Why the run did not succeed; absent until it has ended so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<Failure>,
}

impl RunStatusChanged {
    /// The event for a record's change from `before` to `after`, if its status
    /// or its number of finished attempts changed.
    pub fn between(before: Option<&Run>, after: &Run) -> Option<Self> {
        let now = after.current.progress;
        if before.is_some_and(|run| run.current.progress == now) {
            return None;
        }
        Some(Self {
            run_id: after.id.clone(),
            kind: after.kind,
            model: after.request.model.clone(),
            version: after.version,
            title: after.title.clone(),
            status: now.status,
            previous_status: before.map(Run::status),
            attempts: now.attempts,
            at: after.current.at,
            error: after.failure.clone(),
        })
    }
}
