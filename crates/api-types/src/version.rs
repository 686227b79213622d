//! The versions of a model, and its default.

use dropcast_domain::{
    ids::Version,
    model::ModelName,
    registry::{DefaultEntry, DefaultKind, Defaults, RegisteredVersion, Retirement},
};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

/// What `dropcast model versions --json` prints.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Versions {
    /// The stack: its CloudFormation name, or `local`.
    #[schemars(length(min = 1))]
    pub stack: String,
    /// The model's name.
    #[schemars(with = "ModelName")]
    pub model: String,
    /// The version that runs when a file pins none.
    pub default_version: Version,
    /// The newest first, at most 1,000.
    pub versions: Vec<VersionSummary>,
    /// The changes of the default, the newest first.
    pub defaults: Vec<DefaultView>,
}

/// One version, as lists show it.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct VersionSummary {
    /// The version's number, from 1.
    pub version: Version,
    /// Whether it is the default.
    pub default: bool,
    /// When it was built, RFC 3339, UTC.
    pub built_at: Timestamp,
    /// The container image, by its digest.
    pub image: String,
    /// The commit that it was built from, where that is known.
    pub commit: Option<String>,
    /// When and by whom it was retired; null unless it is.
    pub retired: Option<RetiredView>,
}

impl VersionSummary {
    /// A version of a model with this default version and these retirements.
    pub fn of(version: &RegisteredVersion, default: Version, defaults: &Defaults) -> Self {
        Self {
            version: version.version,
            default: version.version == default,
            built_at: version.spec.built_at,
            image: version.spec.image.clone(),
            commit: version.spec.commit.clone(),
            retired: defaults.retirement(version.version).map(RetiredView::from),
        }
    }
}

/// A retirement.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Retirement")]
pub struct RetiredView {
    /// When it was retired, RFC 3339, UTC.
    pub at: Timestamp,
    /// Who did it: the ARN of a caller; null where that is not known.
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
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "DefaultChange")]
pub struct DefaultView {
    /// The default from then on.
    pub version: Version,
    /// When it was retired, RFC 3339, UTC.
    pub at: Timestamp,
    /// Who did it: the ARN of a caller; null where that is not known.
    pub by: Option<String>,
    /// How it came about.
    pub kind: DefaultKind,
}

impl From<&DefaultEntry> for DefaultView {
    fn from(entry: &DefaultEntry) -> Self {
        Self {
            version: entry.version,
            at: entry.at,
            by: entry.by.clone(),
            kind: entry.kind,
        }
    }
}

/// What `dropcast model promote --json` and `dropcast model rollback --json` print.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Promoted {
    /// The stack: its CloudFormation name, or `local`.
    #[schemars(length(min = 1))]
    pub stack: String,
    /// The model's name.
    #[schemars(with = "ModelName")]
    pub model: String,
    /// The change.
    #[serde(flatten)]
    pub entry: DefaultView,
    /// The default before.
    pub previous_version: Option<Version>,
}

/// What `dropcast model retire --json` prints.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Retired {
    /// The stack: its CloudFormation name, or `local`.
    #[schemars(length(min = 1))]
    pub stack: String,
    /// The model's name.
    #[schemars(with = "ModelName")]
    pub model: String,
    /// The version that was retired.
    pub version: Version,
    /// When and by whom.
    #[serde(flatten)]
    pub retired: RetiredView,
}
