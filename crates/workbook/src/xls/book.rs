//! A checker between an xls file and calamine, which reads the records of a workbook.
//!
//! calamine 0.38 parses all records of all sheets when it opens a workbook. It indexes into many
//! of them unchecked, and keeps what they declare. So the records are walked here first. Those
//! that hold values are checked and passed on as they are: the formats, the shared texts, and
//! the cells of one sheet. The others are left out, such as defined names
//! (<https://github.com/tafia/calamine/issues/612>) and external references. Two kinds are
//! changed on the way, which [`super::cells`] explains.

use std::collections::HashSet;

use super::{
    cells::CellFilter,
    records::{Record, Records, kind, put, u16_at},
    texts::{self, Lengths},
};
use crate::{
    error::{ReadError, damaged, encrypted, rejected, too_large},
    is_parsable_format,
    percent::{self, PercentCells},
};

/// The most sheets.
const MAX_SHEETS: usize = 10_000;

/// A workbook's stream, checked but for the cells.
pub(super) struct Book {
    stream: Vec<u8>,
    /// Since Excel 97; earlier ones are written in a code page.
    pub(super) is_biff8: bool,
    /// The records that all sheets need, as they are.
    globals: Vec<u8>,
    texts: Vec<u8>,
    pub(super) lengths: Lengths,
    /// Per cell format, in their order, the number format that it names.
    number_formats: Vec<u16>,
    /// The number formats of percentages that the workbook has itself.
    percents: HashSet<u16>,
    sheets: Vec<BoundSheet>,
}

/// Where a sheet begins, and the record that names it.
struct BoundSheet {
    start: usize,
    record: Vec<u8>,
}

impl Book {
    /// Checks all records of a workbook's stream but those of its sheets.
    pub(super) fn parse(stream: Vec<u8>) -> Result<Self, ReadError> {
        let mut book = Self {
            stream: Vec::new(),
            is_biff8: true,
            globals: Vec::new(),
            texts: Vec::new(),
            lengths: Lengths::default(),
            number_formats: Vec::new(),
            percents: HashSet::new(),
            sheets: Vec::new(),
        };
        let mut records = Records { rest: &stream };
        let first = records.next()?;
        match (first.kind, u16_at(first.data, 0)) {
            (kind::BOF, Some(0x0600)) => {}
            (kind::BOF, Some(0x0500)) => book.is_biff8 = false,
            _ => {
                return Err(rejected(
                    "",
                    "a workbook of Excel 4 or older",
                    "an Excel 97-2003 workbook (xls)",
                    "The workbook is of Excel 4 or older. Open it in Excel and save it as \
                     \"Excel Workbook (.xlsx)\".",
                ));
            }
        }
        put(&mut book.globals, first.kind, first.data);
        let mut has_code_page = false;
        loop {
            let record = records.next()?;
            match record.kind {
                kind::EOF => break,
                kind::FILE_PASS => return Err(encrypted()),
                // Newer workbooks are in UTF-16, whatever they declare.
                kind::CODE_PAGE if !book.is_biff8 && record.data.len() >= 2 => {
                    has_code_page = true;
                    put(&mut book.globals, record.kind, &record.data[..2]);
                }
                kind::DATE_MODE if record.data.len() >= 2 => {
                    put(&mut book.globals, record.kind, &record.data[..2]);
                }
                kind::XF if record.data.len() >= 4 => {
                    book.number_formats
                        .push(u16_at(record.data, 2).unwrap_or_default());
                    put(&mut book.globals, record.kind, record.data);
                }
                kind::FORMAT if record.data.len() >= 5 && is_parsable_format(record.data) => {
                    book.keep_if_percent(record.data);
                    put(&mut book.globals, record.kind, record.data);
                }
                kind::BOUND_SHEET => book.bind(record.data)?,
                kind::SST => book.share(&record)?,
                _ => {}
            }
        }
        if !book.is_biff8 && !has_code_page {
            put(&mut book.globals, kind::CODE_PAGE, &1252_u16.to_le_bytes());
        }
        book.stream = stream;
        Ok(book)
    }

    /// Notes a number format of percentages. Its text is of one or of two bytes a character.
    fn keep_if_percent(&mut self, data: &[u8]) {
        let text = match (self.is_biff8, data.get(4)) {
            (false, _) => data.get(3..),
            (true, _) => data.get(5..),
        };
        let is_wide = self.is_biff8 && data.get(4).is_some_and(|flags| flags & 1 != 0);
        let step = if is_wide { 2 } else { 1 };
        let format: String = text
            .unwrap_or_default()
            .chunks(step)
            .map(|unit| match unit {
                [character] | [character, 0] => char::from(*character),
                _ => char::REPLACEMENT_CHARACTER,
            })
            .collect();
        let number = u16_at(data, 0).unwrap_or_default();
        if percent::is_percent(&format) {
            self.percents.insert(number);
        } else {
            self.percents.remove(&number);
        }
    }

