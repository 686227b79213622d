//! What an uploader may say about the run, in the object's user metadata.

use std::{collections::HashMap, hash::BuildHasher};

use dropcast_domain::{
    recipient,
    run::{Run, UploadMetadata},
    title,
};

use super::encoded_word;

/// The addresses to mail, separated by commas.
const NOTIFY: &str = "notify";

/// The run's title.
const TITLE: &str = "title";

/// The user metadata of an upload, in ASCII as HTTP headers require.
pub(super) fn write_metadata(
    notify: &[String],
    title: Option<&str>,
) -> Vec<(&'static str, String)> {
    let notify = Some(notify.join(",")).filter(|list| !list.is_empty());
    let title = title.map(encoded_word::encode);
    [(NOTIFY, notify), (TITLE, title)]
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
        .collect()
}

/// Reads the user metadata of an upload. Without a title, the run keeps the one that it has.
pub fn read_metadata(
    run: &Run,
    metadata: Option<&HashMap<String, String, impl BuildHasher>>,
) -> UploadMetadata {
    let value = |name: &str| {
        let value = metadata?.get(name)?;
        Some(encoded_word::decode(value))
    };
    let recipients = recipient::parse_list(&value(NOTIFY).unwrap_or_default());
    let title = value(TITLE)
        .map(|text| title::clean(&text))
        .filter(|title| !title.is_empty());
    UploadMetadata {
        title: title.unwrap_or_else(|| run.title.clone()),
        notify: recipients.addresses,
        notify_unusable: recipients.unusable,
        notify_left_out: recipients.left_out,
    }
}
