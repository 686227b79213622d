//! The cells of one sheet of an xls workbook: which records calamine may see, and what they cost.

use super::{
    book::Book,
    records::{Record, kind, put, u16_at},
    texts::Lengths,
};
use crate::{
    address::cell_address,
    error::{ReadError, damaged, rejected, too_large},
    percent::PercentCells,
};

/// The most cells of the rectangle around all values of a sheet, which calamine keeps whole: 32
/// bytes each, twice (<https://github.com/tafia/calamine/pull/428>).
const MAX_CELLS: u64 = 4_000_000;

/// The most bytes of text in all cells of a sheet, each counted as often as it is shown: calamine
/// copies a shared text into each cell (observed in calamine 0.38).
const MAX_TEXT_BYTES: u64 = 128 * 1024 * 1024;

/// The last column of a sheet in this format, from 0; its rows are as many as their numbers.
const LAST_COLUMN: u16 = 255;

/// Passes on the records that hold values, and sums up what their cells will take.
pub(super) struct CellFilter<'a> {
    sheet: &'a str,
    lengths: &'a Lengths,
    is_biff8: bool,
    cells: u32,
    text: u64,
    rows: Option<(u16, u16)>,
    columns: Option<(u16, u16)>,
    percent_formats: Vec<bool>,
    pub(super) percentages: PercentCells,
}

impl<'a> CellFilter<'a> {
    pub(super) fn new(sheet: &'a str, book: &'a Book) -> Self {
        Self {
            sheet,
            lengths: &book.lengths,
            is_biff8: book.is_biff8,
            percent_formats: book.percent_formats(),
            percentages: PercentCells::default(),
            cells: 0,
            text: 0,
            rows: None,
            columns: None,
        }
    }

    /// Passes on a record if it holds values and is well formed. What else there is (merged
    /// cells, dimensions) is left out: calamine 0.38 indexes into it unchecked, and reserves room
    /// for as many cells as DIMENSIONS declares
    /// (<https://github.com/tafia/calamine/issues/174>).
    pub(super) fn keep(
        &mut self,
        record: &Record<'_>,
        into: &mut Vec<u8>,
    ) -> Result<(), ReadError> {
        let data = record.data;
        let least = match record.kind {
            kind::NUMBER => 14,
            kind::RK | kind::LABEL_SST => 10,
            kind::BOOL_ERR | kind::LABEL | kind::RICH_STRING => 8,
            kind::MUL_RK => 12,
            kind::FORMULA => 20,
            kind::STRING => return self.keep_result(record, into),
            _ => return Ok(()),
        };
        if data.len() < least {
            return Err(damaged("a cell is cut"));
        }
        let (row, column) = (u16_at(data, 0), u16_at(data, 2));
        let (Some(row), Some(column)) = (row, column) else {
            return Err(damaged("a cell is cut"));
        };
        let mut end = column;
        match record.kind {
            kind::MUL_RK => {
                end = u16_at(data, data.len() - 2).unwrap_or_default();
                // calamine 0.38 computes this with overflow (observed).
                let count = usize::from(end.wrapping_sub(column)) + 1;
                if end < column || data.len() != 6 + 6 * count {
                    return Err(damaged("a row of numbers is cut"));
                }
            }
            kind::LABEL_SST => {
                let index = data[6..].first_chunk().map(|b| u32::from_le_bytes(*b));
                let length = index.and_then(|index| self.lengths.of(index));
                self.text += length.ok_or_else(|| damaged("a text is missing"))?;
            }
            kind::LABEL | kind::RICH_STRING => {
                if self.is_biff8 && data.len() < 9 {
                    return Err(damaged("a text is cut"));
                }
                self.text += 3 * data.len() as u64;
            }
            _ => {}
        }
        self.extend(row, column, end)?;
        self.keep_percentages(record, row, column, end)?;
        if record.kind == kind::FORMULA {
            // The value without the formula, which calamine parses when it opens the workbook, and
            // panics where it is malformed: <https://github.com/tafia/calamine/issues/721>, of which
            // <https://github.com/tafia/calamine/pull/707> solved one case.
            let mut value = data[..20].to_vec();
            value.extend([0, 0]);
            put(into, record.kind, &value);
        } else {
            put(into, record.kind, data);
        }
        Ok(())
    }

    /// Notes which cells of a record are shown as percentages.
    fn keep_percentages(
        &mut self,
        record: &Record<'_>,
        row: u16,
        first: u16,
        last: u16,
    ) -> Result<(), ReadError> {
        for (index, column) in (first..=last).enumerate() {
            // Each number of a row of them has a format of its own.
            let at = match record.kind {
                kind::MUL_RK => 4 + 6 * index,
                _ => 4,
            };
            let format = u16_at(record.data, at).map(usize::from);
            let is_percent = format.and_then(|format| self.percent_formats.get(format));
            if is_percent == Some(&true) && !self.percentages.add(row.into(), column.into()) {
                return Err(too_large("percentages all over the sheet", "fewer of them"));
            }
        }
        Ok(())
    }

    /// Passes on a formula's text, which has a record of its own. Its continuations are appended:
    /// calamine 0.38 reads those of shared texts alone
    /// (<https://github.com/tafia/calamine/issues/47>).
    fn keep_result(&mut self, record: &Record<'_>, into: &mut Vec<u8>) -> Result<(), ReadError> {
        let mut text = record.data.to_vec();
        for more in &record.more {
            // Each continuation of a newer workbook says anew how wide its characters are.
            match (self.is_biff8, more.split_first()) {
                (false, _) => text.extend(*more),
                (true, Some((width, rest))) if text.get(2) == Some(width) => text.extend(rest),
                (true, None) => {}
                (true, Some(_)) => return Err(damaged("a formula's text is of two kinds")),
            }
        }
        let least = if self.is_biff8 { 3 } else { 2 };
        if text.len() < least {
            text.resize(least, 0);
        }
        if text.len() > usize::from(u16::MAX) {
            return Err(damaged("a formula's text is too long"));
        }
        self.text += 3 * text.len() as u64;
        // Its value is the formula's, whose cell was counted.
        self.cells += 1;
        put(into, record.kind, &text);
        self.check(0, 0)
    }

    fn extend(&mut self, row: u16, first: u16, last: u16) -> Result<(), ReadError> {
        if last > LAST_COLUMN {
            return Err(damaged("a cell is outside every sheet"));
        }
        let widened = |range: Option<(u16, u16)>, from: u16, to: u16| {
            range.map_or((from, to), |(low, high)| (low.min(from), high.max(to)))
        };
        self.rows = Some(widened(self.rows, row, row));
        self.columns = Some(widened(self.columns, first, last));
        self.cells += u32::from(last - first) + 1;
        self.check(row, last)
    }

    fn check(&self, row: u16, column: u16) -> Result<(), ReadError> {
        let length =
            |range: Option<(u16, u16)>| range.map_or(0, |(low, high)| u64::from(high - low) + 1);
        let area = length(self.rows) * length(self.columns);
        if area <= MAX_CELLS && u64::from(self.cells) <= MAX_CELLS && self.text <= MAX_TEXT_BYTES {
            return Ok(());
        }
        let at = cell_address(self.sheet, u64::from(row) + 1, usize::from(column));
        Err(rejected(
            &at,
            "more cells than can be read in the older format",
            &format!("at most {MAX_CELLS} cells in the rectangle around all values"),
            &format!(
                "The sheet is too large for the older format (reached at {at}). Delete cells \
                 far away from the table, or save the workbook as \"Excel Workbook (.xlsx)\"."
            ),
        ))
    }
}
