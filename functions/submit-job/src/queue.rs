//! Batch, as far as this function needs it.

use std::future::Future;

use aws_sdk_batch::{
    Client, Config,
    config::retry::RetryConfig,
    types::{ContainerOverrides, JobSummary, KeyValuePair, KeyValuesPair},
};
use dropcast_aws::{
    CallError,
    batch::{names, terms},
};
use dropcast_domain::{
    ids::{JobId, RunId},
    model::JobSpec,
};

/// The queues of a deployment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Queues {
    /// ARN of the queue of most jobs.
    pub usual: String,
    /// ARN of the queue of jobs that need much memory, where there is one.
    pub large: Option<String>,
    /// The memory from which on a job is one of those, in MiB.
    pub large_from_mib: u32,
}

impl Queues {
    /// The queue for a job, which depends on its memory alone.
    pub fn of(&self, terms: &JobSpec) -> &str {
        match &self.large {
            Some(large) if terms.memory_mib >= self.large_from_mib => large,
            _ => &self.usual,
        }
    }
}

/// What a job is submitted with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobRequest {
    /// The job's name: the run's id.
    pub name: RunId,
    /// The job definition, revision included.
    pub definition: String,
    /// The job's command, where it is not its definition's.
    pub command: Option<Vec<String>>,
    /// The job's environment. It holds no secret: everyone who may call `DescribeJobs` sees it in
    /// plain text.
    pub environment: Vec<(String, String)>,
    /// What it may use, how long, and how often.
    pub terms: JobSpec,
}

/// The queue of a deployment.
pub trait JobQueue: Send + Sync {
    /// The run's job on these terms, if one was submitted already.
    fn find(
        &self,
        run: &RunId,
        terms: &JobSpec,
    ) -> impl Future<Output = Result<Option<JobId>, CallError>> + Send;

    /// Whether a job definition can be submitted.
    fn is_active(&self, definition: &str) -> impl Future<Output = Result<bool, CallError>> + Send;

    fn submit(&self, request: JobRequest) -> impl Future<Output = Result<JobId, CallError>> + Send;

    fn stop(&self, job: &JobId, reason: &str)
    -> impl Future<Output = Result<(), CallError>> + Send;
}

#[derive(Debug)]
pub struct BatchQueue {
    client: Client,
    queues: Queues,
    stack: String,
}

impl BatchQueue {
    /// These queues, whose jobs are tagged with the stack's name.
    pub fn new(client: Client, queues: Queues, stack: String) -> Self {
        Self {
            client,
            queues,
            stack,
        }
    }
}

impl JobQueue for BatchQueue {
    async fn find(&self, run: &RunId, terms: &JobSpec) -> Result<Option<JobId>, CallError> {
        // With a name filter, jobs of every status are listed:
        // https://docs.aws.amazon.com/batch/latest/APIReference/API_ListJobs.html
        let by_name = KeyValuesPair::builder()
            .name("JOB_NAME")
            .values(run.as_str())
            .build();
        let jobs: Vec<JobSummary> = self
            .client
            .list_jobs()
            .job_queue(self.queues.of(terms))
            .filters(by_name)
            .into_paginator()
            .items()
            .send()
            .collect::<Result<_, _>>()
            .await
            .map_err(|error| CallError::of_sdk("batch:ListJobs", error))?;
        let oldest = jobs.into_iter().min_by_key(|job| job.created_at);
        oldest
            .and_then(|job| job.job_id)
            .map(|id| job_id(&id, "batch:ListJobs"))
            .transpose()
    }

    async fn is_active(&self, definition: &str) -> Result<bool, CallError> {
        dropcast_aws::batch::is_active(&self.client, definition)
            .await
            .map_err(|error| CallError::of_sdk("batch:DescribeJobDefinitions", error))
    }

    async fn submit(&self, request: JobRequest) -> Result<JobId, CallError> {
        let environment = request
            .environment
            .into_iter()
            .map(|(name, value)| KeyValuePair::builder().name(name).value(value).build())
            .collect();
        let answer = self
            .client
            .submit_job()
            .job_name(request.name.as_str())
            .job_queue(self.queues.of(&request.terms))
            .job_definition(request.definition)
            .container_overrides(
                ContainerOverrides::builder()
                    .set_command(request.command)
                    .set_environment(Some(environment))
                    .set_resource_requirements(Some(terms::resources(&request.terms)))
                    .build(),
            )
            .timeout(terms::timeout(&request.terms))
            .retry_strategy(terms::retries(&request.terms))
            .set_tags(Some(names::tags(&self.stack)))
            .customize()
            // A repetition after an answer that got lost would be a second job. The state machine
            // tries again, and the search before the next submission finds the first.
            .config_override(Config::builder().retry_config(RetryConfig::disabled()))
            .send()
            .await
            .map_err(|error| CallError::of_sdk("batch:SubmitJob", error))?;
        job_id(
            answer.job_id.as_deref().unwrap_or_default(),
            "batch:SubmitJob",
        )
    }

    async fn stop(&self, job: &JobId, reason: &str) -> Result<(), CallError> {
        dropcast_aws::batch::stop(&self.client, job, reason)
            .await
            .map_err(|error| CallError::of_sdk("batch:TerminateJob", error))
    }
}

fn job_id(text: &str, call: &'static str) -> Result<JobId, CallError> {
    text.parse().map_err(|error| CallError {
        call,
        transient: false,
        source: Box::new(error),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jobs_with_much_memory_go_to_the_large_queue_where_there_is_one() {
        let mut queues = Queues {
            usual: "usual".into(),
            large: Some("large".into()),
            large_from_mib: 65_536,
        };
        let job = |memory_mib| JobSpec {
            command: Vec::new(),
            vcpus: dropcast_domain::model::Vcpus::ONE,
            memory_mib,
            timeout_minutes: 1,
            attempts: 1,
            secrets: std::collections::BTreeMap::new(),
        };
        assert_eq!(queues.of(&job(65_535)), "usual");
        assert_eq!(queues.of(&job(65_536)), "large");
        queues.large = None;
        assert_eq!(queues.of(&job(1 << 20)), "usual");
    }
}
