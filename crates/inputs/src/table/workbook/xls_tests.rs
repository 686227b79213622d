use std::io::Cursor;

use dropcast_domain::model::{InputFormat, TableSpec};
use dropcast_workbook::Cell;

use super::fixtures::{Biff, Read, compound_file, read_as};

const FORMULA: u16 = 0x0006;
const CONTINUE: u16 = 0x003c;
const MUL_RK: u16 = 0x00bd;
const XF: u16 = 0x00e0;
const LABEL_SST: u16 = 0x00fd;
const DIMENSIONS: u16 = 0x0200;
const NUMBER: u16 = 0x0203;
const LABEL: u16 = 0x0204;
const BOOL_ERR: u16 = 0x0205;
const STRING: u16 = 0x0207;
const RK: u16 = 0x027e;
const FORMAT: u16 = 0x041e;

fn read_file(file: &[u8]) -> Result<Read, String> {
    read_as(file, InputFormat::Xls, &TableSpec::default())
}

fn read(book: &Biff) -> Result<Read, String> {
    read_file(&book.file())
}

fn text(text: &str) -> Cell {
    Cell::Text(text.to_owned())
}

fn date(text: &str) -> Cell {
    Cell::DateTime(text.parse().unwrap())
}

fn number(value: f64) -> [u8; 8] {
    value.to_le_bytes()
}

/// A formula's record behind its cell: the value, and a formula that is not looked into.
fn formula(value: [u8; 8]) -> Vec<u8> {
    let mut data = value.to_vec();
    data.extend([0; 6]);
    data.extend([3, 0, 0xff, 0xff, 0xff]);
    data
}

#[test]
fn every_kind_of_value_is_read() {
    let book = Biff::new()
        .global(FORMAT, &[164, 0, 4, 0, 0, b'd', b'.', b'm', b'.'])
        .global(XF, &[0, 0, 0, 0])
        .global(XF, &[0, 0, 14, 0])
        .global(XF, &[0, 0, 164, 0])
        .texts(&["month", "Žluťoučký 🐎"])
        .cell(LABEL_SST, 0, 0, &[0, 0, 0, 0])
        .cell(LABEL_SST, 0, 1, &[1, 0, 0, 0])
        .cell(LABEL, 0, 3, &[2, 0, 0, b'h', b'i'])
        .cell(NUMBER, 2, 1, &number(3.25))
        .formatted(NUMBER, 2, 2, 1, &number(45_000.5))
        .formatted(RK, 2, 3, 2, &(45_000_u32 << 2 | 2).to_le_bytes())
        .cell(BOOL_ERR, 3, 0, &[1, 0])
        .cell(BOOL_ERR, 3, 1, &[0x17, 1])
        .cell(FORMULA, 4, 0, &formula(number(2.0)))
        .cell(FORMULA, 4, 1, &formula([0, 0, 0, 0, 0, 0, 0xff, 0xff]))
        .record(STRING, &[3, 0, 0, b'a', b'b', b'c'])
        .cell(FORMULA, 4, 2, &formula([2, 0, 0x07, 0, 0, 0, 0xff, 0xff]))
        .cell(FORMULA, 4, 3, &formula([1, 0, 1, 0, 0, 0, 0xff, 0xff]))
        .cell(FORMULA, 4, 4, &formula([3, 0, 0, 0, 0, 0, 0xff, 0xff]))
        .record(
            MUL_RK,
            &[5, 0, 1, 0, 0, 0, 6, 0, 0, 0, 0, 0, 10, 0, 0, 0, 2, 0],
        );
    assert_eq!(
        read(&book).unwrap(),
        [
            (
                1,
                vec![text("month"), text("Žluťoučký 🐎"), Cell::Empty, text("hi")]
            ),
            (
                3,
                vec![
                    Cell::Empty,
                    Cell::Number(3.25),
                    date("2023-03-15T12:00"),
                    date("2023-03-15T00:00")
                ]
            ),
            (4, vec![Cell::Bool(true), Cell::Error("#REF!")]),
            (
                5,
                vec![
                    Cell::Number(2.0),
                    text("abc"),
                    Cell::Error("#DIV/0!"),
                    Cell::Bool(true)
                ]
            ),
            (6, vec![Cell::Empty, Cell::Number(1.0), Cell::Number(2.0)]),
        ]
    );
}

#[test]
fn what_is_no_number_that_can_be_counted_with_is_unusable() {
    let book = Biff::new().cell(NUMBER, 0, 0, &number(f64::INFINITY)).cell(
        NUMBER,
        0,
        1,
        &number(f64::NAN),
    );
    let unusable = |text: &str| Cell::Unusable(text.to_owned());
    assert_eq!(
        read(&book).unwrap(),
        [(1, vec![unusable("inf"), unusable("NaN")])]
    );
}

