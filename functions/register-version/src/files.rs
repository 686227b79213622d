//! The models bucket, as far as this function needs it.

use std::future::Future;

use dropcast_aws::{CallError, s3::Bucket};
use dropcast_domain::registry::MAX_VERSION_FILE;

pub trait BuildFiles: Send + Sync {
    /// A file's content; none if there is no such file. A file that is too large is cut off beyond
    /// the allowed size.
    fn read(&self, key: &str) -> impl Future<Output = Result<Option<Vec<u8>>, CallError>> + Send;
}

impl BuildFiles for Bucket {
    async fn read(&self, key: &str) -> Result<Option<Vec<u8>>, CallError> {
        match self.open(key, None).await? {
            Some(object) => object.read(MAX_VERSION_FILE).await.map(Some),
            None => Ok(None),
        }
    }
}
