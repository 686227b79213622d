//! A copy of a rejected table for the person who made it: the faulty cells filled, each
//! with a note that says what is wrong, and a second sheet that lists what to correct.
//!
//! It holds values alone, no formulas, and text always as text: what begins with a character
//! that a spreadsheet takes for a formula (`=`, `+`, `-`, `@`, a tab, a line end) gets the
//! quotation mark in front that Excel itself would keep with it, so that it stays text
//! when somebody edits it.
//!
//! It is small, whatever the table is: a table of up to 50,000 rows, a million cells and
//! 5 MB of text comes whole, every cell where it was. Of a larger one only the rows with
//! problems are shown, at most a thousand, with the number that each has in the file.

mod cell_formats;
mod problem_sheet;

use std::io::{self, Read, Seek, Write};

use dropcast_domain::model::{InputFormat, TableSpec};
use dropcast_workbook::{Cell, ReadError, Row, Rows};
use rust_xlsxwriter::{Note, Workbook, Worksheet, XlsxError};

use self::cell_formats::CellFormats;
use super::{Names, TableProblems, report::CellProblem, with_checked_rows};
use crate::Limits;

/// The most rows of a table that is shown whole.
const WHOLE_ROWS: u64 = 50_000;

/// The most rows that are shown of a larger one.
const PART_ROWS: u64 = 1_000;

/// The most cells that are shown.
const MAX_CELLS: u64 = 1_000_000;

/// The most bytes of text in all cells that are shown.
const MAX_TEXT_BYTES: u64 = 5_000_000;

/// The most notes. Each is a drawing, which Excel lays out when it opens the file; further
/// faulty cells are filled only.
const MAX_NOTES: usize = 2_000;

/// A header further down scrolls with its rows.
const LAST_FROZEN_ROW: u64 = 20;

/// Excel's own limits.
const MAX_COLUMNS: usize = 16_384;
const MAX_ROWS: u64 = 1_048_576;

/// The characters that a column is wide, at least and at most.
const WIDTHS: (usize, usize) = (9, 50);

/// How many rows decide how wide the columns are.
const SAMPLE_ROWS: u32 = 200;

/// Writes the marked copy of a rejected table, an xlsx workbook, to `out`.
///
/// `file`, `format`, `spec` and `limits` are those that [`read`](super::read) rejected. The
/// file is read again, twice when it may be shown whole. Memory is bounded; rows pass
/// through a temporary file in the system's folder for those. Where no row was reached
/// ([`TableProblems::can_be_marked`]) the copy lists what to correct, and no cells.
///
/// Fails when `file` cannot be read or the copy cannot be written.
pub fn mark<R: Read + Seek, W: Write + Seek + Send>(
    mut file: R,
    format: InputFormat,
    spec: &TableSpec,
    rejected: &TableProblems,
    limits: &Limits,
    out: W,
) -> io::Result<()> {
    let mut book = Workbook::new();
    let mut shown = None;
    let is_sound = dropcast_workbook::check(&mut file, format, limits.max_memory);
    if let (Some(marking), Some(())) = (&rejected.marking, as_far_as_read(is_sound)?) {
        // The same encoding, delimiter and sheet are found again by what was found.
        let mut spec = spec.clone();
        spec.encoding = marking.encoding.or(spec.encoding);
        spec.sheet = marking.sheet.clone().or(spec.sheet);
        let names = Names {
            wanted: marking.columns.iter().map(String::as_str).collect(),
            required: Vec::new(),
        };
        let whole = marking.rows <= WHOLE_ROWS && {
            let fit = with_checked_rows(&mut file, format, &spec, &names, |rows, _| {
                fits(rows).map_err(ReadError::Io)
            });
            as_far_as_read(fit)?.unwrap_or(false)
        };
        let copied = with_checked_rows(&mut file, format, &spec, &names, |rows, source| {
            copy(
                &mut book,
                rows,
                source.sheet.as_deref(),
                marking.header_row,
                rejected,
                whole,
            )
            .map_err(ReadError::Io)
        });
        shown = as_far_as_read(copied)?;
    }
    problem_sheet::write(&mut book, rejected, shown.as_ref()).map_err(unwritable)?;
    book.save_to_writer(out).map_err(unwritable)
}

