//! Files to drop, and the runs that they start.

use anyhow::{Context, Result, ensure};
use aws_sdk_s3::primitives::ByteStream;
use dropcast_domain::{
    ids::RunId,
    upload,
    upload::{INPUTS_PREFIX, REFRESH_PREFIX},
};

use crate::{Event, Stack, stack::LIMIT};

/// A file to drop.
#[derive(Debug, Clone)]
pub struct Upload {
    /// Its key, as it is.
    pub key: String,
    /// Its content.
    pub content: Vec<u8>,
    /// Its metadata, without `x-amz-meta-`.
    pub metadata: Vec<(String, String)>,
}

impl Upload {
    /// A file for a model, under a name below the model's folder.
    pub fn new(model: &str, name: &str, content: impl Into<Vec<u8>>) -> Self {
        Self {
            key: format!("{INPUTS_PREFIX}{model}/{name}"),
            content: content.into(),
            metadata: Vec::new(),
        }
    }

    /// What asks for a refresh of a model, under a name below the model's folder.
    pub fn refresh(model: &str, name: &str) -> Self {
        Self {
            key: format!("{REFRESH_PREFIX}{model}/{name}"),
            ..Self::new(model, name, "{}")
        }
    }

    /// Mails these people.
    #[must_use]
    pub fn notify(self, addresses: &str) -> Self {
        self.with("notify", addresses)
    }

    /// Calls the run so.
    #[must_use]
    pub fn title(self, title: &str) -> Self {
        self.with("title", title)
    }

    fn with(mut self, name: &str, value: &str) -> Self {
        self.metadata.push((name.to_owned(), value.to_owned()));
        self
    }
}

/// A file that was dropped.
#[derive(Debug, Clone)]
pub struct Dropped {
    /// The upload as S3's event tells it.
    pub upload: upload::Upload,
    /// The run that it starts.
    pub run: RunId,
    /// The version that S3 gave it.
    pub version_id: Option<String>,
}

impl Stack {
    /// Puts a file into the inputs bucket.
    pub async fn put(&self, file: &Upload) -> Result<Option<String>> {
        let mut request = self
            .s3
            .put_object()
            .bucket(self.output("InputsBucketName")?)
            .key(&file.key)
            .body(ByteStream::from(file.content.clone()));
        for (name, value) in &file.metadata {
            request = request.metadata(name, value);
        }
        Ok(request.send().await?.version_id)
    }

    /// Puts a file under a key of its own into the inputs bucket and tells its run.
    pub async fn submit(&self, file: &Upload) -> Result<Dropped> {
        let version_id = self.put(file).await?;
        let mut uploads = self.uploads_of(&file.key, 1).await?;
        let upload = uploads.pop().context("an upload")?;
        // With another id, repair-runs would take the object for an upload that was missed.
        ensure!(
            upload.version_id == version_id,
            "S3's event names version {:?}, and S3 answered {version_id:?}",
            upload.version_id
        );
        Ok(Dropped {
            run: upload.run_id(),
            upload,
            version_id,
        })
    }

    /// The first so many uploads under a key, as S3's events tell them.
    pub async fn uploads_of(&self, key: &str, count: usize) -> Result<Vec<upload::Upload>> {
        let found = self
            .heard(count, LIMIT, |event| {
                event.source == "aws.s3"
                    && event.detail_type == "Object Created"
                    && event.detail["object"]["key"] == *key
            })
            .await;
        ensure!(
            found.len() == count,
            "S3 told of {} of {count} uploads of {key}",
            found.len()
        );
        found.iter().map(as_upload).collect()
    }
}

fn as_upload(event: &Event) -> Result<upload::Upload> {
    let object = &event.detail["object"];
    let text = |value: &serde_json::Value| value.as_str().map(str::to_owned);
    Ok(upload::Upload {
        bucket: text(&event.detail["bucket"]["name"]).context("a bucket")?,
        key: text(&object["key"]).context("a key")?,
        version_id: text(&object["version-id"]),
        sequencer: text(&object["sequencer"]),
        bytes: object["size"].as_u64().unwrap_or_default(),
        at: event.time,
    })
}