#[test]
fn a_hidden_sheet_is_read_only_where_the_model_names_it() {
    let book = Biff::new().cell(NUMBER, 0, 0, &number(1.0)).hidden();
    let message = read(&book).unwrap_err();
    assert!(
        message.contains("the hidden sheet \"Plan\" is not"),
        "{message}"
    );
    let spec = TableSpec {
        sheet: Some("Plan".to_owned()),
        ..TableSpec::default()
    };
    assert_eq!(
        read_as(&book.file(), InputFormat::Xls, &spec).unwrap(),
        [(1, vec![Cell::Number(1.0)])]
    );
}

#[test]
fn the_epoch_of_1904_is_heard() {
    let book = Biff::new()
        .global(0x22, &[1, 0])
        .global(XF, &[0, 0, 14, 0])
        .cell(NUMBER, 0, 0, &number(43_538.0));
    assert_eq!(read(&book).unwrap(), [(1, vec![date("2023-03-15T00:00")])]);
}

#[test]
fn a_formulas_text_may_be_continued() {
    let book = Biff::new()
        .cell(FORMULA, 0, 0, &formula([0, 0, 0, 0, 0, 0, 0xff, 0xff]))
        .record(STRING, &[4, 0, 0, b'a', b'b'])
        .record(CONTINUE, &[0, b'c', b'd']);
    assert_eq!(read(&book).unwrap(), [(1, vec![text("abcd")])]);
}

#[test]
fn a_workbook_of_any_length_is_read() {
    // Short streams are kept in another way than long ones, and the longest in another yet.
    for rows in [1, 100, 200, 300, 1_000, 10_000, 65_535] {
        let mut book = Biff::new();
        for row in 0..rows {
            book = book.cell(NUMBER, row, 0, &number(row.into()));
        }
        let read = read(&book).unwrap();
        assert_eq!(read.len(), usize::from(rows));
        let last = Cell::Number((rows - 1).into());
        assert_eq!(read.last(), Some(&(u64::from(rows), vec![last])));
    }
}

#[test]
fn charts_within_a_sheet_have_no_cells_of_it() {
    let book = Biff::new()
        .cell(NUMBER, 0, 0, &number(1.0))
        .record(0x809, &[0, 6, 0x20, 0])
        .cell(NUMBER, 9, 9, &number(9.0))
        .record(0xa, &[])
        .cell(NUMBER, 1, 0, &number(2.0));
    assert_eq!(
        read(&book).unwrap(),
        [(1, vec![Cell::Number(1.0)]), (2, vec![Cell::Number(2.0)])]
    );
}

#[test]
fn declared_rows_and_columns_cost_nothing() {
    let everything = [0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0, 0, 0xff, 0, 0, 0];
    let book = Biff::new()
        .record(DIMENSIONS, &everything)
        .cell(NUMBER, 0, 0, &number(1.0));
    assert_eq!(read(&book).unwrap(), [(1, vec![Cell::Number(1.0)])]);
}

#[test]
fn a_stray_cell_far_away_is_refused_with_its_address() {
    let book = Biff::new()
        .cell(NUMBER, 0, 0, &number(1.0))
        .cell(NUMBER, 65_535, 255, &number(1.0));
    let message = read(&book).unwrap_err();
    assert!(message.contains("(reached at Plan!IV65536)"), "{message}");
}

#[test]
fn one_long_text_in_every_cell_is_refused() {
    let long = "x".repeat(32_000);
    let mut book = Biff::new().texts(&[&long]);
    for row in 0..2_000 {
        book = book.cell(LABEL_SST, row, 0, &[0, 0, 0, 0]);
    }
    let message = read(&book).unwrap_err();
    assert!(message.starts_with("The sheet is too large"), "{message}");
}

#[test]
fn what_would_stop_the_reader_is_refused() {
    for (what, book) in [
        ("a cell is cut", Biff::new().record(NUMBER, &[0; 13])),
        ("outside", Biff::new().cell(NUMBER, 0, 256, &number(1.0))),
        (
            "a text is missing",
            Biff::new().cell(LABEL_SST, 0, 0, &[9, 0, 0, 0]),
        ),
        (
            "a row of numbers is cut",
            Biff::new().record(MUL_RK, &[0; 13]),
        ),
        ("password", Biff::new().global(0x2f, &[1, 0, 0, 0, 0, 0])),
        (
            "texts are cut",
            Biff::new().global(0xfc, &[0, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 1]),
        ),
    ] {
        let message = read(&book).unwrap_err();
        assert!(message.contains(what), "{what}: {message}");
    }
    let stream = Biff::new().cell(NUMBER, 0, 0, &number(1.0)).stream();
    for cut in [1, 3, 20, stream.len() - 5] {
        let file = compound_file(&stream[..cut]);
        assert!(read_file(&file).is_err());
    }
}

#[test]
fn a_compound_file_without_a_workbook_is_no_workbook() {
    let mut compound = cfb::CompoundFile::create(Cursor::new(Vec::new())).unwrap();
    compound.create_stream("/WordDocument").unwrap();
    let message = read_file(&compound.into_inner().into_inner()).unwrap_err();
    assert!(message.contains("contains no workbook"), "{message}");
}
