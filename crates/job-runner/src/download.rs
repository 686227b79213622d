//! Fetches one object to disk, whole or not at all.

use std::{fs, io, path::Path, time::Duration};

use aws_sdk_s3::Client;
use sha2::{Digest as _, Sha256};
use tokio::io::{AsyncWriteExt as _, BufWriter};

use crate::{
    error::{chain, describe},
    s3_uri::S3Uri,
};

/// Tries of one object. The SDK tries a request again, but not a body that broke off midway.
const TRIES: u32 = 4;
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const WRITE_BUFFER: usize = 1 << 20;

/// An object that is now a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fetched {
    /// Its size.
    pub(crate) bytes: u64,
    /// What S3 calls this content; quoted, as S3 sends it.
    pub(crate) etag: Option<String>,
    /// The SHA-256 of the file.
    pub(crate) sha256: [u8; 32],
}

/// Fetches `from` to `to`. The bytes go to a file in `staging` first, a folder of the same file
/// system, and take their place when they are complete.
pub(crate) async fn fetch(
    client: &Client,
    from: &S3Uri,
    to: &Path,
    staging: &Path,
) -> Result<Fetched, String> {
    let mut pause = FIRST_PAUSE;
    for _ in 1..TRIES {
        match try_fetch(client, from, to, staging).await {
            Err(Failure::BrokeOff(_)) => {
                tokio::time::sleep(pause).await;
                pause *= 2;
            }
            Err(Failure::Final(reason)) => return Err(reason),
            Ok(fetched) => return Ok(fetched),
        }
    }
    try_fetch(client, from, to, staging)
        .await
        .map_err(|failure| match failure {
            Failure::BrokeOff(reason) | Failure::Final(reason) => reason,
        })
}

enum Failure {
    BrokeOff(String),
    Final(String),
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Final(format!("writing it to disk failed: {error}"))
    }
}

async fn try_fetch(
    client: &Client,
    from: &S3Uri,
    to: &Path,
    staging: &Path,
) -> Result<Fetched, Failure> {
    let mut object = client
        .get_object()
        .bucket(&from.bucket)
        .key(&from.key)
        .send()
        .await
        .map_err(|error| Failure::Final(describe(&error)))?;
    let staged = tempfile::NamedTempFile::new_in(staging)?;
    let file = tokio::fs::File::from_std(staged.reopen()?);
    let mut file = BufWriter::with_capacity(WRITE_BUFFER, file);
    let (mut bytes, mut sha256) = (0, Sha256::new());
    while let Some(chunk) =
        object.body.try_next().await.map_err(|error| {
            Failure::BrokeOff(format!("the transfer broke off: {}", chain(&error)))
        })?
    {
        sha256.update(&chunk);
        bytes += chunk.len() as u64;
        file.write_all(&chunk).await?;
    }
    file.flush().await?;
    if let Some(parent) = to.parent() {
        fs::create_dir_all(parent)?;
    }
    staged.persist(to).map_err(|error| error.error)?;
    Ok(Fetched {
        bytes,
        etag: object.e_tag,
        sha256: sha256.finalize().into(),
    })
}
