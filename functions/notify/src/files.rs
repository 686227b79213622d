//! The results bucket, as far as this function needs it.

use std::future::Future;

use dropcast_aws::{CallError, s3::Bucket};

/// Files of a run.
pub trait Files: Send + Sync {
    /// A file's content, in the version that is given or its newest; none if there is no such file
    /// or it is larger than this.
    fn read(
        &self,
        key: &str,
        version: Option<&str>,
        at_most: u64,
    ) -> impl Future<Output = Result<Option<Vec<u8>>, CallError>> + Send;
}

impl Files for Bucket {
    async fn read(
        &self,
        key: &str,
        version: Option<&str>,
        at_most: u64,
    ) -> Result<Option<Vec<u8>>, CallError> {
        match self.open_if_allowed(key, version).await? {
            Some(object) if object.bytes.is_some_and(|bytes| bytes <= at_most) => {
                object.read(at_most).await.map(Some)
            }
            _ => Ok(None),
        }
    }
}
