//! Publishes what the model wrote: every file, then the listing that says they are all there.

use std::{
    fs::File,
    io::{BufWriter, Write as _},
    path::Path,
};

use futures::{StreamExt as _, TryStreamExt as _, stream};
use serde::Serialize;

use crate::{
    config::Config,
    error::JobError,
    media_type,
    s3_uri::S3Uri,
    upload::{IfExists, Uploaded, Uploader},
    walk::{FoundFile, Walk, WalkError},
    work_folder::WorkFolder,
};

/// The most bytes of an S3 key
/// (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html>).
pub(crate) const MAX_KEY: usize = 1024;
/// Files looked at ahead of the oldest that is still under way, per transfer: the listing is in
/// order, and one slow file must not leave the other transfers idle.
const LOOK_AHEAD: usize = 4;
const OUTPUT_FOLDER: &str = "output folder";

/// What was published.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Published {
    /// How many files.
    pub(crate) files: u64,
    /// Their bytes.
    pub(crate) bytes: u64,
}

/// One line of the listing. A digest is 64 lower-case hex digits.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Line<'a> {
    path: &'a str,
    bytes: u64,
    sha256: String,
    media_type: &'a str,
}

/// Uploads everything in the output folder and then its listing, sorted by path.
///
/// All is looked at before the first byte is sent: one file that must not be published keeps back
/// the others too. A failure midway leaves objects without a listing, which nobody reads.
pub(crate) async fn publish(
    config: &Config,
    work: &WorkFolder,
    uploader: &Uploader,
) -> Result<Published, JobError> {
    let prefix = config.attempt_prefix();
    let max_path_bytes = MAX_KEY.saturating_sub(prefix.key.len());
    let found = look(&work.outputs, max_path_bytes)?;

    let listing = work.staging.join("files.jsonl");
    let unwritten = |error: std::io::Error| {
        JobError::Upload(format!(
            "the listing of the outputs cannot be written: {error}"
        ))
    };
    let mut lines = BufWriter::new(File::create(&listing).map_err(unwritten)?);
    let mut uploads = stream::iter(walk(&work.outputs, max_path_bytes)?)
        .map(|file| upload(file, &prefix, uploader))
        .buffered(uploader.concurrency().saturating_mul(LOOK_AHEAD));
    let mut published = Published::default();
    while let Some((file, media_type, done)) = uploads.try_next().await? {
        let line = Line {
            path: &file.path,
            bytes: done.bytes,
            sha256: hex::encode(done.sha256),
            media_type: &media_type,
        };
        serde_json::to_writer(&mut lines, &line).map_err(|error| unwritten(error.into()))?;
        lines.write_all(b"\n").map_err(unwritten)?;
        published.files += 1;
        published.bytes += done.bytes;
    }
    lines
        .into_inner()
        .map_err(|error| unwritten(error.into_error()))?;
    if published != found {
        return Err(JobError::Upload(
            "the output folder changed during the upload: the model left a process running"
                .to_owned(),
        ));
    }
    let to = config.listing();
    uploader
        .upload(&listing, &to, "application/x-ndjson", IfExists::Fail)
        .await
        .map_err(|reason| JobError::Upload(format!("{to} could not be stored: {reason}")))?;
    Ok(published)
}

/// Every file that would be published, by path; refuses all for the first that must not be.
pub(crate) fn list(outputs: &Path, max_path_bytes: usize) -> Result<Vec<FoundFile>, JobError> {
    let files = walk(outputs, max_path_bytes)?;
    files
        .map(|file| file.map_err(|error| outputs_refused(&error)))
        .collect()
}

/// Looks at every file, and refuses all of them for the first that must not be published.
fn look(outputs: &Path, max_path_bytes: usize) -> Result<Published, JobError> {
    let mut found = Published::default();
    for file in walk(outputs, max_path_bytes)? {
        found.files += 1;
        found.bytes += file.map_err(|error| outputs_refused(&error))?.bytes;
    }
    Ok(found)
}

/// An output folder that the model deleted holds no outputs.
fn walk(
    outputs: &Path,
    max_path_bytes: usize,
) -> Result<impl Iterator<Item = Result<FoundFile, WalkError>>, JobError> {
    let walk = Walk::open(outputs, OUTPUT_FOLDER, max_path_bytes)
        .map_err(|error| outputs_refused(&error))?;
    Ok(walk.into_iter().flatten())
}

fn outputs_refused(error: &WalkError) -> JobError {
    JobError::OutputsRefused(format!("{error}; nothing was published"))
}

async fn upload(
    file: Result<FoundFile, WalkError>,
    prefix: &S3Uri,
    uploader: &Uploader,
) -> Result<(FoundFile, String, Uploaded), JobError> {
    let file = file.map_err(|error| outputs_refused(&error))?;
    let media_type = media_type::of(&file.path);
    let to = prefix.join(&file.path);
    match uploader
        .upload(&file.source, &to, &media_type, IfExists::Fail)
        .await
    {
        Ok(done) => Ok((file, media_type, done)),
        Err(reason) => Err(JobError::Upload(format!(
            "the output {:?} could not be stored: {reason}; nothing was published",
            file.path
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_written_as_lower_case_hex() {
        let mut digest = [0; 32];
        digest[..3].copy_from_slice(&[0x00, 0x9f, 0xa0]);
        assert_eq!(hex::encode(digest), format!("009fa0{}", "00".repeat(29)));
    }

    #[test]
    fn a_line_of_the_listing_has_the_agreed_shape() {
        let line = Line {
            path: "a/é.csv",
            bytes: 3,
            sha256: "00".to_owned(),
            media_type: "text/csv",
        };
        assert_eq!(
            serde_json::to_string(&line).unwrap(),
            r#"{"path":"a/é.csv","bytes":3,"sha256":"00","mediaType":"text/csv"}"#
        );
    }
}
