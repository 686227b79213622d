//! The results bucket, as far as this function needs it.

use std::{future::Future, time::Duration};

use aws_sdk_s3::{Client, presigning::PresigningConfig};
use dropcast_domain::output::{Output, disposition};
use dropcast_lambda_kit::error::CallError;

/// How long the URL behind a link lives: enough to begin a download.
const URL_LIFETIME: Duration = Duration::from_mins(5);

/// Where published files are.
pub trait Files: Send + Sync {
    /// A URL that downloads the file for a few minutes.
    fn url(&self, output: &Output) -> impl Future<Output = Result<String, CallError>> + Send;
}

/// Presigned URLs of S3.
#[derive(Debug)]
pub struct Presigner {
    client: Client,
    bucket: String,
}

impl Presigner {
    /// URLs of this bucket's objects.
    pub fn new(client: Client, bucket: impl Into<String>) -> Self {
        Self {
            client,
            bucket: bucket.into(),
        }
    }
}

impl Files for Presigner {
    async fn url(&self, output: &Output) -> Result<String, CallError> {
        let expiry = PresigningConfig::expires_in(URL_LIFETIME).map_err(|error| CallError {
            call: "s3:GetObject",
            transient: false,
            source: Box::new(error),
        })?;
        let request = self
            .client
            .get_object()
            .bucket(&self.bucket)
            .key(&output.key)
            .response_content_disposition(disposition(&output.path))
            .response_content_type(&output.media_type)
            .presigned(expiry)
            .await
            .map_err(|error| CallError::of_sdk("s3:GetObject", error))?;
        Ok(request.uri().to_owned())
    }
}
