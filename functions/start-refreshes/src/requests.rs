//! The inputs bucket, as far as this function needs it.

use std::future::Future;

use dropcast_aws::{CallError, s3::Bucket};

pub trait Requests: Send + Sync {
    /// Puts an object unless there is one with the key; returns whether it did.
    fn put(
        &self,
        key: &str,
        content: String,
    ) -> impl Future<Output = Result<bool, CallError>> + Send;
}

impl Requests for Bucket {
    async fn put(&self, key: &str, content: String) -> Result<bool, CallError> {
        self.put_if_absent(key, "application/json", content.into_bytes())
            .await
    }
}
