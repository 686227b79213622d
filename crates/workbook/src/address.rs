//! How Excel names cells and sheets.

use dropcast_domain::text::excerpt;

/// The rows of a sheet (Excel's own limit since 2007).
pub(crate) const SHEET_ROWS: u32 = 1_048_576;

/// The columns of a sheet (Excel's own limit since 2007).
pub(crate) const SHEET_COLUMNS: u32 = 16_384;

/// The letters of a column that is counted from 0: `A`, `Z`, `AA`, `XFD`.
pub(crate) fn column_letters(column: usize) -> String {
    let mut letters = Vec::new();
    let mut rest = column;
    loop {
        letters.push(char::from(
            b'A' + u8::try_from(rest % 26).unwrap_or_default(),
        ));
        match rest / 26 {
            0 => break,
            more => rest = more - 1,
        }
    }
    letters.iter().rev().collect()
}

/// A cell's address with its sheet, `Plan!C7` or `'Q3 plan'!C7`. `row` counts from 1,
/// `column` from 0.
pub fn cell_address(sheet: &str, row: u64, column: usize) -> String {
    format!("{}!{}{row}", sheet_reference(sheet), column_letters(column))
}

/// A sheet's name as in a formula: in quotation marks where Excel asks for
/// them. What is invisible is written out.
pub fn sheet_reference(sheet: &str) -> String {
    let shown = excerpt(sheet);
    if is_plain(sheet) {
        shown
    } else {
        format!("'{}'", shown.replace('\'', "''"))
    }
}

/// Whether a name needs no quotation marks: letters, digits, `_` and `.`, not beginning
/// with a digit or `.`, and nothing that could be read as a cell, such as `Q3` or `R1C1`.
fn is_plain(sheet: &str) -> bool {
    let begins_well = sheet
        .chars()
        .next()
        .is_some_and(|c| c.is_alphabetic() || c == '_');
    begins_well
        && sheet
            .chars()
            .all(|c| c.is_alphanumeric() || matches!(c, '_' | '.'))
        && !is_cell(sheet)
        && !is_row_column(sheet)
        && !sheet.eq_ignore_ascii_case("true")
        && !sheet.eq_ignore_ascii_case("false")
}

/// Whether a name reads as a cell in the style `A1`.
fn is_cell(name: &str) -> bool {
    let letters = name.bytes().take_while(u8::is_ascii_alphabetic).count();
    let digits = &name[letters..];
    (1..=3).contains(&letters)
        && !digits.is_empty()
        && digits.len() <= 7
        && digits.bytes().all(|b| b.is_ascii_digit())
}

/// Whether a name reads as a cell in the style `R1C1`, or as a whole row or column.
fn is_row_column(name: &str) -> bool {
    let upper = name.to_ascii_uppercase();
    let (row, column) = match upper.strip_prefix('R') {
        Some(rest) => rest.split_once('C').unwrap_or((rest, "")),
        None => match upper.strip_prefix('C') {
            Some(rest) => ("", rest),
            None => return false,
        },
    };
    row.bytes()
        .chain(column.bytes())
        .all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_counted_in_letters() {
        let named = [(0, "A"), (25, "Z"), (26, "AA"), (701, "ZZ"), (702, "AAA")];
        for (column, letters) in named {
            assert_eq!(column_letters(column), letters);
        }
        assert_eq!(column_letters(SHEET_COLUMNS as usize - 1), "XFD");
    }

    #[test]
    fn a_sheet_is_quoted_as_in_a_formula() {
        for plain in ["Plan", "plan_2026", "Übersicht", "_x", "Plan2026b", "ABCD1"] {
            assert_eq!(cell_address(plain, 7, 2), format!("{plain}!C7"));
        }
        for quoted in [
            "Q3 plan", "2026", "Q3", "R1C1", "rc", "C", "A-B", ".x", "TRUE",
        ] {
            assert_eq!(cell_address(quoted, 7, 2), format!("'{quoted}'!C7"));
        }
        assert_eq!(cell_address("Ana's", 1, 0), "'Ana''s'!A1");
        assert_eq!(cell_address("a\u{202e}b", 1, 0), "'a\\u202eb'!A1");
    }
}
