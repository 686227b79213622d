//! Excel workbooks, row by row: xlsx as a stream, xls (97 to 2003) from memory.
//!
//! What a person should know who wonders how a workbook was read:
//! - **Values** are read as they are stored, not as they are shown: a cell that shows `3`
//!   and holds 3.14 is 3.14. A formula counts by the value that was kept with it when the
//!   workbook was last saved; nothing is computed. A formula with no such value (written
//!   by a program that does not compute) is a problem, and so is one that failed (`#REF!`).
//! - **Dates** are numbers that the cell's number format shows as a date, counted from
//!   1900 or from 1904 as the workbook says ([`dates`]).
//! - **Percentages** are numbers that the cell's number format shows a hundred times as large
//!   ([`percent`]); the manifest says what they are in a column of numbers.
//! - **Hidden** rows, hidden columns and rows that a filter hides are read like any other:
//!   hiding changes the view, not the data. A hidden *sheet* is read only if the model
//!   names it.
//! - **Merged** cells hold one value, at their top left; Excel empties the others. So a
//!   merged cell among data reads as one value and empty cells beside and below it. Should
//!   a program have left values under a merged cell, they are read like any other.
//! - **Comments, pictures, charts, tables, validations and macros** are not looked at.
//!
//! Every file passes [`guard`](super::guard) first, which bounds what reading can cost.

mod address;
mod biff;
mod dates;
#[cfg(test)]
pub(crate) mod fixtures;
mod percent;
mod sheets;
mod texts;
mod xls;
mod xlsx;

use std::io::{Read, Seek};

use calamine::{CellErrorType, Reader, Sheet};
use dropcast_domain::{
    model::{InputFormat, TableSpec},
    problem::{Problem, ProblemList},
};

pub(crate) use self::address::{SHEET_COLUMNS, SHEET_ROWS, cell_address, sheet_reference};
use super::{
    Names,
    rows::{Cell, MAX_COLUMNS, ReadError, Row, Rows},
};

/// An opened workbook with the one sheet that is read.
pub(crate) struct Workbook<R: Read + Seek> {
    book: Book<R>,
    sheet: String,
    unread: Vec<String>,
}

enum Book<R: Read + Seek> {
    Xlsx(calamine::Xlsx<R>),
    Xls(xls::XlsBook),
}

/// The rows of a workbook's sheet.
pub(crate) enum SheetRows<'a, R: Read + Seek> {
    /// Of an xlsx file.
    Xlsx(Box<xlsx::XlsxRows<'a, R>>),
    /// Of an xls file.
    Xls(xls::XlsRows),
}

impl<R: Read + Seek> Workbook<R> {
    /// Opens a workbook that the guard let pass, and finds its sheet: the one that the model
    /// names, else the visible one that holds the columns.
    pub(crate) fn open(
        file: R,
        format: InputFormat,
        spec: &TableSpec,
        names: &Names<'_>,
    ) -> Result<Self, ReadError> {
        let mut book = match format {
            InputFormat::Xls => Book::Xls(xls::XlsBook::open(file)?),
            _ => Book::Xlsx(xlsx::open(file)?),
        };
        let chosen = sheets::choose(&mut book, spec, names)?;
        Ok(Self {
            book,
            sheet: chosen.name,
            unread: chosen.unread,
        })
    }

    /// The visible sheets that hold something and are not read; none where the model names
    /// the sheet.
    pub(crate) fn unread(&self) -> &[String] {
        &self.unread
    }

    /// The name of the sheet that is read.
    pub(crate) fn sheet(&self) -> &str {
        &self.sheet
    }

    /// The sheet's rows, from its first one on.
    pub(crate) fn rows(&mut self) -> Result<SheetRows<'_, R>, ReadError> {
        self.book.rows(&self.sheet)
    }
}

impl<R: Read + Seek> Book<R> {
    fn sheets(&self) -> &[Sheet] {
        match self {
            Self::Xlsx(book) => book.sheets_metadata(),
            Self::Xls(book) => book.sheets(),
        }
    }

