//! How the cells of the marked copy look, and how values are written into them.

use dropcast_workbook::Cell;
use jiff::civil::DateTime;
use rust_xlsxwriter::{Color, Format, FormatAlign, Worksheet, XlsxError};

use crate::table::convert::UNCOMPUTED;

/// The longest text that Excel takes, in UTF-16 units.
const MAX_TEXT_LENGTH: usize = 32_767;

/// The fill of a faulty cell, and its text: those that Excel calls "bad".
const BAD_FILL: u32 = 0x00FF_C7CE;
const BAD_TEXT: u32 = 0x009C_0006;

/// The format of a cell, apart from the fill of faulty cells.
#[derive(Clone, Copy)]
enum CellStyle {
    Plain,
    /// Text that begins like a formula.
    Quoted,
    Date,
    DateTime,
    Header,
    QuotedHeader,
    Percent,
}

/// Every format, once as it is and once for faulty cells.
pub(super) struct CellFormats([[Format; 2]; 7]);

impl CellFormats {
    pub(super) fn new() -> Self {
        let bold = || Format::new().set_bold();
        let formats = [
            Format::new(),
            Format::new().set_quote_prefix(),
            Format::new().set_num_format("yyyy-mm-dd"),
            Format::new().set_num_format("yyyy-mm-dd hh:mm:ss"),
            bold(),
            bold().set_quote_prefix(),
            Format::new().set_num_format("0.00%"),
        ];
        Self(formats.map(|format| {
            let bad = format
                .clone()
                .set_background_color(Color::RGB(BAD_FILL))
                .set_font_color(Color::RGB(BAD_TEXT))
                .set_align(FormatAlign::Top);
            [format, bad]
        }))
    }

    /// Writes a value, and tells how many characters it shows, roughly.
    pub(super) fn write(
        &self,
        sheet: &mut Worksheet,
        (row, column): (u32, u16),
        cell: &Cell,
        is_header: bool,
        has_problem: bool,
    ) -> Result<usize, XlsxError> {
        let plain = if is_header {
            CellStyle::Header
        } else {
            CellStyle::Plain
        };
        let format = |look: CellStyle| &self.0[look as usize][usize::from(has_problem)];
        match cell {
            Cell::Empty if has_problem => {
                sheet.write_blank(row, column, format(plain))?;
                Ok(0)
            }
            Cell::Empty => Ok(0),
            Cell::Number(number) => {
                sheet.write_number_with_format(row, column, *number, format(plain))?;
                Ok(number.to_string().len())
            }
            Cell::Percent(number) => {
                let look = if is_header { plain } else { CellStyle::Percent };
                sheet.write_number_with_format(row, column, *number, format(look))?;
                Ok(number.to_string().len())
            }
            Cell::Bool(value) => {
                sheet.write_boolean_with_format(row, column, *value, format(plain))?;
                Ok(5)
            }
            Cell::DateTime(date) => match serial(*date) {
                Some(days) => {
                    let look = if days.fract() == 0.0 {
                        CellStyle::Date
                    } else {
                        CellStyle::DateTime
                    };
                    sheet.write_number_with_format(row, column, days, format(look))?;
                    Ok(19)
                }
                None => self.text(
                    sheet,
                    (row, column),
                    &date.to_string(),
                    is_header,
                    has_problem,
                ),
            },
            Cell::Text(text) | Cell::Unusable(text) => {
                self.text(sheet, (row, column), text, is_header, has_problem)
            }
            Cell::Error(text) => self.text(sheet, (row, column), text, is_header, has_problem),
            Cell::Uncomputed => self.text(sheet, (row, column), UNCOMPUTED, is_header, has_problem),
            Cell::UnusableText(unusable) => self.text(
                sheet,
                (row, column),
                &unusable.found,
                is_header,
                has_problem,
            ),
        }
    }

    /// Writes text as text, whatever it looks like.
    pub(super) fn text(
        &self,
        sheet: &mut Worksheet,
        (row, column): (u32, u16),
        text: &str,
        is_header: bool,
        has_problem: bool,
    ) -> Result<usize, XlsxError> {
        let look = match (is_header, begins_like_a_formula(text)) {
            (false, false) => CellStyle::Plain,
            (false, true) => CellStyle::Quoted,
            (true, false) => CellStyle::Header,
            (true, true) => CellStyle::QuotedHeader,
        };
        let format = &self.0[look as usize][usize::from(has_problem)];
        let fitting = fitting(text);
        let length = fitting.chars().take(100).count();
        sheet.write_string_with_format(row, column, fitting, format)?;
        Ok(length)
    }
}

/// Whether a spreadsheet takes a text for a formula when somebody types it.
pub(super) fn begins_like_a_formula(text: &str) -> bool {
    text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n'])
}

/// Text as a workbook can hold it: not too long, and no character that XML cannot hold.
pub(super) fn fitting(text: &str) -> String {
    let mut length = 0;
    let mut fitting = String::with_capacity(text.len().min(4 * MAX_TEXT_LENGTH));
    for c in text.chars() {
        length += c.len_utf16();
        if length >= MAX_TEXT_LENGTH {
            fitting.push('…');
            break;
        }
        fitting.push(match c {
            '\u{fffe}' | '\u{ffff}' => char::REPLACEMENT_CHARACTER,
            c => c,
        });
    }
    fitting
}

/// A date as the days that Excel counts from 1900; none before that year.
fn serial(date: DateTime) -> Option<f64> {
    let epoch = jiff::civil::date(1899, 12, 31);
    let days = date.date().since(epoch).ok()?.get_days();
    if days < 1 {
        return None;
    }
    // Excel has a 29th of February 1900.
    let days = if days < 60 { days } else { days + 1 };
    let midnight = date.date().at(0, 0, 0, 0);
    let time = date.duration_since(midnight).as_secs_f64();
    Some(f64::from(days) + time / 86_400.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_counted_as_excel_does() {
        let counted = |text: &str| serial(text.parse().unwrap());
        assert_eq!(counted("1900-01-01T00:00"), Some(1.0));
        assert_eq!(counted("1900-02-28T00:00"), Some(59.0));
        assert_eq!(counted("1900-03-01T00:00"), Some(61.0));
        assert_eq!(counted("2023-03-15T12:00"), Some(45_000.5));
        assert_eq!(counted("9999-12-31T00:00"), Some(2_958_465.0));
        assert_eq!(counted("1899-12-31T00:00"), None);
    }

    #[test]
    fn text_is_made_to_fit() {
        assert_eq!(fitting("a\u{ffff}b"), "a\u{fffd}b");
        let long = fitting(&"🐎".repeat(40_000));
        assert!(long.ends_with('…') && long.encode_utf16().count() <= MAX_TEXT_LENGTH);
        assert_eq!(fitting(&"x".repeat(32_766)), "x".repeat(32_766));
    }
}
