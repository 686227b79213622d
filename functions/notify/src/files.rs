//! The results bucket, as far as this function needs it.

use std::future::Future;

use aws_sdk_s3::{Client, error::ProvideErrorMetadata as _};
use dropcast_lambda_kit::error::CallError;

/// Files of a run.
pub trait Files: Send + Sync {
    /// A file's content; none if there is no such file or it is larger than this.
    fn read(
        &self,
        key: &str,
        at_most: u64,
    ) -> impl Future<Output = Result<Option<Vec<u8>>, CallError>> + Send;
}

/// The results bucket in S3.
#[derive(Debug)]
pub struct RunFiles {
    client: Client,
    bucket: String,
}

impl RunFiles {
    /// The bucket of this name.
    pub fn new(client: Client, bucket: impl Into<String>) -> Self {
        Self {
            client,
            bucket: bucket.into(),
        }
    }
}

impl Files for RunFiles {
    async fn read(&self, key: &str, at_most: u64) -> Result<Option<Vec<u8>>, CallError> {
        let object = match self
            .client
            .get_object()
            .bucket(&self.bucket)
            .key(key)
            .send()
            .await
        {
            Ok(object) => object,
            Err(error) if error.code() == Some("NoSuchKey") => return Ok(None),
            // What S3 says of a missing file to a role that may not list; no mail waits for a part of it.
            Err(error) if error.code() == Some("AccessDenied") => {
                tracing::warn!("AccessDenied: a part of the mail is gone, or may not be read");
                return Ok(None);
            }
            Err(error) => return Err(CallError::of_sdk("s3:GetObject", error)),
        };
        if object
            .content_length
            .and_then(|length| u64::try_from(length).ok())
            .is_none_or(|length| length > at_most)
        {
            return Ok(None);
        }
        let content = object.body.collect().await.map_err(|error| CallError {
            call: "s3:GetObject",
            transient: true,
            source: Box::new(error),
        })?;
        Ok(Some(content.to_vec()))
    }
}
