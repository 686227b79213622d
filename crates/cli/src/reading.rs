//! How a file was read, for `validate` and `show`.

use dropcast_domain::table::{TableReading, delimiter_name};
use dropcast_inputs::{Encoding, file::Reading};
use serde::Serialize;

use crate::words;

/// The most columns that the text names.
const MAX_NAMES: usize = 20;

/// How a file was read.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ReadingView {
    /// What it is.
    pub format: &'static str,
    /// The sheet of a workbook.
    pub sheet: Option<String>,
    /// How many rows of values a table has.
    pub rows: Option<u64>,
    /// How many columns a table has.
    pub column_count: Option<u64>,
    /// Their names, at most a hundred, as the schema has them.
    pub columns: Vec<String>,
    /// The sign between the cells of a CSV file.
    pub delimiter: Option<char>,
    /// How the text is encoded.
    pub encoding: Option<&'static str>,
    /// How numbers and dates are written.
    pub locale: Option<String>,
    /// What the schema's defaults filled in.
    pub defaults: Vec<DefaultView>,
    /// What may have been meant otherwise.
    pub remarks: Vec<String>,
}

/// Where a default was filled in.
#[derive(Debug, Clone, Serialize)]
pub struct DefaultView {
    /// The column, or the JSON Pointer.
    pub at: String,
    /// In how many cells or places.
    pub count: u64,
}

impl ReadingView {
    pub(crate) fn of(reading: &Reading) -> Self {
        match reading {
            Reading::Table(reading) => Self::of_table(reading),
            Reading::Document { encoding, defaults } => Self {
                format: "json",
                sheet: None,
                rows: None,
                column_count: None,
                columns: Vec::new(),
                delimiter: None,
                encoding: Some(encoding_name(*encoding)),
                locale: None,
                defaults: defaults
                    .iter()
                    .map(|at| DefaultView {
                        at: at.clone(),
                        count: 1,
                    })
                    .collect(),
                remarks: Vec::new(),
            },
        }
    }

    pub(crate) fn of_table(reading: &TableReading) -> Self {
        // Names of any length would be of use to nobody.
        let reading = reading.clone().for_record();
        Self {
            format: reading.format.name(),
            sheet: reading.sheet,
            rows: Some(reading.rows),
            column_count: Some(reading.column_count),
            columns: reading.columns,
            delimiter: reading.delimiter,
            encoding: reading
                .encoding
                .map(dropcast_domain::model::TableEncoding::name),
            locale: reading.locale.map(|locale| locale.tag().to_owned()),
            defaults: reading
                .defaults
                .into_iter()
                .map(|filled| DefaultView {
                    at: filled.column,
                    count: filled.cells,
                })
                .collect(),
            remarks: reading
                .remarks
                .told()
                .into_iter()
                .map(|(what, said)| format!("{what}: {said}"))
                .collect(),
        }
    }
}

/// An encoding by the name that it has for tables too.
fn encoding_name(encoding: Encoding) -> &'static str {
    match encoding {
        Encoding::Utf8 | Encoding::Utf8Bom => "utf-8",
        Encoding::Utf16Le => "utf-16le",
        Encoding::Utf16Be => "utf-16be",
        Encoding::Utf32Le => "utf-32le",
        Encoding::Utf32Be => "utf-32be",
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
        ("Encoding", reading.encoding.unwrap_or_default().to_owned()),
        ("Locale", optional(&reading.locale)),
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
            reading.format,
            words::counted(rows, "row"),
            words::counted(columns, "column")
        ),
        _ => reading.format.to_owned(),
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

fn filled(defaults: &[DefaultView]) -> String {
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
