//! Batch's event as it arrives.

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent};
use dropcast_domain::{
    failure::ErrorCode,
    ids::{JobId, ParseJobIdError, RunId},
    job::{Attempt, JobChange, JobEnd, JobStatus},
    status::Status,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What invokes the function.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub enum Invocation {
    /// The state machine asks how the job of a run ended.
    JobEnd(JobEndRequest),
    /// Events about jobs.
    Events(SqsEvent),
}

/// The answer to an invocation.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Response {
    /// To the state machine.
    JobEnd(JobOutcome),
    /// To the queue.
    Events(SqsBatchResponse),
}

/// The state machine's request.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct JobEndRequest {
    /// The run whose job is asked about.
    pub run_id: RunId,
}

/// How a run's job ended, for the state machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "outcome", rename_all = "lowercase")]
pub enum JobOutcome {
    /// The job succeeded.
    #[serde(rename_all = "camelCase")]
    Succeeded {
        /// The job.
        job_id: JobId,
        /// The attempt that succeeded, from 1.
        attempt: u32,
    },
    /// The job ended otherwise.
    Failed {
        /// The run's final status.
        status: Status,
        /// The error code.
        code: ErrorCode,
        /// What happened, in a sentence.
        message: String,
    },
    /// The job has not ended, or there is none.
    Unfinished,
}

impl From<Option<(JobId, JobEnd)>> for JobOutcome {
    fn from(ended: Option<(JobId, JobEnd)>) -> Self {
        let Some((job_id, end)) = ended else {
            return Self::Unfinished;
        };
        match end.failure {
            None => Self::Succeeded {
                job_id,
                attempt: end.attempts,
            },
            Some(failure) => Self::Failed {
                status: match failure.code {
                    ErrorCode::Cancelled => Status::Cancelled,
                    _ => Status::Failed,
                },
                code: failure.code,
                message: failure.message,
            },
        }
    }
}

/// The detail of a `Batch Job State Change`, as far as it is used.
///
/// See <https://docs.aws.amazon.com/batch/latest/userguide/batch_job_events.html>.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct JobStateChange {
    job_id: String,
    job_name: String,
    job_queue: String,
    status: String,
    #[serde(default)]
    status_reason: Option<String>,
    #[serde(default)]
    attempts: Vec<AttemptDetail>,
    #[serde(default)]
    started_at: Option<i64>,
    #[serde(default)]
    is_cancelled: Option<bool>,
    #[serde(default)]
    is_terminated: Option<bool>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct AttemptDetail {
    #[serde(default)]
    container: Container,
    #[serde(default)]
    stopped_at: Option<i64>,
    #[serde(default)]
    status_reason: Option<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Container {
    #[serde(default)]
    exit_code: Option<i32>,
    #[serde(default)]
    reason: Option<String>,
    #[serde(default)]
    log_stream_name: Option<String>,
}

impl JobStateChange {
    /// The run whose job this is: one in a queue of the deployment, with a run's id as its name.
    pub(crate) fn run_of(&self, queues: &[String]) -> Option<RunId> {
        if queues.contains(&self.job_queue) {
            self.job_name.parse().ok()
        } else {
            None
        }
    }

    /// The change, at the event's time, which is in whole seconds. For a job that started to run,
    /// at its `startedAt`, which is in milliseconds.
    pub(crate) fn changed_at(self, time: Timestamp) -> Result<JobChange, ParseJobIdError> {
        let status = JobStatus::from_name(&self.status);
        let began = self
            .started_at
            .filter(|_| status == JobStatus::Running)
            .and_then(|milliseconds| Timestamp::from_millisecond(milliseconds).ok());
        let requests = [self.is_cancelled, self.is_terminated];
        Ok(JobChange {
            stopped_on_request: requests
                .into_iter()
                .flatten()
                .reduce(|one, other| one || other),
            job: self.job_id.parse()?,
            status,
            status_reason: self.status_reason,
            attempts: self.attempts.into_iter().map(Attempt::from).collect(),
            at: began.unwrap_or(time),
        })
    }
}

impl From<AttemptDetail> for Attempt {
    fn from(detail: AttemptDetail) -> Self {
        Self {
            finished: detail.stopped_at.is_some(),
            exit_code: detail.container.exit_code,
            container_reason: detail.container.reason,
            status_reason: detail.status_reason,
            log_stream: detail.container.log_stream_name,
        }
    }
}
