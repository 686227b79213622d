//! The rows of an xlsx file, read as a stream: one row in memory, and the shared texts.

use std::io::{Read, Seek};

use calamine::{DataRef, Reader, Xlsx, XlsxCellReader, XlsxError, XlsxFormulaMetadata};
use dropcast_domain::text::quoted;

use crate::{
    Cell, ReadError, Row,
    address::{SHEET_COLUMNS, SHEET_ROWS, cell_address, sheet_reference},
    dates,
    error::{damaged_at, is_of_content, rejected, too_large},
    error_cell, number_cell,
    percent::{PercentCells, is_percent},
};

/// How many empty cells may precede others in all rows together …
const EMPTY_BASE: u64 = 20_000_000;

/// … and so many more for each cell that is not empty. A value at the far right of every row
/// would otherwise take minutes to read, or the memory of a whole rectangle
/// (<https://github.com/ToucanToco/fastexcel/issues/487>).
const EMPTY_RATIO: u64 = 8;

/// Opens an xlsx file that passed [`check`](crate::check).
pub(crate) fn open<R: Read + Seek>(file: R) -> Result<Xlsx<R>, ReadError> {
    Xlsx::new(file).map_err(|error| broken("", error))
}

/// The rows of one sheet that hold anything.
pub(crate) struct XlsxRows<'a, R: Read + Seek> {
    sheet: String,
    is_1904: bool,
    cells: XlsxCellReader<'a, R>,
    percentages: PercentCells,
    /// A cell that was read and belongs to the next row.
    waiting: Option<(Position, Cell)>,
    last: Option<Position>,
    ended: bool,
    empty_left: u64,
}

/// A cell's row and column, both from 0.
type Position = (u32, u32);

impl<'a, R: Read + Seek> XlsxRows<'a, R> {
    pub(crate) fn open(
        book: &'a mut Xlsx<R>,
        sheet: &str,
        percentages: PercentCells,
    ) -> Result<Self, ReadError> {
        let is_1904 = book.has_1904_epoch();
        let cells = book
            .worksheet_cells_reader(sheet)
            .map_err(|error| broken(&sheet_reference(sheet), error))?;
        Ok(Self {
            sheet: sheet.to_owned(),
            is_1904,
            cells,
            percentages,
            waiting: None,
            last: None,
            ended: false,
            empty_left: EMPTY_BASE,
        })
    }

    pub(crate) fn sheet(&self) -> &str {
        &self.sheet
    }

    pub(crate) fn next_row(&mut self, row: &mut Row) -> Result<bool, ReadError> {
        row.cells.clear();
        let Some(((number, column), cell)) = self.next_cell()? else {
            return Ok(false);
        };
        row.number = u64::from(number) + 1;
        put(row, column, cell);
        while let Some((position, cell)) = self.next_cell()? {
            if position.0 != number {
                self.waiting = Some((position, cell));
                break;
            }
            put(row, position.1, cell);
        }
        self.empty_left = self
            .empty_left
            .checked_sub(row.cells.len() as u64)
            .ok_or_else(|| self.too_wide(row))?;
        Ok(true)
    }

    /// The next cell that is not empty.
    fn next_cell(&mut self) -> Result<Option<(Position, Cell)>, ReadError> {
        if let Some(waiting) = self.waiting.take() {
            return Ok(Some(waiting));
        }
        while !self.ended {
            let read = match self.cells.next_cell_with_formula_metadata() {
                Ok(read) => read,
                Err(error) => return Err(self.unreadable(error)),
            };
            let Some(read) = read else {
                self.ended = true;
                break;
            };
            let position = read.pos;
            let cell = match read.value {
                DataRef::Empty if read.formula.as_ref().is_some_and(has_result) => Cell::Uncomputed,
                value => {
                    let is_percent = self.percentages.hold(position.0, position.1);
                    cell_of(value, self.is_1904, is_percent)
                }
            };
            self.check(position)?;
            if cell != Cell::Empty {
                self.empty_left += EMPTY_RATIO;
                return Ok(Some((position, cell)));
            }
        }
        Ok(None)
    }

