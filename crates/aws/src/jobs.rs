//! The jobs of a deployment: in AWS Batch, and in the log group that they write to.

use aws_sdk_batch::{
    Client,
    types::{AttemptContainerDetail, AttemptDetail, JobDetail, JobStatus as BatchStatus},
};
use dropcast_domain::{
    ids::{JobId, RunId},
    job::{Attempt, JobChange, JobStatus},
    text,
};
use jiff::Timestamp;

use crate::{
    CallError,
    batch::{self, BatchJobs},
    logs::LogGroup,
    ports::{DescribeJobs, JobLogs, StopJobs},
};

/// How many lines of a failed job are kept.
const KEPT_LINES: usize = 40;

/// The longest line that is kept, in characters: 40 of them fit an item many times over.
const KEPT_LINE_LENGTH: usize = 500;

/// How many jobs one call describes.
///
/// <https://docs.aws.amazon.com/batch/latest/APIReference/API_DescribeJobs.html>
const DESCRIBED_AT_ONCE: usize = 100;

/// The statuses of jobs that have not ended.
const UNFINISHED: [BatchStatus; 5] = [
    BatchStatus::Submitted,
    BatchStatus::Pending,
    BatchStatus::Runnable,
    BatchStatus::Starting,
    BatchStatus::Running,
];

/// The jobs in these queues, and their logs.
#[derive(Debug, Clone)]
pub struct AwsJobs {
    client: Client,
    logs: LogGroup,
    queues: Vec<String>,
}

impl AwsJobs {
    /// Jobs in these queues, by name or ARN, that log to this group.
    pub fn new(client: Client, logs: LogGroup, queues: Vec<String>) -> Self {
        Self {
            client,
            logs,
            queues,
        }
    }
}

impl JobLogs for AwsJobs {
    async fn last_lines(&self, stream: &str) -> Result<Vec<String>, CallError> {
        let lines = self.logs.last_lines(stream, KEPT_LINES).await;
        let lines = lines.map_err(|error| CallError::of_sdk("logs:GetLogEvents", error))?;
        Ok(lines
            .iter()
            .map(|line| text::shorten(line, KEPT_LINE_LENGTH))
            .collect())
    }
}

impl StopJobs for AwsJobs {
    async fn stop(&self, job: &JobId, reason: &str) -> Result<(), CallError> {
        BatchJobs::new(self.client.clone()).stop(job, reason).await
    }
}

impl DescribeJobs for AwsJobs {
    async fn describe(&self, jobs: &[JobId]) -> Result<Vec<JobChange>, CallError> {
        let mut found = Vec::new();
        for jobs in jobs.chunks(DESCRIBED_AT_ONCE) {
            let ids = jobs.iter().map(JobId::to_string).collect();
            let answer = self.client.describe_jobs().set_jobs(Some(ids)).send().await;
            let answer = answer.map_err(|error| CallError::of_sdk("batch:DescribeJobs", error))?;
            found.extend(answer.jobs().iter().filter_map(change));
        }
        Ok(found)
    }

    async fn unfinished(&self) -> Result<Vec<(JobId, RunId)>, CallError> {
        let mut found = Vec::new();
        for queue in &self.queues {
            for status in UNFINISHED {
                let listed = batch::list(&self.client, queue, status).await;
                let listed = listed.map_err(|error| CallError::of_sdk("batch:ListJobs", error))?;
                found.extend(listed.into_iter().filter_map(|job| {
                    let run = job.job_name?.parse().ok()?;
                    Some((job.job_id?.parse().ok()?, run))
                }));
            }
        }
        Ok(found)
    }
}

/// A described job as the event of its latest change would have shown it.
fn change(job: &JobDetail) -> Option<JobChange> {
    let status = JobStatus::from_name(job.status()?.as_str());
    let at = match status {
        JobStatus::Succeeded | JobStatus::Failed => job.stopped_at(),
        JobStatus::Running => job.started_at(),
        _ => None,
    };
    let at = at.or(job.created_at())?;
    let requested = [job.is_cancelled(), job.is_terminated()];
    Some(JobChange {
        job: job.job_id()?.parse().ok()?,
        status,
        status_reason: job.status_reason().map(ToOwned::to_owned),
        stopped_on_request: requested
            .into_iter()
            .flatten()
            .reduce(|one, other| one || other),
        attempts: job.attempts().iter().map(attempt).collect(),
        at: Timestamp::from_millisecond(at).ok()?,
    })
}

fn attempt(detail: &AttemptDetail) -> Attempt {
    let container = detail.container();
    let text = |text: Option<&str>| text.map(ToOwned::to_owned);
    Attempt {
        finished: detail.stopped_at().is_some(),
        exit_code: container.and_then(AttemptContainerDetail::exit_code),
        container_reason: text(container.and_then(AttemptContainerDetail::reason)),
        status_reason: text(detail.status_reason()),
        log_stream: text(container.and_then(AttemptContainerDetail::log_stream_name)),
    }
}
