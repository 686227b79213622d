//! Putting objects into a stack's inputs bucket.

use std::path::Path;

use anyhow::Context as _;
use aws_sdk_s3::{error::SdkError, operation::put_object::PutObjectError, primitives::ByteStream};
use dropcast_app::uploads::{self, PreparedUpload, UploadRequest};
use dropcast_domain::{
    ids::Version,
    model::ModelName,
    recipient::{self, MAX_RECIPIENTS},
    run::Run,
};
use jiff::Timestamp;

use crate::{
    exit::{Exit, REACH_ADVICE, Stop, causes},
    registry,
    stack::Stack,
};

/// A file on this machine that is uploaded for a model.
pub struct FileUpload<'a> {
    /// The file.
    pub file: &'a Path,
    /// The model.
    pub model: &'a ModelName,
    /// The pinned version.
    pub version: Option<Version>,
    /// Who is mailed.
    pub notify: &'a [String],
    /// What the run is called.
    pub title: Option<&'a str>,
}

/// An object that was put into the inputs bucket.
#[derive(Debug, Clone)]
pub struct UploadedObject {
    /// The bucket.
    pub bucket: String,
    /// The key, which no other upload has.
    pub key: String,
    /// The model's name in the key.
    pub model: String,
    /// The object's version.
    pub version_id: Option<String>,
}

impl FileUpload<'_> {
    /// Uploads the file under a key of its own, if a version can run on it; `now` goes into the key.
    pub async fn put(&self, stack: &Stack, now: Timestamp) -> anyhow::Result<UploadedObject> {
        let file_name = file_name(self.file)?;
        let request = UploadRequest {
            model: self.model,
            version: self.version,
            file_name: &file_name,
            notify: self.notify,
            title: self.title,
        };
        let prepared = uploads::prepare_upload(&stack.store, &request, now, &unique()).await?;
        let prepared = prepared.map_err(|error| registry::refused(&error, &stack.command()))?;
        let body = ByteStream::from_path(self.file)
            .await
            .with_context(|| format!("cannot read {}", self.file.display()))?;
        put(stack, prepared, body, None).await
    }
}

/// Puts the object that requests a refresh, if the version has a command for it.
pub async fn request_refresh(
    stack: &Stack,
    model: &ModelName,
    version: Option<Version>,
    now: Timestamp,
) -> anyhow::Result<UploadedObject> {
    let prepared = uploads::prepare_refresh(&stack.store, model, version, now, &unique()).await?;
    let prepared = prepared.map_err(|error| registry::refused(&error, &stack.command()))?;
    let body = ByteStream::from_static(b"{}");
    put(stack, prepared, body, Some("application/json")).await
}

async fn put(
    stack: &Stack,
    upload: PreparedUpload,
    body: ByteStream,
    content_type: Option<&str>,
) -> anyhow::Result<UploadedObject> {
    let mut request = stack
        .s3
        .put_object()
        .bucket(&stack.inputs_bucket)
        .key(&upload.key)
        .set_content_type(content_type.map(ToOwned::to_owned))
        .body(body);
    for (name, value) in upload.metadata {
        request = request.metadata(name, value);
    }
    let answer = request
        .send()
        .await
        .map_err(|error| not_put(stack, &error))?;
    Ok(UploadedObject {
        bucket: stack.inputs_bucket.clone(),
        key: upload.key,
        model: upload.version.model.to_string(),
        version_id: answer.version_id().map(str::to_owned),
    })
}

impl UploadedObject {
    /// Where it is.
    pub fn uri(&self) -> String {
        format!("s3://{}/{}", self.bucket, self.key)
    }

    /// Its run, once it has a record.
    pub async fn find_run(&self, stack: &Stack) -> anyhow::Result<Option<Run>> {
        let run = uploads::find_run_of_upload(&stack.store, &self.model, &self.bucket, &self.key);
        Ok(run.await?)
    }
}

/// Refuses a list of recipients of whom some would not be mailed.
pub(crate) fn check_recipients(notify: &[String]) -> Result<(), Stop> {
    let wanted = recipient::parse_list(&notify.join(","));
    if let Some(entry) = wanted.unusable.first() {
        return Err(Stop::new(
            Exit::Usage,
            format!("“{entry}” is not an e-mail address."),
        ));
    }
    let named = wanted.addresses.len() + wanted.left_out.len();
    if !wanted.left_out.is_empty() {
        return Err(Stop::new(
            Exit::Usage,
            format!(
                "--notify names {named} addresses; at most {MAX_RECIPIENTS} are notified about a run."
            ),
        )
        .advice("Use the address of a group instead."));
    }
    Ok(())
}

/// The end of a command whose object did not get into the bucket.
fn not_put(stack: &Stack, error: &SdkError<PutObjectError>) -> Stop {
    let exit = if dropcast_aws::is_transient(error) {
        Exit::NoStack
    } else {
        Exit::Internal
    };
    Stop::new(
        exit,
        format!(
            "The file could not be uploaded to the bucket {}: {}.",
            stack.inputs_bucket,
            causes(error)
        ),
    )
    .advice(REACH_ADVICE)
}

fn file_name(file: &Path) -> Result<String, Stop> {
    let described = match std::fs::metadata(file) {
        Ok(found) if found.is_file() => {
            let name = file.file_name().unwrap_or_default();
            return Ok(name.to_string_lossy().into_owned());
        }
        Ok(_) => "is not a file".to_owned(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => "does not exist".to_owned(),
        Err(error) => format!("cannot be read: {error}"),
    };
    Err(Stop::new(
        Exit::NotFound,
        format!("{} {described}.", file.display()),
    ))
}

/// Six hex digits.
fn unique() -> String {
    let mut hex = uuid::Uuid::new_v4().simple().to_string();
    hex.truncate(6);
    hex
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_uploads_of_one_second_have_two_keys() {
        assert_ne!(unique(), unique());
        assert_eq!(unique().len(), 6);
    }

    #[test]
    fn recipients_who_would_not_be_mailed_are_refused_for_what_they_are() {
        let people = |number: usize| -> Vec<String> {
            (0..number).map(|n| format!("p{n}@corp.example")).collect()
        };
        assert!(check_recipients(&people(20)).is_ok());
        let many = check_recipients(&people(23)).unwrap_err();
        assert_eq!(many.exit, Exit::Usage);
        assert_eq!(
            many.message,
            "--notify names 23 addresses; at most 20 are notified about a run."
        );
        let junk = check_recipients(&["ana".to_owned()]).unwrap_err();
        assert_eq!(junk.message, "“ana” is not an e-mail address.");
    }

    #[test]
    fn a_folder_or_a_missing_file_is_not_uploaded() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(file_name(folder.path()).unwrap_err().exit, Exit::NotFound);
        let missing = folder.path().join("missing.json");
        assert!(
            file_name(&missing)
                .unwrap_err()
                .message
                .ends_with("does not exist.")
        );
    }
}
