//! `version.json`: what a build that succeeded says of the version that it made.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ModelFolder;

/// The content of `builds/<build id>/version.json`; its schema is `schemas/version.schema.json`.
///
/// Manifest and schemas are texts, so that the order of keys is kept and whoever registers the
/// version checks what the data scientist wrote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct VersionRecord {
    /// The build's own id, a UUID.
    pub build_id: String,
    /// The image: `<repository>@sha256:<64 hex digits>`.
    pub image: String,
    /// The commit that it was built from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// When it was built.
    pub built_at: Timestamp,
    /// The text of `model.toml`.
    pub manifest: String,
    /// The text of the input's schema.
    pub input_schema: String,
    /// The text of the schema of one row, where the manifest names one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub row_schema: Option<String>,
}

impl VersionRecord {
    /// The record of a folder that became an image.
    pub fn of(
        model: &ModelFolder,
        build_id: impl Into<String>,
        image: impl Into<String>,
        commit: Option<String>,
        built_at: Timestamp,
    ) -> Self {
        Self {
            build_id: build_id.into(),
            image: image.into(),
            commit,
            built_at,
            manifest: model.manifest_text.clone(),
            input_schema: model.input_schema.clone(),
            row_schema: model.row_schema.clone(),
        }
    }
}
