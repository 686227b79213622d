//! What a model keeps between its runs: fetched before, stored after.
//!
//! The cache is a convenience. A model must run without it, so whatever goes wrong with it is a
//! warning; only a refresh, which is there to store it, fails with it. Runs and refreshes of one
//! model share it without a lock: new content goes to objects of its own, and then one [`Index`]
//! that names them all takes the place of the one before.

mod index;

use std::{
    collections::HashMap,
    fs,
    path::{Component, Path, PathBuf},
    time::Duration,
};

use aws_sdk_s3::{Client, error::ProvideErrorMetadata as _, primitives::ByteStream};
use futures::{StreamExt as _, stream};
use index::{Changes, Entry, INDEX, Index, OURS};

use crate::{
    config::{Config, Kind},
    download::{self, Fetched},
    error::describe,
    media_type,
    part::{Digest, PartReader, Stamp},
    publish::MAX_KEY,
    s3_uri::S3Uri,
    upload::{IfExists, Uploader},
    walk::{FoundFile, Walk},
};

/// Bytes hashed at a time when a file's change is in doubt.
const HASHED_AT_A_TIME: u64 = 1 << 20;
const CACHE_FOLDER: &str = "cache folder";

/// How often the index is replaced anew when others replace it at the same time.
const TRIES: u32 = 12;
const FIRST_PAUSE: Duration = Duration::from_millis(50);

/// The cache as it was fetched; remembers what is in S3, so that only changes are stored.
#[derive(Debug)]
pub(crate) struct Cache {
    client: Client,
    prefix: S3Uri,
    folder: PathBuf,
    /// Where this attempt's objects go, below the prefix; ends with a slash.
    own: String,
    refresh: bool,
    fetched: HashMap<String, Known>,
}

/// A file as it was before the model ran.
#[derive(Debug)]
struct Known {
    object: String,
    stamp: Stamp,
    sha256: Digest,
}

/// What was done, and what could not be.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Outcome {
    /// Files that were stored because the model made or changed them.
    pub(crate) stored: u64,
    /// Files that are gone because the model deleted them.
    pub(crate) deleted: u64,
    /// One clause for everything that failed.
    pub(crate) warnings: Vec<String>,
}

/// The index in S3.
#[derive(Debug)]
struct CurrentIndex {
    index: Index,
    /// What S3 calls this content; none where there is no index yet.
    etag: Option<String>,
}

impl Cache {
    /// Fetches the model's cache into `folder`, `concurrency` objects at a time. What cannot be
    /// fetched is left out and reported in the warnings.
    pub(crate) async fn fetch(
        client: Client,
        config: &Config,
        folder: PathBuf,
        staging: &Path,
        concurrency: usize,
    ) -> (Self, Vec<String>) {
        let mut cache = Self {
            client,
            prefix: config.cache.clone(),
            folder,
            own: format!("{OURS}{}.{}/", config.run_id, config.attempt),
            refresh: config.kind() == Kind::Refresh,
            fetched: HashMap::new(),
        };
        let mut warnings = Vec::new();
        let current = match cache.current_index().await {
            Ok(current) => current,
            Err(reason) => return (cache, vec![reason]),
        };
        let this = &cache;
        let results: Vec<_> = stream::iter(current.index.files)
            .map(|(path, entry)| this.fetch_one(path, entry, staging))
            .buffer_unordered(concurrency)
            .collect()
            .await;
        for result in results {
            match result {
                Ok((path, known)) => drop(cache.fetched.insert(path, known)),
                Err(warning) => warnings.push(warning),
            }
        }
        (cache, warnings)
    }

    /// The index, or one of everything under the prefix where nothing has been stored with one:
    /// so a cache can be filled by hand before the first run.
    async fn current_index(&self) -> Result<CurrentIndex, String> {
        let at = self.prefix.join(INDEX);
        let request = self.client.get_object().bucket(&at.bucket).key(&at.key);
        let object = match request.send().await {
            Ok(object) => object,
            Err(error) => {
                let missing = match error.code() {
                    Some("NoSuchKey") => true,
                    // S3's answer for a missing object to callers that may list some prefixes
                    // only.
                    Some("AccessDenied") => !self.is_listed(&at).await?,
                    _ => false,
                };
                if !missing {
                    return Err(format!("{at} cannot be read: {}", describe(&error)));
                }
                let index = self.listed().await?;
                return Ok(CurrentIndex { index, etag: None });
            }
        };
        let etag = object.e_tag;
        let bytes = object
            .body
            .collect()
            .await
            .map_err(|error| format!("{at} cannot be read: {error}"))?
            .into_bytes();
        let index = serde_json::from_slice(&bytes)
            .map_err(|error| format!("{at} is no index of a cache: {error}"))?;
        Ok(CurrentIndex { index, etag })
    }

    /// Whether an object is there, by a listing.
    async fn is_listed(&self, at: &S3Uri) -> Result<bool, String> {
        let list = self.client.list_objects_v2().bucket(&at.bucket);
        let page = list.prefix(&at.key).max_keys(1).send().await;
        let page = page.map_err(|error| format!("{at} cannot be listed: {}", describe(&error)))?;
        Ok(page.key_count() != Some(0))
    }

