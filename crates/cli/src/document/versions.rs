//! The documents about versions, builds and the default.

use dropcast_domain::registry::{Build, BuildEnd, DefaultEntry, Retirement};
use jiff::Timestamp;
use serde::Serialize;

/// `model versions`: `schemas/cli/versions.schema.json`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Versions {
    /// The stack.
    pub stack: String,
    /// The model's name.
    pub model: String,
    /// The version that runs when a file pins none.
    pub default_version: u32,
    /// The newest first.
    pub versions: Vec<VersionSummary>,
    /// What the default was, the newest first.
    pub defaults: Vec<DefaultView>,
}

/// One version, as lists show it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct VersionSummary {
    /// The number.
    pub version: u32,
    /// Whether it is the default.
    pub default: bool,
    /// When it was built.
    pub built_at: Timestamp,
    /// The image by digest.
    pub image: String,
    /// The commit that it was built from.
    pub commit: Option<String>,
    /// Since when it runs no more, if it is retired.
    pub retired: Option<RetiredView>,
}

/// A retirement.
#[derive(Debug, Serialize)]
pub struct RetiredView {
    /// When.
    pub at: Timestamp,
    /// Who did it, where that is known.
    pub by: Option<String>,
}

impl From<&Retirement> for RetiredView {
    fn from(retirement: &Retirement) -> Self {
        Self {
            at: retirement.at,
            by: retirement.by.clone(),
        }
    }
}

/// One change of the default.
#[derive(Debug, Serialize)]
pub struct DefaultView {
    /// The default from then on.
    pub version: u32,
    /// When.
    pub at: Timestamp,
    /// Who did it, where that is known.
    pub by: Option<String>,
    /// registered, promoted or rolled-back.
    pub kind: &'static str,
}

impl From<&DefaultEntry> for DefaultView {
    fn from(entry: &DefaultEntry) -> Self {
        Self {
            version: entry.version.number(),
            at: entry.at,
            by: entry.by.clone(),
            kind: entry.kind.as_str(),
        }
    }
}

/// `model promote` and `model rollback`: `schemas/cli/promoted.schema.json`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Promoted {
    /// The stack.
    pub stack: String,
    /// The model's name.
    pub model: String,
    /// The change.
    #[serde(flatten)]
    pub entry: DefaultView,
    /// The default before.
    pub previous_version: Option<u32>,
}

/// `model retire`: `schemas/cli/retired.schema.json`.
#[derive(Debug, Serialize)]
pub struct Retired {
    /// The stack.
    pub stack: String,
    /// The model's name.
    pub model: String,
    /// The version.
    pub version: u32,
    /// When and by whom.
    #[serde(flatten)]
    pub retired: RetiredView,
}

/// `model builds`: `schemas/cli/builds.schema.json`.
#[derive(Debug, Serialize)]
pub struct Builds {
    /// The stack.
    pub stack: String,
    /// The model's name.
    pub model: String,
    /// The newest first.
    pub builds: Vec<BuildView>,
}

/// One finished build.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BuildView {
    /// The build's id.
    pub build_id: String,
    /// registered or failed.
    pub status: &'static str,
    /// The version that it made.
    pub version: Option<u32>,
    /// Why it made none.
    pub failure: Option<BuildFailureView>,
    /// The commit that was built.
    pub commit: Option<String>,
    /// Who pushed, where that is known.
    pub requested_by: Option<String>,
    /// When it ended.
    pub at: Timestamp,
}

/// Why a build made no version.
#[derive(Debug, Serialize)]
pub struct BuildFailureView {
    /// The stable code.
    pub code: &'static str,
    /// Where it ended.
    pub phase: &'static str,
    /// What happened.
    pub message: String,
    /// What to do.
    pub advice: &'static str,
    /// The last lines that it logged.
    pub log: Vec<String>,
}

impl From<&Build> for BuildView {
    fn from(build: &Build) -> Self {
        let (version, failure) = match &build.end {
            BuildEnd::Registered { version } => (Some(version.number()), None),
            BuildEnd::Failed(failure) => {
                let view = BuildFailureView {
                    code: failure.code.as_str(),
                    phase: failure.phase.as_str(),
                    message: failure.message.clone(),
                    advice: failure.advice(),
                    log: failure.lines.clone(),
                };
                (None, Some(view))
            }
        };
        Self {
            build_id: build.build_id.to_string(),
            status: build.end.status().as_str(),
            version,
            failure,
            commit: build.commit.clone(),
            requested_by: build.requested_by.clone(),
            at: build.at,
        }
    }
}
