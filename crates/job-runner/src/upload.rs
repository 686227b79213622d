//! Uploads files with SHA-256 checksums, in bounded memory.

use std::{
    collections::BTreeMap,
    io,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use aws_sdk_s3::{
    Client,
    error::{ProvideErrorMetadata, SdkError},
    primitives::ByteStream,
    types::{
        ChecksumAlgorithm, ChecksumMode, ChecksumType, CompletedMultipartUpload, CompletedPart,
    },
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use dropcast_aws::s3::transfer;
use sha2::{Digest as _, Sha256};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    task::JoinSet,
};

use crate::{
    error::describe,
    part::{Digest, Part, PartReader},
    s3_uri::S3Uri,
};

/// S3 takes at most so many parts
/// (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html>).
const MAX_PARTS: u64 = 10_000;
/// What giving up may take; a container has 30 s between SIGTERM and SIGKILL.
const ABORT_WITHIN: Duration = Duration::from_secs(5);

/// How long an earlier try of a write may still be under way.
const CONFLICT_WAITS: [Duration; 4] = [
    Duration::ZERO,
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(2),
];

/// What happens if an object with the key exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum IfExists {
    /// It is replaced.
    Replace,
    /// It stays, and the upload fails. Nothing that was published can change, and the bucket's
    /// policy accepts outputs in no other way.
    Fail,
}

impl IfExists {
    /// The value of `If-None-Match`.
    fn condition(self) -> Option<String> {
        (self == Self::Fail).then(|| "*".to_owned())
    }
}

/// A file that is now an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Uploaded {
    /// Its size.
    pub(crate) bytes: u64,
    /// The SHA-256 of the whole file, however many parts it went in.
    pub(crate) sha256: Digest,
}

/// Uploads files, so many parts at a time; each part is held in memory while it travels, so
/// that a request that is tried again sends the bytes that were hashed.
#[derive(Debug)]
pub(crate) struct Uploader {
    client: Client,
    part_bytes: u64,
    concurrency: u32,
    slots: Arc<Semaphore>,
    /// Multipart uploads under way, by id: S3 keeps and bills their parts until they are completed or aborted.
    open: Mutex<BTreeMap<String, S3Uri>>,
}

impl Uploader {
    /// An uploader of parts of `part_bytes` bytes, `concurrency` at a time.
    pub(crate) fn new(client: Client, concurrency: u32, part_bytes: u64) -> Self {
        let slots = Arc::new(Semaphore::new(concurrency as usize));
        Self {
            client,
            part_bytes,
            concurrency,
            slots,
            open: Mutex::default(),
        }
    }

    /// Files that may be under way at once; more of them would only wait.
    pub(crate) fn concurrency(&self) -> usize {
        self.concurrency as usize
    }

    /// Uploads one file. The error is a clause that does not name the file.
    ///
    /// S3 checks each part against its SHA-256, so what is stored is what was hashed. A file
    /// that changed meanwhile is an error, though its object may already exist.
    pub(crate) async fn upload(
        &self,
        from: &Path,
        to: &S3Uri,
        media_type: &str,
        if_exists: IfExists,
    ) -> Result<Uploaded, String> {
        let slot = self.slots(1).await?;
        let path = from.to_owned();
        let reader = blocking(move || PartReader::open(path)).await?;
        let bytes = reader.bytes();
        let sha256 = if bytes <= self.part_bytes {
            self.put(reader, slot, to, media_type, if_exists).await?
        } else {
            drop(slot);
            self.put_in_parts(reader, to, media_type, if_exists).await?
        };
        Ok(Uploaded { bytes, sha256 })
    }

    async fn put(
        &self,
        mut reader: PartReader,
        slot: OwnedSemaphorePermit,
        to: &S3Uri,
        media_type: &str,
        if_exists: IfExists,
    ) -> Result<Digest, String> {
        let bytes = reader.bytes();
        let (reader, part) = blocking(move || {
            let part = reader.read(reader.bytes())?;
            Ok((reader, part))
        })
        .await?;
        let checksum = BASE64_STANDARD.encode(part.sha256);
        let stored = self
            .client
            .put_object()
            .bucket(&to.bucket)
            .key(&to.key)
            .content_type(media_type)
            .checksum_sha256(&checksum)
            .set_if_none_match(if_exists.condition())
            .body(ByteStream::from(part.bytes))
            .customize()
            .config_override(transfer())
            .send()
            .await;
        if let Err(error) = stored {
            self.check_refused(&error, to, &checksum, bytes).await?;
        }
        drop(slot);
        blocking(move || reader.finish()).await
    }

