//! The rows of an xls file. calamine keeps a sheet whole, as a rectangle; [`super::cells`] bounds
//! how large that is.

use std::io::{Cursor, Read, Seek};

use calamine::{Data, Range, Reader, Sheet, Xls, XlsError};

use super::{book::Book, compound};
use crate::{
    Cell, ReadError, Row,
    address::sheet_reference,
    dates,
    error::{damaged_at, encrypted},
    error_cell, number_cell,
    percent::PercentCells,
};

/// An xls file, checked but for the cells, with the names of its sheets.
pub(crate) struct XlsBook {
    book: Book,
    sheets: Vec<Sheet>,
}

impl XlsBook {
    /// Opens an xls file that passed [`check`](crate::check).
    pub(crate) fn open<R: Read + Seek>(file: R) -> Result<Self, ReadError> {
        let book = Book::parse(compound::read_workbook_stream(file)?)?;
        let sheets = read(&book.excerpt(None)?.0, "")?.sheets_metadata().to_vec();
        Ok(Self { book, sheets })
    }

    pub(crate) fn sheets(&self) -> &[Sheet] {
        &self.sheets
    }

    /// Reads one sheet into memory.
    pub(crate) fn rows(&self, sheet: &str) -> Result<XlsRows, ReadError> {
        let at = sheet_reference(sheet);
        let index = self
            .sheets
            .iter()
            .position(|known| known.name == sheet)
            .ok_or_else(|| damaged_at(&at, "a sheet is missing"))?;
        let (stream, percentages) = self.book.excerpt(Some((index, sheet)))?;
        let mut xls = read(&stream, &at)?;
        // Two sheets of one name are one to the reader: the last.
        let range = xls
            .worksheet_range(sheet)
            .map_err(|error| broken(&at, &error))?;
        Ok(XlsRows {
            sheet: sheet.to_owned(),
            is_1904: xls.has_1904_epoch(),
            range,
            percentages,
            next: 0,
        })
    }
}

fn read(workbook: &[u8], at: &str) -> Result<Xls<Cursor<Vec<u8>>>, ReadError> {
    Xls::new(compound::pack(workbook)?).map_err(|error| broken(at, &error))
}

/// The rows of one sheet that hold anything.
pub(crate) struct XlsRows {
    sheet: String,
    is_1904: bool,
    range: Range<Data>,
    percentages: PercentCells,
    /// The next row of the range, from its own first one on.
    next: usize,
}

impl XlsRows {
    pub(crate) fn sheet(&self) -> &str {
        &self.sheet
    }

    pub(crate) fn next_row(&mut self, row: &mut Row) -> bool {
        let Some((first_row, first_column)) = self.range.start() else {
            return false;
        };
        let width = self.range.width();
        while self.next < self.range.height() {
            let index = self.next;
            self.next += 1;
            row.number = u64::from(first_row) + index as u64 + 1;
            row.cells.clear();
            row.cells.resize(first_column as usize, Cell::Empty);
            for column in 0..width {
                let value = self.range.get((index, column));
                let is_percent = || {
                    let [index, column] = [index, column].map(|at| u32::try_from(at).ok());
                    let (Some(index), Some(column)) = (index, column) else {
                        return false;
                    };
                    self.percentages
                        .hold(first_row + index, first_column + column)
                };
                row.cells.push(value.map_or(Cell::Empty, |value| {
                    cell_of(value, self.is_1904, is_percent)
                }));
            }
            while row.cells.last() == Some(&Cell::Empty) {
                row.cells.pop();
            }
            if !row.cells.is_empty() {
                return true;
            }
        }
        false
    }
}

fn cell_of(value: &Data, is_1904: bool, is_percent: impl FnOnce() -> bool) -> Cell {
    match value {
        Data::Empty => Cell::Empty,
        Data::String(text) => Cell::of_text(text),
        Data::Float(number) => number_cell(*number, is_percent()),
        #[expect(
            clippy::cast_precision_loss,
            reason = "an xls file holds whole numbers of at most 30 bits"
        )]
        Data::Int(number) => number_cell(*number as f64, is_percent()),
        Data::Bool(value) => Cell::Bool(*value),
        Data::DateTime(date) => dates::to_cell(date, is_1904),
        Data::DateTimeIso(text) => dates::from_iso(text),
        Data::DurationIso(text) => Cell::Unusable(text.clone()),
        Data::Error(error) => error_cell(error),
    }
}

fn broken(at: &str, error: &XlsError) -> ReadError {
    match error {
        XlsError::Password => encrypted(),
        error => damaged_at(at, &error.to_string()),
    }
}
