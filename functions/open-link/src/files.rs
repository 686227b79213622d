//! The results bucket, as far as this function needs it.

use std::{future::Future, time::Duration};

use dropcast_aws::{CallError, s3::Bucket};
use dropcast_domain::output::Output;

/// How long the URL of a redirect is valid: long enough to start a download.
const URL_LIFETIME: Duration = Duration::from_mins(5);

pub trait Files: Send + Sync {
    /// A URL that downloads the file for a few minutes.
    fn url(&self, output: &Output) -> impl Future<Output = Result<String, CallError>> + Send;
}

impl Files for Bucket {
    async fn url(&self, output: &Output) -> Result<String, CallError> {
        self.presign(output, URL_LIFETIME).await
    }
}
