//! Models as they are registered.

use dropcast_domain::{
    ids::Version,
    model::{Manifest, ModelName},
    registry::{self, RegisteredVersion},
};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

/// What `dropcast model list --json` prints.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Models {
    /// The stack: its CloudFormation name, or `local`.
    #[schemars(length(min = 1))]
    pub stack: String,
    /// The models, by name.
    pub models: Vec<ModelSummary>,
}

/// One model.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ModelSummary {
    /// The model's name, as it appears in S3 keys.
    pub name: ModelName,
    /// The title that people see, in one line.
    pub title: String,
    /// The version that runs when a file pins none.
    pub default_version: Version,
    /// The newest version.
    pub latest_version: Version,
}

impl From<&registry::Model> for ModelSummary {
    fn from(model: &registry::Model) -> Self {
        Self {
            name: model.name.clone(),
            title: model.title.clone(),
            default_version: model.default_version,
            latest_version: model.newest(),
        }
    }
}

/// What `dropcast model show --json` prints.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(title = "Model")]
pub struct ModelDetail {
    /// The stack: its CloudFormation name, or `local`.
    #[schemars(length(min = 1))]
    pub stack: String,
    /// The fields that lists show too.
    #[serde(flatten)]
    pub summary: ModelSummary,
    /// The newest first, at most twenty.
    pub versions: Vec<VersionView>,
}

/// What `dropcast model register --json` prints.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Registered {
    /// The stack: its CloudFormation name, or `local`.
    #[schemars(length(min = 1))]
    pub stack: String,
    /// The model's name.
    pub model: ModelName,
    /// Whether the version is new; a folder that has not changed keeps its version.
    pub new: bool,
    /// The version that runs when a file pins none.
    pub default_version: Version,
    /// The version that was registered.
    #[serde(flatten)]
    pub version: VersionView,
}

/// One version of a model.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "ModelVersion")]
pub struct VersionView {
    /// The version's number, from 1.
    pub version: Version,
    /// When it was built, RFC 3339, UTC.
    pub built_at: Timestamp,
    /// The container image, by its digest.
    pub image: String,
    /// The AWS Batch job definition, revision included.
    pub job_definition: String,
    /// The commit that it was built from.
    pub commit: Option<String>,
    /// What model.toml declares, with the defaults filled in; keys in camelCase.
    pub manifest: Manifest,
}

impl From<&RegisteredVersion> for VersionView {
    fn from(version: &RegisteredVersion) -> Self {
        Self {
            version: version.version,
            built_at: version.spec.built_at,
            image: version.spec.image.clone(),
            job_definition: version.spec.job_definition.clone(),
            commit: version.spec.commit.clone(),
            manifest: version.spec.manifest.clone(),
        }
    }
}

/// What `dropcast model init --json` prints.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Initialized {
    /// The model's name.
    pub model: ModelName,
    /// The folder that was made.
    pub folder: String,
    /// The files in it, by path.
    #[schemars(length(min = 1))]
    pub files: Vec<&'static str>,
}
