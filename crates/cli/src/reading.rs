//! How a file was read, for `validate` and `show`.

use dropcast_api_types::{FilledDefault, ReadingView, TextEncoding};
use dropcast_domain::{model::Locale, table::delimiter_name};
use dropcast_inputs::{Encoding, file::Reading};

use crate::messages;

/// How many columns the text names.
const MAX_NAMES: usize = 20;

/// How a file was read, as a document.
pub(crate) fn to_reading_view(reading: &Reading) -> ReadingView {
    match reading {
        Reading::Table(reading) => ReadingView::from(reading),
        Reading::Document { encoding, defaults } => {
            ReadingView::of_document(to_text_encoding(*encoding), defaults)
        }
    }
}

fn to_text_encoding(encoding: Encoding) -> TextEncoding {
    match encoding {
        Encoding::Utf8 | Encoding::Utf8Bom => TextEncoding::Utf8,
        Encoding::Utf16Le => TextEncoding::Utf16Le,
        Encoding::Utf16Be => TextEncoding::Utf16Be,
        Encoding::Utf32Le => TextEncoding::Utf32Le,
        Encoding::Utf32Be => TextEncoding::Utf32Be,
    }
}

/// How a file was read, as labels and values.
pub(crate) fn list_fields(reading: &ReadingView) -> Vec<(&'static str, String)> {
    let optional = |text: &Option<String>| messages::sanitize(text.as_deref().unwrap_or_default());
    let delimiter = reading.delimiter.map(delimiter_name).unwrap_or_default();
    vec![
        ("Read as", summarize(reading)),
        ("Sheet", optional(&reading.sheet)),
        ("Delimiter", delimiter),
        (
            "Encoding",
            reading
                .encoding
                .map(TextEncoding::as_str)
                .unwrap_or_default()
                .to_owned(),
        ),
        (
            "Locale",
            reading
                .locale
                .map(Locale::as_str)
                .unwrap_or_default()
                .to_owned(),
        ),
        ("Columns", list_columns(reading)),
        ("Filled in", list_defaults(&reading.defaults)),
        ("Note", messages::sanitize(&reading.remarks.join("; "))),
    ]
}

/// Summarizes a file: `xlsx, 6 rows × 4 columns`.
pub(crate) fn summarize(reading: &ReadingView) -> String {
    match (reading.rows, reading.column_count) {
        (Some(rows), Some(columns)) => format!(
            "{}, {} × {}",
            reading.format.as_str(),
            messages::format_count(rows, "row"),
            messages::format_count(columns, "column")
        ),
        _ => reading.format.as_str().to_owned(),
    }
}

fn list_columns(reading: &ReadingView) -> String {
    let count = reading.column_count.unwrap_or_default();
    let names: Vec<String> = reading
        .columns
        .iter()
        .take(MAX_NAMES)
        .map(|name| messages::sanitize(name))
        .collect();
    join_with_rest(&names, count)
}

fn list_defaults(defaults: &[FilledDefault]) -> String {
    let names: Vec<String> = defaults
        .iter()
        .take(MAX_NAMES)
        .map(|default| {
            let at = messages::sanitize(&default.at);
            if default.at.starts_with('/') {
                at
            } else {
                format!("{at} ({})", messages::format_count(default.count, "cell"))
            }
        })
        .collect();
    join_with_rest(&names, defaults.len() as u64)
}

fn join_with_rest(names: &[String], count: u64) -> String {
    let listed = names.join(", ");
    match count.saturating_sub(names.len() as u64) {
        0 => listed,
        more => format!("{listed} and {more} more"),
    }
}
