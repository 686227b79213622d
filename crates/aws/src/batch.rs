//! AWS Batch, as several programs use it: the resources and secrets of a job, whether its definition
//! is active, how a job is stopped.

pub mod names;
pub mod secrets;
pub mod terms;

use aws_sdk_batch::{
    Client,
    error::SdkError,
    operation::{
        describe_job_definitions::DescribeJobDefinitionsError, terminate_job::TerminateJobError,
    },
    types::{ContainerDetail, JobDetail},
};
#[cfg(feature = "logs")]
use aws_sdk_batch::{
    operation::list_jobs::ListJobsError,
    types::{JobStatus, JobSummary},
};
use dropcast_domain::ids::JobId;

use crate::{
    CallError,
    ports::{LogStreams, StopJobs},
};

/// Whether a job definition, revision included, can be submitted.
pub async fn is_active(
    client: &Client,
    definition: &str,
) -> Result<bool, SdkError<DescribeJobDefinitionsError>> {
    let answer = client
        .describe_job_definitions()
        .job_definitions(definition)
        .send()
        .await?;
    Ok(answer
        .job_definitions()
        .iter()
        .any(|found| found.status() == Some("ACTIVE")))
}

/// The jobs of AWS Batch.
#[derive(Debug, Clone)]
pub struct BatchJobs {
    client: Client,
}

impl BatchJobs {
    /// The jobs that this client reaches.
    pub fn new(client: Client) -> Self {
        Self { client }
    }
}

impl StopJobs for BatchJobs {
    async fn stop(&self, job: &JobId, reason: &str) -> Result<(), CallError> {
        stop(&self.client, job, reason)
            .await
            .map_err(|error| CallError::of_sdk("batch:TerminateJob", error))
    }
}

impl LogStreams for BatchJobs {
    async fn log_stream(&self, job: &JobId) -> Result<Option<String>, CallError> {
        let answer = self.client.describe_jobs().jobs(job.as_str()).send().await;
        let answer = answer.map_err(|error| CallError::of_sdk("batch:DescribeJobs", error))?;
        // The container is that of the latest attempt.
        let container = answer.jobs().first().and_then(JobDetail::container);
        let stream = container.and_then(ContainerDetail::log_stream_name);
        Ok(stream.map(ToOwned::to_owned))
    }
}

/// Stops a job in whatever state it is, with a reason that Batch records. A job that has ended is not
/// changed.
pub async fn stop(
    client: &Client,
    job: &JobId,
    reason: &str,
) -> Result<(), SdkError<TerminateJobError>> {
    client
        .terminate_job()
        .job_id(job.as_str())
        .reason(reason)
        .send()
        .await
        .map(drop)
}

/// The jobs of a queue in one status, all pages.
#[cfg(feature = "logs")]
pub(crate) async fn list(
    client: &Client,
    queue: &str,
    status: JobStatus,
) -> Result<Vec<JobSummary>, SdkError<ListJobsError>> {
    client
        .list_jobs()
        .job_queue(queue)
        .job_status(status)
        .into_paginator()
        .items()
        .send()
        .collect()
        .await
}
