//! Tables: CSV files and workbooks, read row by row in bounded memory.
//!
//! The schema describes one row. Every cell is converted to what its column's schema says
//! and checked by that column's own part of the schema; only a schema that speaks about
//! several columns at once (`dependentRequired`, `if`, `oneOf` at its root) sees whole rows.
//! An accepted table comes out as one clean CSV: UTF-8, commas, the schema's own column
//! names, ISO 8601 dates, decimal points, `true` and `false`. A rejected one comes out as
//! problems, similar ones put together, each with the address of its first cells.
//!
//! What people who write files should know:
//! - The first row that holds anything is the header. A column is found by its name, else by
//!   its name without regard to case, spaces, `-` and `_`.
//! - A cell of nothing but white space is empty. An empty cell is no value: the schema's
//!   default takes its place; without one it is a problem where the schema requires the
//!   column and does not take `null`.
//! - Numbers are written `1234.5`; where the manifest names a locale, as people there write
//!   them (`1.234,5`). Dates are ISO 8601, with a locale also `31.12.2026`.
//! - `true`/`false`, `yes`/`no`, `1`/`0` are booleans, with a locale its own words too.
//! - A date and time without an offset is taken as UTC.

mod check;
mod clean;
mod columns;
mod convert;
mod csv;
mod header;
mod keys;
mod mark;
mod report;
mod workbook;

use std::io::{self, Read, Seek, Write};

use dropcast_domain::{
    model::{InputFormat, TableSpec},
    problem::ProblemList,
    table::{ReadingRemarks, TableReading},
};
use dropcast_workbook::{ReadError, Rows, WorkbookFormat};

use self::report::Marking;
pub use self::{columns::RowSchema, mark::mark, report::CellProblems};
use crate::Limits;

/// What came of reading a table.
#[derive(Debug)]
pub enum Outcome {
    /// It satisfies the schema; the clean CSV is written.
    Accepted(Accepted),
    /// It does not; what was written of the clean CSV is of no use.
    Rejected(TableProblems),
}

/// A table that satisfies its schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    /// How it was read, and where defaults were filled in.
    pub reading: TableReading,
}

/// A table that does not satisfy its schema.
#[derive(Debug)]
pub struct TableProblems {
    /// What is wrong: first what concerns the whole table, then the problems of its cells, those
    /// that the most cells have first.
    pub problems: ProblemList,
    /// The faulty cells, for the marked copy.
    pub cell_problems: CellProblems,
    /// How it was read, as far as it was; `None` when no header was found.
    pub reading: Option<TableReading>,
    /// What the marked copy must know; `None` when no row was reached, so that there is nothing
    /// to mark.
    pub(crate) marking: Option<Marking>,
}

impl TableProblems {
    /// Whether there are cells that a copy could mark.
    pub fn can_be_marked(&self) -> bool {
        self.marking.is_some() && self.cell_problems.total() > 0
    }

    /// A file that is refused before its header was reached.
    fn unread(problems: ProblemList) -> Self {
        Self {
            problems,
            cell_problems: CellProblems::default(),
            reading: None,
            marking: None,
        }
    }
}

/// Reads a table: finds out how it is written, finds its columns, converts and checks every
/// cell, and writes the clean CSV to `clean`.
///
/// `file` is read from its start, a CSV file of no declared encoding twice. Memory does not
/// grow with the rows, except 20 to 40 bytes a row where `spec.key` names columns.
///
/// Fails when `file` cannot be read or `clean` cannot be written.
pub fn read<R: Read + Seek, W: Write>(
    mut file: R,
    format: InputFormat,
    spec: &TableSpec,
    schema: &RowSchema,
    limits: &Limits,
    clean: W,
) -> io::Result<Outcome> {
    let names = Names::of(schema, spec);
    let read = with_rows(&mut file, format, spec, &names, limits, |rows, source| {
        check::check_rows(rows, source, spec, schema, clean)
    });
    match read {
        Ok(outcome) => Ok(outcome),
        Err(ReadError::Rejected(problems)) => {
            Ok(Outcome::Rejected(TableProblems::unread(problems)))
        }
        Err(ReadError::Io(error)) => Err(error),
    }
}

