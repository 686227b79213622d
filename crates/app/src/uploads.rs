//! Files for models: where an upload goes and what it says about its run.
//!
//! Nothing is uploaded here. The caller puts the file, or signs a URL for somebody who does.

mod encoded_word;
mod metadata;

use dropcast_domain::{
    ids::{RunId, Version},
    model::ModelName,
    registry::RegisteredVersion,
    run::Run,
    upload::{INPUTS_PREFIX, REFRESH_PREFIX, Request, safe_file_name},
};
use dropcast_store::{History, Models, Promotion, Runs, StoreResult};
use jiff::{Timestamp, tz::TimeZone};
pub use metadata::read_metadata;

use crate::versions::{ResolveError, resolve_refresh, resolve_version};

/// How many of a model's newest runs are searched for that of an upload.
const MAX_SEARCHED_RUNS: u16 = 200;

/// A file that somebody wants a model to run on.
#[derive(Debug, Clone, Copy)]
pub struct UploadRequest<'a> {
    /// The model.
    pub model: &'a ModelName,
    /// The pinned version; the default one without.
    pub version: Option<Version>,
    /// The file's own name, without its folder.
    pub file_name: &'a str,
    /// Addresses to mail.
    pub notify: &'a [String],
    /// What the run is called; by its file without.
    pub title: Option<&'a str>,
}

/// An object that starts a run once it is put into the inputs bucket.
#[derive(Debug, Clone, PartialEq)]
pub struct PreparedUpload {
    /// The object's key, which no other upload has.
    pub key: String,
    /// The object's user metadata, in ASCII as HTTP headers want it.
    pub metadata: Vec<(&'static str, String)>,
    /// The version that will run.
    pub version: RegisteredVersion,
}

/// Prepares the upload of a file, unless no version would run on it.
///
/// `unique` tells uploads of the same second apart.
pub async fn prepare_upload<S: Models + Promotion + History>(
    store: &S,
    request: &UploadRequest<'_>,
    now: Timestamp,
    unique: &str,
) -> StoreResult<Result<PreparedUpload, ResolveError>> {
    let UploadRequest { model, version, .. } = *request;
    let resolved = resolve_version(store, &Request::new(model, version), now).await?;
    Ok(resolved.map(|resolved| {
        let name = safe_file_name(request.file_name);
        PreparedUpload {
            key: key(INPUTS_PREFIX, model, version, now, unique, &name),
            metadata: metadata::write_metadata(request.notify, request.title),
            version: resolved,
        }
    }))
}

/// Prepares the object that starts a refresh, unless the version has no command for it.
pub async fn prepare_refresh<S: Models + Promotion + History>(
    store: &S,
    model: &ModelName,
    version: Option<Version>,
    now: Timestamp,
    unique: &str,
) -> StoreResult<Result<PreparedUpload, ResolveError>> {
    let resolved = resolve_refresh(store, &Request::new(model, version), now).await?;
    Ok(resolved.map(|resolved| PreparedUpload {
        key: key(REFRESH_PREFIX, model, version, now, unique, "refresh.json"),
        metadata: Vec::new(),
        version: resolved,
    }))
}

/// The run of an upload, once it has a record. Without the object's version id, it is searched
/// among the newest runs of its model.
pub async fn find_run_of_upload<S: Runs + History>(
    store: &S,
    model: &str,
    bucket: &str,
    key: &str,
    version_id: Option<&str>,
) -> StoreResult<Option<Run>> {
    if let Some(version_id) = version_id {
        return store.get(&RunId::derive(bucket, key, version_id)).await;
    }
    let runs = store.runs_of(model, MAX_SEARCHED_RUNS).await?;
    Ok(runs
        .into_iter()
        .find(|run| run.upload.bucket == bucket && run.upload.key == key))
}

/// `<prefix><model>[@<version>]/<UTC time>-<unique>/<file>`.
fn key(
    prefix: &str,
    model: &ModelName,
    version: Option<Version>,
    now: Timestamp,
    unique: &str,
    file: &str,
) -> String {
    let version = version.map_or_else(String::new, |version| format!("@{}", version.number()));
    let time = now.to_zoned(TimeZone::UTC).strftime("%Y%m%dT%H%M%S");
    format!("{prefix}{model}{version}/{time}-{unique}/{file}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_names_model_version_time_and_file() {
        let model: ModelName = "revenue-forecast".parse().unwrap();
        let now: Timestamp = "2026-03-01T10:30:00+01:00".parse().unwrap();
        assert_eq!(
            key(INPUTS_PREFIX, &model, None, now, "0a1b2c", "plan.json"),
            "inputs/revenue-forecast/20260301T093000-0a1b2c/plan.json"
        );
        let pinned = key(
            INPUTS_PREFIX,
            &model,
            Some("3".parse().unwrap()),
            now,
            "0a1b2c",
            "é %.json",
        );
        assert_eq!(
            pinned,
            "inputs/revenue-forecast@3/20260301T093000-0a1b2c/é %.json"
        );
    }
}
