//! What a run published.

use std::fmt::Write as _;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{model::OutputKind, upload::safe_name};

/// One published output.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Output {
    /// The path relative to the model's output folder.
    #[schemars(length(min = 1, max = 1024))]
    pub path: String,
    /// The title in the model's manifest.
    pub title: String,
    /// The kind of output.
    pub kind: OutputKind,
    /// Size in bytes.
    pub bytes: u64,
    /// The SHA-256 of the content in hex, if it was recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = "^[0-9a-f]{64}$"))]
    pub sha256: Option<String>,
    /// The media type.
    pub media_type: String,
    /// The key in the results bucket.
    #[schemars(regex(pattern = "^runs/"))]
    pub key: String,
    /// The version of the object that was published, where the bucket keeps versions: links lead
    /// to it, whatever is written under the key later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version_id: Option<String>,
}

/// The file name of the copy of a rejected table with its problems marked.
pub const MARKED_FILE: &str = "marked.xlsx";

/// The media type of Excel workbooks.
pub const WORKBOOK: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

/// The `Content-Disposition` that a published file is downloaded with.
///
/// `attachment`, so that no browser runs what a model wrote, and the last part of
/// `path` as the name: once for old readers, in ASCII, and once as RFC 8187 has
/// it, in UTF-8. Neither can end the header's value or climb out of a folder.
pub fn disposition(path: &str) -> String {
    let last = path.rsplit('/').next().unwrap_or_default();
    let name = safe_name(last, "output");
    let plain: String = name
        .chars()
        .map(|c| match c {
            // Old readers decode %-escapes in a plain name too.
            '%' => '_',
            c if c.is_ascii() => c,
            _ => '_',
        })
        .collect();
    format!(
        "attachment; filename=\"{plain}\"; filename*=UTF-8''{}",
        extended_value(&name)
    )
}

/// A text as the value of an extended parameter (RFC 8187, 3.2.1), without the charset.
fn extended_value(text: &str) -> String {
    text.bytes().fold(String::new(), |mut value, byte| {
        if byte.is_ascii_alphanumeric() || b"!#$&+-.^_`|~".contains(&byte) {
            value.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(value, "%{byte:02X}");
        }
        value
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_file_is_downloaded_under_its_own_name() {
        assert_eq!(
            disposition("forecast.csv"),
            "attachment; filename=\"forecast.csv\"; filename*=UTF-8''forecast.csv"
        );
        assert_eq!(
            disposition("charts/Umsatz é 100%.png"),
            "attachment; filename=\"Umsatz _ 100_.png\"; filename*=UTF-8''Umsatz%20%C3%A9%20100%25.png"
        );
    }

    #[test]
    fn a_name_that_is_none_becomes_a_plain_one() {
        for path in ["", "sub/", "a/..", "..."] {
            assert_eq!(
                disposition(path),
                "attachment; filename=\"output\"; filename*=UTF-8''output"
            );
        }
    }

    #[test]
    fn a_name_that_reads_backwards_is_made_to_read_as_it_is() {
        let told = disposition("report\u{202e}gpj.exe");
        assert!(told.ends_with("UTF-8''report_gpj.exe"), "{told}");
    }

    proptest! {
        #[test]
        fn no_name_breaks_out_of_the_header(path in any::<String>()) {
            let told = disposition(&path);
            let rest = told.strip_prefix("attachment; filename=\"").unwrap();
            let (plain, extended) = rest.split_once("\"; filename*=UTF-8''").unwrap();
            prop_assert!(plain.bytes().all(|b| b == b' ' || b.is_ascii_graphic()));
            prop_assert!(!plain.contains(['"', '\\', '/', '%']));
            prop_assert!(extended.bytes().all(|b| b.is_ascii_graphic()));
            prop_assert!(!extended.contains(['"', '\'', ';', ',', '/', ' ']));
        }
    }
}
