//! The summary of a table: the file and how it was read, not its cells.

use dropcast_domain::{
    model::{InputFormat, TableEncoding},
    table::{TableReading, delimiter_name},
    text,
};

use crate::{
    input_summary::{InputSection, InputSummary, InputValue, MAX_VALUES, VALUE_LENGTH},
    lengths::NAME_LENGTH,
};

/// The most columns that are named.
const NAMED_COLUMNS: usize = 12;

/// The longest name of a column, in characters.
const COLUMN_LENGTH: usize = 40;

impl InputSummary {
    /// The file of an accepted table, how it was read, and which columns were filled in.
    pub(crate) fn from_table(file: &str, reading: &TableReading) -> Self {
        let mut rows = vec![said("File", &text::one_line(file, NAME_LENGTH))];
        if let Some(sheet) = &reading.sheet {
            rows.push(said("Sheet", &text::one_line(sheet, VALUE_LENGTH)));
        }
        let size = format!(
            "{} × {}",
            text::count(reading.rows, "row", "rows"),
            text::count(reading.column_count, "column", "columns")
        );
        rows.push(said("Table", &size));
        rows.push(said("Columns", &columns(reading)));
        if reading.format == InputFormat::Csv {
            let separated = reading.delimiter.map(|delimiter| {
                let name = delimiter_name(delimiter);
                format!("separated by {name}s")
            });
            let encoded = reading.encoding.map(encoding_name);
            let parts: Vec<_> = separated.into_iter().chain(encoded).collect();
            rows.push(said("Read as", &parts.join(", ")));
        }
        if let Some(locale) = reading.locale {
            let grouping = locale.grouping().first().copied().unwrap_or(' ');
            let value = format!(
                "in {} notation, such as 1{grouping}234{}5",
                locale.as_str(),
                locale.decimal()
            );
            rows.push(said("Numbers and dates", &value));
        }
        for (label, value) in reading.remarks.describe() {
            rows.push(said(label, &text::one_line(&value, VALUE_LENGTH)));
        }
        rows.retain(|row| !row.value.is_empty());
        let mut sections = vec![InputSection {
            heading: String::new(),
            rows,
        }];
        if !reading.defaults.is_empty() {
            let filled = reading.defaults.iter().take(MAX_VALUES);
            sections.push(InputSection {
                heading: "Empty cells filled in".to_owned(),
                rows: filled
                    .map(|filled| InputValue {
                        is_default: true,
                        ..said(
                            &text::one_line(&filled.column, COLUMN_LENGTH),
                            &text::count(filled.cells, "cell", "cells"),
                        )
                    })
                    .collect(),
            });
        }
        Self {
            sections,
            more: reading.defaults.len().saturating_sub(MAX_VALUES) as u64,
        }
    }
}

fn said(label: &str, value: &str) -> InputValue {
    InputValue {
        label: label.to_owned(),
        pointer: String::new(),
        value: value.to_owned(),
        is_default: false,
    }
}

fn columns(reading: &TableReading) -> String {
    let named: Vec<_> = reading
        .columns
        .iter()
        .take(NAMED_COLUMNS)
        .map(|column| text::one_line(column, COLUMN_LENGTH))
        .filter(|column| !column.is_empty())
        .collect();
    let more = reading.column_count.saturating_sub(named.len() as u64);
    match (named.is_empty(), more) {
        (true, _) => String::new(),
        (false, 0) => named.join(", "),
        (false, more) => format!("{} and {} more", named.join(", "), text::grouped(more)),
    }
}

/// An encoding as people call it.
fn encoding_name(encoding: TableEncoding) -> String {
    match encoding {
        TableEncoding::Utf8 => "UTF-8",
        TableEncoding::Utf16Le | TableEncoding::Utf16Be => "UTF-16",
        TableEncoding::Windows1252 => "Windows-1252",
        TableEncoding::Windows1250 => "Windows-1250",
        TableEncoding::Iso8859Part2 => "ISO 8859-2",
        TableEncoding::Iso8859Part15 => "ISO 8859-15",
    }
    .to_owned()
}

#[cfg(test)]
mod tests {
    use dropcast_domain::{
        model::Locale,
        table::{FilledColumn, ReadingRemarks},
    };

    use super::*;

    fn lines(summary: &InputSummary) -> Vec<String> {
        let rows = summary.sections.iter().flat_map(|section| &section.rows);
        rows.map(|row| format!("{}: {}", row.label, row.value))
            .collect()
    }

    #[test]
    fn a_table_is_summarized_by_how_it_was_read() {
        let mut reading = TableReading {
            format: InputFormat::Csv,
            sheet: None,
            rows: 1_234,
            column_count: 20,
            columns: (1..=20).map(|number| format!("c{number}")).collect(),
            delimiter: Some(';'),
            encoding: Some(TableEncoding::Windows1252),
            locale: Some(Locale::DeDe),
            defaults: vec![FilledColumn {
                column: "currency".into(),
                cells: 1,
            }],
            remarks: ReadingRemarks {
                unread_sheets: Vec::new(),
                short_rows: 2,
                sample: Some("Größe".into()),
            },
        };
        let summary = InputSummary::from_table("plan.csv", &reading);
        assert_eq!(
            lines(&summary),
            [
                "File: plan.csv",
                "Table: 1,234 rows × 20 columns",
                "Columns: c1, c2, c3, c4, c5, c6, c7, c8, c9, c10, c11, c12 and 8 more",
                "Read as: separated by semicolons, Windows-1252",
                "Numbers and dates: in de-DE notation, such as 1.234,5",
                "Short rows: 2 rows are shorter than the header; their missing cells count as empty",
                "Encoding: guessed; does \"Größe\" look right?",
                "currency: 1 cell"
            ]
        );
        assert!(summary.sections[1].rows[0].is_default);
        reading = TableReading {
            format: InputFormat::Xlsx,
            sheet: Some("Plan\u{202e} Q3".into()),
            delimiter: None,
            encoding: None,
            locale: None,
            rows: 1,
            column_count: 1,
            columns: vec!["line".into()],
            defaults: Vec::new(),
            remarks: ReadingRemarks {
                unread_sheets: vec!["Notes".into()],
                ..ReadingRemarks::default()
            },
        };
        assert_eq!(
            lines(&InputSummary::from_table("plan.xlsx", &reading)),
            [
                "File: plan.xlsx",
                "Sheet: Plan Q3",
                "Table: 1 row × 1 column",
                "Columns: line",
                "Not read: the sheet \"Notes\""
            ]
        );
    }
}
