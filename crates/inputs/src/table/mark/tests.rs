use std::{fmt::Write, io::Cursor};

use calamine::{Data, Range, Reader, Xlsx};
use dropcast_domain::model::TableSpec;
use rust_xlsxwriter::Formula;
use serde_json::json;

use super::*;
use crate::{
    CompiledSchema,
    table::{Outcome, RowSchema, read, workbook::fixtures::plan},
};

const LIMITS: Limits = Limits {
    max_bytes: 100 << 20,
    max_depth: 127,
    max_memory: 512 << 20,
};

fn schema() -> RowSchema {
    let schema = json!({
        "type": "object",
        "properties": {
            "line": {"type": "string"},
            "growth": {"type": "number"},
            "from": {"type": "string", "format": "date"}
        },
        "required": ["line", "growth"],
        "additionalProperties": false
    });
    RowSchema::new(CompiledSchema::new(&schema).unwrap()).unwrap()
}

/// The marked copy of a table that is rejected.
fn marked(file: &[u8], format: InputFormat) -> Vec<u8> {
    let spec = TableSpec::default();
    let outcome = read(
        Cursor::new(file),
        format,
        &spec,
        &schema(),
        &LIMITS,
        io::sink(),
    );
    let Outcome::Rejected(rejected) = outcome.unwrap() else {
        panic!("the table was accepted");
    };
    let mut out = Cursor::new(Vec::new());
    mark(
        Cursor::new(file),
        format,
        &spec,
        &rejected,
        &LIMITS,
        &mut out,
    )
    .unwrap();
    out.into_inner()
}

fn sheet(copy: &[u8], name: &str) -> Range<Data> {
    let mut book: Xlsx<_> = Xlsx::new(Cursor::new(copy)).unwrap();
    book.worksheet_range(name).unwrap()
}

/// The XML of a part of the copy.
fn part(copy: &[u8], name: &str) -> String {
    let mut archive = zip::ZipArchive::new(Cursor::new(copy)).unwrap();
    let mut text = String::new();
    let mut part = archive.by_name(name).unwrap();
    part.read_to_string(&mut text).unwrap();
    text
}

fn has_part(copy: &[u8], name: &str) -> bool {
    let archive = zip::ZipArchive::new(Cursor::new(copy)).unwrap();
    archive.index_for_name(name).is_some()
}

/// The number of the format that the cell at an address has.
fn format_of(sheet: &str, address: &str) -> String {
    let (_, cell) = sheet.split_once(&format!("<c r=\"{address}\"")).unwrap();
    let (cell, _) = cell.split_once('>').unwrap();
    let (_, format) = cell.split_once("s=\"").unwrap_or(("", "0\""));
    format.split('"').next().unwrap().to_owned()
}

#[test]
fn a_workbooks_cells_stay_where_they_were_and_the_faulty_ones_are_marked() {
    let file = plan(|sheet| {
        sheet.write(2, 1, "line").unwrap();
        sheet.write(2, 2, "growth").unwrap();
        sheet.write(2, 3, "from").unwrap();
        sheet.write(3, 1, "Bikes").unwrap();
        sheet.write(3, 2, "ten").unwrap();
        let dated = rust_xlsxwriter::Format::new().set_num_format("dd.mm.yyyy");
        sheet.write_with_format(3, 3, 45_000, &dated).unwrap();
        sheet.write(4, 1, "Cars").unwrap();
    });
    let copy = marked(&file, InputFormat::Xlsx);
    let table = sheet(&copy, "Plan");
    assert_eq!(
        table.get_value((2, 2)),
        Some(&Data::String("growth".into()))
    );
    assert_eq!(table.get_value((3, 2)), Some(&Data::String("ten".into())));
    assert!(
        matches!(table.get_value((3, 3)), Some(Data::DateTime(date)) if date.to_string() == "45000")
    );
    let xml = part(&copy, "xl/worksheets/sheet1.xml");
    assert_ne!(format_of(&xml, "C4"), format_of(&xml, "B4"));
    assert_ne!(format_of(&xml, "C5"), format_of(&xml, "B5"));
    assert!(
        xml.contains("state=\"frozen\"") && xml.contains("topLeftCell=\"A4\""),
        "{xml}"
    );
    let notes = part(&copy, "xl/comments1.xml");
    assert!(
        notes.contains("ref=\"C4\"") && notes.contains("ref=\"C5\""),
        "{notes}"
    );
    assert!(
        notes.contains("Found \"ten\"; a number is allowed."),
        "{notes}"
    );

    let problem_sheet = sheet(&copy, "What to correct");
    let rows: Vec<Vec<String>> = problem_sheet
        .rows()
        .map(|row| row.iter().map(ToString::to_string).collect())
        .collect();
    assert_eq!(rows[3][..4], ["Where", "Found", "Allowed", "How many"]);
    assert_eq!(rows[4][..4], ["Plan!C4", "\"ten\"", "a number", "1"]);
}

