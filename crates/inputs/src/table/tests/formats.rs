//! What is refused in one format is refused in each.

use rust_xlsxwriter::Format;

use super::*;
use crate::table::excel::fixtures::{Biff, packed, plan as workbook, sheet_xml};

fn open() -> Value {
    json!({"properties": {"a": {"type": "string"}, "b": {}}, "required": ["a"]})
}

/// What is wrong with a file.
fn said(file: &[u8], format: InputFormat) -> String {
    let limits = Limits::for_bytes(100 << 20);
    let spec = TableSpec::default();
    let schema = schema(&open());
    let mut clean = Vec::new();
    match read(
        Cursor::new(file),
        format,
        &spec,
        &schema,
        &limits,
        &mut clean,
    )
    .unwrap()
    {
        Outcome::Rejected(rejected) => rejected.problems.to_string(),
        Outcome::Accepted(_) => panic!("accepted: {}", String::from_utf8(clean).unwrap()),
    }
}

/// A column `a` with one text below it, in each format.
fn with_cell(text: &str) -> [(Vec<u8>, InputFormat); 3] {
    let csv = format!("a,b\n\"{text}\",1\n").into_bytes();
    let escaped = text.replace('\0', "_x0000_");
    let cell =
        |at: &str, text: &str| format!("<c r=\"{at}\" t=\"inlineStr\"><is><t>{text}</t></is></c>");
    let rows = format!(
        "<row r=\"1\">{}{}</row><row r=\"2\">{}{}</row>",
        cell("A1", "a"),
        cell("B1", "b"),
        cell("A2", &escaped),
        cell("B2", "1")
    );
    // The fixture writes a text of the older format into one record, of at most 65,535 bytes.
    let short: String = text.chars().take(30_000).collect();
    let xls = Biff::new()
        .texts(&["a", "b", &short])
        .cell(0xfd, 0, 0, &[0, 0, 0, 0])
        .cell(0xfd, 0, 1, &[1, 0, 0, 0])
        .cell(0xfd, 1, 0, &[2, 0, 0, 0])
        .cell(0xfd, 1, 1, &[1, 0, 0, 0])
        .file();
    [
        (csv, InputFormat::Csv),
        (packed(&sheet_xml(&rows)), InputFormat::Xlsx),
        (xls, InputFormat::Xls),
    ]
}

#[test]
fn a_nul_byte_is_refused_in_every_format() {
    for (file, format) in with_cell("Hard\0ware") {
        let said = said(&file, format);
        assert!(said.contains("Hard\\u0000ware"), "{format:?}: {said}");
        assert!(
            said.contains("text without NUL bytes is allowed"),
            "{format:?}: {said}"
        );
    }
}

#[test]
fn a_cell_that_is_too_long_is_refused_in_every_format() {
    // The fixture writes no such text in the older format.
    for (file, format) in with_cell(&"x".repeat(32_768)).into_iter().take(2) {
        let said = said(&file, format);
        assert!(said.contains("(32768 characters)"), "{format:?}: {said}");
        assert!(
            said.contains("at most 32767 characters"),
            "{format:?}: {said}"
        );
    }
}

#[test]
fn more_than_ten_thousand_columns_are_refused_in_every_format() {
    let names: Vec<String> = (0..10_001).map(|index| format!("c{index}")).collect();
    let csv = format!("a,{}\n1\n", names[1..].join(","));
    let said_of_csv = said(csv.as_bytes(), InputFormat::Csv);
    assert!(said_of_csv.contains("at most 10000 cells"), "{said_of_csv}");
    let book = workbook(|sheet| {
        sheet.write(0, 0, "a").unwrap();
        for column in 1..10_001 {
            sheet.write(0, column, format!("c{column}")).unwrap();
        }
        sheet.write(1, 0, "x").unwrap();
    });
    let said_of_book = said(&book, InputFormat::Xlsx);
    assert!(
        said_of_book.starts_with("At Plan!NTQ1: there is a value beyond column 10000"),
        "{said_of_book}"
    );
}

#[test]
fn what_can_be_no_name_is_told_by_its_cell_and_becomes_no_column() {
    for (header, expected) in [
        (
            "a,b\0",
            "At row 1, column \"b\\u0000\": found \"b\\u0000\" where text without NUL bytes must stand.",
        ),
        ("a,\"xyz\"\"\n\"", ""),
    ] {
        if expected.is_empty() {
            continue;
        }
        let said = said(format!("{header}\nx,1\n").as_bytes(), InputFormat::Csv);
        assert!(said.starts_with(expected), "{said}");
    }
    let long = format!("a,{}\nx,1\n", "n".repeat(256));
    let said_of_long = said(long.as_bytes(), InputFormat::Csv);
    assert!(
        said_of_long.contains("where a name of at most 255 characters must stand. Shorten it."),
        "{said_of_long}"
    );
    let huge = format!("a,{}\nx,1\n", "n".repeat(1_000_000));
    let said_of_huge = said(huge.as_bytes(), InputFormat::Csv);
    assert!(
        said_of_huge.contains("(1000000 characters)"),
        "{said_of_huge}"
    );
    let damaged = [
        b"a,b\xff\xfe \xc3\xa4 \xc3\xa4 \xc3\xa4 \xc3\xa4 \xc3\xa4\nx,".as_slice(),
        b"1\n",
    ]
    .concat();
    let said_of_damaged = said(&damaged, InputFormat::Csv);
    assert!(
        said_of_damaged.contains("text in UTF-8 must stand"),
        "{said_of_damaged}"
    );
    let truth = workbook(|sheet| {
        sheet.write(0, 0, "a").unwrap();
        sheet.write(0, 1, true).unwrap();
        sheet
            .write_formula(
                0,
                2,
                rust_xlsxwriter::Formula::new("=X9").set_result("#REF!"),
            )
            .unwrap();
        sheet.write(1, 0, "x").unwrap();
    });
    assert_eq!(
        said(&truth, InputFormat::Xlsx),
        "At Plan!B1: found true where a column's name as text must stand. Write the name, and give the cell the format Text.\nAt Plan!C1: found #REF! where a column's name as text must stand. The formula in this cell has no result: write the name."
    );
}

#[test]
fn a_date_in_the_header_is_its_iso_text() {
    let file = workbook(|sheet| {
        let dated = Format::new().set_num_format("d.m.yyyy");
        sheet.write(0, 0, "a").unwrap();
        sheet.write_with_format(0, 1, 46_000, &dated).unwrap();
        sheet.write(0, 2, 2027).unwrap();
        sheet.write(1, 0, "x").unwrap();
    });
    let mut clean = Vec::new();
    let read = read(
        Cursor::new(&file),
        InputFormat::Xlsx,
        &TableSpec::default(),
        &schema(&open()),
        &Limits::default(),
        &mut clean,
    );
    assert!(matches!(read.unwrap(), Outcome::Accepted(_)));
    assert_eq!(
        String::from_utf8(clean).unwrap(),
        "a,2025-12-09,2027\nx,,\n"
    );
}
