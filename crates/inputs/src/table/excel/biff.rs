//! The records of an xls workbook (BIFF), taken apart and put together anew.
//!
//! The reader of xls files trusts them: it reserves what they declare, copies shared texts
//! as often as they are named, follows every offset and looks into every formula. So it is
//! given a workbook that was written here, from those records of the file alone that hold
//! values, each of them checked: the formats, the shared texts, and the cells of one sheet
//! without their formulas.

use std::collections::HashSet;

use super::{
    address::cell_address,
    percent::{self, Places},
    refused,
    texts::{self, Lengths},
};
use crate::table::{
    guard::{self, damaged, password, too_large},
    rows::ReadError,
};

/// The most cells of the rectangle around all values of a sheet, which the reader keeps
/// whole: 32 bytes each, twice.
const MAX_CELLS: u64 = 4_000_000;

/// The most bytes of text in all cells of a sheet, each counted as often as it is shown.
const MAX_TEXT_BYTES: u64 = 128 * 1024 * 1024;

/// The most sheets.
const MAX_SHEETS: usize = 10_000;

/// The last column of a sheet in this format, from 0; its rows are as many as their numbers.
const LAST_COLUMN: u16 = 255;

/// Kinds of records, by their numbers in [MS-XLS] 2.3.
mod kind {
    pub(super) const FORMULA: u16 = 0x0006;
    pub(super) const EOF: u16 = 0x000a;
    pub(super) const DATE_MODE: u16 = 0x0022;
    pub(super) const FILE_PASS: u16 = 0x002f;
    pub(super) const CONTINUE: u16 = 0x003c;
    pub(super) const CODE_PAGE: u16 = 0x0042;
    pub(super) const BOUND_SHEET: u16 = 0x0085;
    pub(super) const MUL_RK: u16 = 0x00bd;
    pub(super) const RICH_STRING: u16 = 0x00d6;
    pub(super) const XF: u16 = 0x00e0;
    pub(super) const SST: u16 = 0x00fc;
    pub(super) const LABEL_SST: u16 = 0x00fd;
    pub(super) const DIMENSIONS: u16 = 0x0200;
    pub(super) const NUMBER: u16 = 0x0203;
    pub(super) const LABEL: u16 = 0x0204;
    pub(super) const BOOL_ERR: u16 = 0x0205;
    pub(super) const STRING: u16 = 0x0207;
    pub(super) const RK: u16 = 0x027e;
    pub(super) const FORMAT: u16 = 0x041e;
    pub(super) const BOF: u16 = 0x0809;
}

/// A workbook's stream, taken apart.
pub(super) struct Book {
    stream: Vec<u8>,
    /// Since Excel 97; earlier ones are written in a code page.
    is_biff8: bool,
    /// The records that all sheets need, as they are.
    globals: Vec<u8>,
    texts: Vec<u8>,
    lengths: Lengths,
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

/// One record: its kind, its data, and the data that continues it.
struct Record<'a> {
    kind: u16,
    data: &'a [u8],
    more: Vec<&'a [u8]>,
}

/// The records from a place of the stream on.
struct Records<'a> {
    rest: &'a [u8],
}

impl<'a> Records<'a> {
    fn one(&mut self) -> Option<(u16, &'a [u8])> {
        let (head, behind) = self.rest.split_at_checked(4)?;
        let kind = u16::from_le_bytes([head[0], head[1]]);
        let length = u16::from_le_bytes([head[2], head[3]]);
        let (data, rest) = behind.split_at_checked(usize::from(length))?;
        self.rest = rest;
        Some((kind, data))
    }

    /// The next record; fails where the stream ends within one, or without the record that
    /// marks the end.
    fn next(&mut self) -> Result<Record<'a>, ReadError> {
        let cut = || damaged("it ends too early");
        let (kind, data) = self.one().ok_or_else(cut)?;
        let mut more = Vec::new();
        while self.rest.starts_with(&kind::CONTINUE.to_le_bytes()) {
            more.push(self.one().ok_or_else(cut)?.1);
        }
        Ok(Record { kind, data, more })
    }
}