    /// Per cell format, whether it shows percentages.
    pub(super) fn percent_formats(&self) -> Vec<bool> {
        self.number_formats
            .iter()
            .map(|format| percent::is_built_in(*format) || self.percents.contains(format))
            .collect()
    }

    /// Keeps the name of a sheet. calamine 0.38 indexes into the record unchecked (observed).
    fn bind(&mut self, data: &[u8]) -> Result<(), ReadError> {
        let shape = (data.first_chunk::<4>(), data.get(4), data.get(5));
        let (Some(start), Some(state), Some(0 | 1 | 2 | 6)) = shape else {
            return Err(damaged("it names a sheet of no known kind"));
        };
        if state & 0x3f > 2 || data.len() < 8 {
            return Err(damaged("it names a sheet that is broken"));
        }
        if self.sheets.len() >= MAX_SHEETS {
            return Err(too_large(
                &format!("more than {MAX_SHEETS} sheets"),
                &format!("at most {MAX_SHEETS}"),
            ));
        }
        self.sheets.push(BoundSheet {
            start: u32::from_le_bytes(*start) as usize,
            record: data.to_vec(),
        });
        Ok(())
    }

    /// Keeps the shared texts.
    fn share(&mut self, record: &Record<'_>) -> Result<(), ReadError> {
        self.lengths = texts::measure(record.data, &record.more)
            .ok_or_else(|| damaged("its texts are cut"))?;
        self.texts.clear();
        put(&mut self.texts, record.kind, record.data);
        for more in &record.more {
            put(&mut self.texts, kind::CONTINUE, more);
        }
        Ok(())
    }

    /// The stream of a workbook that has all sheets, and the cells of at most one of them, given
    /// by its place among the sheets and its name. With it come the places of that sheet's
    /// percentages.
    pub(super) fn excerpt(
        &self,
        sheet: Option<(usize, &str)>,
    ) -> Result<(Vec<u8>, PercentCells), ReadError> {
        let mut book = self.globals.clone();
        let mut starts = Vec::new();
        for bound in &self.sheets {
            starts.push(book.len() + 4);
            put(&mut book, kind::BOUND_SHEET, &bound.record);
        }
        // The texts are of use to cells only.
        if sheet.is_some() {
            book.extend(&self.texts);
        }
        // A sheet that begins here is empty.
        let end = book.len();
        put(&mut book, kind::EOF, &[]);
        let content = book.len();
        let mut percentages = PercentCells::default();
        if let Some((index, name)) = sheet {
            percentages = self.copy_cells(index, name, &mut book)?;
        }
        for (index, at) in starts.into_iter().enumerate() {
            let is_wanted = sheet.is_some_and(|(wanted, _)| wanted == index);
            let start = if is_wanted { content } else { end };
            let start = u32::try_from(start).map_err(|_| damaged("it is too long"))?;
            book[at..at + 4].copy_from_slice(&start.to_le_bytes());
        }
        Ok((book, percentages))
    }

    /// Copies the cells of a sheet, and finds those that are percentages.
    fn copy_cells(
        &self,
        index: usize,
        name: &str,
        into: &mut Vec<u8>,
    ) -> Result<PercentCells, ReadError> {
        // calamine 0.38 panics at a sheet that begins behind the end of the stream (observed).
        let rest = self.stream.get(self.sheets[index].start..);
        let mut records = Records {
            rest: rest.ok_or_else(|| damaged("a sheet is missing"))?,
        };
        let begin = records.next()?;
        if begin.kind != kind::BOF {
            return Err(damaged("a sheet is missing"));
        }
        put(into, begin.kind, begin.data);
        let mut filter = CellFilter::new(name, self);
        // Charts stand within the sheet that shows them, and have cells of their own, which
        // calamine skips too (<https://github.com/tafia/calamine/pull/701>).
        let mut charts = 0_u32;
        loop {
            let record = records.next()?;
            match record.kind {
                kind::BOF => charts += 1,
                kind::EOF if charts == 0 => break,
                kind::EOF => charts -= 1,
                _ if charts > 0 => {}
                _ => filter.keep(&record, into)?,
            }
        }
        put(into, kind::EOF, &[]);
        Ok(filter.percentages)
    }
}