    async fn put_in_parts(
        &self,
        reader: PartReader,
        to: &S3Uri,
        media_type: &str,
        if_exists: IfExists,
    ) -> Result<Digest, String> {
        let created = self
            .client
            .create_multipart_upload()
            .bucket(&to.bucket)
            .key(&to.key)
            .content_type(media_type)
            .checksum_algorithm(ChecksumAlgorithm::Sha256)
            .checksum_type(ChecksumType::Composite)
            .send()
            .await
            .map_err(|error| describe(&error))?;
        let id = created.upload_id.ok_or("S3 returned no upload id")?;
        self.open().insert(id.clone(), to.clone());
        let done = self.fill(reader, to, &id, if_exists).await;
        if done.is_err() {
            self.abort(&id, to).await;
        }
        self.open().remove(&id);
        done
    }

    async fn fill(
        &self,
        mut reader: PartReader,
        to: &S3Uri,
        id: &str,
        if_exists: IfExists,
    ) -> Result<Digest, String> {
        let bytes = reader.bytes();
        let part_bytes = part_bytes(bytes, self.part_bytes);
        let mut under_way = JoinSet::new();
        let mut done = Vec::new();
        let mut digests = Sha256::new();
        let mut number = 0;
        while !reader.is_at_end() {
            // A part that is larger than usual takes the memory of several.
            let slot = self.slots(part_bytes.div_ceil(self.part_bytes)).await?;
            let part;
            (reader, part) = blocking(move || {
                let part = reader.read(part_bytes)?;
                Ok((reader, part))
            })
            .await?;
            number += 1;
            digests.update(part.sha256);
            under_way.spawn(put_part(
                self.client.clone(),
                to.clone(),
                id.to_owned(),
                number,
                part,
                slot,
            ));
            while let Some(ended) = under_way.try_join_next() {
                done.push(ended.map_err(|error| error.to_string())??);
            }
        }
        while let Some(ended) = under_way.join_next().await {
            done.push(ended.map_err(|error| error.to_string())??);
        }
        done.sort_unstable_by_key(CompletedPart::part_number);
        let whole = blocking(move || reader.finish()).await?;
        // The checksum of checksums, as S3 makes it of a multipart upload
        // (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html>).
        let composite = format!("{}-{number}", BASE64_STANDARD.encode(digests.finalize()));
        let completed = self
            .client
            .complete_multipart_upload()
            .bucket(&to.bucket)
            .key(&to.key)
            .upload_id(id)
            .checksum_sha256(&composite)
            .set_if_none_match(if_exists.condition())
            .checksum_type(ChecksumType::Composite)
            .mpu_object_size(i64::try_from(bytes).map_err(|error| error.to_string())?)
            .multipart_upload(
                CompletedMultipartUpload::builder()
                    .set_parts(Some(done))
                    .build(),
            )
            .customize()
            .config_override(transfer())
            .send()
            .await;
        if let Err(error) = completed {
            self.check_refused(&error, to, &composite, bytes).await?;
            // Usually there is nothing left to abort: the earlier try completed this very upload.
            self.abort(id, to).await;
        }
        Ok(whole)
    }

    /// Checks whether a refused write has in fact succeeded: S3 may have accepted an earlier attempt
    /// whose answer was lost. Then the object has this file's content.
    async fn check_refused<E, R>(
        &self,
        error: &SdkError<E, R>,
        to: &S3Uri,
        checksum: &str,
        bytes: u64,
    ) -> Result<(), String>
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
        R: std::fmt::Debug + 'static,
    {
        let code = error.as_service_error().and_then(|error| error.code());
        let waits = match code {
            Some("PreconditionFailed" | "NoSuchUpload") => &CONFLICT_WAITS[..1],
            Some("ConditionalRequestConflict") => &CONFLICT_WAITS[..],
            _ => &[],
        };
        for wait in waits {
            tokio::time::sleep(*wait).await;
            if self.holds(to, checksum, bytes).await {
                return Ok(());
            }
        }
        Err(match code {
            Some("PreconditionFailed") => "another file already exists there".to_owned(),
            _ => describe(error),
        })
    }

