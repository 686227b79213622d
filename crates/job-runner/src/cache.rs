//! What a model keeps between its runs: fetched before, stored after.
//!
//! The cache is a convenience. A model must run without it, so whatever goes wrong with it is a
//! warning. Runs of one model share it without a lock: each file is replaced whole, and the run
//! that stores last wins.

use std::collections::HashMap;
use std::fs;
use std::path::{Component, Path, PathBuf};

use aws_sdk_s3::Client;
use aws_sdk_s3::error::ProvideErrorMetadata as _;
use futures::{StreamExt as _, stream};

use crate::download::{self, Fetched};
use crate::error::describe;
use crate::media_type;
use crate::part::{Digest, PartReader, Stamp};
use crate::publish::LONGEST_KEY;
use crate::s3_uri::S3Uri;
use crate::upload::Uploader;
use crate::walk::{FoundFile, Walk};

/// Bytes hashed at a time when a file's change is in doubt.
const HASHED_AT_A_TIME: u64 = 1 << 20;
const CACHE_FOLDER: &str = "cache folder";

/// The cache as it was fetched; remembers what is in S3, so that only changes are stored.
#[derive(Debug)]
pub(crate) struct Cache {
    client: Client,
    prefix: S3Uri,
    folder: PathBuf,
    fetched: HashMap<String, Known>,
}

/// A file as it was before the model ran.
#[derive(Debug)]
struct Known {
    stamp: Stamp,
    sha256: Digest,
    etag: Option<String>,
}

/// What was done, and what could not be.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Outcome {
    /// Files that were uploaded because the model made or changed them.
    pub(crate) stored: u64,
    /// Objects that were deleted because the model deleted their files.
    pub(crate) deleted: u64,
    /// One clause for everything that failed.
    pub(crate) warnings: Vec<String>,
}

impl Cache {
    /// Fetches everything under `prefix` into `folder`, `concurrency` objects at a time. What
    /// cannot be fetched is left out and told in the warnings.
    pub(crate) async fn fetch(
        client: Client,
        prefix: S3Uri,
        folder: PathBuf,
        staging: &Path,
        concurrency: usize,
    ) -> (Self, Vec<String>) {
        let mut cache = Self {
            client,
            prefix,
            folder,
            fetched: HashMap::new(),
        };
        let mut warnings = Vec::new();
        let mut after = None;
        loop {
            let page = cache
                .client
                .list_objects_v2()
                .bucket(&cache.prefix.bucket)
                .prefix(&cache.prefix.key)
                .set_continuation_token(after)
                .send()
                .await;
            let page = match page {
                Ok(page) => page,
                Err(error) => {
                    warnings.push(format!(
                        "{} cannot be listed: {}",
                        cache.prefix,
                        describe(&error)
                    ));
                    break;
                }
            };
            let keys = page
                .contents
                .unwrap_or_default()
                .into_iter()
                .filter_map(|object| object.key);
            let results: Vec<_> = stream::iter(keys)
                .map(|key| cache.fetch_one(key, staging))
                .buffer_unordered(concurrency)
                .collect()
                .await;
            for result in results {
                match result {
                    Ok(Some((path, known))) => drop(cache.fetched.insert(path, known)),
                    Ok(None) => {}
                    Err(warning) => warnings.push(warning),
                }
            }
            after = page.next_continuation_token;
            if after.is_none() {
                break;
            }
        }
        (cache, warnings)
    }

    async fn fetch_one(
        &self,
        key: String,
        staging: &Path,
    ) -> Result<Option<(String, Known)>, String> {
        let path = key.strip_prefix(&self.prefix.key).unwrap_or(&key);
        if path.is_empty() || path.ends_with('/') {
            // What the console makes of "create folder".
            return Ok(None);
        }
        if !is_plain(path) {
            return Err(format!("{key:?} cannot be a file and was left out"));
        }
        let from = S3Uri {
            bucket: self.prefix.bucket.clone(),
            key: key.clone(),
        };
        let to = self.folder.join(path);
        let failed = |reason| format!("{key:?} could not be fetched: {reason}");
        let Fetched { etag, sha256, .. } = download::fetch(&self.client, &from, &to, staging)
            .await
            .map_err(failed)?;
        let found = fs::symlink_metadata(&to).map_err(|error| failed(error.to_string()))?;
        let known = Known {
            stamp: Stamp::from(&found),
            sha256,
            etag,
        };
        Ok(Some((path.to_owned(), known)))
    }

