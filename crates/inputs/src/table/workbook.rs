//! The sheet of a workbook that holds the table. `dropcast-workbook` reads its rows.

#[cfg(test)]
pub(crate) mod fixtures;
mod sheets;

use std::io::{Read, Seek};

use dropcast_domain::{
    model::TableSpec,
    problem::{Problem, ProblemList},
};
use dropcast_workbook::{ReadError, SheetRows, Workbook, WorkbookFormat};

use super::Names;

/// An opened workbook with the one sheet that is read.
pub(crate) struct TableWorkbook<R: Read + Seek> {
    book: Workbook<R>,
    sheet: String,
    unread: Vec<String>,
}

impl<R: Read + Seek> TableWorkbook<R> {
    /// Opens a workbook that was checked, and finds its sheet: the one that the model names, else
    /// the visible one that holds the columns.
    pub(crate) fn open(
        file: R,
        format: WorkbookFormat,
        spec: &TableSpec,
        names: &Names<'_>,
    ) -> Result<Self, ReadError> {
        let mut book = Workbook::open(file, format)?;
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

/// A workbook that is rejected with one problem of the whole file.
fn rejected(found: &str, allowed: &str, message: &str) -> ReadError {
    ReadError::Rejected(ProblemList::of(Problem::with_message(
        "", found, allowed, message,
    )))
}

#[cfg(test)]
mod guard_tests;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod xls_tests;
#[cfg(test)]
mod xlsx_tests;