impl Book {
    /// Takes a workbook's stream apart.
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
                return Err(refused(
                    "",
                    "a workbook of Excel 4 or older",
                    "an Excel 97-2003 workbook (xls)",
                    "The workbook is of Excel 4 or older. Open it in Excel and save it as \
                     \"Excel Workbook (.xlsx)\".",
                ));
            }
        }
        let mut has_code_page = false;
        loop {
            let record = records.next()?;
            match record.kind {
                kind::EOF => break,
                kind::FILE_PASS => return Err(password()),
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
                    put(&mut book.globals, record.kind, &record.data[..4]);
                }
                kind::FORMAT if is_sane_format(record.data) => {
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
                [sign] | [sign, 0] => char::from(*sign),
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
    fn percent_formats(&self) -> Vec<bool> {
        self.number_formats
            .iter()
            .map(|format| percent::is_built_in(*format) || self.percents.contains(format))
            .collect()
    }

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

    fn share(&mut self, record: &Record<'_>) -> Result<(), ReadError> {
        self.lengths = texts::lengths(record.data, &record.more)
            .ok_or_else(|| damaged("its texts are cut"))?;
        self.texts.clear();
        put(&mut self.texts, record.kind, record.data);
        for more in &record.more {
            put(&mut self.texts, kind::CONTINUE, more);
        }
        Ok(())
    }

    /// The stream of a workbook that has all sheets, and the content of the one that is
    /// named: by its place among the sheets, and by its name for problems. With it come the
    /// places of that sheet's percentages.
    pub(super) fn with_content_of(
        &self,
        sheet: Option<(usize, &str)>,
    ) -> Result<(Vec<u8>, Places), ReadError> {
        let version: u16 = if self.is_biff8 { 0x0600 } else { 0x0500 };
        let begin = |into: &mut Vec<u8>, content: u16| {
            let mut data = version.to_le_bytes().to_vec();
            data.extend(content.to_le_bytes());
            data.extend([0; 12]);
            put(into, kind::BOF, &data);
        };
        let mut book = Vec::new();
        begin(&mut book, 0x0005);
        book.extend(&self.globals);
        let mut places = Vec::new();
        let mut percentages = Places::default();
        for sheet in &self.sheets {
            places.push(book.len() + 4);
            put(&mut book, kind::BOUND_SHEET, &sheet.record);
        }
        // The texts are of use to cells only.
        if sheet.is_some() {
            book.extend(&self.texts);
        }
        put(&mut book, kind::EOF, &[]);
        for (index, place) in places.into_iter().enumerate() {
            let start = u32::try_from(book.len()).map_err(|_| damaged("it is too long"))?;
            book[place..place + 4].copy_from_slice(&start.to_le_bytes());
            begin(&mut book, 0x0010);
            if let Some((wanted, name)) = sheet
                && wanted == index
            {
                percentages = self.content(index, name, &mut book)?;
            }
            put(&mut book, kind::EOF, &[]);
        }
        Ok((book, percentages))
    }

    /// Writes the cells of a sheet; gives the places of percentages.
    fn content(&self, index: usize, name: &str, into: &mut Vec<u8>) -> Result<Places, ReadError> {
        let rest = self.stream.get(self.sheets[index].start..);
        let mut records = Records {
            rest: rest.ok_or_else(|| damaged("a sheet is missing"))?,
        };
        if records.next()?.kind != kind::BOF {
            return Err(damaged("a sheet is missing"));
        }
        let mut cells = Vec::new();
        let mut sums = Sums::new(name, self);
        // Charts stand within the sheet that shows them, and have cells of their own.
        let mut charts = 0_u32;
        loop {
            let record = records.next()?;
            match record.kind {
                kind::BOF => charts += 1,
                kind::EOF if charts == 0 => break,
                kind::EOF => charts -= 1,
                _ if charts > 0 => {}
                _ => sums.keep(&record, &mut cells)?,
            }
        }
        // How many cells there are, so that the reader reserves room for just those.
        let mut size = 0_u32.to_le_bytes().to_vec();
        size.extend(sums.cells.to_le_bytes());
        size.extend([0, 0, 1, 0, 0, 0]);
        put(into, kind::DIMENSIONS, &size);
        into.extend(cells);
        Ok(sums.percentages)
    }
}

/// What the cells of a sheet will take, as they are kept one by one.
struct Sums<'a> {
    sheet: &'a str,
    lengths: &'a Lengths,
    is_biff8: bool,
    cells: u32,
    text: u64,
    rows: Option<(u16, u16)>,
    columns: Option<(u16, u16)>,
    percent_formats: Vec<bool>,
    percentages: Places,
}

impl<'a> Sums<'a> {
    fn new(sheet: &'a str, book: &'a Book) -> Self {
        Self {
            sheet,
            lengths: &book.lengths,
            is_biff8: book.is_biff8,
            percent_formats: book.percent_formats(),
            percentages: Places::default(),
            cells: 0,
            text: 0,
            rows: None,
            columns: None,
        }
    }

    /// Writes a record that holds values, if it does and is well formed.
    fn keep(&mut self, record: &Record<'_>, into: &mut Vec<u8>) -> Result<(), ReadError> {
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
            // The value without the formula, whose length is then nothing.
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

    /// A formula's text, which stands in a record of its own and may be continued.
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
            return Err(damaged("a cell stands outside of every sheet"));
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
        Err(refused(
            &at,
            "more cells than can be read in the older format",
            &format!("at most {MAX_CELLS} cells in the rectangle around all values"),
            &format!(
                "The sheet is too large for the older format (reached at {at}). Delete what \
                 stands far from the table, or save the workbook as \"Excel Workbook (.xlsx)\"."
            ),
        ))
    }
}

/// Whether a number format can be looked into: its signs are counted in one byte.
fn is_sane_format(data: &[u8]) -> bool {
    data.len() >= 5 && guard::is_countable(data)
}

fn put(into: &mut Vec<u8>, kind: u16, data: &[u8]) {
    // Records come from records, whose length is of two bytes.
    let length = u16::try_from(data.len()).unwrap_or(u16::MAX);
    into.extend(kind.to_le_bytes());
    into.extend(length.to_le_bytes());
    into.extend(&data[..usize::from(length)]);
}

fn u16_at(data: &[u8], at: usize) -> Option<u16> {
    let bytes = data.get(at..)?.first_chunk()?;
    Some(u16::from_le_bytes(*bytes))
}
