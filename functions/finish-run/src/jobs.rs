//! Batch, as far as this function needs it.

use std::future::Future;

use aws_sdk_batch::Client;
use dropcast_aws::CallError;
use dropcast_domain::ids::JobId;

/// Stops jobs that nobody waits for.
pub trait StopJob: Send + Sync {
    /// Stops a job wherever it stands; one that has ended is left alone.
    fn stop(&self, job: &JobId) -> impl Future<Output = Result<(), CallError>> + Send;
}

/// AWS Batch.
#[derive(Debug)]
pub struct BatchJobs(pub Client);

impl StopJob for BatchJobs {
    async fn stop(&self, job: &JobId) -> Result<(), CallError> {
        dropcast_aws::batch::stop(&self.0, job, "Dropcast: the run has ended.")
            .await
            .map_err(|error| CallError::of_sdk("batch:TerminateJob", error))
    }
}
