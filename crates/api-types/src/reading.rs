//! How an input file was read.

use dropcast_domain::{
    model::{InputFormat, Locale, TableEncoding},
    table::{MAX_COLUMNS, TableReading},
    text::EXCERPT_CHARS,
};
use schemars::JsonSchema;
use serde::Serialize;
use strum::IntoStaticStr;

/// How a file was read.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Reading")]
pub struct ReadingView {
    /// The file's format.
    pub format: InputFormat,
    /// The sheet of a workbook.
    pub sheet: Option<String>,
    /// How many rows of values a table has, without the header.
    pub rows: Option<u64>,
    /// How many columns a table has.
    pub column_count: Option<u64>,
    /// The columns as the schema names them, in the file's order; the first hundred.
    #[schemars(length(max = MAX_COLUMNS), inner(length(max = EXCERPT_CHARS)))]
    pub columns: Vec<String>,
    /// The delimiter of a CSV file.
    pub delimiter: Option<char>,
    /// How the text of a JSON or CSV file is encoded.
    pub encoding: Option<TextEncoding>,
    /// How numbers and dates are written in text, where the manifest says so.
    pub locale: Option<Locale>,
    /// What the schema's defaults filled in.
    pub defaults: Vec<FilledDefault>,
    /// Decisions made while a table was read that the author may want to check, each in a few words.
    pub remarks: Vec<String>,
}

/// Where a default was filled in.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct FilledDefault {
    /// The column of a table, or a JSON Pointer.
    pub at: String,
    /// In how many cells or places.
    #[schemars(range(min = 1))]
    pub count: u64,
}

/// How a text is encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema, IntoStaticStr)]
pub enum TextEncoding {
    /// UTF-8, with or without a byte order mark.
    #[serde(rename = "utf-8")]
    #[strum(serialize = "utf-8")]
    Utf8,
    /// UTF-16, low byte first.
    #[serde(rename = "utf-16le")]
    #[strum(serialize = "utf-16le")]
    Utf16Le,
    /// UTF-16, high byte first.
    #[serde(rename = "utf-16be")]
    #[strum(serialize = "utf-16be")]
    Utf16Be,
    /// UTF-32, low byte first; of JSON alone.
    #[serde(rename = "utf-32le")]
    #[strum(serialize = "utf-32le")]
    Utf32Le,
    /// UTF-32, high byte first; of JSON alone.
    #[serde(rename = "utf-32be")]
    #[strum(serialize = "utf-32be")]
    Utf32Be,
    /// The Windows code page of western Europe and the Americas; of CSV alone.
    #[serde(rename = "windows-1252")]
    #[strum(serialize = "windows-1252")]
    Windows1252,
    /// The Windows code page of central Europe; of CSV alone.
    #[serde(rename = "windows-1250")]
    #[strum(serialize = "windows-1250")]
    Windows1250,
    /// Latin-2, for central Europe; of CSV alone.
    #[serde(rename = "iso-8859-2")]
    #[strum(serialize = "iso-8859-2")]
    Iso8859Part2,
    /// Latin-9, for western Europe, with the euro sign; of CSV alone.
    #[serde(rename = "iso-8859-15")]
    #[strum(serialize = "iso-8859-15")]
    Iso8859Part15,
}

impl TextEncoding {
    /// The name as it is printed.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

impl From<TableEncoding> for TextEncoding {
    fn from(encoding: TableEncoding) -> Self {
        match encoding {
            TableEncoding::Utf8 => Self::Utf8,
            TableEncoding::Utf16Le => Self::Utf16Le,
            TableEncoding::Utf16Be => Self::Utf16Be,
            TableEncoding::Windows1252 => Self::Windows1252,
            TableEncoding::Windows1250 => Self::Windows1250,
            TableEncoding::Iso8859Part2 => Self::Iso8859Part2,
            TableEncoding::Iso8859Part15 => Self::Iso8859Part15,
        }
    }
}

impl ReadingView {
    /// A JSON document, with the JSON Pointers of the defaults that were filled in.
    pub fn of_document(encoding: TextEncoding, defaults: &[String]) -> Self {
        Self {
            format: InputFormat::Json,
            sheet: None,
            rows: None,
            column_count: None,
            columns: Vec::new(),
            delimiter: None,
            encoding: Some(encoding),
            locale: None,
            defaults: defaults
                .iter()
                .map(|at| FilledDefault {
                    at: at.clone(),
                    count: 1,
                })
                .collect(),
            remarks: Vec::new(),
        }
    }
}

impl From<&TableReading> for ReadingView {
    fn from(reading: &TableReading) -> Self {
        // A file may have names of any length.
        let reading = reading.clone().for_record();
        Self {
            format: reading.format,
            sheet: reading.sheet,
            rows: Some(reading.rows),
            column_count: Some(reading.column_count),
            columns: reading.columns,
            delimiter: reading.delimiter,
            encoding: reading.encoding.map(TextEncoding::from),
            locale: reading.locale,
            defaults: reading
                .defaults
                .into_iter()
                .map(|filled| FilledDefault {
                    at: filled.column,
                    count: filled.cells,
                })
                .collect(),
            remarks: reading
                .remarks
                .describe()
                .into_iter()
                .map(|(what, said)| format!("{what}: {said}"))
                .collect(),
        }
    }
}