/// What was found out about a file before its first row was read.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    pub(crate) format: InputFormat,
    pub(crate) sheet: Option<String>,
    pub(crate) delimiter: Option<char>,
    pub(crate) encoding: Option<dropcast_domain::model::TableEncoding>,
    /// What somebody may have meant otherwise.
    pub(crate) remarks: ReadingRemarks,
}

/// The columns that are looked for while it is found out how a file is written.
#[derive(Debug, Clone, Default)]
pub(crate) struct Names<'n> {
    /// Every column that is known.
    pub(crate) wanted: Vec<&'n str>,
    /// Those that must be there.
    pub(crate) required: Vec<&'n str>,
}

impl<'n> Names<'n> {
    fn of(schema: &'n RowSchema, spec: &'n TableSpec) -> Self {
        let wanted = columns::wanted_names(schema, spec);
        let is_named = |name: &str| {
            let mut named = spec.required_columns.iter().chain(&spec.key);
            named.any(|named| named == name)
        };
        let required = wanted
            .iter()
            .copied()
            .filter(|name| schema.requires(name) || is_named(name))
            .collect();
        Self { wanted, required }
    }
}

/// Opens a file and hands over its rows; by the `names` the delimiter of a CSV file and the
/// sheet of a workbook are found out.
pub(crate) fn with_rows<R: Read + Seek, T>(
    mut file: R,
    format: InputFormat,
    spec: &TableSpec,
    names: &Names<'_>,
    limits: &Limits,
    then: impl FnOnce(&mut dyn Rows, Source) -> Result<T, ReadError>,
) -> Result<T, ReadError> {
    let size = file.seek(io::SeekFrom::End(0))?;
    if size > limits.max_bytes {
        let problem = crate::limits::too_large(size, limits.max_bytes);
        return Err(ReadError::Rejected(ProblemList::of(problem)));
    }
    dropcast_workbook::check(&mut file, format, limits.max_memory)?;
    with_checked_rows(file, format, spec, names, then)
}

/// The same for a file that the guard let pass already: inflating all of a workbook to count it
/// takes as long as reading it.
pub(crate) fn with_checked_rows<R: Read + Seek, T>(
    mut file: R,
    format: InputFormat,
    spec: &TableSpec,
    names: &Names<'_>,
    then: impl FnOnce(&mut dyn Rows, Source) -> Result<T, ReadError>,
) -> Result<T, ReadError> {
    file.rewind()?;
    let workbook_format = match format {
        InputFormat::Csv => {
            let mut rows = csv::CsvRows::open(file, spec, &names.wanted)?;
            let source = rows.source();
            return then(&mut rows, source);
        }
        InputFormat::Xlsx | InputFormat::Xls | InputFormat::Json => workbook_format(format)?,
    };
    let mut workbook = workbook::TableWorkbook::open(file, workbook_format, spec, names)?;
    let source = Source {
        format,
        sheet: Some(workbook.sheet().to_owned()),
        delimiter: None,
        encoding: None,
        remarks: ReadingRemarks {
            unread_sheets: workbook.unread().to_vec(),
            ..ReadingRemarks::default()
        },
    };
    then(&mut workbook.rows()?, source)
}

/// The format of a workbook; fails for files that are none, which have no table here.
fn workbook_format(format: InputFormat) -> io::Result<WorkbookFormat> {
    match format {
        InputFormat::Xlsx => Ok(WorkbookFormat::Xlsx),
        InputFormat::Xls => Ok(WorkbookFormat::Xls),
        InputFormat::Csv | InputFormat::Json => Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            format!("{} is not a format of workbooks", format.as_str()),
        )),
    }
}

#[cfg(test)]
mod tests;
