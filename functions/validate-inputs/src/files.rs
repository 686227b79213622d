use std::{future::Future, path::Path};

use aws_sdk_s3::Client;
use dropcast_aws::{
    CallError,
    s3::{Bucket, Object},
};
use dropcast_domain::upload::Upload;
use tokio::io::{AsyncWriteExt as _, BufWriter};

use crate::Error;

/// How much is buffered before it is written to disk, in bytes.
const WRITE_BUFFER: usize = 1 << 20;

/// The inputs bucket to read, the results bucket to write.
pub trait Files: Send + Sync {
    /// Opens an uploaded file; none if it was deleted.
    fn open(
        &self,
        upload: &Upload,
    ) -> impl Future<Output = Result<Option<Object>, CallError>> + Send;

    /// Writes an object of the run.
    fn keep(
        &self,
        key: &str,
        media_type: &str,
        content: Vec<u8>,
    ) -> impl Future<Output = Result<(), CallError>> + Send;

    /// Writes an object of the run from a file, which is not read into memory.
    fn keep_file(
        &self,
        key: &str,
        media_type: &str,
        from: &Path,
    ) -> impl Future<Output = Result<(), CallError>> + Send;
}

#[derive(Debug)]
pub struct S3Files {
    inputs: Bucket,
    results: Bucket,
}

impl S3Files {
    pub fn new(client: Client, inputs: impl Into<String>, results: impl Into<String>) -> Self {
        Self {
            inputs: Bucket::new(client.clone(), inputs),
            results: Bucket::new(client, results),
        }
    }
}

impl Files for S3Files {
    async fn open(&self, upload: &Upload) -> Result<Option<Object>, CallError> {
        let version = upload.version_id.as_deref();
        self.inputs.open(&upload.key, version).await
    }

    async fn keep(&self, key: &str, media_type: &str, content: Vec<u8>) -> Result<(), CallError> {
        self.results.put(key, media_type, content).await
    }

    async fn keep_file(&self, key: &str, media_type: &str, from: &Path) -> Result<(), CallError> {
        self.results.put_file(key, media_type, from).await
    }
}

/// Writes an object's content to a new file, in pieces.
pub(crate) async fn spool(mut object: Object, to: &Path) -> Result<(), Error> {
    let file = tokio::fs::File::create_new(to).await?;
    let mut file = BufWriter::with_capacity(WRITE_BUFFER, file);
    while let Some(piece) = object.next_piece().await? {
        file.write_all(&piece).await?;
    }
    Ok(file.flush().await?)
}
