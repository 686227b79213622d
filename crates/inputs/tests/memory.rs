//! What files that are large inside take of memory: no more than a function has. One test in a
//! process of its own, whose peak Linux keeps.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "A test ends at the first surprise.")]

use std::{
    fs,
    io::{self, Cursor, Read, Seek, SeekFrom, Write},
};

use dropcast_domain::model::{InputFormat, InputSpec, TableSpec};
use dropcast_inputs::file::{Outcome, Reader};
use zip::{ZipWriter, write::SimpleFileOptions};

const MIB: u64 = 1024 * 1024;

/// What reading may add to the peak, in KiB: the bound of a table, whatever its size.
const MAX_ADDED_KIB: u64 = 128 * 1024;

const ROW: &str = r#"{"type": "object", "properties": {"a": {"type": "string"}}}"#;

#[test]
fn files_that_are_large_inside_are_read_within_the_bound() {
    let long = "x".repeat(1_000_000);
    let csv = format!("a\n{long}\n");
    let xlsx = rows(&format!("<row r=\"2\">{}</row>", cell("A2", &long)));
    let declared = declared();
    let bombs = ["xl/worksheets/sheet1.xml", "xl/media/image1.png"].map(bomb);
    let before = peak();
    let read = |format: InputFormat, file: &mut dyn File, says: &str| {
        let message = unusable(format, file);
        assert!(message.contains(says), "{says:?} not in: {message}");
        let added = peak() - before;
        assert!(added < MAX_ADDED_KIB, "{added} KiB for: {message}");
    };
    let too_long = "text of at most 32767 characters";
    for bomb in bombs {
        read(
            InputFormat::Xlsx,
            &mut Cursor::new(bomb),
            "too large inside",
        );
    }
    read(
        InputFormat::Xlsx,
        &mut Cursor::new(declared),
        "a value beyond column 10000",
    );
    read(InputFormat::Xlsx, &mut Cursor::new(xlsx), too_long);
    read(InputFormat::Csv, &mut Cursor::new(csv), too_long);
    let mut open_quote = OpenQuote {
        size: 256 * MIB,
        at: 0,
    };
    read(
        InputFormat::Csv,
        &mut open_quote,
        "the row has more than 16 MiB",
    );
}

/// The most memory that this process ever had, in KiB.
fn peak() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    line.unwrap()
        .split_whitespace()
        .nth(1)
        .unwrap()
        .parse()
        .unwrap()
}

/// What is said of a file that is refused.
fn unusable(format: InputFormat, file: &mut dyn File) -> String {
    let input = InputSpec {
        accepts: vec![format],
        schema: "row.json".to_owned(),
        max_bytes: 512 * MIB,
        table: Some(TableSpec::default()),
    };
    let reader = Reader::new(&input, format, ROW).unwrap();
    match reader.read(file, io::sink()).unwrap() {
        Outcome::Rejected(rejected) => rejected.problems().to_string(),
        Outcome::Accepted(reading) => format!("accepted: {reading:?}"),
    }
}

trait File: Read + Seek {}

impl<F: Read + Seek> File for F {}

/// A CSV file with an open quotation mark and text up to its end; it takes no memory itself.
struct OpenQuote {
    size: u64,
    at: u64,
}

impl Read for OpenQuote {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        const START: &[u8] = b"a\n\"";
        let at = usize::try_from(self.at).unwrap();
        let read = if at < START.len() {
            (&START[at..]).read(into)?
        } else {
            io::repeat(b'x').take(self.size - self.at).read(into)?
        };
        self.at += read as u64;
        Ok(read)
    }
}

impl Seek for OpenQuote {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => self.size.checked_add_signed(by),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
        };
        self.at = at.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.at)
    }
}

/// A cell of text.
fn cell(at: &str, text: &str) -> String {
    format!("<c r=\"{at}\" t=\"inlineStr\"><is><t>{text}</t></is></c>")
}

/// A workbook whose one sheet has the header `a` and some rows below it.
fn rows(below: &str) -> Vec<u8> {
    let header = cell("A1", "a");
    sheet(&format!(
        "<worksheet><sheetData><row r=\"1\">{header}</row>{below}</sheetData></worksheet>"
    ))
}

/// A sheet that says it has 17,179,869,184 cells, all of them one, and has two.
fn declared() -> Vec<u8> {
    let (header, last) = (cell("A1", "a"), cell("XFD1048576", "x"));
    sheet(&format!(
        "<worksheet><dimension ref=\"A1:XFD1048576\"/><sheetData><row r=\"1\">{header}</row><row \
         r=\"1048576\">{last}</row></sheetData><mergeCells><mergeCell \
         ref=\"A1:XFD1048576\"/></mergeCells></worksheet>"
    ))
}

/// A workbook with one sheet.
fn sheet(xml: &str) -> Vec<u8> {
    with_part("xl/worksheets/sheet1.xml", &mut xml.as_bytes())
}

/// A workbook of which one part inflates to 400 MiB of nothing.
fn bomb(part: &str) -> Vec<u8> {
    with_part(part, &mut io::repeat(b' ').take(400 * MIB))
}

fn with_part(name: &str, content: &mut dyn Read) -> Vec<u8> {
    let mut archive = workbook();
    archive
        .start_file(name, SimpleFileOptions::default())
        .unwrap();
    io::copy(content, &mut archive).unwrap();
    archive.finish().unwrap().into_inner()
}

/// A workbook of the one sheet `Plan`, whose cells are still to be written.
fn workbook() -> ZipWriter<Cursor<Vec<u8>>> {
    let office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    let leads = |to: &str, target: &str| {
        format!(
            "<Relationships><Relationship Id=\"r1\" Type=\"{office}/{to}\" Target=\"{target}\"/></Relationships>"
        )
    };
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in [
        ("_rels/.rels", leads("officeDocument", "xl/workbook.xml")),
        (
            "xl/_rels/workbook.xml.rels",
            leads("worksheet", "worksheets/sheet1.xml"),
        ),
        (
            "xl/workbook.xml",
            "<workbook><sheets><sheet name=\"Plan\" sheetId=\"1\" r:id=\"r1\"/></sheets></workbook>"
                .to_owned(),
        ),
    ] {
        archive
            .start_file(name, SimpleFileOptions::default())
            .unwrap();
        archive.write_all(content.as_bytes()).unwrap();
    }
    archive
}