#[test]
fn text_that_looks_like_a_formula_comes_back_as_text() {
    let csv =
        "line,growth\n=HYPERLINK(\"http://x\"),1\n+cmd|' /C calc'!A0,x\n@SUM(A1),-2\n-1+1,=1+1\n";
    let copy = marked(csv.as_bytes(), InputFormat::Csv);
    let table = sheet(&copy, "Table");
    assert_eq!(
        table.get_value((1, 0)),
        Some(&Data::String("=HYPERLINK(\"http://x\")".into()))
    );
    assert_eq!(table.get_value((4, 1)), Some(&Data::String("=1+1".into())));
    computes_nothing(&copy);
    for address in ["A2", "A3", "A4", "A5", "B5"] {
        assert!(is_quoted(&copy, address), "{address}");
    }
    assert!(!is_quoted(&copy, "B2"));
}

#[test]
fn a_workbooks_formulas_come_back_as_text() {
    let link = "=HYPERLINK(\"http://x\",\"x\")";
    let mut book = Workbook::new();
    let source = book.add_worksheet().set_name("=x").unwrap();
    for (column, name) in (0..).zip(["line", "growth", link]) {
        source.write_string(0, column, name).unwrap();
    }
    let formula = |result: &str| Formula::new(link).set_result(result);
    source.write_formula(1, 0, formula("Bikes")).unwrap();
    source.write_formula(1, 1, formula("x")).unwrap();
    source.write_formula(2, 0, formula("=1+1")).unwrap();
    source.write_url(2, 1, "http://x").unwrap();
    let copy = marked(&book.save_to_buffer().unwrap(), InputFormat::Xlsx);
    computes_nothing(&copy);
    for address in ["A3", "C1"] {
        assert!(is_quoted(&copy, address), "{address}");
    }
    let table = sheet(&copy, "=x");
    for (at, text) in [
        ((0, 2), link),
        ((1, 0), "Bikes"),
        ((1, 1), "x"),
        ((2, 0), "=1+1"),
        ((2, 1), "http://x"),
    ] {
        assert_eq!(table.get_value(at), Some(&Data::String(text.into())));
    }
    let notes = part(&copy, "xl/comments1.xml");
    for address in ["B2", "B3", "C1"] {
        assert!(notes.contains(&format!("ref=\"{address}\"")), "{notes}");
    }
}

/// Whether no sheet of the copy holds a formula or a link.
fn computes_nothing(copy: &[u8]) {
    for name in ["xl/worksheets/sheet1.xml", "xl/worksheets/sheet2.xml"] {
        let sheet = part(copy, name);
        for element in ["<f>", "<f ", "<hyperlink"] {
            assert!(!sheet.contains(element), "{element} in {name}: {sheet}");
        }
    }
    assert!(!has_part(copy, "xl/worksheets/sheet3.xml"));
}

