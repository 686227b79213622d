//! A table as its rows come out of a file, whatever the file's format.

use dropcast_domain::text::quoted;

use crate::ReadError;

/// The most columns of a table.
pub const MAX_COLUMNS: usize = 10_000;

/// The most characters of one cell: Excel's own limit.
pub const MAX_CHARS: usize = 32_767;

/// What one cell holds.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum Cell {
    /// Nothing, or nothing but white space.
    #[default]
    Empty,
    /// Text; every cell of a CSV file that is not empty.
    Text(String),
    /// A number of a workbook.
    Number(f64),
    /// A number of a workbook that it shows a hundred times as large, with a percent sign.
    Percent(f64),
    /// A boolean of a workbook.
    Bool(bool),
    /// A number that a workbook shows as a date or a time.
    DateTime(jiff::civil::DateTime),
    /// A number that a workbook shows as a duration, or a date that no calendar has: its text.
    Unusable(String),
    /// A formula that failed: `#REF!`.
    Error(&'static str),
    /// A formula that nothing has computed yet.
    Uncomputed,
    /// Text that cannot be taken as it is, whatever its column is: of too many characters, or
    /// with NUL bytes.
    UnusableText(Box<CellTextProblem>),
}

impl Cell {
    /// A text as a cell, whatever file it comes from: nothing where it is but white space, and
    /// refused where no column could take it.
    pub fn of_text(text: &str) -> Self {
        let mut cell = Self::Empty;
        cell.set_text(text);
        cell
    }

    /// Puts a text in, as [`Self::of_text`] does.
    pub fn set_text(&mut self, text: &str) {
        if text.contains('\0') {
            *self = Self::UnusableText(Box::new(CellTextProblem {
                found: quoted(text),
                allowed: "text without NUL bytes",
                hint: "The file may be damaged: save it again.",
            }));
            return;
        }
        if text.len() > MAX_CHARS {
            let chars = text.chars().count();
            if chars > MAX_CHARS {
                let start: String = text.chars().take(40).collect();
                *self = Self::UnusableText(Box::new(CellTextProblem {
                    found: format!("{} ({chars} characters)", quoted(&format!("{start}…"))),
                    allowed: "text of at most 32767 characters",
                    hint: "Shorten it; if a quotation mark is missing, close it.",
                }));
                return;
            }
        }
        self.set_plain(text);
    }

    /// Puts a text in that is short and holds no NUL bytes, in the memory of the one before it.
    pub fn set_plain(&mut self, text: &str) {
        if text.trim().is_empty() {
            *self = Self::Empty;
        } else if let Self::Text(before) = self {
            refill(before, text);
        } else {
            *self = Self::Text(text.to_owned());
        }
    }
}

/// Why a cell's text cannot be taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CellTextProblem {
    /// What was found, as people see it.
    pub found: String,
    /// What is allowed.
    pub allowed: &'static str,
    /// What to do, as a sentence.
    pub hint: &'static str,
}

/// One row. Reused from row to row, so that reading allocates little.
#[derive(Debug, Default)]
pub struct Row {
    /// The row as a spreadsheet counts it, from 1: the header counts too, and a quoted line
    /// break starts no new row.
    pub number: u64,
    /// How many cells a CSV file has in this row, empty ones at its end included.
    pub width: usize,
    /// Whether a CSV file ends within this row, without a line break.
    pub is_cut: bool,
    /// The cells from column A on; trailing empty cells may be left out.
    pub cells: Vec<Cell>,
}

/// Puts a text into the memory of another, which is given back where it is far too much: in
/// ten thousand columns a few long texts each would add up.
pub fn refill(text: &mut String, content: &str) {
    const KEPT: usize = 1024;
    if text.capacity() > KEPT && content.len() < KEPT {
        *text = String::new();
    }
    text.clear();
    text.push_str(content);
}

/// The rows of one table, in order, one at a time. Rows that hold nothing may be left out.
pub trait Rows {
    /// Reads the next row into `row`; false when there is none.
    fn next_row(&mut self, row: &mut Row) -> Result<bool, ReadError>;

    /// How a person finds a cell: `Plan!C7` in a workbook, `row 7, column growth` in a CSV file.
    /// `column` counts from 0, `name` is the header's text.
    fn address(&self, row: u64, column: usize, name: &str) -> String;

    /// How a person finds a whole row.
    fn row_address(&self, row: u64) -> String {
        format!("row {row}")
    }
}
