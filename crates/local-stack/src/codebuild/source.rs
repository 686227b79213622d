//! Fetches the zip file of a build and takes it apart.

use std::path::Path;

use aws_sdk_s3::{
    Client,
    error::{DisplayErrorContext, ProvideErrorMetadata},
};
use dropcast_model_folder::MAX_BYTES;
use tokio::{fs::File, io::AsyncWriteExt};

use super::core::build::Source;

/// Fetches the source into a folder that is empty. The error is the end of a sentence of AWS.
pub(crate) async fn fetch(
    client: &Client,
    source: &Source,
    zip: &Path,
    folder: &Path,
) -> Result<(), String> {
    download(client, source, zip).await?;
    let failed = |error: &dyn std::fmt::Display| format!("{error} for primary source");
    let (zip, folder) = (zip.to_owned(), folder.to_owned());
    let unpack = move || {
        std::fs::create_dir_all(&folder)?;
        dropcast_model_folder::unpack(std::fs::File::open(&zip)?, &folder)
    };
    tokio::task::spawn_blocking(unpack)
        .await
        .map_err(|error| failed(&error))?
        .map_err(|error| failed(&format!("the zip file is not valid: {error}")))
}

async fn download(client: &Client, source: &Source, to: &Path) -> Result<(), String> {
    let of = || format!("for primary source and source version {}", source.arn());
    let object = client
        .get_object()
        .bucket(&source.bucket)
        .key(&source.key)
        .set_version_id(source.version.clone())
        .send()
        .await;
    let mut object = object.map_err(|error| match (error.code(), error.message()) {
        (Some(code), message) => format!("{code}: {} {}", message.unwrap_or_default(), of()),
        _ => format!("{} {}", DisplayErrorContext(&error), of()),
    })?;
    let mut file = File::create(to).await.map_err(|error| error.to_string())?;
    let mut bytes = 0;
    while let Some(chunk) = object
        .body
        .try_next()
        .await
        .map_err(|error| format!("the transfer was interrupted: {error} {}", of()))?
    {
        bytes += chunk.len() as u64;
        if bytes > MAX_BYTES {
            return Err(format!(
                "the zip file is larger than the 2 GiB that a model may have {}",
                of()
            ));
        }
        file.write_all(&chunk)
            .await
            .map_err(|error| error.to_string())?;
    }
    file.flush().await.map_err(|error| error.to_string())
}
