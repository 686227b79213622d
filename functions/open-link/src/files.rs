//! The results bucket, as far as this function needs it.

use std::{future::Future, time::Duration};

use aws_sdk_s3::{Client, presigning::PresigningConfig};
use dropcast_domain::output::Output;
use dropcast_lambda_kit::error::CallError;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// How long the URL behind a link lives: enough to begin a download.
const URL_LIFETIME: Duration = Duration::from_mins(5);

/// What RFC 8187 leaves as it is in an extended parameter value.
const EXTENDED_VALUE: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// Where published files are.
pub trait Files: Send + Sync {
    /// A URL that downloads the file for a few minutes.
    fn url(&self, output: &Output) -> impl Future<Output = Result<String, CallError>> + Send;
}

/// Presigned URLs of S3.
#[derive(Debug)]
pub struct Presigner {
    client: Client,
    bucket: String,
}

impl Presigner {
    /// URLs of this bucket's objects.
    pub fn new(client: Client, bucket: impl Into<String>) -> Self {
        Self {
            client,
            bucket: bucket.into(),
        }
    }
}

impl Files for Presigner {
    async fn url(&self, output: &Output) -> Result<String, CallError> {
        let expiry = PresigningConfig::expires_in(URL_LIFETIME).map_err(|error| CallError {
            call: "s3:GetObject",
            transient: false,
            source: Box::new(error),
        })?;
        let request = self
            .client
            .get_object()
            .bucket(&self.bucket)
            .key(&output.key)
            .response_content_disposition(disposition(&output.path))
            .response_content_type(&output.media_type)
            .presigned(expiry)
            .await
            .map_err(|error| CallError::of_sdk("s3:GetObject", error))?;
        Ok(request.uri().to_owned())
    }
}

/// `attachment`, so that nothing of a model's is run by a browser, with the
/// file's name twice: plain for old readers, RFC 8187 for the rest.
fn disposition(path: &str) -> String {
    let name = path.rsplit('/').next().unwrap_or(path);
    let plain: String = name
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || "-._ ".contains(c) {
                c
            } else {
                '_'
            }
        })
        .collect();
    format!(
        "attachment; filename=\"{plain}\"; filename*=UTF-8''{}",
        utf8_percent_encode(name, EXTENDED_VALUE)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_name_cannot_break_out_of_the_header() {
        let header = disposition("sub/plan \"q3\"\r\n é.csv");
        assert_eq!(
            header,
            "attachment; filename=\"plan _q3___ _.csv\"; filename*=UTF-8''plan%20%22q3%22%0D%0A%20%C3%A9.csv"
        );
    }
}
