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
};
use dropcast_domain::ids::JobId;

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
