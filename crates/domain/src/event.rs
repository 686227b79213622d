//! The events that Dropcast publishes.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    failure::Failure,
    model::ModelName,
    registry::{Build, BuildCode, BuildEnd, BuildId, BuildStatus},
    run::Run,
    run_id::{RunId, Version},
    status::Status,
    upload::RunKind,
};

/// The `source` of every event of ours.
pub const SOURCE: &str = "dropcast";

/// The `detail-type` of [`BuildFinished`].
pub const BUILD_FINISHED: &str = "Build Finished";

/// The `detail-type` of [`RunStatusChanged`].
pub const RUN_STATUS_CHANGED: &str = "Run Status Changed";

/// An event of ours.
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

/// A build ended, and it is known what became of it.
///
/// The shape is `schemas/build-finished.schema.json`. No address of whoever is mailed stands in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BuildFinished {
    /// The build.
    pub build_id: BuildId,
    /// The model, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<ModelName>,
    /// What became of it.
    pub status: BuildStatus,
    /// The version that it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<Version>,
    /// Why it is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<BuildError>,
    /// When it ended.
    pub at: Timestamp,
}

/// Why a build made no version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BuildError {
    /// The stable code.
    pub code: BuildCode,
    /// What happened.
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
/// The shape is `schemas/run-status-changed.schema.json`. Never an address and
/// never an input: anybody with a rule on the bus can read it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RunStatusChanged {
    /// The run.
    pub run_id: RunId,
    /// What it does; absent for a run on a file.
    #[serde(default, skip_serializing_if = "RunKind::is_run")]
    pub kind: RunKind,
    /// The model's name as the upload gave it.
    pub model: String,
    /// The version, once it is settled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<Version>,
    /// What the run is called.
    pub title: String,
    /// Where it stands now.
    pub status: Status,
    /// Where it stood before; absent for a new run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous_status: Option<Status>,
    /// Attempts of the job that have finished.
    pub attempts: u32,
    /// When it changed.
    pub at: Timestamp,
    /// Why it did not succeed.
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
