//! xlsx and xls workbooks from untrusted sources, opened within bounds and read as rows.
//!
//! The readers that this crate builds on (calamine, zip, quick-xml, cfb) trust a file more than
//! a service may: they reserve what it declares, keep what it repeats and follow what it links.
//! [`check`] looks for that before they see the file, and [`Workbook`] hands them no more than
//! it checked. Each bound and each work-around names the upstream issue that it works around, so
//! that it can go when that issue is solved; where there is none, it says what was observed.
//!
//! How a workbook is read:
//! - **Values** are read as they are stored, not as they are shown: a cell that shows `3` and
//!   holds 3.14 is 3.14. A formula counts by the result that was saved with it; nothing is
//!   computed. A formula without a result (written by a program that does not compute) is
//!   [`Cell::Uncomputed`], one that failed is [`Cell::Error`].
//! - **Dates** are numbers that the cell's number format shows as a date, counted from 1900 or
//!   from 1904 as the workbook says.
//! - **Percentages** are numbers that the cell's number format shows multiplied by 100.
//! - **Hidden** rows, hidden columns and filtered rows are read like any other.
//! - **Merged** cells hold one value, at their top left. Values that a program left in the other
//!   cells are read too.
//! - **Comments, pictures, charts, tables, validations and macros** are ignored.

#![warn(missing_docs)]

mod address;
mod cell;
mod dates;
mod error;
mod percent;
mod signature;
mod xls;
mod xlsx;

use std::io::{Read, Seek, SeekFrom};

use calamine::{CellErrorType, Reader as _, SheetType, SheetVisible};
use dropcast_domain::model::InputFormat;

use self::signature::Signature;
pub use self::{
    address::{cell_address, sheet_reference},
    cell::{Cell, CellTextProblem, MAX_CHARS, MAX_COLUMNS, Row, Rows, refill},
    error::ReadError,
};

/// The two formats of workbooks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WorkbookFormat {
    /// Office Open XML, since Excel 2007. Read as a stream.
    Xlsx,
    /// BIFF in a compound file, Excel 5.0 to 2003. Read into memory.
    Xls,
}

/// Checks that a file is what its extension says and, for a workbook, that reading it takes
/// bounded memory and time. Shared texts may take half of `max_memory` bytes.
///
/// Fails with [`ReadError::Rejected`] and a message for the person who sent the file, or with
/// [`ReadError::Io`] when the file cannot be read.
pub fn check<R: Read + Seek>(
    file: &mut R,
    format: InputFormat,
    max_memory: u64,
) -> Result<(), ReadError> {
    file.seek(SeekFrom::Start(0))?;
    let signature = Signature::read(file)?;
    signature::check_format(signature, format, file)?;
    match format {
        InputFormat::Xlsx => xlsx::archive::check(file, max_memory),
        InputFormat::Xls => xls::compound::check(file),
        InputFormat::Csv | InputFormat::Json => Ok(()),
    }
}

/// A sheet of a workbook, in the workbook's order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sheet {
    /// Its name.
    pub name: String,
    /// Whether Excel hides it.
    pub is_hidden: bool,
    /// Whether it holds cells; charts and macro sheets do not.
    pub has_cells: bool,
}

impl Sheet {
    fn list(sheets: &[calamine::Sheet]) -> Vec<Self> {
        sheets
            .iter()
            .map(|sheet| Self {
                name: sheet.name.clone(),
                is_hidden: sheet.visible != SheetVisible::Visible,
                has_cells: sheet.typ == SheetType::WorkSheet,
            })
            .collect()
    }
}

/// An opened workbook.
pub struct Workbook<R: Read + Seek> {
    book: Book<R>,
    sheets: Vec<Sheet>,
}

enum Book<R: Read + Seek> {
    Xlsx(Box<calamine::Xlsx<R>>),
    Xls(Box<xls::XlsBook>),
}

/// The rows of one sheet that hold anything.
pub struct SheetRows<'a, R: Read + Seek>(Inner<'a, R>);

enum Inner<'a, R: Read + Seek> {
    Xlsx(Box<xlsx::rows::XlsxRows<'a, R>>),
    Xls(xls::XlsRows),
}

impl<R: Read + Seek> Workbook<R> {
    /// Opens a workbook that passed [`check`].
    pub fn open(file: R, format: WorkbookFormat) -> Result<Self, ReadError> {
        let (book, sheets) = match format {
            WorkbookFormat::Xlsx => {
                let book = xlsx::rows::open(file)?;
                let sheets = Sheet::list(book.sheets_metadata());
                (Book::Xlsx(Box::new(book)), sheets)
            }
            WorkbookFormat::Xls => {
                let book = xls::XlsBook::open(file)?;
                let sheets = Sheet::list(book.sheets());
                (Book::Xls(Box::new(book)), sheets)
            }
        };
        Ok(Self { book, sheets })
    }

    /// All sheets, hidden ones and those without cells too.
    pub fn sheets(&self) -> &[Sheet] {
        &self.sheets
    }

    /// The rows of a sheet, from the first one.
    pub fn rows(&mut self, sheet: &str) -> Result<SheetRows<'_, R>, ReadError> {
        self.open_rows(sheet, true)
    }

    /// The rows of a sheet for a caller who needs no more than the first few, and no
    /// percentages: finding those means reading an xlsx sheet twice.
    pub fn preview_rows(&mut self, sheet: &str) -> Result<SheetRows<'_, R>, ReadError> {
        self.open_rows(sheet, false)
    }

    fn open_rows(
        &mut self,
        sheet: &str,
        with_percentages: bool,
    ) -> Result<SheetRows<'_, R>, ReadError> {
        let rows = match &mut self.book {
            Book::Xlsx(book) => {
                let places = if with_percentages {
                    xlsx::rows::find_percentages(book, sheet)?
                } else {
                    percent::PercentCells::default()
                };
                let rows = xlsx::rows::XlsxRows::open(book, sheet, places)?;
                Inner::Xlsx(Box::new(rows))
            }
            Book::Xls(book) => Inner::Xls(book.rows(sheet)?),
        };
        Ok(SheetRows(rows))
    }
}

impl<R: Read + Seek> SheetRows<'_, R> {
    fn sheet(&self) -> &str {
        match &self.0 {
            Inner::Xlsx(rows) => rows.sheet(),
            Inner::Xls(rows) => rows.sheet(),
        }
    }
}

impl<R: Read + Seek> Rows for SheetRows<'_, R> {
    fn next_row(&mut self, row: &mut Row) -> Result<bool, ReadError> {
        let more = match &mut self.0 {
            Inner::Xlsx(rows) => rows.next_row(row)?,
            Inner::Xls(rows) => rows.next_row(row),
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

fn too_many_columns(at: &str) -> ReadError {
    error::rejected(
        at,
        "a value in a further column",
        &format!("at most {MAX_COLUMNS} columns"),
        &format!(
            "At {at}: there is a value beyond column {MAX_COLUMNS}, the last that a table may \
             have. Delete the columns that do not belong to the table."
        ),
    )
}

/// A number as a cell. A file can hold values that are not numbers; Excel cannot.
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

/// Whether calamine can parse a number format. It counts the brackets in a `u8` and adds with
/// overflow (`detect_custom_number_format` in calamine 0.38, observed; no issue is known).
fn is_parsable_format(format: &[u8]) -> bool {
    let brackets: usize = format.iter().map(|b| usize::from(*b == b'[')).sum();
    brackets < 200
}
