use std::future::Future;

use aws_sdk_batch::Client;
use dropcast_aws::CallError;
use dropcast_domain::ids::JobId;

pub trait StopJob: Send + Sync {
    /// Stops a job in whatever state it is; a job that has ended is not changed.
    fn stop(&self, job: &JobId) -> impl Future<Output = Result<(), CallError>> + Send;
}

#[derive(Debug)]
pub struct BatchJobs(pub Client);

impl StopJob for BatchJobs {
    async fn stop(&self, job: &JobId) -> Result<(), CallError> {
        dropcast_aws::batch::stop(&self.0, job, "Dropcast: the run has ended.")
            .await
            .map_err(|error| CallError::of_sdk("batch:TerminateJob", error))
    }
}
