//! What a job is passed in its environment.

use schemars::JsonSchema;
use serde::Serialize;

use crate::{ids::RunId, model::ModelName, upload::RunKind};

/// What submit-job passes to a job in its environment, one variable per field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(
    title = "Job context",
    description = "What submit-job passes to a job in its environment. Batch shows it in plain text to everyone who may call DescribeJobs, so it contains no secret. dropcast-job turns the S3 URIs into files and folders for the model.",
    extend(
        "if" = { "properties": { "DROPCAST_RUN_KIND": { "const": RunKind::Run } } },
        "then" = { "required": ["DROPCAST_INPUT_URI", "DROPCAST_ORIGINAL_URI"] },
        "else" = { "properties": { "DROPCAST_INPUT_URI": false, "DROPCAST_ORIGINAL_URI": false } },
    )
)]
pub struct JobContext {
    /// The run's id.
    #[serde(rename = "DROPCAST_RUN_ID")]
    pub run: RunId,
    /// A run on a file, or a refresh of the model's data, which has no input.
    #[serde(rename = "DROPCAST_RUN_KIND")]
    pub kind: RunKind,
    /// The model's name.
    #[serde(rename = "DROPCAST_MODEL")]
    pub model: ModelName,
    /// The number of the version.
    #[serde(rename = "DROPCAST_VERSION")]
    #[schemars(regex(pattern = "^[1-9][0-9]{0,5}$"))]
    pub version: String,
    /// The input as the model reads it.
    #[serde(rename = "DROPCAST_INPUT_URI", skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = "^s3://[^/]+/runs/[^/]+/[^/]+/prepared/[^/]+$"))]
    pub input: Option<String>,
    /// The input as it was uploaded.
    #[serde(
        rename = "DROPCAST_ORIGINAL_URI",
        skip_serializing_if = "Option::is_none"
    )]
    #[schemars(regex(pattern = "^s3://[^/]+/runs/[^/]+/[^/]+/input/[^/]+$"))]
    pub original: Option<String>,
    /// The prefix of the outputs; below it is a folder for each job, with a folder for each attempt.
    #[serde(rename = "DROPCAST_OUTPUT_URI")]
    #[schemars(regex(pattern = "^s3://[^/]+/runs/[^/]+/[^/]+/outputs/$"))]
    pub outputs: String,
    /// The prefix of what the model keeps between its runs.
    #[serde(rename = "DROPCAST_CACHE_URI")]
    #[schemars(regex(pattern = "^s3://[^/]+/cache/[^/]+/$"))]
    pub cache: String,
}

impl JobContext {
    /// The variables by name.
    pub fn variables(&self) -> Vec<(String, String)> {
        let Ok(serde_json::Value::Object(variables)) = serde_json::to_value(self) else {
            return Vec::new();
        };
        variables
            .into_iter()
            .filter_map(|(name, value)| Some((name, value.as_str()?.to_owned())))
            .collect()
    }
}
