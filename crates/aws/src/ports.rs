//! What the use cases ask of AWS services. No SDK is needed to call or to fake these ports; their
//! implementations are beside the clients that they use.

use std::{future::Future, time::Duration};

use dropcast_domain::{
    ids::{JobId, RunId},
    output::Output,
};

use crate::CallError;

/// Starts executions.
pub trait StartExecutions: Send + Sync {
    /// Starts the run's execution, unless it has been started.
    fn start(&self, run: &RunId) -> impl Future<Output = Result<(), CallError>> + Send;
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