/// What came of reading the file again; nothing where it is refused, as it was before.
fn as_far_as_read<T>(read: Result<T, ReadError>) -> io::Result<Option<T>> {
    match read {
        Ok(read) => Ok(Some(read)),
        Err(ReadError::Rejected(_)) => Ok(None),
        Err(ReadError::Io(error)) => Err(error),
    }
}

/// Writes the sheet with the table.
fn copy(
    book: &mut Workbook,
    rows: &mut dyn Rows,
    sheet: Option<&str>,
    header_row: u64,
    rejected: &TableProblems,
    whole: bool,
) -> io::Result<problem_sheet::TableSheet> {
    let name = problem_sheet::table_name(sheet);
    let target = book
        .add_worksheet_with_constant_memory()
        .map_err(unwritable)?;
    target.set_name(&name).map_err(unwritable)?;
    let mut copy = Copy::new(target, header_row, rejected, whole);
    copy.rows(rows)?;
    Ok(problem_sheet::TableSheet {
        name,
        whole,
        rows: copy.written,
        complete: copy.complete,
    })
}

/// Whether all rows may be shown.
fn fits(rows: &mut dyn Rows) -> io::Result<bool> {
    let mut row = Row::default();
    let mut room = CopyBudget::new(WHOLE_ROWS);
    while next(rows, &mut row)? {
        // The header, and the rows above it, count too.
        if row.number > MAX_ROWS || !room.take(&row) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The next row; none behind what cannot be read.
fn next(rows: &mut dyn Rows, row: &mut Row) -> io::Result<bool> {
    match rows.next_row(row) {
        Ok(more) => Ok(more),
        Err(ReadError::Rejected(_)) => Ok(false),
        Err(ReadError::Io(error)) => Err(error),
    }
}

/// What may still be shown.
struct CopyBudget {
    rows: u64,
    cells: u64,
    text: u64,
}

impl CopyBudget {
    fn new(rows: u64) -> Self {
        Self {
            rows,
            cells: MAX_CELLS,
            text: MAX_TEXT_BYTES,
        }
    }

    fn take(&mut self, row: &Row) -> bool {
        let text: usize = row
            .cells
            .iter()
            .map(|cell| match cell {
                Cell::Text(text) | Cell::Unusable(text) => text.len(),
                _ => 0,
            })
            .sum();
        let left = (
            self.rows.checked_sub(1),
            self.cells.checked_sub(row.cells.len() as u64),
            self.text.checked_sub(text as u64),
        );
        if let (Some(rows), Some(cells), Some(text)) = left {
            (self.rows, self.cells, self.text) = (rows, cells, text);
            return true;
        }
        false
    }
}

/// The sheet with the table, as it is written.
struct Copy<'a> {
    sheet: &'a mut Worksheet,
    header_row: u64,
    rejected: &'a TableProblems,
    whole: bool,
    formats: CellFormats,
    widths: Vec<usize>,
    notes: usize,
    /// How many rows below the header were written.
    written: u64,
    /// Whether all of them were that should be.
    complete: bool,
}

impl<'a> Copy<'a> {
    fn new(
        sheet: &'a mut Worksheet,
        header_row: u64,
        rejected: &'a TableProblems,
        whole: bool,
    ) -> Self {
        Self {
            sheet,
            header_row,
            rejected,
            whole,
            formats: CellFormats::new(),
            widths: Vec::new(),
            notes: 0,
            written: 0,
            complete: true,
        }
    }

    fn rows(&mut self, rows: &mut dyn Rows) -> io::Result<()> {
        let last = self
            .rejected
            .cell_problems
            .rows()
            .last()
            .unwrap_or_default();
        let mut room = CopyBudget::new(if self.whole { MAX_ROWS } else { PART_ROWS + 1 });
        let mut row = Row::default();
        while next(rows, &mut row)? {
            let is_header = row.number == self.header_row;
            if self.whole {
                let Ok(at) = u32::try_from(row.number - 1) else {
                    break;
                };
                self.row(&row, at, 0).map_err(unwritable)?;
                self.written += u64::from(row.number > self.header_row);
                continue;
            }
            if row.number > last.max(self.header_row) {
                break;
            }
            if is_header || !self.rejected.cell_problems.of_row(row.number).is_empty() {
                if !room.take(&row) {
                    self.complete = false;
                    break;
                }
                self.part(&row, is_header).map_err(unwritable)?;
            }
        }
        self.finish().map_err(unwritable)
    }

    /// A row of a table that is not shown whole: its number, then its cells.
    fn part(&mut self, row: &Row, is_header: bool) -> Result<(), XlsxError> {
        let at = if is_header {
            0
        } else {
            self.written += 1;
            u32::try_from(self.written).unwrap_or(u32::MAX)
        };
        self.row(row, at, 1)?;
        Ok(())
    }

    /// Writes a row, its cells moved to the right by `shift`.
    fn row(&mut self, row: &Row, at: u32, shift: usize) -> Result<(), XlsxError> {
        let problems = self.rejected.cell_problems.of_row(row.number);
        let is_header = row.number == self.header_row;
        if shift > 0 {
            let number = if is_header {
                Cell::Text("Row in the file".to_owned())
            } else {
                #[expect(clippy::cast_precision_loss, reason = "rows are far below 2^53")]
                Cell::Number(row.number as f64)
            };
            self.cell(at, 0, &number, is_header, &mut [].iter())?;
        }
        let marked = problems
            .iter()
            .map(|problem| problem.column.unwrap_or(0) + 1);
        let width = row.cells.len().max(marked.max().unwrap_or(0));
        for column in 0..width.min(MAX_COLUMNS - shift) {
            let cell = row.cells.get(column).unwrap_or(&Cell::Empty);
            let mut here = problems
                .iter()
                .filter(|problem| problem.column.unwrap_or(0) == column);
            self.cell(at, column + shift, cell, is_header, &mut here)?;
        }
        Ok(())
    }

    fn cell(
        &mut self,
        at: u32,
        column: usize,
        cell: &Cell,
        is_header: bool,
        problems: &mut dyn Iterator<Item = &CellProblem>,
    ) -> Result<(), XlsxError> {
        let Ok(to) = u16::try_from(column) else {
            return Ok(());
        };
        let mut problems = problems.peekable();
        let has_problem = problems.peek().is_some();
        let length = self
            .formats
            .write(self.sheet, (at, to), cell, is_header, has_problem)?;
        if at < SAMPLE_ROWS {
            if self.widths.len() <= column {
                self.widths.resize(column + 1, 0);
            }
            self.widths[column] = self.widths[column].max(length);
        }
        if has_problem && self.notes < MAX_NOTES {
            self.notes += 1;
            let messages: Vec<String> =
                problems.map(|problem| sentence(&problem.message)).collect();
            let text = cell_formats::fitting(&messages.join("\n"));
            let lines = text.lines().map(|line| 1 + line.len() / 45).sum::<usize>();
            let note = Note::new(text)
                .set_author("Dropcast")
                .add_author_prefix(false)
                .set_width(320)
                .set_height(u32::try_from(24 + 17 * lines.min(20)).unwrap_or(400));
            self.sheet.insert_note(at, to, &note)?;
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<(), XlsxError> {
        for (column, width) in self.widths.iter().enumerate() {
            let width = (width + 2).clamp(WIDTHS.0, WIDTHS.1);
            let (Ok(column), Ok(width)) = (u16::try_from(column), u16::try_from(width)) else {
                break;
            };
            self.sheet.set_column_width(column, f64::from(width))?;
        }
        let header = if self.whole { self.header_row } else { 1 };
        if header <= LAST_FROZEN_ROW {
            let below = u32::try_from(header).unwrap_or(1);
            self.sheet.set_freeze_panes(below, 0)?;
        }
        Ok(())
    }
}

/// A problem without its address, as a sentence that begins with a capital letter.
fn sentence(message: &str) -> String {
    let mut rest = message.chars();
    rest.next()
        .into_iter()
        .flat_map(char::to_uppercase)
        .chain(rest)
        .collect()
}

fn unwritable(error: XlsxError) -> io::Error {
    match error {
        XlsxError::IoError(error) => error,
        error => io::Error::other(error),
    }
}

#[cfg(test)]
mod tests;
