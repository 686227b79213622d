//! The buckets, as far as this function needs them.

use std::{collections::HashMap, future::Future};

use aws_sdk_s3::{Client, error::ProvideErrorMetadata as _, primitives::ByteStream};
use dropcast_domain::upload::Upload;
use dropcast_lambda_kit::error::CallError;

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

    /// The content; the caller has checked that its size is bearable.
    pub(crate) async fn read(mut self, at_most: u64) -> Result<Vec<u8>, CallError> {
        let mut content =
            Vec::with_capacity(usize::try_from(self.bytes.min(at_most)).unwrap_or_default());
        while let Some(chunk) = self.body.next().await {
            let chunk = chunk.map_err(|error| CallError {
                call: "s3:GetObject",
                transient: true,
                source: Box::new(error),
            })?;
            content.extend_from_slice(&chunk);
        }
        Ok(content)
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
        let request = self
            .client
            .put_object()
            .bucket(&self.results)
            .key(key)
            .content_type(media_type);
        let answer = request.body(ByteStream::from(content)).send().await;
        answer
            .map(drop)
            .map_err(|error| CallError::of_sdk("s3:PutObject", error))
    }
}
