//! Batch and the jobs' logs, as far as this function needs them.

use std::future::Future;

use dropcast_aws::{CallError, logs::LogGroup};
use dropcast_domain::{ids::JobId, text};

/// How many lines of a failed job are kept.
const MAX_LINES: usize = 40;

/// The longest line that is kept, in characters: 40 of them are far below an item's 400 kB.
const MAX_LINE_CHARS: usize = 500;

pub trait JobTrace: Send + Sync {
    /// The last lines of a log stream; none where there is no such stream.
    fn last_lines(
        &self,
        stream: &str,
    ) -> impl Future<Output = Result<Vec<String>, CallError>> + Send;

    /// Stops a job; a job that has ended is not changed.
    fn stop(&self, job: &JobId, reason: &str)
    -> impl Future<Output = Result<(), CallError>> + Send;
}

/// AWS Batch and CloudWatch Logs.
#[derive(Debug)]
pub struct AwsJobs {
    batch: aws_sdk_batch::Client,
    logs: LogGroup,
}

impl AwsJobs {
    /// Jobs that log to this group.
    pub fn new(batch: aws_sdk_batch::Client, logs: LogGroup) -> Self {
        Self { batch, logs }
    }
}

impl JobTrace for AwsJobs {
    async fn last_lines(&self, stream: &str) -> Result<Vec<String>, CallError> {
        let lines = self.logs.last_lines(stream, MAX_LINES).await;
        let lines = lines.map_err(|error| CallError::of_sdk("logs:GetLogEvents", error))?;
        Ok(lines
            .iter()
            .map(|line| text::shorten(line, MAX_LINE_CHARS))
            .collect())
    }

    async fn stop(&self, job: &JobId, reason: &str) -> Result<(), CallError> {
        dropcast_aws::batch::stop(&self.batch, job, reason)
            .await
            .map_err(|error| CallError::of_sdk("batch:TerminateJob", error))
    }
}