    /// Whether the object of a key has this checksum and size.
    async fn holds(&self, to: &S3Uri, checksum: &str, bytes: u64) -> bool {
        let head = self
            .client
            .head_object()
            .bucket(&to.bucket)
            .key(&to.key)
            .checksum_mode(ChecksumMode::Enabled);
        head.send().await.is_ok_and(|head| {
            head.checksum_sha256() == Some(checksum)
                && head.content_length().and_then(|it| u64::try_from(it).ok()) == Some(bytes)
        })
    }

    /// Gives up the multipart uploads that a dropped [`upload`](Self::upload) left open. Best
    /// effort: the bucket's lifecycle rule ends the ones that stay.
    pub(crate) async fn abort_open(&self) {
        let open = std::mem::take(&mut *self.open());
        let all = open.iter().map(|(id, to)| self.abort(id, to));
        let _ = tokio::time::timeout(ABORT_WITHIN, futures::future::join_all(all)).await;
    }

    async fn abort(&self, id: &str, of: &S3Uri) {
        let request = self.client.abort_multipart_upload();
        let request = request.bucket(&of.bucket).key(&of.key).upload_id(id);
        let _ = tokio::time::timeout(ABORT_WITHIN, request.send()).await;
    }

    /// Waits for as many slots, or for all of them.
    async fn slots(&self, count: u64) -> Result<OwnedSemaphorePermit, String> {
        let count = u32::try_from(count)
            .unwrap_or(u32::MAX)
            .min(self.concurrency);
        let slots = Arc::clone(&self.slots).acquire_many_owned(count).await;
        slots.map_err(|error| error.to_string())
    }

    fn open(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, S3Uri>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn put_part(
    client: Client,
    to: S3Uri,
    id: String,
    number: i32,
    part: Part,
    slot: OwnedSemaphorePermit,
) -> Result<CompletedPart, String> {
    let checksum = BASE64_STANDARD.encode(part.sha256);
    let stored = client
        .upload_part()
        .bucket(&to.bucket)
        .key(&to.key)
        .upload_id(id)
        .part_number(number)
        .checksum_sha256(&checksum)
        .body(ByteStream::from(part.bytes))
        .customize()
        .config_override(transfer())
        .send()
        .await
        .map_err(|error| describe(&error))?;
    drop(slot);
    Ok(CompletedPart::builder()
        .part_number(number)
        .set_e_tag(stored.e_tag)
        .checksum_sha256(checksum)
        .build())
}

/// The size of the parts of a file: `usual`, or so many whole MiB that [`MAX_PARTS`] suffice.
fn part_bytes(file: u64, usual: u64) -> u64 {
    usual.max(file.div_ceil(MAX_PARTS).next_multiple_of(1 << 20))
}

/// Does disk work and hashing where it holds nobody up.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, String> {
    match tokio::task::spawn_blocking(work).await {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(error)) if error.kind() == io::ErrorKind::NotFound => {
            Err("it was deleted before it was uploaded".to_owned())
        }
        Ok(Err(error)) => Err(error.to_string()),
        Err(error) => Err(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::part_bytes;

    const MIB: u64 = 1 << 20;

    #[test]
    fn parts_grow_only_when_a_file_would_need_more_than_s3_takes() {
        assert_eq!(part_bytes(1 << 30, 8 * MIB), 8 * MIB);
        assert_eq!(part_bytes(80_000 * MIB, 8 * MIB), 8 * MIB);
        assert_eq!(part_bytes(80_000 * MIB + 1, 8 * MIB), 9 * MIB);
        let largest = 50 << 40;
        assert!(largest / part_bytes(largest, 8 * MIB) <= 10_000);
    }
}
