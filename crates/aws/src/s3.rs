//! A bucket of S3: its objects opened, written and linked to.

use std::{collections::HashMap, path::Path, time::Duration};

use aws_sdk_s3::{
    Client,
    config::Builder,
    error::{ProvideErrorMetadata as _, SdkError},
    operation::get_object::GetObjectError,
    presigning::PresigningConfig,
    primitives::ByteStream,
    types::ObjectVersion,
};
use bytes::Bytes;
use dropcast_domain::{
    output::{Output, disposition},
    upload::{INPUTS_PREFIX, REFRESH_PREFIX, Upload},
};
use jiff::Timestamp;
use tokio::io::AsyncBufRead;

use crate::{
    CallError,
    ports::{RecentUploads, ResultFiles},
    timeouts,
};

const GET: &str = "s3:GetObject";
const LIST_VERSIONS: &str = "s3:ListBucketVersions";
const PUT: &str = "s3:PutObject";

/// The settings of a call that carries an object's content.
pub fn transfer() -> Builder {
    aws_sdk_s3::Config::builder().timeout_config(timeouts::of_transfers())
}

/// One bucket.
#[derive(Debug, Clone)]
pub struct Bucket {
    client: Client,
    name: String,
}

/// An opened object, whose content is still to be read.
#[derive(Debug)]
pub struct Object {
    /// Its size in bytes, as S3 declares it.
    pub bytes: Option<u64>,
    /// Its user metadata, by name without `x-amz-meta-`.
    pub metadata: HashMap<String, String>,
    content: ByteStream,
}

impl Bucket {
    /// The bucket of this name.
    pub fn new(client: Client, name: impl Into<String>) -> Self {
        Self {
            client,
            name: name.into(),
        }
    }

    /// The client that reaches it, for what is not here.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Opens an object, in the version that is given or its newest; `None` if it does not exist,
    /// which S3 says only to those who may list the bucket.
    pub async fn open(
        &self,
        key: &str,
        version: Option<&str>,
    ) -> Result<Option<Object>, CallError> {
        found(self.get(key, version).await)
    }

    /// Opens an object for a role that may not list the bucket: `None` also where S3 denies it,
    /// which is what it says to that role of an object that does not exist.
    pub async fn open_if_allowed(
        &self,
        key: &str,
        version: Option<&str>,
    ) -> Result<Option<Object>, CallError> {
        match self.get(key, version).await {
            Err(error) if error.code() == Some("AccessDenied") => {
                tracing::warn!(
                    "AccessDenied: the object does not exist, or the role may not read it"
                );
                Ok(None)
            }
            answer => found(answer),
        }
    }

    async fn get(
        &self,
        key: &str,
        version: Option<&str>,
    ) -> Result<Object, SdkError<GetObjectError>> {
        let request = self.client.get_object().bucket(&self.name).key(key);
        let request = request.set_version_id(version.map(ToOwned::to_owned));
        request.send().await.map(|object| Object {
            bytes: object
                .content_length
                .and_then(|length| u64::try_from(length).ok()),
            metadata: object.metadata.unwrap_or_default(),
            content: object.body,
        })
    }

    /// Writes an object.
    pub async fn put(
        &self,
        key: &str,
        media_type: &str,
        content: Vec<u8>,
    ) -> Result<(), CallError> {
        self.write(key, media_type, content.into()).await
    }

    /// Writes an object from a file, which is not read into memory.
    ///
    /// In one piece: S3 takes up to 5 GiB, and the SDK reads the file again when it has to send it
    /// again. <https://docs.aws.amazon.com/AmazonS3/latest/userguide/upload-objects.html>
    pub async fn put_file(
        &self,
        key: &str,
        media_type: &str,
        file: &Path,
    ) -> Result<(), CallError> {
        let content = ByteStream::from_path(file)
            .await
            .map_err(|error| CallError {
                call: PUT,
                transient: true,
                source: Box::new(error),
            })?;
        self.write(key, media_type, content).await
    }

    async fn write(
        &self,
        key: &str,
        media_type: &str,
        content: ByteStream,
    ) -> Result<(), CallError> {
        let request = self.client.put_object().bucket(&self.name).key(key);
        let request = request.content_type(media_type).body(content);
        let written = request.customize().config_override(transfer()).send().await;
        written
            .map(drop)
            .map_err(|error| CallError::of_sdk(PUT, error))
    }

    /// Writes an object unless its key has one; says whether it did.
    pub async fn put_if_absent(
        &self,
        key: &str,
        media_type: &str,
        content: Vec<u8>,
    ) -> Result<bool, CallError> {
        let request = self.client.put_object().bucket(&self.name).key(key);
        let request = request.if_none_match("*").content_type(media_type);
        let request = request.body(content.into()).customize();
        match request.config_override(transfer()).send().await {
            Ok(_) => Ok(true),
            // A conflict is another matter: the writer that we met may still fail.
            Err(error) if error.code() == Some("PreconditionFailed") => Ok(false),
            Err(error) => Err(CallError::of_sdk(PUT, error)),
        }
    }

