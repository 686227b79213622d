use std::future::Future;

use aws_sdk_s3::{
    primitives::ByteStream,
    types::{CompletedMultipartUpload, CompletedPart},
};
use dropcast_aws::{
    CallError,
    s3::{Bucket, transfer},
};
use tokio::io::{AsyncBufRead, AsyncBufReadExt as _, Lines};

use crate::index::RunnersLine;

#[derive(Debug, Clone)]
pub struct ListedObject {
    pub key: String,
    /// Its size in bytes.
    pub bytes: u64,
    /// Its version, where the bucket keeps versions.
    pub version_id: Option<String>,
}

#[derive(Debug, Clone)]
pub struct Page {
    /// At most a thousand objects.
    pub objects: Vec<ListedObject>,
    /// Where the next page begins.
    pub next: Option<PageMarker>,
}

/// The last version of a page of S3's listing.
#[derive(Debug, Clone)]
pub struct PageMarker {
    key: Option<String>,
    version_id: Option<String>,
}

pub trait Results: Send + Sync {
    /// A page of the objects below a prefix, in UTF-8 byte order.
    fn page(
        &self,
        prefix: &str,
        after: Option<PageMarker>,
    ) -> impl Future<Output = Result<Page, CallError>> + Send;

    /// The runner's own list; none where a model wrote to S3 directly.
    fn lines(&self, key: &str) -> impl Future<Output = Result<RunnersLines, CallError>> + Send;

    /// A new object, written piece by piece.
    fn manifest(&self, key: &str)
    -> impl Future<Output = Result<ManifestWriter, CallError>> + Send;
}

impl Results for Bucket {
    async fn page(&self, prefix: &str, after: Option<PageMarker>) -> Result<Page, CallError> {
        let (key, version_id) = after.map_or((None, None), |after| (after.key, after.version_id));
        let list = self.client().list_object_versions().bucket(self.name());
        let answer = list
            .prefix(prefix)
            .set_key_marker(key)
            .set_version_id_marker(version_id)
            .send()
            .await
            .map_err(|error| CallError::of_sdk("s3:ListBucketVersions", error))?;
        let next = (answer.is_truncated == Some(true)).then_some(PageMarker {
            key: answer.next_key_marker,
            version_id: answer.next_version_id_marker,
        });
        let objects = answer
            .versions
            .unwrap_or_default()
            .into_iter()
            .filter(|version| version.is_latest == Some(true))
            .filter_map(|version| {
                let bytes = version
                    .size
                    .and_then(|size| u64::try_from(size).ok())
                    .unwrap_or_default();
                // Objects of a bucket without versioning have the version "null".
                let version_id = version.version_id.filter(|id| id != "null");
                version.key.map(|key| ListedObject {
                    key,
                    bytes,
                    version_id,
                })
            });
        Ok(Page {
            objects: objects.collect(),
            next,
        })
    }

    async fn lines(&self, key: &str) -> Result<RunnersLines, CallError> {
        let object = self.open(key, None).await?;
        Ok(RunnersLines(object.map(|object| {
            let reader: Reader = Box::new(object.into_reader());
            reader.lines()
        })))
    }

    async fn manifest(&self, key: &str) -> Result<ManifestWriter, CallError> {
        Ok(ManifestWriter {
            bucket: self.clone(),
            key: key.to_owned(),
            buffer: Vec::with_capacity(PART_BYTES),
            upload: None,
            parts: Vec::new(),
        })
    }
}

/// The runner's list, line by line.
pub struct RunnersLines(Option<Lines<Reader>>);

type Reader = Box<dyn AsyncBufRead + Send + Unpin>;

impl RunnersLines {
    /// The next valid line. Others are skipped; their objects get no checksum.
    pub(crate) async fn next(&mut self) -> Result<Option<RunnersLine>, CallError> {
        let Some(lines) = &mut self.0 else {
            return Ok(None);
        };
        loop {
            let line = lines.next_line().await.map_err(|error| CallError {
                call: "s3:GetObject",
                transient: true,
                source: Box::new(error),
            })?;
            match line.as_deref().map(serde_json::from_str) {
                None => return Ok(None),
                Some(Ok(line)) => return Ok(Some(line)),
                Some(Err(error)) => {
                    tracing::warn!(%error, "a line of the runner's file list cannot be parsed");
                }
            }
        }
    }
}

/// Parts are at least 5 MiB in S3, the last one excepted.
const PART_BYTES: usize = 8 * 1024 * 1024;

/// An object that is written piece by piece: one part in memory, whatever its length.
#[derive(Debug)]
pub struct ManifestWriter {
    bucket: Bucket,
    key: String,
    buffer: Vec<u8>,
    upload: Option<String>,
    parts: Vec<CompletedPart>,
}

impl ManifestWriter {
    pub(crate) async fn write(&mut self, bytes: &[u8]) -> Result<(), CallError> {
        self.buffer.extend_from_slice(bytes);
        if self.buffer.len() >= PART_BYTES {
            self.send_part().await?;
        }
        Ok(())
    }

    /// Sends what is left; only now does the object exist.
    pub(crate) async fn close(mut self) -> Result<(), CallError> {
        if self.upload.is_none() {
            let content = self.buffer;
            return self
                .bucket
                .put(&self.key, "application/json", content)
                .await;
        }
        if !self.buffer.is_empty() {
            self.send_part().await?;
        }
        let parts = CompletedMultipartUpload::builder()
            .set_parts(Some(self.parts))
            .build();
        let answer = self
            .bucket
            .client()
            .complete_multipart_upload()
            .bucket(self.bucket.name())
            .key(&self.key)
            .set_upload_id(self.upload)
            .multipart_upload(parts)
            .customize()
            .config_override(transfer())
            .send()
            .await;
        answer
            .map(drop)
            .map_err(|error| CallError::of_sdk("s3:PutObject", error))
    }

    /// A crash between parts leaves an upload that the bucket's lifecycle rule aborts.
    async fn send_part(&mut self) -> Result<(), CallError> {
        let upload = if let Some(upload) = &self.upload {
            upload.clone()
        } else {
            let create = self
                .bucket
                .client()
                .create_multipart_upload()
                .bucket(self.bucket.name())
                .key(&self.key);
            let answer = create.content_type("application/json").send().await;
            let id = answer
                .map_err(|error| CallError::of_sdk("s3:PutObject", error))?
                .upload_id
                .unwrap_or_default();
            self.upload.insert(id).clone()
        };
        let number = i32::try_from(self.parts.len() + 1).unwrap_or(i32::MAX);
        let body = std::mem::replace(&mut self.buffer, Vec::with_capacity(PART_BYTES));
        let answer = self
            .bucket
            .client()
            .upload_part()
            .bucket(self.bucket.name())
            .key(&self.key)
            .upload_id(upload)
            .part_number(number)
            .body(ByteStream::from(body))
            .customize()
            .config_override(transfer())
            .send()
            .await
            .map_err(|error| CallError::of_sdk("s3:PutObject", error))?;
        self.parts.push(
            CompletedPart::builder()
                .part_number(number)
                .set_e_tag(answer.e_tag)
                .build(),
        );
        Ok(())
    }
}