    /// Excel writes rows from the top and cells from the left, each once. Other orders
    /// would give one cell two values, or need the whole sheet in memory.
    fn check(&mut self, position: Position) -> Result<(), ReadError> {
        let (row, column) = position;
        let at = || cell_address(&self.sheet, u64::from(row) + 1, column as usize);
        if row >= SHEET_ROWS || column >= SHEET_COLUMNS {
            return Err(damaged_at(&at(), "a cell outside of every sheet"));
        }
        if self.last.is_some_and(|last| position <= last) {
            return Err(damaged_at(&at(), "its cells are not in order"));
        }
        self.last = Some(position);
        Ok(())
    }

    fn too_wide(&self, row: &Row) -> ReadError {
        let at = cell_address(&self.sheet, row.number, row.cells.len().saturating_sub(1));
        rejected(
            &at,
            "values far to the right of the table",
            "one table without stray cells",
            &format!(
                "The sheet has values far to the right of the table, such as {at}. Delete the \
                 columns that do not belong to the table."
            ),
        )
    }

    fn unreadable(&self, error: XlsxError) -> ReadError {
        let at = match self.last {
            Some((row, column)) => cell_address(&self.sheet, u64::from(row) + 1, column as usize),
            None => sheet_reference(&self.sheet),
        };
        match error {
            XlsxError::CellError(found) => rejected(
                &at,
                &quoted(&found),
                "a value",
                &format!(
                    "A formula after {at} failed: its cell holds {}. Correct the formula or put \
                     a value in its place.",
                    quoted(&found)
                ),
            ),
            error => broken(&at, error),
        }
    }
}

/// Finds where a sheet shows percentages. calamine 0.38 gives a cell with its formula or with its
/// style (<https://github.com/tafia/calamine/pull/682>), not with both, so the sheet is read once
/// more, unless no style of the workbook shows percentages.
pub(crate) fn find_percentages<R: Read + Seek>(
    book: &mut Xlsx<R>,
    sheet: &str,
) -> Result<PercentCells, ReadError> {
    let mut cells = book
        .worksheet_cells_reader(sheet)
        .map_err(|error| broken(&sheet_reference(sheet), error))?;
    let styles: Vec<bool> = cells
        .styles()
        .iter()
        .map(|style| {
            let format = style.number_format.as_ref();
            format.is_some_and(|format| is_percent(&format.format_code))
        })
        .collect();
    let mut places = PercentCells::default();
    if !styles.contains(&true) {
        return Ok(places);
    }
    // What cannot be read is said when the cells themselves are read.
    while let Ok(Some((row, column, style))) = cells.next_style_id() {
        if styles[style] && !places.add(row, column) {
            return Err(too_large(
                "percentages all over the sheet",
                "a format for whole columns",
            ));
        }
    }
    Ok(places)
}

/// Whether a formula should have a stored result; `=""` is an empty cell.
fn has_result(formula: &XlsxFormulaMetadata) -> bool {
    !matches!(formula, XlsxFormulaMetadata::Normal { formula } if formula.trim() == "\"\"")
}

fn put(row: &mut Row, column: u32, cell: Cell) {
    row.cells.resize(column as usize, Cell::Empty);
    row.cells.push(cell);
}

fn cell_of(value: DataRef<'_>, is_1904: bool, is_percent: bool) -> Cell {
    match value {
        DataRef::Empty => Cell::Empty,
        DataRef::SharedString(text) => Cell::of_text(text),
        DataRef::String(text) => Cell::of_text(&text),
        DataRef::Float(number) => number_cell(number, is_percent),
        #[expect(
            clippy::cast_precision_loss,
            reason = "Excel's whole numbers are doubles; this reader gives none"
        )]
        DataRef::Int(number) => number_cell(number as f64, is_percent),
        DataRef::Bool(value) => Cell::Bool(value),
        DataRef::DateTime(date) => dates::to_cell(&date, is_1904),
        DataRef::DateTimeIso(text) => dates::from_iso(&text),
        DataRef::DurationIso(text) => Cell::Unusable(text),
        DataRef::Error(error) => error_cell(&error),
    }
}

/// What the reader says of a workbook, in words that a person can use.
fn broken(at: &str, error: XlsxError) -> ReadError {
    match error {
        XlsxError::Io(error) | XlsxError::Zip(zip::result::ZipError::Io(error))
            if !is_of_content(&error) =>
        {
            ReadError::Io(error)
        }
        error => damaged_at(at, &error.to_string()),
    }
}
