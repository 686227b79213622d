//! CSV: text in rows and columns, as RFC 4180 has it and as spreadsheets write it.
//!
//! Read with the parser of the `csv` crate. Rows end with LF, CRLF or CR, also mixed; a blank
//! line is an empty row. A quotation mark inside a quoted text is written twice. A first line
//! `sep=;`, as Excel writes it, names the delimiter.

mod delimiter;

use std::{
    io::{self, Read, Seek},
    mem,
};

use csv_core::{ReadRecordResult, Reader, ReaderBuilder};
use dropcast_domain::{
    model::{InputFormat, TableEncoding, TableSpec},
    problem::{Problem, ProblemList},
    table::ReadingRemarks,
    text::quoted,
};
use dropcast_workbook::{Cell, CellTextProblem, MAX_CHARS, MAX_COLUMNS, ReadError, Row, Rows};

use super::Source;
use crate::encoding::stream::{self, Text};

/// The most bytes of one row. An unclosed quotation mark must not swallow the memory.
const MAX_ROW_BYTES: usize = 16 * 1024 * 1024;

/// The most cells of one row, empty ones at its end included.
const MAX_CELLS: usize = 65_536;

/// The rows of a CSV file.
pub(super) struct CsvRows<R> {
    text: Text<R>,
    /// Decoded text that is not parsed yet: `buffer[start..]`.
    buffer: Vec<u8>,
    start: usize,
    ended: bool,
    parser: Reader,
    delimiter: u8,
    encoding: TableEncoding,
    /// A text by which a person sees whether the encoding was guessed rightly.
    sample: Option<String>,
    /// The number of the row that was read last. Spreadsheets do not show a line `sep=;`.
    row: u64,
    /// Whether it ended with a CR, to which an LF would belong.
    after_cr: bool,
    /// Whether the file ended without a line break after it.
    is_cut: bool,
    /// The current row's cells behind each other, and where each ends.
    output: Vec<u8>,
    ends: Vec<usize>,
}

impl<R: Read + Seek> CsvRows<R> {
    /// Finds out how a file is written; the reader is at its beginning.
    pub(super) fn open(mut file: R, spec: &TableSpec, names: &[&str]) -> Result<Self, ReadError> {
        let (encoding, is_guessed) = stream::detect(&mut file, spec.encoding)?;
        let mut text = Text::new(file, encoding)?;
        let mut buffer = Vec::new();
        let mut ended = false;
        while !ended && buffer.len() < delimiter::SAMPLE {
            ended = !text.read(&mut buffer)?;
        }
        let guess = delimiter::detect(&buffer, ended, spec, names);
        let sample = if is_guessed {
            stream::sample(&buffer)
        } else {
            None
        };
        Ok(Self {
            text,
            sample,
            start: guess.skipped,
            buffer,
            ended,
            parser: ReaderBuilder::new().delimiter(guess.delimiter).build(),
            delimiter: guess.delimiter,
            encoding,
            row: 0,
            after_cr: false,
            is_cut: false,
            output: vec![0; 64 * 1024],
            ends: vec![0; 256],
        })
    }

    pub(super) fn source(&self) -> Source {
        Source {
            format: InputFormat::Csv,
            sheet: None,
            delimiter: Some(char::from(self.delimiter)),
            encoding: Some(self.encoding),
            remarks: ReadingRemarks {
                sample: self.sample.clone(),
                ..ReadingRemarks::default()
            },
        }
    }

    /// Reads more text behind what is not parsed yet; false at the end of the file.
    fn fill(&mut self) -> io::Result<bool> {
        if self.ended {
            return Ok(false);
        }
        self.buffer.drain(..self.start);
        self.start = 0;
        self.ended = !self.text.read(&mut self.buffer)?;
        Ok(true)
    }

    /// The next byte, if there is one.
    fn peek(&mut self) -> io::Result<Option<u8>> {
        loop {
            if let Some(&byte) = self.buffer.get(self.start) {
                return Ok(Some(byte));
            }
            if !self.fill()? {
                return Ok(None);
            }
        }
    }

    /// Skips blank lines, which the parser would not count; false at the end of the file.
    fn skip_blank_lines(&mut self) -> io::Result<bool> {
        loop {
            match self.peek()? {
                None => return Ok(false),
                Some(b'\n') if mem::take(&mut self.after_cr) => {}
                Some(byte @ (b'\n' | b'\r')) => {
                    self.row += 1;
                    self.after_cr = byte == b'\r';
                }
                Some(_) => return Ok(true),
            }
            self.start += 1;
        }
    }

