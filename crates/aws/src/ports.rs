//! What the use cases ask of AWS services. No SDK is needed to call or to fake these ports; their
//! implementations are beside the clients that they use.

use std::{future::Future, time::Duration};

use dropcast_domain::{
    event::Announcement,
    ids::{JobId, RunId},
    job::{JobChange, JobEnd},
    output::Output,
    repair::ExecutionState,
    upload::Upload,
};
use jiff::Timestamp;

use crate::CallError;

/// Starts executions.
pub trait StartExecutions: Send + Sync {
    /// Starts the run's execution, unless it has been started.
    fn start(&self, run: &RunId) -> impl Future<Output = Result<(), CallError>> + Send;
}

/// Resumes executions that wait for a job.
pub trait ResumeExecutions: Send + Sync {
    /// Hands the end of the job to the execution that waits with this token; returns whether it
    /// waited. An execution that no longer waits is left alone.
    fn resume(
        &self,
        token: &str,
        job: &JobId,
        end: &JobEnd,
    ) -> impl Future<Output = Result<bool, CallError>> + Send;
}

/// Looks up executions.
pub trait DescribeExecutions: Send + Sync {
    /// The state of a run's execution.
    fn state(&self, run: &RunId) -> impl Future<Output = Result<ExecutionState, CallError>> + Send;
}

/// Looks up jobs.
pub trait DescribeJobs: Send + Sync {
    /// The jobs as they are now. Those that Batch does not know are missing.
    fn describe(
        &self,
        jobs: &[JobId],
    ) -> impl Future<Output = Result<Vec<JobChange>, CallError>> + Send;

    /// The jobs that have not ended and are named like a run.
    fn unfinished(&self) -> impl Future<Output = Result<Vec<(JobId, RunId)>, CallError>> + Send;
}

/// Reads what jobs log.
pub trait JobLogs: Send + Sync {
    /// The last lines of a log stream, shortened to what a record may hold; none if there is no
    /// such stream.
    fn last_lines(
        &self,
        stream: &str,
    ) -> impl Future<Output = Result<Vec<String>, CallError>> + Send;
}

/// Finds where jobs log.
pub trait LogStreams: Send + Sync {
    /// The log stream of a job's latest attempt; none if it has not started, or if Batch no longer
    /// knows the job.
    fn log_stream(
        &self,
        job: &JobId,
    ) -> impl Future<Output = Result<Option<String>, CallError>> + Send;
}

/// Reads whole logs.
pub trait LogPages: Send + Sync {
    /// A page of a stream, the oldest first: the one after the page that gave this token, or the
    /// first. A stream that does not exist yet has no lines and no token.
    fn page(
        &self,
        stream: &str,
        token: Option<&str>,
    ) -> impl Future<Output = Result<LogPage, CallError>> + Send;
}

/// A page of a log.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LogPage {
    /// Its lines; a page in the middle of a log may have none.
    pub lines: Vec<LogLine>,
    /// The token of the next page. At the end of the log it is the token with which this page was
    /// read.
    pub token: Option<String>,
}

/// A line of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    /// When it was logged.
    pub at: Timestamp,
    /// The line.
    pub message: String,
}

/// Publishes events.
pub trait PublishEvents: Send + Sync {
    /// Publishes events in their order, and returns those that the bus did not take. It stops at the
    /// call that one of them belongs to.
    fn publish(
        &self,
        events: &[Announcement],
    ) -> impl Future<Output = Result<Vec<NotPublished>, CallError>> + Send;
}

/// An event that the bus did not take.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the event bus did not take the event ({code})")]
pub struct NotPublished {
    /// Its index among the events that were to be published.
    pub index: usize,
    /// The bus's error code.
    pub code: String,
}

/// Looks up uploads.
pub trait RecentUploads: Send + Sync {
    /// The files that were uploaded in this period, the last moment excluded.
    fn uploaded(
        &self,
        from: Timestamp,
        until: Timestamp,
    ) -> impl Future<Output = Result<Vec<Upload>, CallError>> + Send;
}

/// Stops jobs.
pub trait StopJobs: Send + Sync {
    /// Stops a job in any state, with a reason that Batch keeps. A job that has ended is left alone.
    fn stop(&self, job: &JobId, reason: &str)
    -> impl Future<Output = Result<(), CallError>> + Send;
}

/// The files in the results bucket.
pub trait ResultFiles: Send + Sync {
    /// The bucket's name.
    fn bucket(&self) -> &str;

    /// Reads an object; `None` if it does not exist.
    fn read(&self, key: &str) -> impl Future<Output = Result<Option<Vec<u8>>, CallError>> + Send;

    /// Signs a URL that downloads an output under its own name and type. It is valid for `lifetime`,
    /// but not longer than the credentials that sign it.
    fn presign(
        &self,
        output: &Output,
        lifetime: Duration,
    ) -> impl Future<Output = Result<String, CallError>> + Send;
}