    /// Uploads the files that the model made or changed and deletes the objects whose files it
    /// deleted.
    ///
    /// An object is deleted only while it is still the one that was fetched: what another run
    /// stored meanwhile stays. When a part of the folder cannot be read, nothing is deleted.
    pub(crate) async fn store(mut self, uploader: &Uploader) -> Outcome {
        let longest_path = LONGEST_KEY.saturating_sub(self.prefix.key.len());
        let mut outcome = Outcome::default();
        let walk = match Walk::open(&self.folder, CACHE_FOLDER, longest_path) {
            Ok(Some(walk)) => walk,
            Ok(None) => {
                outcome
                    .warnings
                    .push("the model deleted the cache folder itself".to_owned());
                return outcome;
            }
            Err(refusal) => {
                outcome.warnings.push(refusal.to_string());
                return outcome;
            }
        };
        let mut deleted = std::mem::take(&mut self.fetched);
        let mut refusals = Vec::new();
        let (this, known, refused) = (&self, &mut deleted, &mut refusals);
        let mut stores = stream::iter(walk)
            .filter_map(|found| {
                let pair = match found {
                    Ok(file) => {
                        let before = known.remove(&file.path);
                        Some((file, before))
                    }
                    Err(refusal) => {
                        refused.push(refusal.to_string());
                        None
                    }
                };
                std::future::ready(pair)
            })
            .map(|(file, before)| this.store_one(file, before, uploader))
            .buffer_unordered(uploader.concurrency());
        while let Some(result) = stores.next().await {
            match result {
                Ok(true) => outcome.stored += 1,
                Ok(false) => {}
                Err(warning) => outcome.warnings.push(warning),
            }
        }
        drop(stores);
        if refusals.is_empty() {
            self.delete(deleted, uploader.concurrency(), &mut outcome)
                .await;
        }
        outcome.warnings.append(&mut refusals);
        outcome
    }

    /// Uploads a file unless it is what was fetched; says whether it did.
    async fn store_one(
        &self,
        file: FoundFile,
        before: Option<Known>,
        uploader: &Uploader,
    ) -> Result<bool, String> {
        if let Some(before) = before {
            let source = file.source.clone();
            let same = tokio::task::spawn_blocking(move || is_the_same(source, &before)).await;
            if matches!(same, Ok(Ok(true))) {
                return Ok(false);
            }
        }
        let to = self.prefix.join(&file.path);
        match uploader
            .upload(&file.source, &to, &media_type::of(&file.path))
            .await
        {
            Ok(_) => Ok(true),
            Err(reason) => Err(format!("{:?} could not be stored: {reason}", file.path)),
        }
    }

    async fn delete(
        &self,
        gone: HashMap<String, Known>,
        concurrency: usize,
        outcome: &mut Outcome,
    ) {
        let mut deletions = stream::iter(gone)
            .map(|(path, known)| async move {
                let Some(etag) = known.etag else {
                    return Ok(false);
                };
                let request = self.client.delete_object().bucket(&self.prefix.bucket);
                match request
                    .key(self.prefix.join(&path).key)
                    .if_match(etag)
                    .send()
                    .await
                {
                    Ok(_) => Ok(true),
                    // Another run replaced or deleted it meanwhile.
                    Err(error)
                        if matches!(
                            error.code(),
                            Some("PreconditionFailed" | "ConditionalRequestConflict" | "NoSuchKey")
                        ) =>
                    {
                        Ok(false)
                    }
                    Err(error) => Err(format!(
                        "{path:?} could not be deleted: {}",
                        describe(&error)
                    )),
                }
            })
            .buffer_unordered(concurrency);
        while let Some(result) = deletions.next().await {
            match result {
                Ok(true) => outcome.deleted += 1,
                Ok(false) => {}
                Err(warning) => outcome.warnings.push(warning),
            }
        }
    }
}

/// Whether a key's path stays below the folder that it is joined to.
fn is_plain(path: &str) -> bool {
    let plain = path.split('/').all(|part| !matches!(part, "" | "." | ".."));
    plain
        && !path.contains('\0')
        && Path::new(path)
            .components()
            .all(|part| matches!(part, Component::Normal(_)))
}

/// Whether a file has the content that was fetched. A file that was only touched is read.
fn is_the_same(file: PathBuf, before: &Known) -> std::io::Result<bool> {
    let mut reader = PartReader::open(file)?;
    if reader.stamp() == before.stamp {
        return Ok(true);
    }
    if reader.bytes() != before.stamp.bytes() {
        return Ok(false);
    }
    while !reader.is_at_end() {
        reader.read(HASHED_AT_A_TIME)?;
    }
    Ok(reader.finish()? == before.sha256)
}

#[cfg(test)]
mod tests {
    use super::is_plain;

    #[test]
    fn a_key_that_would_leave_the_folder_is_no_path() {
        for bad in [
            "../x",
            "a/../../x",
            "/etc/passwd",
            "a//b",
            "./a",
            "a/.",
            "a\0b",
        ] {
            assert!(!is_plain(bad), "{bad:?}");
        }
        for good in ["a", "a/b.parquet", "..a", "a b+%20/é"] {
            assert!(is_plain(good), "{good:?}");
        }
    }
}