    /// A URL that downloads an output under its own name and type, valid for `lifetime` and no
    /// longer than the credentials that sign it.
    pub async fn presign(&self, output: &Output, lifetime: Duration) -> Result<String, CallError> {
        let lifetime = PresigningConfig::expires_in(lifetime).map_err(|error| CallError {
            call: GET,
            transient: false,
            source: Box::new(error),
        })?;
        let request = self.client.get_object().bucket(&self.name).key(&output.key);
        let request = request
            .set_version_id(output.version_id.clone())
            .response_content_disposition(disposition(&output.path))
            .response_content_type(&output.media_type)
            .presigned(lifetime)
            .await
            .map_err(|error| CallError::of_sdk(GET, error))?;
        Ok(request.uri().to_owned())
    }
}

impl ResultFiles for Bucket {
    fn bucket(&self) -> &str {
        self.name()
    }

    async fn read(&self, key: &str) -> Result<Option<Vec<u8>>, CallError> {
        match self.open(key, None).await? {
            Some(object) => object.read(u64::MAX).await.map(Some),
            None => Ok(None),
        }
    }

    async fn presign(&self, output: &Output, lifetime: Duration) -> Result<String, CallError> {
        Self::presign(self, output, lifetime).await
    }
}

/// What was found, if anything.
fn found(answer: Result<Object, SdkError<GetObjectError>>) -> Result<Option<Object>, CallError> {
    match answer {
        Ok(object) => Ok(Some(object)),
        // The last is what S3 says of a version that marks a deletion:
        // https://docs.aws.amazon.com/AmazonS3/latest/userguide/DeleteMarker.html
        Err(error)
            if matches!(
                error.code(),
                Some("NoSuchKey" | "NoSuchVersion" | "MethodNotAllowed")
            ) =>
        {
            Ok(None)
        }
        Err(error) => Err(CallError::of_sdk(GET, error)),
    }
}

impl RecentUploads for Bucket {
    /// Lists the whole bucket, as S3 cannot select by time: one call for a thousand files.
    async fn uploaded(&self, from: Timestamp, until: Timestamp) -> Result<Vec<Upload>, CallError> {
        let mut found = Vec::new();
        for prefix in [INPUTS_PREFIX, REFRESH_PREFIX] {
            let (mut key, mut version) = (None, None);
            loop {
                let list = self.client.list_object_versions().bucket(&self.name);
                let list = list.prefix(prefix).set_key_marker(key);
                let page = list.set_version_id_marker(version).send().await;
                let page = page.map_err(|error| CallError::of_sdk(LIST_VERSIONS, error))?;
                let versions = page.versions.unwrap_or_default().into_iter();
                let uploads = versions.filter_map(|version| self.upload(version));
                found.extend(uploads.filter(|upload| upload.at >= from && upload.at < until));
                if page.is_truncated != Some(true) {
                    break;
                }
                (key, version) = (page.next_key_marker, page.next_version_id_marker);
            }
        }
        Ok(found)
    }
}

impl Bucket {
    /// An object's version as its upload. A bucket whose versioning is off says "null".
    fn upload(&self, version: ObjectVersion) -> Option<Upload> {
        let at = version.last_modified?;
        Some(Upload {
            bucket: self.name.clone(),
            key: version.key?,
            version_id: Some(version.version_id.filter(|id| id != "null")?),
            sequencer: None,
            bytes: version.size.and_then(|size| u64::try_from(size).ok())?,
            at: Timestamp::new(at.secs(), at.subsec_nanos().cast_signed()).ok()?,
        })
    }
}

impl Object {
    /// An object with this content, for tests of whatever reads objects.
    pub fn new(bytes: u64, metadata: HashMap<String, String>, content: Vec<u8>) -> Self {
        Self {
            bytes: Some(bytes),
            metadata,
            content: content.into(),
        }
    }

    /// The next piece of the content; `None` at its end.
    pub async fn next_piece(&mut self) -> Result<Option<Bytes>, CallError> {
        self.content.try_next().await.map_err(|error| CallError {
            call: GET,
            transient: true,
            source: Box::new(error),
        })
    }

    /// The content. Reading stops as soon as there is more than `at_most` bytes: what is longer
    /// than that is the beginning of a larger object.
    pub async fn read(mut self, at_most: u64) -> Result<Vec<u8>, CallError> {
        let mut content = Vec::new();
        while content.len() as u64 <= at_most
            && let Some(piece) = self.next_piece().await?
        {
            content.extend_from_slice(&piece);
        }
        Ok(content)
    }

    /// The content as a reader.
    pub fn into_reader(self) -> impl AsyncBufRead + Send + Unpin {
        self.content.into_async_read()
    }
}
