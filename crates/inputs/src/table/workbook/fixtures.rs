//! Workbooks for tests, written as a program would write them and as nobody should.

pub(crate) mod writers;

use std::io::{Cursor, Write};

use dropcast_domain::model::{InputFormat, TableSpec};
use dropcast_workbook::{Cell, ReadError, Row, Rows};
use rust_xlsxwriter::{Workbook as Writer, Worksheet};

use crate::{
    Limits,
    table::{Names, workbook::TableWorkbook, workbook_format},
};

/// Rows by their numbers.
pub(crate) type Read = Vec<(u64, Vec<Cell>)>;

/// A workbook of one sheet, `Plan`.
pub(crate) fn plan(write: impl FnOnce(&mut Worksheet)) -> Vec<u8> {
    let mut writer = Writer::new();
    let sheet = writer.add_worksheet();
    sheet.set_name("Plan").unwrap();
    write(sheet);
    writer.save_to_buffer().unwrap()
}

/// Every row of a workbook, or the sentences of why it is refused.
pub(crate) fn read_as(bytes: &[u8], format: InputFormat, spec: &TableSpec) -> Result<Read, String> {
    let read = || {
        let mut file = Cursor::new(bytes);
        dropcast_workbook::check(&mut file, format, Limits::default().max_memory)?;
        file.set_position(0);
        let mut book =
            TableWorkbook::open(file, workbook_format(format)?, spec, &Names::default())?;
        let mut rows = book.rows()?;
        let (mut row, mut read) = (Row::default(), Vec::new());
        while rows.next_row(&mut row)? {
            read.push((row.number, row.cells.clone()));
        }
        Ok(read)
    };
    read().map_err(|error| match error {
        ReadError::Rejected(problems) => problems.to_string(),
        ReadError::Io(error) => panic!("{error}"),
    })
}

/// The part that lists the one sheet `Plan`.
pub(crate) const WORKBOOK: &str =
    "<workbook><sheets><sheet name=\"Plan\" sheetId=\"1\" r:id=\"r1\"/></sheets></workbook>";

/// A sheet's part with the given rows.
pub(crate) fn sheet_xml(rows: &str) -> String {
    format!("<worksheet><sheetData>{rows}</sheetData></worksheet>")
}

/// A workbook of the one sheet `Plan`, whose XML is given.
pub(crate) fn packed(sheet: &str) -> Vec<u8> {
    pack(&[("xl/worksheets/sheet1.xml", sheet)])
}

/// A workbook of the given parts and what else it needs.
pub(crate) fn pack(parts: &[(&str, &str)]) -> Vec<u8> {
    let office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    let root = format!(
        "<Relationships><Relationship Id=\"r1\" Type=\"{office}/officeDocument\" Target=\"xl/workbook.xml\"/></Relationships>"
    );
    let book = format!(
        "<Relationships><Relationship Id=\"r1\" Type=\"{office}/worksheet\" Target=\"worksheets/sheet1.xml\"/></Relationships>"
    );
    let needed = [
        ("_rels/.rels", root.as_str()),
        ("xl/_rels/workbook.xml.rels", book.as_str()),
        ("xl/workbook.xml", WORKBOOK),
    ];
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let others = needed
        .iter()
        .filter(|(name, _)| parts.iter().all(|(given, _)| given != name));
    for (name, content) in others.chain(parts) {
        let options = zip::write::SimpleFileOptions::default();
        archive.start_file(*name, options).unwrap();
        archive.write_all(content.as_bytes()).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

/// The stream of an xls workbook of the one sheet `Plan`, record by record.
pub(crate) struct Biff {
    globals: Vec<u8>,
    sheet: Vec<u8>,
    is_hidden: bool,
}

impl Biff {
    pub(crate) fn new() -> Self {
        Self {
            globals: Vec::new(),
            sheet: Vec::new(),
            is_hidden: false,
        }
    }

    /// Hides the sheet.
    #[must_use]
    pub(crate) fn hidden(mut self) -> Self {
        self.is_hidden = true;
        self
    }

    /// Adds a record that all sheets share.
    #[must_use]
    pub(crate) fn global(mut self, kind: u16, data: &[u8]) -> Self {
        put(&mut self.globals, kind, data);
        self
    }

    /// Adds a record of the sheet.
    #[must_use]
    pub(crate) fn record(mut self, kind: u16, data: &[u8]) -> Self {
        put(&mut self.sheet, kind, data);
        self
    }

    /// Adds a record of one cell, with the first format.
    #[must_use]
    pub(crate) fn cell(self, kind: u16, row: u16, column: u16, data: &[u8]) -> Self {
        self.formatted(kind, row, column, 0, data)
    }

    /// Adds a record of one cell.
    #[must_use]
    pub(crate) fn formatted(self, kind: u16, row: u16, column: u16, xf: u16, data: &[u8]) -> Self {
        let mut whole = Vec::new();
        for number in [row, column, xf] {
            whole.extend(number.to_le_bytes());
        }
        whole.extend(data);
        self.record(kind, &whole)
    }

    /// Adds a record of the sheet's shared texts. A character of Latin-1 takes one byte, as
    /// Excel writes it where a text holds no other.
    #[must_use]
    pub(crate) fn texts(self, texts: &[&str]) -> Self {
        let mut data = vec![0; 8];
        for text in texts {
            let units: Vec<u16> = text.encode_utf16().collect();
            data.extend(u16::try_from(units.len()).unwrap().to_le_bytes());
            let narrow: Result<Vec<u8>, _> = units.iter().copied().map(u8::try_from).collect();
            data.push(u8::from(narrow.is_err()));
            data.extend(
                narrow.unwrap_or_else(|_| units.into_iter().flat_map(u16::to_le_bytes).collect()),
            );
        }
        self.global(0xfc, &data)
    }

    /// The stream.
    pub(crate) fn stream(&self) -> Vec<u8> {
        let begin = |content: u8| [0, 6, content, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        let mut stream = Vec::new();
        put(&mut stream, 0x809, &begin(5));
        stream.extend(&self.globals);
        let start = u32::try_from(stream.len() + 16 + 4).unwrap();
        let mut bound = start.to_le_bytes().to_vec();
        bound.extend([u8::from(self.is_hidden), 0, 4, 0]);
        bound.extend(b"Plan");
        put(&mut stream, 0x85, &bound);
        put(&mut stream, 0xa, &[]);
        put(&mut stream, 0x809, &begin(0x10));
        stream.extend(&self.sheet);
        put(&mut stream, 0xa, &[]);
        stream
    }

    /// The file.
    pub(crate) fn file(&self) -> Vec<u8> {
        compound_file(&self.stream())
    }
}

fn put(into: &mut Vec<u8>, kind: u16, data: &[u8]) {
    into.extend(kind.to_le_bytes());
    into.extend(u16::try_from(data.len()).unwrap().to_le_bytes());
    into.extend(data);
}

/// A compound file that holds a workbook's stream, as Excel writes it.
pub(crate) fn compound_file(workbook: &[u8]) -> Vec<u8> {
    let file = Cursor::new(Vec::new());
    let mut compound = cfb::CompoundFile::create_with_version(cfb::Version::V3, file).unwrap();
    let mut stream = compound.create_stream("/Workbook").unwrap();
    stream.write_all(workbook).unwrap();
    drop(stream);
    compound.flush().unwrap();
    compound.into_inner().into_inner()
}
