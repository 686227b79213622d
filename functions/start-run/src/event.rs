//! The S3 event as it arrives.

use dropcast_domain::upload::Upload;
use jiff::Timestamp;
use serde::Deserialize;

/// The detail of S3's `Object Created`, as far as it is used.
///
/// The key is raw, not URL-encoded as in S3's own notifications. See
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html>.
#[derive(Debug, Clone, Deserialize)]
pub struct ObjectCreated {
    bucket: Bucket,
    object: Object,
}

#[derive(Debug, Clone, Deserialize)]
struct Bucket {
    name: String,
}

#[derive(Debug, Clone, Deserialize)]
struct Object {
    key: String,
    #[serde(default)]
    size: u64,
    #[serde(rename = "version-id", default)]
    version_id: Option<String>,
    #[serde(default)]
    sequencer: Option<String>,
}

impl ObjectCreated {
    /// The upload, at the event's time.
    pub(crate) fn uploaded_at(self, time: Timestamp) -> Upload {
        let Self { bucket, object } = self;
        Upload {
            bucket: bucket.name,
            key: object.key,
            // A bucket without versioning says "null" for every upload.
            version_id: object
                .version_id
                .filter(|id| !id.is_empty() && id != "null"),
            sequencer: object.sequencer,
            bytes: object.size,
            at: time,
        }
    }
}
