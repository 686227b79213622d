//! Registered models: their versions, the results of builds, and the default version.

mod build;
mod phase;
mod promotion;
mod report;
mod version_file;

pub use build::{
    BUILD_LINES_READ, Build, BuildCode, BuildEnd, BuildFailure, BuildId, BuildStatus, EndedBuild,
    MAX_BUILD_LINES, ParseBuildIdError, Requester, last_build_lines,
};
use jiff::Timestamp;
pub use phase::BuildPhase;
pub use promotion::{
    AuditStamp, DefaultEntry, DefaultKind, Defaults, PromotionError, Retirement, default_moment,
};
pub use report::{BuildDecision, BuildIgnored, BuildReport, BuildState, PhaseReport, decide};
use serde::{Deserialize, Serialize};
pub use version_file::{MAX_VERSION_FILE, VersionFile, is_image_of, named_by_digest};

use crate::{
    ids::Version,
    model::{InputFormat, Manifest, ModelName},
};

/// A registered model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Model {
    /// The model's name.
    pub name: ModelName,
    /// The title that users see.
    pub title: String,
    /// The version that runs for uploads that do not pin a version.
    pub default_version: Version,
    /// The number of the next version.
    pub next_version: Version,
}

impl Model {
    /// The newest version.
    pub fn newest(&self) -> Version {
        self.next_version.previous()
    }
}

/// One version of a model; it never changes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RegisteredVersion {
    /// The model's name.
    pub model: ModelName,
    /// The version's number.
    pub version: Version,
    /// Everything but the number.
    #[serde(flatten)]
    pub spec: VersionSpec,
}

/// A version before it has a number.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct VersionSpec {
    /// The manifest.
    pub manifest: Manifest,
    /// The JSON Schema of the input, as text, because DynamoDB would reorder its keys.
    pub input_schema: String,
    /// The JSON Schema of one row, as text, if the manifest names a separate one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub row_schema: Option<String>,
    /// The container image, by digest.
    pub image: String,
    /// The ARN of the AWS Batch job definition, including its revision.
    pub job_definition: String,
    /// The commit that the version was built from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// When the version was built.
    pub built_at: Timestamp,
}

impl VersionSpec {
    /// Whether the other has the same image and declarations, whatever its job definition.
    pub fn is_made_like(&self, other: &Self) -> bool {
        self.image == other.image
            && self.manifest == other.manifest
            && self.input_schema == other.input_schema
            && self.row_schema == other.row_schema
    }

    /// The text of the schema that inputs of a format are checked against.
    pub fn schema_of(&self, format: InputFormat) -> &str {
        match &self.row_schema {
            Some(row_schema) if format.is_table() => row_schema,
            _ => &self.input_schema,
        }
    }
}
