//! Models as they are registered: what can be run.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    model::{InputFormat, Manifest, ModelName},
    run_id::Version,
};

/// A registered model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Model {
    /// Its name.
    pub name: ModelName,
    /// What people call it.
    pub title: String,
    /// The version that runs when an upload pins none.
    pub default_version: Version,
    /// The number that the next version will get.
    pub next_version: Version,
}

/// One version of a model; it never changes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RegisteredVersion {
    /// The model.
    pub model: ModelName,
    /// The number.
    pub version: Version,
    /// Everything but the number.
    #[serde(flatten)]
    pub draft: Draft,
}

/// A version before it has a number.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Draft {
    /// What the data scientist wrote.
    pub manifest: Manifest,
    /// The JSON Schema of its input, as text: DynamoDB would reorder its keys.
    pub input_schema: String,
    /// The JSON Schema of one row, as text, where the manifest names one beside the input's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub row_schema: Option<String>,
    /// The image by digest.
    pub image: String,
    /// The Batch job definition, revision included.
    pub job_definition: String,
    /// The commit that it was built from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// When it was built.
    pub built_at: Timestamp,
}

impl Draft {
    /// The text of the schema that inputs of a format are checked against.
    pub fn schema_of(&self, format: InputFormat) -> &str {
        match &self.row_schema {
            Some(row_schema) if format.is_table() => row_schema,
            _ => &self.input_schema,
        }
    }
}
