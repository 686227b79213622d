//! Which sheet of a workbook is read, and what is said of the others.

use rust_xlsxwriter::Workbook as Writer;

use super::*;

/// A workbook of sheets, each with the texts of its rows.
fn book(sheets: &[(&str, &[&[&str]])]) -> Vec<u8> {
    let mut writer = Writer::new();
    for (name, rows) in sheets {
        let sheet = writer.add_worksheet();
        sheet.set_name(*name).unwrap();
        for (number, cells) in (0..).zip(*rows) {
            for (column, cell) in (0..).zip(*cells) {
                sheet.write(number, column, *cell).unwrap();
            }
        }
    }
    writer.save_to_buffer().unwrap()
}

fn outcome(file: &[u8], spec: &TableSpec) -> (Outcome, String) {
    let mut clean = Vec::new();
    let outcome = read(
        Cursor::new(file),
        InputFormat::Xlsx,
        spec,
        &schema(&plan()),
        &Limits::default(),
        &mut clean,
    );
    (outcome.unwrap(), String::from_utf8(clean).unwrap())
}

fn said(file: &[u8]) -> String {
    match outcome(file, &TableSpec::default()).0 {
        Outcome::Rejected(rejected) => rejected.problems.to_string(),
        Outcome::Accepted(accepted) => panic!("{accepted:?}"),
    }
}

const COVER: &[&[&str]] = &[&["The plan of the northern region"], &["as of March"]];
const PLAN: &[&[&str]] = &[&["Line", "Month"], &["A", "2026-01-31"]];
const OTHER: &[&[&str]] = &[&["Line", "Month", "Growth"], &["B", "2026-02-28", ""]];
const LINES: &[&[&str]] = &[&["Line"], &["A"], &["B"]];

#[test]
fn the_sheet_with_the_columns_is_read_whatever_its_position() {
    let file = book(&[
        ("Cover", COVER),
        ("Empty", &[]),
        ("Lines", LINES),
        ("Plan", PLAN),
    ]);
    let (read, clean) = outcome(&file, &TableSpec::default());
    let Outcome::Accepted(accepted) = read else {
        panic!("{read:?}")
    };
    assert!(clean.contains("A,2026-01-31"), "{clean}");
    assert_eq!(accepted.reading.sheet.as_deref(), Some("Plan"));
    assert_eq!(accepted.reading.remarks.unread_sheets, ["Cover", "Lines"]);
    let spec = TableSpec {
        sheet: Some("Plan".into()),
        ..TableSpec::default()
    };
    let Outcome::Accepted(accepted) = outcome(&file, &spec).0 else {
        panic!("it was rejected")
    };
    assert!(accepted.reading.remarks.is_empty());
}

#[test]
fn of_two_sheets_that_fit_none_is_taken_silently() {
    let file = book(&[("2026", PLAN), ("Cover", COVER), ("2027", OTHER)]);
    assert_eq!(
        said(&file),
        "The sheets \"2026\" and \"2027\" each contain the columns of the table, and it is not clear which one is meant. Keep the one that is meant, or hide the others (right click on a sheet's name, Hide), and send the workbook again."
    );
}

#[test]
fn where_no_sheet_fits_those_that_were_looked_at_are_named() {
    let file = book(&[("Cover", COVER), ("Notes", &[&["see", "below"]])]);
    assert_eq!(
        said(&file),
        "None of the sheets \"Cover\" and \"Notes\" names a column of the table. The columns are \"active\", \"growth\", \"line\", \"month\", \"unit\" and \"units\": write them in the first row of the sheet that holds the table."
    );
    let file = book(&[
        ("Cover", COVER),
        ("Plan", &[&["Line", "Mnth"], &["A", "x"]]),
    ]);
    assert_eq!(
        said(&file),
        "At Plan!B1: the column \"Mnth\" is not known. Did you mean \"month\"?"
    );
}

#[test]
fn the_marked_copy_shows_the_sheet_that_was_read() {
    let file = book(&[
        ("Cover", COVER),
        ("Plan", &[&["Line", "Month"], &["A", "soon"]]),
    ]);
    let spec = TableSpec::default();
    let Outcome::Rejected(rejected) = outcome(&file, &spec).0 else {
        panic!("it was accepted")
    };
    let mut copy = Cursor::new(Vec::new());
    let limits = Limits::default();
    mark(
        Cursor::new(&file),
        InputFormat::Xlsx,
        &spec,
        &rejected,
        &limits,
        &mut copy,
    )
    .unwrap();
    let mut archive = zip::ZipArchive::new(copy).unwrap();
    let notes = std::io::read_to_string(archive.by_name("xl/comments1.xml").unwrap()).unwrap();
    assert!(notes.contains("<comment ref=\"B2\""), "{notes}");
}
