//! The sheet of the marked copy that lists what to correct.

use dropcast_domain::problem::Problem;
use dropcast_workbook::Cell;
use rust_xlsxwriter::{Format, FormatAlign, Workbook, XlsxError};

use super::cell_formats::{CellFormats, begins_like_a_formula, fitting};
use crate::table::TableProblems;

/// The name of this sheet.
const NAME: &str = "What to correct";

/// The longest name of a sheet, in UTF-16 units.
const MAX_NAME_LENGTH: usize = 31;

/// What the other sheet shows.
pub(super) struct TableSheet {
    pub(super) name: String,
    /// Whether every row of the table, or only those with problems.
    pub(super) whole: bool,
    pub(super) rows: u64,
    /// Whether every row with problems that are known is shown.
    pub(super) complete: bool,
}

/// The name of the sheet with the table: as in the source, as far as Excel takes it.
pub(super) fn table_name(source: Option<&str>) -> String {
    let mut name = String::new();
    for c in source.unwrap_or("Table").chars() {
        let c = match c {
            '[' | ']' | ':' | '*' | '?' | '/' | '\\' => '_',
            c if c.is_control() => '_',
            '\u{fffe}' | '\u{ffff}' => '_',
            c => c,
        };
        if name.encode_utf16().count() + c.len_utf16() > MAX_NAME_LENGTH {
            break;
        }
        name.push(c);
    }
    let name = name.trim_matches(['\'', ' ']);
    // Excel keeps one name for itself.
    if name.is_empty()
        || [NAME, "History"]
            .iter()
            .any(|own| own.eq_ignore_ascii_case(name))
    {
        "Table".to_owned()
    } else {
        name.to_owned()
    }
}

/// Writes the sheet.
pub(super) fn write(
    book: &mut Workbook,
    rejected: &TableProblems,
    shown: Option<&TableSheet>,
) -> Result<(), XlsxError> {
    let formats = CellFormats::new();
    let title = Format::new().set_bold().set_font_size(14);
    let heading = Format::new().set_bold().set_background_color(0x00D9_E1F2);
    let body = Format::new().set_text_wrap().set_align(FormatAlign::Top);
    let quoted = body.clone().set_quote_prefix();
    let sheet = book.add_worksheet();
    sheet.set_name(NAME)?;
    sheet.write_string_with_format(0, 0, NAME, &title)?;
    let mut row = 1;
    for sentence in sentences(rejected, shown) {
        formats.text(sheet, (row, 0), &sentence, false, false)?;
        row += 1;
    }
    row += 1;
    let columns = [
        ("Where", 24.0),
        ("Found", 28.0),
        ("Allowed", 34.0),
        ("How many", 10.0),
        ("What is wrong", 90.0),
    ];
    for (column, (name, width)) in (0..).zip(columns) {
        sheet.write_string_with_format(row, column, name, &heading)?;
        sheet.set_column_width(column, width)?;
    }
    sheet.set_freeze_panes(row + 1, 0)?;
    for problem in &rejected.problems.problems {
        row += 1;
        let texts = [
            (0, places(problem)),
            (1, problem.found.clone()),
            (2, problem.allowed.clone()),
            (4, problem.message.clone()),
        ];
        for (column, text) in texts {
            let format = if begins_like_a_formula(&text) {
                &quoted
            } else {
                &body
            };
            sheet.write_string_with_format(row, column, fitting(&text), format)?;
        }
        #[expect(clippy::cast_precision_loss, reason = "cells are far below 2^53")]
        sheet.write_number_with_format(row, 3, problem.count as f64, &body)?;
    }
    if rejected.problems.more > 0 {
        let more = format!("There are {} more problems.", rejected.problems.more);
        formats.write(sheet, (row + 1, 0), &Cell::Text(more), false, false)?;
    }
    Ok(())
}

/// Where a problem's cells are; the whole file where it says nothing.
fn places(problem: &Problem) -> String {
    if problem.at.is_empty() {
        return "the whole file".to_owned();
    }
    let mut places = problem.at.clone();
    for other in &problem.others {
        places.push_str(", ");
        places.push_str(other);
    }
    let named = 1 + problem.others.len() as u64;
    if problem.count > named {
        places.push_str(", …");
    }
    places
}

fn sentences(rejected: &TableProblems, shown: Option<&TableSheet>) -> Vec<String> {
    let Some(shown) = shown else {
        return vec![
            "The file could not be read as a table. Correct what is listed here and upload the \
             file again."
                .to_owned(),
        ];
    };
    let name = &shown.name;
    let mut sentences = vec![format!(
        "On the sheet \"{name}\" the cells that cannot be used are filled; a note beside each says \
         why. Correct them in your own file, not in this copy, and upload that file again."
    )];
    if !shown.whole {
        sentences.push(format!(
            "The table is too large to be copied: the sheet \"{name}\" shows {} rows with such \
             cells. Column A gives each row's number in your file.",
            shown.rows
        ));
    }
    if rejected.cell_problems.more() > 0 || !shown.complete {
        sentences.push(format!(
            "There are {} such cells in all; only the first are marked. The list below counts all.",
            rejected.cell_problems.total()
        ));
    }
    sentences
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sheet_is_called_as_in_the_source_as_far_as_excel_takes_it() {
        assert_eq!(table_name(Some("Q3 plan")), "Q3 plan");
        assert_eq!(table_name(None), "Table");
        assert_eq!(table_name(Some("a/b:c")), "a_b_c");
        assert_eq!(table_name(Some("'")), "Table");
        assert_eq!(table_name(Some("what to CORRECT")), "Table");
        assert_eq!(table_name(Some(&"🐎".repeat(20))), "🐎".repeat(15));
    }
}
