//! Shapes that occur in requests and in answers.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// One environment variable. AWS takes entries without a name or a value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct KeyValue {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) value: Option<String>,
}

/// An amount of vCPUs or of memory, in MiB.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ResourceRequirement {
    pub(crate) value: String,
    #[serde(rename = "type")]
    pub(crate) kind: String,
}

/// How often a job is tried, and when it is not tried again.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RetryStrategy {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) attempts: Option<i64>,
    pub(crate) evaluate_on_exit: Option<Vec<EvaluateOnExit>>,
}

/// One rule of a retry strategy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct EvaluateOnExit {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) on_status_reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) on_reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) on_exit_code: Option<String>,
    pub(crate) action: String,
}

/// How long one attempt may run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct JobTimeout {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) attempt_duration_seconds: Option<i64>,
}

/// A job that must succeed first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct JobDependency {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) job_id: Option<String>,
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub(crate) kind: Option<String>,
}

/// The container of a job definition.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ContainerProperties {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) image: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) vcpus: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) memory: Option<i64>,
    pub(crate) command: Option<Vec<String>>,
    pub(crate) environment: Option<Vec<KeyValue>>,
    pub(crate) resource_requirements: Option<Vec<ResourceRequirement>>,
    /// Everything else, kept as it came: roles, volumes, ulimits, log configuration and so on.
    #[serde(flatten)]
    pub(crate) other: Map<String, Value>,
}