    /// Reads a record into `output` and `ends`; gives their lengths.
    fn record(&mut self) -> Result<(usize, usize), ReadError> {
        let (mut bytes, mut cells) = (0, 0);
        loop {
            if self.start == self.buffer.len() && !self.fill()? {
                break;
            }
            let (result, read, written, ended) = self.parser.read_record(
                &self.buffer[self.start..],
                &mut self.output[bytes..],
                &mut self.ends[cells..],
            );
            self.after_cr = read > 0 && self.buffer[self.start + read - 1] == b'\r';
            self.start += read;
            bytes += written;
            cells += ended;
            match result {
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull if bytes >= MAX_ROW_BYTES => {
                    return Err(self.too_long(cells));
                }
                ReadRecordResult::OutputFull => {
                    let length = (self.output.len() * 2).min(MAX_ROW_BYTES);
                    self.output.resize(length, 0);
                }
                ReadRecordResult::OutputEndsFull if cells >= MAX_CELLS => {
                    return Err(too_many_columns(self.row + 1, None));
                }
                ReadRecordResult::OutputEndsFull => self.ends.resize(self.ends.len() * 2, 0),
                ReadRecordResult::Record | ReadRecordResult::End => return Ok((bytes, cells)),
            }
        }
        self.is_cut = true;
        // A line break ends the last row, unless a quotation mark is open.
        loop {
            let (result, _, written, ended) =
                self.parser
                    .read_record(b"\n", &mut self.output[bytes..], &mut self.ends[cells..]);
            bytes += written;
            cells += ended;
            match result {
                ReadRecordResult::OutputFull => self.output.resize(self.output.len() + 1, 0),
                ReadRecordResult::OutputEndsFull => self.ends.resize(self.ends.len() * 2, 0),
                ReadRecordResult::Record => return Ok((bytes, cells)),
                ReadRecordResult::InputEmpty | ReadRecordResult::End => {
                    return Err(self.open_quote(cells));
                }
            }
        }
    }

    /// A row that has grown beyond all measure.
    fn too_long(&self, cells: usize) -> ReadError {
        let row = self.row + 1;
        let at = format!("row {row}, cell {}", cells + 1);
        let message = format!(
            "At {at}: the row has more than {} MiB. A quotation mark that is opened here and never closed makes one \
             text of everything that follows: close it, and write a quotation mark inside a text twice.",
            MAX_ROW_BYTES / 1024 / 1024
        );
        refuse(&at, "an endless row", "a row of at most 16 MiB", &message)
    }

    /// A text that is still open at the end of the file.
    fn open_quote(&self, cells: usize) -> ReadError {
        let row = self.row + 1;
        let at = format!("row {row}, cell {}", cells + 1);
        let message = format!(
            "At {at}: a quotation mark opens a text here that is not closed before the end of the file. Close it, and write a \
             quotation mark inside a text twice."
        );
        refuse(&at, "an open quotation mark", "a closed one", &message)
    }
}

impl<R: Read + Seek> Rows for CsvRows<R> {
    fn next_row(&mut self, row: &mut Row) -> Result<bool, ReadError> {
        if !self.skip_blank_lines()? {
            return Ok(false);
        }
        let (bytes, mut cells) = self.record()?;
        self.row += 1;
        row.number = self.row;
        row.width = cells;
        row.is_cut = self.is_cut;
        while cells > 0 && self.ends[cells - 1] == start_of(&self.ends, cells - 1) {
            cells -= 1;
        }
        if cells > MAX_COLUMNS {
            return Err(too_many_columns(self.row, Some(cells)));
        }
        row.cells.resize_with(cells, Cell::default);
        let output = &self.output[..bytes];
        // Looking once at the whole row is quicker than at each cell.
        let has_nul = output.contains(&0);
        let text = std::str::from_utf8(output).ok();
        let mut from = 0;
        for (cell, &to) in row.cells.iter_mut().zip(&self.ends) {
            let content = text.and_then(|text| text.get(from..to));
            match content {
                Some(content) if !has_nul && content.len() <= MAX_CHARS => cell.set_plain(content),
                _ => put_unusual(cell, &output[from..to], self.encoding),
            }
            from = to;
        }
        Ok(true)
    }

    fn address(&self, row: u64, column: usize, name: &str) -> String {
        if name.is_empty() {
            format!("row {row}, cell {}", column + 1)
        } else {
            format!("row {row}, column {name}")
        }
    }
}

fn start_of(ends: &[usize], index: usize) -> usize {
    index.checked_sub(1).map_or(0, |before| ends[before])
}

/// A cell of a row in which something is unusual.
fn put_unusual(cell: &mut Cell, content: &[u8], encoding: TableEncoding) {
    if let Ok(text) = std::str::from_utf8(content) {
        cell.set_text(text);
        return;
    }
    *cell = Cell::UnusableText(Box::new(CellTextProblem {
        found: quoted(&String::from_utf8_lossy(content)),
        allowed: match encoding {
            TableEncoding::Utf8 => "text in UTF-8",
            TableEncoding::Utf16Le | TableEncoding::Utf16Be => "text in UTF-16",
            TableEncoding::Windows1252 => "text in Windows-1252",
            TableEncoding::Windows1250 => "text in Windows-1250",
            TableEncoding::Iso8859Part2 => "text in ISO 8859-2",
            TableEncoding::Iso8859Part15 => "text in ISO 8859-15",
        },
        hint: "A character is damaged, or the file has another encoding: save it again as UTF-8.",
    }));
}

fn too_many_columns(row: u64, cells: Option<usize>) -> ReadError {
    let at = format!("row {row}");
    let found = cells.map_or_else(
        || format!("more than {MAX_CELLS} cells"),
        |cells| format!("{cells} cells"),
    );
    let allowed = format!("at most {MAX_COLUMNS} cells");
    let message = format!(
        "At {at}: the row has {found}; {allowed} are allowed in one row. Remove columns, or check where the rows end."
    );
    refuse(&at, &found, &allowed, &message)
}

fn refuse(at: &str, found: &str, allowed: &str, message: &str) -> ReadError {
    ReadError::Rejected(ProblemList::of(Problem::with_message(
        at, found, allowed, message,
    )))
}