    fn rows(&mut self, sheet: &str) -> Result<SheetRows<'_, R>, ReadError> {
        match self {
            Self::Xlsx(book) => {
                let places = xlsx::percentages(book, sheet)?;
                let rows = xlsx::XlsxRows::new(book, sheet, places)?;
                Ok(SheetRows::Xlsx(Box::new(rows)))
            }
            Self::Xls(book) => book.rows(sheet).map(SheetRows::Xls),
        }
    }

    /// The rows for somebody who looks at the first of them, and at no number in them.
    fn first_rows(&mut self, sheet: &str) -> Result<SheetRows<'_, R>, ReadError> {
        match self {
            Self::Xlsx(book) => xlsx::XlsxRows::new(book, sheet, percent::Places::default())
                .map(|rows| SheetRows::Xlsx(Box::new(rows))),
            Self::Xls(book) => book.rows(sheet).map(SheetRows::Xls),
        }
    }
}

impl<R: Read + Seek> SheetRows<'_, R> {
    fn sheet(&self) -> &str {
        match self {
            Self::Xlsx(rows) => rows.sheet(),
            Self::Xls(rows) => rows.sheet(),
        }
    }
}

impl<R: Read + Seek> Rows for SheetRows<'_, R> {
    fn next_row(&mut self, row: &mut Row) -> Result<bool, ReadError> {
        let more = match self {
            Self::Xlsx(rows) => rows.next_row(row)?,
            Self::Xls(rows) => rows.next_row(row),
        };
        if more && row.cells.len() > MAX_COLUMNS {
            return Err(too_many_columns(&self.address(row.number, MAX_COLUMNS, "")));
        }
        Ok(more)
    }

    fn address(&self, row: u64, column: usize, _name: &str) -> String {
        cell_address(self.sheet(), row, column)
    }

    fn row_address(&self, row: u64) -> String {
        format!("row {row} of the sheet {}", sheet_reference(self.sheet()))
    }
}

/// A row that reaches further than any table may.
fn too_many_columns(at: &str) -> ReadError {
    refused(
        at,
        "a value in a further column",
        &format!("at most {MAX_COLUMNS} columns"),
        &format!(
            "At {at}: there is a value beyond column {MAX_COLUMNS}, the last that a table may \
             have. Delete the columns that do not belong to the table."
        ),
    )
}

/// A number as a cell. A file can hold what is no number; Excel cannot.
fn number_cell(number: f64, is_percent: bool) -> Cell {
    if number.is_finite() && is_percent {
        Cell::Percent(number)
    } else if number.is_finite() {
        Cell::Number(number)
    } else {
        Cell::Unusable(number.to_string())
    }
}

/// A failed formula as Excel shows it.
fn error_cell(error: &CellErrorType) -> Cell {
    Cell::Error(match error {
        CellErrorType::Div0 => "#DIV/0!",
        CellErrorType::NA => "#N/A",
        CellErrorType::Name => "#NAME?",
        CellErrorType::Null => "#NULL!",
        CellErrorType::Num => "#NUM!",
        CellErrorType::Ref => "#REF!",
        CellErrorType::Value => "#VALUE!",
        CellErrorType::GettingData => "#GETTING_DATA",
    })
}

/// A workbook that is refused, in a sentence of its own.
fn refused(at: &str, found: &str, allowed: &str, message: &str) -> ReadError {
    ReadError::Rejected(ProblemList::of(Problem::with_message(
        at, found, allowed, message,
    )))
}

/// A workbook that cannot be read to its end, with what its reader said.
fn damaged(at: &str, detail: &str) -> ReadError {
    refused(
        at,
        "a damaged workbook",
        "a workbook that Excel opens without repairing it",
        &format!(
            "The workbook is damaged ({detail}). Open it in Excel, save it under a new name, and \
             send that file."
        ),
    )
}

#[cfg(test)]
mod measure;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