    async fn listed(&self) -> Result<Index, String> {
        let list = self.client.list_objects_v2().bucket(&self.prefix.bucket);
        let mut pages = list.prefix(&self.prefix.key).into_paginator().send();
        let mut index = Index::default();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| {
                format!("{} cannot be listed: {}", self.prefix, describe(&error))
            })?;
            for object in page.contents.unwrap_or_default() {
                let key = object.key.unwrap_or_default();
                let path = key.strip_prefix(&self.prefix.key).unwrap_or(&key);
                // The marker that the console creates for a folder.
                if path.is_empty() || path.ends_with('/') || path.starts_with(OURS) {
                    continue;
                }
                let entry = Entry {
                    object: path.to_owned(),
                    refreshed: false,
                };
                index.files.insert(path.to_owned(), entry);
            }
        }
        Ok(index)
    }

    async fn fetch_one(
        &self,
        path: String,
        entry: Entry,
        staging: &Path,
    ) -> Result<(String, Known), String> {
        if !is_plain(&path) {
            return Err(format!("{path:?} is not a valid file name and was skipped"));
        }
        let from = self.prefix.join(&entry.object);
        let to = self.folder.join(&path);
        let failed = |reason| format!("{path:?} could not be fetched: {reason}");
        let Fetched { sha256, .. } = download::fetch(&self.client, &from, &to, staging)
            .await
            .map_err(failed)?;
        let found = fs::symlink_metadata(&to).map_err(|error| failed(error.to_string()))?;
        let known = Known {
            object: entry.object,
            stamp: Stamp::from(&found),
            sha256,
        };
        Ok((path, known))
    }

    /// Stores the files that the model made or changed, and forgets those that it deleted: all of
    /// it, or nothing when a file cannot be stored. `now` is in Unix seconds.
    ///
    /// When a part of the folder cannot be read, nothing is deleted.
    pub(crate) async fn store(self, uploader: &Uploader, now: u64) -> Outcome {
        let mut outcome = Outcome::default();
        let walk = match Walk::open(&self.folder, CACHE_FOLDER, self.max_path_bytes()) {
            Ok(Some(walk)) => walk,
            Ok(None) => {
                let deleted = "the model deleted the cache folder itself".to_owned();
                outcome.warnings.push(deleted);
                return outcome;
            }
            Err(error) => {
                outcome.warnings.push(error.to_string());
                return outcome;
            }
        };
        let (changes, errors, failures) = self.changes(walk, uploader).await;
        let nothing = changes.stored.is_empty() && changes.deleted.is_empty();
        outcome.warnings = errors;
        if !failures.is_empty() {
            outcome.warnings.extend(failures);
            outcome.warnings.push("it was not changed".to_owned());
        } else if !nothing {
            match self.commit(&changes, now).await {
                Ok((stored, deleted, outdated)) => {
                    (outcome.stored, outcome.deleted) = (stored, deleted);
                    outcome.warnings.extend(outdated.into_iter().map(|path| {
                        format!(
                            "{path:?} was not stored, because a refresh renewed it during this run"
                        )
                    }));
                }
                Err(reason) => outcome.warnings.push(reason),
            }
        }
        outcome
    }

    fn max_path_bytes(&self) -> usize {
        MAX_KEY
            .saturating_sub(self.prefix.key.len())
            .saturating_sub(self.own.len())
    }

    /// Uploads the changed files. Returns the changes, what in the folder cannot be a file of the
    /// cache, and what could not be stored.
    async fn changes(
        &self,
        walk: Walk,
        uploader: &Uploader,
    ) -> (Changes, Vec<String>, Vec<String>) {
        let mut changes = Changes {
            refresh: self.refresh,
            ..Changes::default()
        };
        let mut gone: HashMap<&str, &Known> = self
            .fetched
            .iter()
            .map(|(path, known)| (path.as_str(), known))
            .collect();
        let (mut errors, mut failures) = (Vec::new(), Vec::new());
        let (known, forbidden) = (&mut gone, &mut errors);
        let mut stores = stream::iter(walk)
            .filter_map(|found| {
                let pair = match found {
                    Ok(file) => {
                        let before = known.remove(file.path.as_str());
                        Some((file, before))
                    }
                    Err(error) => {
                        forbidden.push(error.to_string());
                        None
                    }
                };
                std::future::ready(pair)
            })
            .map(|(file, before)| self.store_one(file, before, uploader))
            .buffer_unordered(uploader.concurrency());
        while let Some(result) = stores.next().await {
            match result {
                Ok(Some((path, object))) => drop(changes.stored.insert(path, object)),
                Ok(None) => {}
                Err(warning) => failures.push(warning),
            }
        }
        drop(stores);
        if errors.is_empty() {
            changes.deleted = gone.into_keys().map(str::to_owned).collect();
        }
        changes.fetched = self
            .fetched
            .iter()
            .map(|(path, known)| (path.clone(), known.object.clone()))
            .collect();
        (changes, errors, failures)
    }

    /// Uploads a file unless it is unchanged since it was fetched; returns its path and its object if
    /// it did.
    async fn store_one(
        &self,
        file: FoundFile,
        before: Option<&Known>,
        uploader: &Uploader,
    ) -> Result<Option<(String, String)>, String> {
        if let Some(before) = before {
            let (source, stamp, sha256) = (file.source.clone(), before.stamp, before.sha256);
            let same = tokio::task::spawn_blocking(move || is_the_same(source, stamp, sha256));
            if matches!(same.await, Ok(Ok(true))) {
                return Ok(None);
            }
        }
        let object = format!("{}{}", self.own, file.path);
        let to = self.prefix.join(&object);
        let media_type = media_type::of(&file.path);
        match uploader
            .upload(&file.source, &to, &media_type, IfExists::Replace)
            .await
        {
            Ok(_) => Ok(Some((file.path, object))),
            Err(reason) => Err(format!("{:?} could not be stored: {reason}", file.path)),
        }
    }

    /// Replaces the index by one with the changes, and only the index that they were applied to, so that
    /// no other job's changes are lost.
    async fn commit(&self, changes: &Changes, now: u64) -> Result<(u64, u64, Vec<String>), String> {
        let at = self.prefix.join(INDEX);
        let mut pause = FIRST_PAUSE;
        for _ in 0..TRIES {
            let CurrentIndex { mut index, etag } = self.current_index().await?;
            let applied = index.apply(changes, now);
            self.delete(index.take_unused(now)).await;
            let content = serde_json::to_vec(&index).map_err(|error| error.to_string())?;
            let put = self.client.put_object().bucket(&at.bucket).key(&at.key);
            let put = match etag {
                Some(etag) => put.if_match(etag),
                None => put.if_none_match("*"),
            };
            let put = put.content_type("application/json");
            match put.body(ByteStream::from(content)).send().await {
                Ok(_) => return Ok((applied.stored, applied.deleted, applied.outdated)),
                // Another job replaced it since it was read.
                Err(error)
                    if matches!(
                        error.code(),
                        Some("PreconditionFailed" | "ConditionalRequestConflict" | "NoSuchKey")
                    ) => {}
                Err(error) => {
                    return Err(format!("{at} could not be stored: {}", describe(&error)));
                }
            }
            tokio::time::sleep(pause).await;
            pause = pause.saturating_mul(2).min(FIRST_PAUSE.saturating_mul(40));
        }
        Err(format!(
            "{at} could not be stored: too many other jobs stored theirs at the same time"
        ))
    }

    /// Deletes objects that the index no longer names. One that is left over only takes up space.
    async fn delete(&self, objects: Vec<String>) {
        for object in objects {
            let request = self.client.delete_object().bucket(&self.prefix.bucket);
            let _ = request.key(self.prefix.join(&object).key).send().await;
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
fn is_the_same(file: PathBuf, stamp: Stamp, sha256: Digest) -> std::io::Result<bool> {
    let mut reader = PartReader::open(file)?;
    if reader.stamp() == stamp {
        return Ok(true);
    }
    if reader.bytes() != stamp.bytes() {
        return Ok(false);
    }
    while !reader.is_at_end() {
        reader.read(HASHED_AT_A_TIME)?;
    }
    Ok(reader.finish()? == sha256)
}

#[cfg(test)]
mod tests {
    use dropcast_test_support::{
        http::{Response, Server},
        sdk_config,
    };

    use super::*;

    /// The cache of a model in an S3 that answers so, one request after the other.
    fn cache(answers: &'static [(&'static str, &'static str)]) -> Cache {
        let responses = answers
            .iter()
            .map(|(status, body)| Response::xml(status, body));
        let server = Server::start(responses);
        Cache {
            client: Client::new(&sdk_config(server.endpoint())),
            prefix: S3Uri::parse("s3://results/cache/m/").unwrap(),
            folder: PathBuf::new(),
            own: String::new(),
            refresh: false,
            fetched: HashMap::new(),
        }
    }

    const DENIED: (&str, &str) = (
        "403 Forbidden",
        "<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>",
    );

    /// S3 answers so to a role that may list the model's own cache only.
    #[tokio::test]
    async fn an_index_that_is_denied_and_not_listed_is_none_yet() {
        const NONE: (&str, &str) = (
            "200 OK",
            "<ListBucketResult><KeyCount>0</KeyCount></ListBucketResult>",
        );
        let current = cache(&[DENIED, NONE, NONE]).current_index().await.unwrap();
        assert!(current.index.files.is_empty());
        assert_eq!(current.etag, None);
    }

    #[tokio::test]
    async fn an_index_that_is_denied_and_listed_is_not_replaced() {
        const THERE: (&str, &str) = (
            "200 OK",
            "<ListBucketResult><KeyCount>1</KeyCount><Contents><Key>cache/m/index</Key></Contents></ListBucketResult>",
        );
        let reason = cache(&[DENIED, THERE]).current_index().await.unwrap_err();
        assert!(reason.contains("AccessDenied"), "{reason}");
    }

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
