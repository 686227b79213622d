//! What callers send. Every field is optional here: what AWS requires is checked afterwards, so
//! that a missing field gets a sentence and not a parser's complaint.

use std::collections::BTreeMap;

use serde::{Deserialize, de::IgnoredAny};

use super::shared::{
    ContainerProperties, JobDependency, JobTimeout, KeyValue, ResourceRequirement, RetryStrategy,
};

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SubmitJob {
    pub(crate) job_name: Option<String>,
    pub(crate) job_queue: Option<String>,
    pub(crate) job_definition: Option<String>,
    pub(crate) parameters: Option<BTreeMap<String, String>>,
    pub(crate) container_overrides: Option<ContainerOverrides>,
    pub(crate) retry_strategy: Option<RetryStrategy>,
    pub(crate) timeout: Option<JobTimeout>,
    pub(crate) tags: Option<BTreeMap<String, String>>,
    pub(crate) propagate_tags: Option<bool>,
    pub(crate) depends_on: Option<Vec<JobDependency>>,
    pub(crate) share_identifier: Option<String>,
    pub(crate) scheduling_priority_override: Option<i64>,
    pub(crate) array_properties: Option<IgnoredAny>,
    pub(crate) node_overrides: Option<IgnoredAny>,
    pub(crate) eks_properties_override: Option<IgnoredAny>,
    pub(crate) ecs_properties_override: Option<IgnoredAny>,
    pub(crate) consumable_resource_properties_override: Option<IgnoredAny>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ContainerOverrides {
    pub(crate) vcpus: Option<i64>,
    pub(crate) memory: Option<i64>,
    pub(crate) command: Option<Vec<String>>,
    pub(crate) environment: Option<Vec<KeyValue>>,
    pub(crate) resource_requirements: Option<Vec<ResourceRequirement>>,
}

#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct DescribeJobs {
    pub(crate) jobs: Option<Vec<String>>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ListJobs {
    pub(crate) job_queue: Option<String>,
    pub(crate) array_job_id: Option<String>,
    pub(crate) multi_node_job_id: Option<String>,
    pub(crate) job_status: Option<String>,
    pub(crate) max_results: Option<i64>,
    pub(crate) next_token: Option<String>,
    pub(crate) filters: Option<Vec<Filter>>,
}

#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct Filter {
    pub(crate) name: Option<String>,
    pub(crate) values: Option<Vec<String>>,
}

/// Both `TerminateJob` and `CancelJob`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct StopJob {
    pub(crate) job_id: Option<String>,
    pub(crate) reason: Option<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RegisterJobDefinition {
    pub(crate) job_definition_name: Option<String>,
    #[serde(rename = "type")]
    pub(crate) kind: Option<String>,
    pub(crate) parameters: Option<BTreeMap<String, String>>,
    pub(crate) container_properties: Option<ContainerProperties>,
    pub(crate) retry_strategy: Option<RetryStrategy>,
    pub(crate) timeout: Option<JobTimeout>,
    pub(crate) tags: Option<BTreeMap<String, String>>,
    pub(crate) propagate_tags: Option<bool>,
    pub(crate) platform_capabilities: Option<Vec<String>>,
    pub(crate) scheduling_priority: Option<i64>,
    pub(crate) node_properties: Option<IgnoredAny>,
    pub(crate) eks_properties: Option<IgnoredAny>,
    pub(crate) ecs_properties: Option<IgnoredAny>,
    pub(crate) consumable_resource_properties: Option<IgnoredAny>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DeregisterJobDefinition {
    pub(crate) job_definition: Option<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DescribeJobDefinitions {
    pub(crate) job_definitions: Option<Vec<String>>,
    pub(crate) job_definition_name: Option<String>,
    pub(crate) status: Option<String>,
    pub(crate) max_results: Option<i64>,
    pub(crate) next_token: Option<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DescribeJobQueues {
    pub(crate) job_queues: Option<Vec<String>>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DescribeComputeEnvironments {
    pub(crate) compute_environments: Option<Vec<String>>,
}
