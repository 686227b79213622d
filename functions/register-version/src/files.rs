//! The models bucket, as far as this function needs it.

use std::future::Future;

use aws_sdk_s3::{Client, error::ProvideErrorMetadata as _};
use dropcast_domain::registry::MAX_VERSION_FILE;
use dropcast_lambda_kit::error::CallError;

/// What builds write.
pub trait BuildFiles: Send + Sync {
    /// A file's content; none if there is no such file. Of one that is too large, the beginning
    /// that is too large already.
    fn read(&self, key: &str) -> impl Future<Output = Result<Option<Vec<u8>>, CallError>> + Send;
}

/// The models bucket in S3.
#[derive(Debug)]
pub struct ModelsBucket {
    client: Client,
    bucket: String,
}

impl ModelsBucket {
    /// The bucket of this name.
    pub fn new(client: Client, bucket: impl Into<String>) -> Self {
        Self {
            client,
            bucket: bucket.into(),
        }
    }
}

impl BuildFiles for ModelsBucket {
    async fn read(&self, key: &str) -> Result<Option<Vec<u8>>, CallError> {
        let object = self
            .client
            .get_object()
            .bucket(&self.bucket)
            .key(key)
            .send()
            .await;
        let mut body = match object {
            Ok(object) => object.body,
            Err(error) if error.code() == Some("NoSuchKey") => return Ok(None),
            Err(error) => return Err(CallError::of_sdk("s3:GetObject", error)),
        };
        let mut content = Vec::new();
        while content.len() as u64 <= MAX_VERSION_FILE {
            match body.next().await {
                Some(Ok(piece)) => content.extend_from_slice(&piece),
                Some(Err(error)) => {
                    return Err(CallError {
                        call: "s3:GetObject",
                        transient: true,
                        source: Box::new(error),
                    });
                }
                None => break,
            }
        }
        Ok(Some(content))
    }
}
