//! How a table was read, as stored in the run's record.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    model::{InputFormat, Locale, TableEncoding},
    text::{EXCERPT_CHARS, excerpt, quoted},
};

/// The maximum number of columns, and of columns with defaults, in a record.
pub const MAX_COLUMNS: usize = 100;

/// The maximum number of unread sheets in a record.
pub const MAX_SHEETS: usize = 10;

/// How an accepted table was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TableReading {
    /// The file's format.
    #[schemars(extend("enum" = [InputFormat::Csv, InputFormat::Xlsx, InputFormat::Xls]))]
    pub format: InputFormat,
    /// The name of the sheet that was read, for a workbook.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = EXCERPT_CHARS))]
    pub sheet: Option<String>,
    /// How many rows of values there are, without the header.
    pub rows: u64,
    /// The number of columns in the file.
    pub column_count: u64,
    /// Their names as the schema has them, in the file's order; on a record at most 100, shortened.
    #[schemars(length(max = MAX_COLUMNS), inner(length(max = EXCERPT_CHARS)))]
    pub columns: Vec<String>,
    /// The delimiter of a CSV file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delimiter: Option<char>,
    /// The encoding of a CSV file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encoding: Option<TableEncoding>,
    /// The locale of numbers and dates in text, if the manifest sets one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locale: Option<Locale>,
    /// The columns whose empty cells got the schema's default.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = MAX_COLUMNS))]
    pub defaults: Vec<FilledColumn>,
    /// Decisions made while it was read that the author may want to check.
    #[serde(default, skip_serializing_if = "ReadingRemarks::is_empty")]
    pub remarks: ReadingRemarks,
}

/// Decisions made while the table was read that may not be what the uploader intended.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ReadingRemarks {
    /// The visible sheets of a workbook that hold something and were not read, at most ten; none where
    /// the manifest names the sheet.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = MAX_SHEETS), inner(length(max = EXCERPT_CHARS)))]
    pub unread_sheets: Vec<String>,
    /// The number of rows of a CSV file that lack cells at their end.
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

impl ReadingRemarks {
    /// Whether there is nothing to say.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Describes each remark: its label and a phrase.
    pub fn describe(&self) -> Vec<(&'static str, String)> {
        let mut described = Vec::new();
        if !self.unread_sheets.is_empty() {
            let names: Vec<String> = self.unread_sheets.iter().map(|name| quoted(name)).collect();
            let what = if names.len() == 1 {
                "the sheet"
            } else {
                "the sheets"
            };
            described.push(("Not read", format!("{what} {}", names.join(", "))));
        }
        match self.short_rows {
            0 => {}
            1 => described.push((
                "Short rows",
                "1 row is shorter than the header; its missing cells count as empty".to_owned(),
            )),
            rows => described.push((
                "Short rows",
                format!(
                    "{rows} rows are shorter than the header; their missing cells count as empty"
                ),
            )),
        }
        if let Some(sample) = &self.sample {
            described.push((
                "Encoding",
                format!("guessed; does {} look right?", quoted(sample)),
            ));
        }
        described
    }
}

/// A column whose empty cells got the schema's default.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FilledColumn {
    /// The name of the column.
    #[schemars(length(max = EXCERPT_CHARS))]
    pub column: String,
    /// The number of cells that were filled in; all rows if the file lacks the column.
    #[schemars(range(min = 1))]
    pub cells: u64,
}

impl TableReading {
    /// Shortens the reading for a record: `DynamoDB` limits items to 400 kB, and a table may
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

/// The name of a delimiter in messages.
pub fn delimiter_name(delimiter: char) -> String {
    match delimiter {
        ',' => "comma".to_owned(),
        ';' => "semicolon".to_owned(),
        '\t' => "tab".to_owned(),
        '|' => "vertical bar".to_owned(),
        other => crate::text::quoted(&other.to_string()),
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
            remarks: ReadingRemarks {
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
    fn remarks_are_described_for_the_uploader() {
        let remarks = ReadingRemarks {
            unread_sheets: vec!["Notes".into(), "a\u{202e}b".into()],
            short_rows: 1,
            sample: Some("Müller".into()),
        };
        assert_eq!(
            remarks.describe(),
            [
                ("Not read", "the sheets \"Notes\", \"a\\u202eb\"".to_owned()),
                (
                    "Short rows",
                    "1 row is shorter than the header; its missing cells count as empty".to_owned()
                ),
                (
                    "Encoding",
                    "guessed; does \"Müller\" look right?".to_owned()
                ),
            ]
        );
        assert!(ReadingRemarks::default().describe().is_empty());
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
            remarks: ReadingRemarks::default(),
        };
        assert_eq!(
            serde_json::to_value(reading.clone().for_record()).unwrap(),
            serde_json::json!({"format": "csv", "rows": 2, "columnCount": 1, "columns": ["line"], "delimiter": "\t", "encoding": "utf-8"})
        );
        assert_eq!(delimiter_name('\t'), "tab");
    }
}
