//! Uploads to a stack's inputs bucket.

use std::path::Path;

use anyhow::Context as _;
use aws_sdk_s3::{error::SdkError, operation::put_object::PutObjectError, primitives::ByteStream};
use dropcast_app::uploads::{self, PreparedUpload, UploadRequest};
use dropcast_aws::s3::transfer;
use dropcast_domain::{
    ids::Version,
    model::ModelName,
    recipient::{self, MAX_RECIPIENTS},
    run::Run,
};
use jiff::Timestamp;

use crate::{
    exit::{CliError, Exit, REACH_ADVICE, join_causes},
    registry,
    stack::Stack,
};

/// A local file to upload for a model.
pub struct FileUpload<'a> {
    /// The file.
    pub file: &'a Path,
    /// The model.
    pub model: &'a ModelName,
    /// The pinned version.
    pub version: Option<Version>,
    /// The addresses to mail.
    pub notify: &'a [String],
    /// The run's title.
    pub title: Option<&'a str>,
}

/// An object in the inputs bucket.
#[derive(Debug, Clone)]
pub struct UploadedObject {
    /// The bucket.
    pub bucket: String,
    /// The key, which is unique to the upload.
    pub key: String,
    /// The model's name in the key.
    pub model: String,
    /// The object's version.
    pub version_id: Option<String>,
}

impl FileUpload<'_> {
    /// Uploads the file under a unique key, if a version can run on it. `now` is a part of the key.
    pub async fn upload(&self, stack: &Stack, now: Timestamp) -> anyhow::Result<UploadedObject> {
        let file_name = check_file(self.file)?;
        let request = UploadRequest {
            model: self.model,
            version: self.version,
            file_name: &file_name,
            notify: self.notify,
            title: self.title,
        };
        let prepared =
            uploads::prepare_upload(&stack.store, &request, now, &unique_suffix()).await?;
        let prepared =
            prepared.map_err(|error| registry::explain_resolve_error(&error, &stack.command()))?;
        let body = ByteStream::from_path(self.file)
            .await
            .with_context(|| format!("cannot read {}", self.file.display()))?;
        put_object(stack, prepared, body, None).await
    }
}

/// Uploads the object that requests a refresh, if the version has a command for it.
pub async fn request_refresh(
    stack: &Stack,
    model: &ModelName,
    version: Option<Version>,
    now: Timestamp,
) -> anyhow::Result<UploadedObject> {
    let prepared =
        uploads::prepare_refresh(&stack.store, model, version, now, &unique_suffix()).await?;
    let prepared =
        prepared.map_err(|error| registry::explain_resolve_error(&error, &stack.command()))?;
    let body = ByteStream::from_static(b"{}");
    put_object(stack, prepared, body, Some("application/json")).await
}

async fn put_object(
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
        .customize()
        .config_override(transfer())
        .send()
        .await
        .map_err(|error| explain_put_error(stack, &error))?;
    Ok(UploadedObject {
        bucket: stack.inputs_bucket.clone(),
        key: upload.key,
        model: upload.version.model.to_string(),
        version_id: answer.version_id().map(str::to_owned),
    })
}

impl UploadedObject {
    /// Its address.
    pub fn uri(&self) -> String {
        format!("s3://{}/{}", self.bucket, self.key)
    }

    /// Its run, once it has a record.
    pub async fn find_run(&self, stack: &Stack) -> anyhow::Result<Option<Run>> {
        let Self {
            bucket,
            key,
            model,
            version_id,
        } = self;
        let version_id = version_id.as_deref();
        let run = uploads::find_run_of_upload(&stack.store, model, bucket, key, version_id);
        Ok(run.await?)
    }
}

/// Refuses a list of recipients if some of them would not be mailed.
pub(crate) fn check_recipients(notify: &[String]) -> Result<(), CliError> {
    let wanted = recipient::parse_list(&notify.join(","));
    if let Some(entry) = wanted.unusable.first() {
        return Err(CliError::new(
            Exit::Usage,
            format!("“{entry}” is not an e-mail address."),
        ));
    }
    let named = wanted.addresses.len() + wanted.left_out.len();
    if !wanted.left_out.is_empty() {
        return Err(CliError::new(
            Exit::Usage,
            format!(
                "--notify contains {named} addresses, but at most {MAX_RECIPIENTS} are mailed about a run."
            ),
        )
        .advice("Use the address of a mailing list instead."));
    }
    Ok(())
}

/// The error for an upload that failed.
fn explain_put_error(stack: &Stack, error: &SdkError<PutObjectError>) -> CliError {
    let exit = if dropcast_aws::is_transient(error) {
        Exit::NoStack
    } else {
        Exit::Internal
    };
    CliError::new(
        exit,
        format!(
            "The file could not be uploaded to the bucket {}: {}.",
            stack.inputs_bucket,
            join_causes(error)
        ),
    )
    .advice(REACH_ADVICE)
}

fn check_file(file: &Path) -> Result<String, CliError> {
    let problem = match std::fs::metadata(file) {
        Ok(found) if found.is_file() => {
            let name = file.file_name().unwrap_or_default();
            return Ok(name.to_string_lossy().into_owned());
        }
        Ok(_) => "is not a file".to_owned(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => "does not exist".to_owned(),
        Err(error) => format!("cannot be read: {error}"),
    };
    Err(CliError::new(
        Exit::NotFound,
        format!("{} {problem}.", file.display()),
    ))
}

/// Six hex digits.
fn unique_suffix() -> String {
    let mut hex = uuid::Uuid::new_v4().simple().to_string();
    hex.truncate(6);
    hex
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_uploads_in_one_second_have_different_keys() {
        assert_ne!(unique_suffix(), unique_suffix());
        assert_eq!(unique_suffix().len(), 6);
    }

    #[test]
    fn recipients_who_would_not_be_mailed_are_refused() {
        let people = |number: usize| -> Vec<String> {
            (0..number).map(|n| format!("p{n}@corp.example")).collect()
        };
        assert!(check_recipients(&people(20)).is_ok());
        let many = check_recipients(&people(23)).unwrap_err();
        assert_eq!(many.exit, Exit::Usage);
        assert_eq!(
            many.message,
            "--notify contains 23 addresses, but at most 20 are mailed about a run."
        );
        let junk = check_recipients(&["ana".to_owned()]).unwrap_err();
        assert_eq!(junk.message, "“ana” is not an e-mail address.");
    }

    #[test]
    fn a_folder_or_a_missing_file_is_not_uploaded() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(check_file(folder.path()).unwrap_err().exit, Exit::NotFound);
        let missing = folder.path().join("missing.json");
        assert!(
            check_file(&missing)
                .unwrap_err()
                .message
                .ends_with("does not exist.")
        );
    }
}
