//! The buckets, as far as this function needs them.

use std::{collections::HashMap, future::Future, path::Path};

use aws_sdk_s3::{Client, error::ProvideErrorMetadata as _, primitives::ByteStream};
use dropcast_domain::upload::Upload;
use dropcast_lambda_kit::error::CallError;
use tokio::io::{AsyncWriteExt as _, BufWriter};

use crate::Error;

/// What is gathered before it is written to disk, in bytes.
const WRITE_BUFFER: usize = 1 << 20;

/// A dropped file, opened.
#[derive(Debug)]
pub struct Dropped {
    /// Size in bytes.
    pub bytes: u64,
    metadata: HashMap<String, String>,
    body: ByteStream,
}

impl Dropped {
    /// A file with its metadata.
    pub fn new(bytes: u64, metadata: HashMap<String, String>, body: ByteStream) -> Self {
        Self {
            bytes,
            metadata,
            body,
        }
    }

    /// The object's own metadata, without the `x-amz-meta-`.
    pub fn metadata(&self) -> &HashMap<String, String> {
        &self.metadata
    }

    /// The content, written to a new file piece by piece.
    pub(crate) async fn spool(mut self, to: &Path) -> Result<(), Error> {
        let file = tokio::fs::File::create_new(to).await?;
        let mut file = BufWriter::with_capacity(WRITE_BUFFER, file);
        while let Some(chunk) = self.body.next().await {
            file.write_all(&chunk.map_err(broken_off)?).await?;
        }
        Ok(file.flush().await?)
    }
}

fn broken_off(error: impl std::error::Error + Send + Sync + 'static) -> CallError {
    CallError {
        call: "s3:GetObject",
        transient: true,
        source: Box::new(error),
    }
}

/// The inputs bucket to read, the results bucket to write.
pub trait Files: Send + Sync {
    /// Opens a dropped file; none if it was deleted meanwhile.
    fn open(
        &self,
        upload: &Upload,
    ) -> impl Future<Output = Result<Option<Dropped>, CallError>> + Send;

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

/// The buckets in S3.
#[derive(Debug)]
pub struct S3Files {
    client: Client,
    inputs: String,
    results: String,
}

impl S3Files {
    /// The buckets of these names.
    pub fn new(client: Client, inputs: impl Into<String>, results: impl Into<String>) -> Self {
        Self {
            client,
            inputs: inputs.into(),
            results: results.into(),
        }
    }
}

impl Files for S3Files {
    async fn open(&self, upload: &Upload) -> Result<Option<Dropped>, CallError> {
        let request = self
            .client
            .get_object()
            .bucket(&self.inputs)
            .key(&upload.key);
        match request
            .set_version_id(upload.version_id.clone())
            .send()
            .await
        {
            Ok(object) => {
                let bytes = object
                    .content_length
                    .and_then(|length| u64::try_from(length).ok())
                    .unwrap_or(upload.bytes);
                Ok(Some(Dropped::new(
                    bytes,
                    object.metadata.unwrap_or_default(),
                    object.body,
                )))
            }
            Err(error)
                if matches!(
                    error.code(),
                    Some("NoSuchKey" | "NoSuchVersion" | "MethodNotAllowed")
                ) =>
            {
                Ok(None)
            }
            Err(error) => Err(CallError::of_sdk("s3:GetObject", error)),
        }
    }

    async fn keep(&self, key: &str, media_type: &str, content: Vec<u8>) -> Result<(), CallError> {
        self.put(key, media_type, ByteStream::from(content)).await
    }

    async fn keep_file(&self, key: &str, media_type: &str, from: &Path) -> Result<(), CallError> {
        // In one piece: S3 takes up to 5 GiB, and the SDK reads the file again when it has to
        // send it again. https://docs.aws.amazon.com/AmazonS3/latest/userguide/upload-objects.html
        let body = ByteStream::from_path(from)
            .await
            .map_err(|error| CallError {
                call: "s3:PutObject",
                transient: true,
                source: Box::new(error),
            })?;
        self.put(key, media_type, body).await
    }
}

impl S3Files {
    async fn put(&self, key: &str, media_type: &str, body: ByteStream) -> Result<(), CallError> {
        let answer = self
            .client
            .put_object()
            .bucket(&self.results)
            .key(key)
            .content_type(media_type)
            .body(body)
            .send()
            .await;
        answer
            .map(drop)
            .map_err(|error| CallError::of_sdk("s3:PutObject", error))
    }
}
