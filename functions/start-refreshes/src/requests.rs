//! The inputs bucket, as far as this function needs it.

use std::future::Future;

use aws_sdk_s3::{Client, error::ProvideErrorMetadata as _, primitives::ByteStream};
use dropcast_lambda_kit::error::CallError;

/// Where refreshes are asked for.
pub trait Requests: Send + Sync {
    /// Puts an object under a key unless there is one; says whether it did.
    fn put(
        &self,
        key: &str,
        content: String,
    ) -> impl Future<Output = Result<bool, CallError>> + Send;
}

/// The bucket in S3.
#[derive(Debug)]
pub struct InputsBucket {
    client: Client,
    bucket: String,
}

impl InputsBucket {
    /// The bucket of this name.
    pub fn new(client: Client, bucket: impl Into<String>) -> Self {
        Self {
            client,
            bucket: bucket.into(),
        }
    }
}

impl Requests for InputsBucket {
    async fn put(&self, key: &str, content: String) -> Result<bool, CallError> {
        let put = self.client.put_object().bucket(&self.bucket).key(key);
        let put = put.if_none_match("*").content_type("application/json");
        match put
            .body(ByteStream::from(content.into_bytes()))
            .send()
            .await
        {
            Ok(_) => Ok(true),
            // It is there. A conflict is another matter: whoever is putting it may fail.
            Err(error) if error.code() == Some("PreconditionFailed") => Ok(false),
            Err(error) => Err(CallError::of_sdk("s3:PutObject", error)),
        }
    }
}
