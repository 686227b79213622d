//! The inputs bucket, as far as this function needs it.

use std::future::Future;

use dropcast_aws::{CallError, s3::Bucket};

/// Where refreshes are asked for.
pub trait Requests: Send + Sync {
    /// Puts an object under a key unless there is one; says whether it did.
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
