//! What the uploader said about the run, in the object's metadata.

use std::collections::HashMap;

use dropcast_domain::{
    recipient,
    run::{Run, UploadMetadata},
    title,
};
use rfc2047_decoder::{Decoder, RecoverStrategy};

/// Reads `title` and `notify`; the run keeps its file's name without a title.
pub(crate) fn metadata(run: &Run, metadata: Option<&HashMap<String, String>>) -> UploadMetadata {
    let value = |key: &str| {
        metadata
            .and_then(|metadata| metadata.get(key))
            .map(|value| decoded(value))
    };
    let wanted = recipient::parse_list(&value("notify").unwrap_or_default());
    let title = value("title")
        .map(|text| title::clean(&text))
        .filter(|title| !title.is_empty());
    UploadMetadata {
        title: title.unwrap_or_else(|| run.title.clone()),
        notify: wanted.addresses,
        notify_unusable: wanted.unusable,
        notify_left_out: wanted.left_out,
    }
}

/// S3 hands out metadata beyond ASCII in the form of RFC 2047, as
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html> says.
/// What is encoded as one word longer than the RFC's 75 characters is meant all the same.
fn decoded(value: &str) -> String {
    Decoder::new()
        .too_long_encoded_word_strategy(RecoverStrategy::Decode)
        .decode(value)
        .unwrap_or_else(|_| value.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_beyond_ascii_is_decoded() {
        assert_eq!(decoded("=?UTF-8?B?UGzDoW4gUTM=?="), "Plán Q3");
        assert_eq!(decoded("Q3 plan"), "Q3 plan");
    }

    #[test]
    fn a_long_title_in_one_encoded_word_is_decoded() {
        let word = format!("=?UTF-8?Q?{}?=", "=C3=A9".repeat(60));
        assert_eq!(decoded(&word), "é".repeat(60));
    }
}
