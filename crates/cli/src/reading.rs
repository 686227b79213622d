//! How a file was read, for `validate` and `show`.

use dropcast_api_types::{FilledDefault, ReadingView, TextEncoding};
use dropcast_domain::{model::Locale, table::delimiter_name};
use dropcast_inputs::{Encoding, file::Reading};

use crate::words;

/// The most columns that the text names.
const MAX_NAMES: usize = 20;

/// How a file was read, as a document.
pub(crate) fn view(reading: &Reading) -> ReadingView {
    match reading {
        Reading::Table(reading) => ReadingView::from(reading),
        Reading::Document { encoding, defaults } => {
            ReadingView::of_document(text_encoding(*encoding), defaults)
        }
    }
}

fn text_encoding(encoding: Encoding) -> TextEncoding {
    match encoding {
        Encoding::Utf8 | Encoding::Utf8Bom => TextEncoding::Utf8,
        Encoding::Utf16Le => TextEncoding::Utf16Le,
        Encoding::Utf16Be => TextEncoding::Utf16Be,
        Encoding::Utf32Le => TextEncoding::Utf32Le,
        Encoding::Utf32Be => TextEncoding::Utf32Be,
    }
}

/// How a file was read, a fact per line.
pub(crate) fn facts(reading: &ReadingView) -> Vec<(&'static str, String)> {
    let optional = |text: &Option<String>| words::printable(text.as_deref().unwrap_or_default());
    let delimiter = reading.delimiter.map(delimiter_name).unwrap_or_default();
    vec![
        ("Read as", summary(reading)),
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
        ("Columns", columns(reading)),
        ("Filled in", filled(&reading.defaults)),
        ("Note", words::printable(&reading.remarks.join("; "))),
    ]
}

/// A file in a few words: `xlsx, 6 rows × 4 columns`.
pub(crate) fn summary(reading: &ReadingView) -> String {
    match (reading.rows, reading.column_count) {
        (Some(rows), Some(columns)) => format!(
            "{}, {} × {}",
            reading.format.as_str(),
            words::counted(rows, "row"),
            words::counted(columns, "column")
        ),
        _ => reading.format.as_str().to_owned(),
    }
}

fn columns(reading: &ReadingView) -> String {
    let count = reading.column_count.unwrap_or_default();
    let names: Vec<String> = reading
        .columns
        .iter()
        .take(MAX_NAMES)
        .map(|name| words::printable(name))
        .collect();
    and_more(&names, count)
}

fn filled(defaults: &[FilledDefault]) -> String {
    let names: Vec<String> = defaults
        .iter()
        .take(MAX_NAMES)
        .map(|default| {
            let at = words::printable(&default.at);
            if default.at.starts_with('/') {
                at
            } else {
                format!("{at} ({})", words::counted(default.count, "cell"))
            }
        })
        .collect();
    and_more(&names, defaults.len() as u64)
}

fn and_more(names: &[String], count: u64) -> String {
    let listed = names.join(", ");
    match count.saturating_sub(names.len() as u64) {
        0 => listed,
        more => format!("{listed} and {more} more"),
    }
}
