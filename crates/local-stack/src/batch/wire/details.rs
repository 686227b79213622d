//! What callers are given, and the detail of events.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Map, Value};

use super::shared::{
    ContainerProperties, EvaluateOnExit, JobDependency, JobTimeout, KeyValue, ResourceRequirement,
};

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_field_names, reason = "The names are those of the API.")]
pub(crate) struct SubmittedJob {
    pub(crate) job_arn: String,
    pub(crate) job_name: String,
    pub(crate) job_id: String,
}

#[derive(Debug, Clone, Serialize)]
pub(crate) struct DescribedJobs {
    pub(crate) jobs: Vec<JobDetail>,
}

/// A job, as `DescribeJobs` gives it and as events carry it. The fields that only one of the two
/// has are `None` in the other.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct JobDetail {
    pub(crate) job_arn: String,
    pub(crate) job_name: String,
    pub(crate) job_id: String,
    pub(crate) job_queue: String,
    pub(crate) status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) status_reason: Option<String>,
    pub(crate) attempts: Vec<AttemptDetail>,
    pub(crate) created_at: i64,
    pub(crate) retry_strategy: RetryStrategyDetail,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) started_at: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) stopped_at: Option<i64>,
    pub(crate) depends_on: Vec<JobDependency>,
    pub(crate) job_definition: String,
    pub(crate) parameters: BTreeMap<String, String>,
    pub(crate) container: ContainerDetail,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) timeout: Option<JobTimeout>,
    pub(crate) tags: BTreeMap<String, String>,
    pub(crate) propagate_tags: bool,
    pub(crate) platform_capabilities: Vec<String>,
    pub(crate) eks_attempts: Vec<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) is_cancelled: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) is_terminated: Option<bool>,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RetryStrategyDetail {
    pub(crate) attempts: u32,
    pub(crate) evaluate_on_exit: Vec<EvaluateOnExit>,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AttemptDetail {
    pub(crate) container: AttemptContainerDetail,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) started_at: Option<i64>,
    pub(crate) stopped_at: i64,
    pub(crate) status_reason: String,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AttemptContainerDetail {
    pub(crate) container_instance_arn: String,
    pub(crate) task_arn: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) exit_code: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) log_stream_name: Option<String>,
    pub(crate) network_interfaces: Vec<Value>,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ContainerDetail {
    pub(crate) image: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) vcpus: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) memory: Option<i64>,
    pub(crate) command: Vec<String>,
    pub(crate) environment: Vec<KeyValue>,
    pub(crate) resource_requirements: Vec<ResourceRequirement>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) exit_code: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) container_instance_arn: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) task_arn: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) log_stream_name: Option<String>,
    pub(crate) network_interfaces: Vec<Value>,
    #[serde(flatten)]
    pub(crate) other: Map<String, Value>,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ListedJobs {
    pub(crate) job_summary_list: Vec<JobSummary>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next_token: Option<String>,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct JobSummary {
    pub(crate) job_arn: String,
    pub(crate) job_id: String,
    pub(crate) job_name: String,
    pub(crate) created_at: i64,
    pub(crate) status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) status_reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) started_at: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) stopped_at: Option<i64>,
    pub(crate) container: ContainerSummary,
    pub(crate) job_definition: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) is_cancelled: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) is_terminated: Option<bool>,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ContainerSummary {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) exit_code: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<String>,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RegisteredDefinition {
    pub(crate) job_definition_name: String,
    pub(crate) job_definition_arn: String,
    pub(crate) revision: u32,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DescribedDefinitions {
    pub(crate) job_definitions: Vec<DefinitionDetail>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next_token: Option<String>,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DefinitionDetail {
    pub(crate) job_definition_name: String,
    pub(crate) job_definition_arn: String,
    pub(crate) revision: u32,
    pub(crate) status: &'static str,
    #[serde(rename = "type")]
    pub(crate) kind: &'static str,
    pub(crate) parameters: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) retry_strategy: Option<RetryStrategyDetail>,
    pub(crate) container_properties: ContainerProperties,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) timeout: Option<JobTimeout>,
    pub(crate) tags: BTreeMap<String, String>,
    pub(crate) propagate_tags: bool,
    pub(crate) platform_capabilities: Vec<String>,
    pub(crate) container_orchestration_type: &'static str,
}
