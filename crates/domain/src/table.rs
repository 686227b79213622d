//! How a table was read, as its run's record tells it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    model::{InputFormat, Locale, TableEncoding},
    problem::{EXCERPT_CHARS, excerpt, quoted},
};

/// The most columns that a record names, and the most whose defaults it names.
pub const MAX_COLUMNS: usize = 100;

/// The most sheets that are named because they were not read.
pub const MAX_SHEETS: usize = 10;

/// How an accepted table was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TableReading {
    /// The file's format.
    #[schemars(extend("enum" = [InputFormat::Csv, InputFormat::Xlsx, InputFormat::Xls]))]
    pub format: InputFormat,
    /// The sheet of a workbook.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = EXCERPT_CHARS))]
    pub sheet: Option<String>,
    /// How many rows of values there are, without the header.
    pub rows: u64,
    /// How many columns the file has.
    pub column_count: u64,
    /// Their names as the schema has them, in the file's order; on a record at most 100, shortened.
    #[schemars(length(max = MAX_COLUMNS), inner(length(max = EXCERPT_CHARS)))]
    pub columns: Vec<String>,
    /// The delimiter of a CSV file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delimiter: Option<char>,
    /// How the text of a CSV file is encoded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encoding: Option<TableEncoding>,
    /// How its numbers and dates are written, where the manifest says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locale: Option<Locale>,
    /// The columns whose empty cells got the schema's default.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = MAX_COLUMNS))]
    pub defaults: Vec<FilledColumn>,
    /// Decisions made while it was read that the author may want to check.
    #[serde(default, skip_serializing_if = "Remarks::is_empty")]
    pub remarks: Remarks,
}

/// What was decided while a table was read that somebody may have meant otherwise.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Remarks {
    /// The visible sheets of a workbook that hold something and were not read, at most ten; none where
    /// the manifest names the sheet.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = MAX_SHEETS), inner(length(max = EXCERPT_CHARS)))]
    pub unread_sheets: Vec<String>,
    /// How many rows of a CSV file end before the header's last columns.
    #[serde(skip_serializing_if = "is_zero")]
    #[schemars(range(min = 1))]
    pub short_rows: u64,
    /// Where the encoding of a CSV file was guessed: a text that shows whether the guess is right.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = EXCERPT_CHARS))]
    pub sample: Option<String>,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "Serde hands out a reference."
)]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

impl Remarks {
    /// Whether there is nothing to say.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Each in a few words, under a heading.
    pub fn told(&self) -> Vec<(&'static str, String)> {
        let mut told = Vec::new();
        if !self.unread_sheets.is_empty() {
            let names: Vec<String> = self.unread_sheets.iter().map(|name| quoted(name)).collect();
            let what = if names.len() == 1 {
                "the sheet"
            } else {
                "the sheets"
            };
            told.push(("Not read", format!("{what} {}", names.join(", "))));
        }
        match self.short_rows {
            0 => {}
            1 => told.push((
                "Short rows",
                "1 row ends early: what is missing counts as empty".to_owned(),
            )),
            rows => told.push((
                "Short rows",
                format!("{rows} rows end early: what is missing counts as empty"),
            )),
        }
        if let Some(sample) = &self.sample {
            told.push((
                "Encoding",
                format!("guessed: is {} as it should be?", quoted(sample)),
            ));
        }
        told
    }
}

/// A column whose empty cells got the schema's default.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FilledColumn {
    /// The column.
    #[schemars(length(max = EXCERPT_CHARS))]
    pub column: String,
    /// How many cells; all rows' where the file does not have the column.
    #[schemars(range(min = 1))]
    pub cells: u64,
}

impl TableReading {
    /// The same, small enough for a record: `DynamoDB` ends an item at 400 kB, and a table may
    /// have ten thousand columns with names of any length.
    #[must_use]
    pub fn for_record(mut self) -> Self {
        self.columns.truncate(MAX_COLUMNS);
        for column in &mut self.columns {
            *column = excerpt(column);
        }
        self.defaults.truncate(MAX_COLUMNS);
        for filled in &mut self.defaults {
            filled.column = excerpt(&filled.column);
        }
        self.sheet = self.sheet.map(|sheet| excerpt(&sheet));
        let remarks = &mut self.remarks;
        remarks.unread_sheets.truncate(MAX_SHEETS);
        for sheet in &mut remarks.unread_sheets {
            *sheet = excerpt(sheet);
        }
        remarks.sample = remarks.sample.take().map(|sample| excerpt(&sample));
        self
    }
}

/// How a delimiter is called.
pub fn delimiter_name(delimiter: char) -> String {
    match delimiter {
        ',' => "comma".to_owned(),
        ';' => "semicolon".to_owned(),
        '\t' => "tab".to_owned(),
        '|' => "vertical bar".to_owned(),
        other => crate::problem::quoted(&other.to_string()),
    }
}

const _: () = assert!(2 * MAX_COLUMNS * EXCERPT_CHARS * 4 < 200_000);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reading_of_endless_names_fits_on_a_record() {
        let reading = TableReading {
            format: InputFormat::Xlsx,
            sheet: Some("Plan".into()),
            rows: 10,
            column_count: 10_000,
            columns: vec!["é\u{202e}".repeat(16_000); 10_000],
            delimiter: None,
            encoding: None,
            locale: Some(Locale::DeDe),
            defaults: vec![
                FilledColumn {
                    column: "😀".repeat(32_000),
                    cells: 10
                };
                10_000
            ],
            remarks: Remarks {
                unread_sheets: vec!["é\u{202e}".repeat(16_000); 10_000],
                short_rows: 7,
                sample: Some("é".repeat(16_000)),
            },
        };
        let kept = reading.for_record();
        let text = serde_json::to_string(&kept).unwrap();
        assert!(text.len() < 200_000, "{}", text.len());
        assert!(!text.contains('\u{202e}'));
        assert_eq!(serde_json::from_str::<TableReading>(&text).unwrap(), kept);
        assert_eq!(kept.column_count, 10_000);
    }

    #[test]
    fn what_may_have_been_meant_otherwise_is_told() {
        let remarks = Remarks {
            unread_sheets: vec!["Notes".into(), "a\u{202e}b".into()],
            short_rows: 1,
            sample: Some("Müller".into()),
        };
        assert_eq!(
            remarks.told(),
            [
                ("Not read", "the sheets \"Notes\", \"a\\u202eb\"".to_owned()),
                (
                    "Short rows",
                    "1 row ends early: what is missing counts as empty".to_owned()
                ),
                (
                    "Encoding",
                    "guessed: is \"Müller\" as it should be?".to_owned()
                ),
            ]
        );
        assert!(Remarks::default().told().is_empty());
    }

    #[test]
    fn a_reading_that_says_little_is_small() {
        let reading = TableReading {
            format: InputFormat::Csv,
            sheet: None,
            rows: 2,
            column_count: 1,
            columns: vec!["line".into()],
            delimiter: Some('\t'),
            encoding: Some(TableEncoding::Utf8),
            locale: None,
            defaults: Vec::new(),
            remarks: Remarks::default(),
        };
        assert_eq!(
            serde_json::to_value(reading.clone().for_record()).unwrap(),
            serde_json::json!({"format": "csv", "rows": 2, "columnCount": 1, "columns": ["line"], "delimiter": "\t", "encoding": "utf-8"})
        );
        assert_eq!(delimiter_name('\t'), "tab");
    }
}
