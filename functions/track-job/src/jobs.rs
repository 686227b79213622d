//! Batch and the jobs' logs, as far as this function needs them.

use std::future::Future;

use aws_sdk_cloudwatchlogs::operation::get_log_events::GetLogEventsError;
use dropcast_domain::run_id::JobId;
use dropcast_lambda_kit::error::CallError;

/// How many lines of a failed job are kept.
const LINES: i32 = 40;

/// The longest line that is kept, in characters: 40 of them fit an item many times over.
const LINE_LENGTH: usize = 500;

/// What can be asked and told of a job.
pub trait JobTrace: Send + Sync {
    /// The last lines of a log stream; none where there is no such stream.
    fn last_lines(
        &self,
        stream: &str,
    ) -> impl Future<Output = Result<Vec<String>, CallError>> + Send;

    /// Stops a job; one that has ended is left alone.
    fn stop(&self, job: &JobId, reason: &str)
    -> impl Future<Output = Result<(), CallError>> + Send;
}

/// AWS Batch and CloudWatch Logs.
#[derive(Debug)]
pub struct AwsJobs {
    batch: aws_sdk_batch::Client,
    logs: aws_sdk_cloudwatchlogs::Client,
    log_group: String,
}

impl AwsJobs {
    /// Jobs that log to this group.
    pub fn new(
        batch: aws_sdk_batch::Client,
        logs: aws_sdk_cloudwatchlogs::Client,
        log_group: impl Into<String>,
    ) -> Self {
        Self {
            batch,
            logs,
            log_group: log_group.into(),
        }
    }
}

impl JobTrace for AwsJobs {
    async fn last_lines(&self, stream: &str) -> Result<Vec<String>, CallError> {
        let answer = self
            .logs
            .get_log_events()
            .log_group_name(&self.log_group)
            .log_stream_name(stream)
            .limit(LINES)
            .start_from_head(false)
            .send()
            .await;
        match answer {
            Ok(answer) => Ok(answer
                .events
                .unwrap_or_default()
                .into_iter()
                .filter_map(|event| event.message)
                .map(shortened)
                .collect()),
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(GetLogEventsError::is_resource_not_found_exception) =>
            {
                tracing::warn!("the failed job has no log stream");
                Ok(Vec::new())
            }
            Err(error) => Err(CallError::of_sdk("logs:GetLogEvents", error)),
        }
    }

    async fn stop(&self, job: &JobId, reason: &str) -> Result<(), CallError> {
        let answer = self
            .batch
            .terminate_job()
            .job_id(job.as_str())
            .reason(reason)
            .send()
            .await;
        answer
            .map(drop)
            .map_err(|error| CallError::of_sdk("batch:TerminateJob", error))
    }
}

fn shortened(line: String) -> String {
    match line.char_indices().nth(LINE_LENGTH) {
        Some((cut, _)) => format!("{}…", line.get(..cut).unwrap_or_default()),
        None => line,
    }
}