/// Whether a cell of the first sheet has the quotation mark in front that keeps it text.
fn is_quoted(copy: &[u8], address: &str) -> bool {
    let styles = part(copy, "xl/styles.xml");
    let (_, formats) = styles.split_once("<cellXfs").unwrap();
    let format = format_of(&part(copy, "xl/worksheets/sheet1.xml"), address);
    let format = formats
        .split("<xf ")
        .nth(1 + format.parse::<usize>().unwrap());
    format.unwrap().contains("quotePrefix=\"1\"")
}

#[test]
fn what_no_workbook_can_hold_is_made_to_fit() {
    let long = "x".repeat(32_767);
    let csv = format!("line,growth\n\"a\u{1}\u{ffff}_x0041_\u{202e}\",x\n{long},x\n");
    let copy = marked(csv.as_bytes(), InputFormat::Csv);
    let table = sheet(&copy, "Table");
    assert_eq!(
        table.get_value((1, 0)),
        Some(&Data::String("a\u{1}\u{fffd}_x0041_\u{202e}".into()))
    );
}

#[test]
fn of_a_large_table_only_the_faulty_rows_are_shown_with_their_numbers() {
    let mut csv = String::from("line,growth\n");
    for row in 2..=60_000_u32 {
        let growth = if row % 30 == 0 { "x" } else { "1" };
        writeln!(csv, "Bikes,{growth}").unwrap();
    }
    let copy = marked(csv.as_bytes(), InputFormat::Csv);
    let table = sheet(&copy, "Table");
    assert_eq!(table.height(), 1_001);
    let first: Vec<String> = table
        .rows()
        .nth(1)
        .unwrap()
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(first, ["30", "Bikes", "x"]);
    let header: Vec<String> = table
        .rows()
        .next()
        .unwrap()
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(header, ["Row in the file", "line", "growth"]);
    let problem_sheet = sheet(&copy, "What to correct");
    let text: Vec<String> = problem_sheet.rows().map(|row| row[0].to_string()).collect();
    assert!(text[2].contains("shows 1000 rows"), "{text:?}");
    assert!(text[3].contains("2000 such cells"), "{text:?}");
    assert!(copy.len() < 1 << 20, "{}", copy.len());
}

#[test]
fn a_table_of_very_many_problems_gives_a_small_copy() {
    let mut csv = String::from("line,growth\n");
    for _ in 0..40_000 {
        csv.push_str("Bikes,x\n");
    }
    let copy = marked(csv.as_bytes(), InputFormat::Csv);
    assert!(copy.len() < 2 << 20, "{}", copy.len());
    let notes = part(&copy, "xl/comments1.xml");
    assert_eq!(notes.matches("<comment ").count(), MAX_NOTES);
}

#[test]
fn wide_and_wordy_tables_are_not_shown_whole() {
    let csv = format!(
        "line,growth\n{}",
        format!("{},x\n", "y".repeat(30_000)).repeat(400)
    );
    let copy = marked(csv.as_bytes(), InputFormat::Csv);
    let table = sheet(&copy, "Table");
    assert!(table.height() < 200, "{}", table.height());
    let problem_sheet = sheet(&copy, "What to correct");
    let text: Vec<String> = problem_sheet.rows().map(|row| row[0].to_string()).collect();
    assert!(text[3].contains("only the first are marked"), "{text:?}");
}

#[test]
fn a_file_that_is_no_table_gives_a_list_alone() {
    let copy = marked(b"\x89PNG\r\n", InputFormat::Xlsx);
    let problem_sheet = sheet(&copy, "What to correct");
    assert!(
        problem_sheet
            .rows()
            .any(|row| row[0] == Data::String("the whole file".into()))
    );
    assert!(!has_part(&copy, "xl/worksheets/sheet2.xml"));
}

#[test]
fn what_came_before_a_break_is_shown() {
    let csv = b"line,growth\nBikes,x\n\"Cars,1\nBoats,2\n";
    let copy = marked(csv, InputFormat::Csv);
    let table = sheet(&copy, "Table");
    assert_eq!(table.get_value((1, 1)), Some(&Data::String("x".into())));
}
