//! Percentages, written as text and shown by a workbook.

use dropcast_domain::model::Percent;
use rust_xlsxwriter::Format;

use super::*;
use crate::table::workbook::fixtures::{Biff, plan as workbook};

fn column(kind: &str) -> Value {
    json!({"properties": {"growth": {"type": kind}}, "additionalProperties": false})
}

fn ruled(percent: Percent) -> TableSpec {
    TableSpec {
        percent,
        ..TableSpec::default()
    }
}

/// The clean CSV of a file, or what is wrong with it.
fn outcome(
    file: &[u8],
    format: InputFormat,
    kind: &str,
    percent: Percent,
) -> Result<String, String> {
    let mut clean = Vec::new();
    let read = read(
        Cursor::new(file),
        format,
        &ruled(percent),
        &schema(&column(kind)),
        &Limits::default(),
        &mut clean,
    );
    match read.unwrap() {
        Outcome::Accepted(_) => Ok(String::from_utf8(clean).unwrap()),
        Outcome::Rejected(rejected) => Err(rejected.problems.to_string()),
    }
}

/// Cells that show 4.5 % and 7 %, and one that holds 3.
fn shown() -> Vec<u8> {
    workbook(|sheet| {
        sheet.write(0, 0, "growth").unwrap();
        let one = Format::new().set_num_format("0.0 %");
        sheet.write_with_format(1, 0, 0.045, &one).unwrap();
        let other = Format::new().set_num_format_index(9);
        sheet.write_with_format(2, 0, 0.07, &other).unwrap();
        sheet.write(3, 0, 3).unwrap();
    })
}

/// The same as a workbook of the older format.
fn shown_in_xls() -> Vec<u8> {
    let number = |number: f64| number.to_le_bytes();
    Biff::new()
        .global(0x41e, &[164, 0, 5, 0, 0, b'0', b'.', b'0', b' ', b'%'])
        .global(0xe0, &[0, 0, 0, 0])
        .global(0xe0, &[0, 0, 164, 0])
        .global(0xe0, &[0, 0, 9, 0])
        .cell(0x204, 0, 0, &[6, 0, 0, b'g', b'r', b'o', b'w', b't', b'h'])
        .formatted(0x203, 1, 0, 1, &number(0.045))
        .formatted(0x203, 2, 0, 2, &number(0.07))
        .formatted(0x203, 3, 0, 0, &number(3.0))
        .file()
}

#[test]
fn a_cell_that_shows_a_percentage_is_no_number_unless_the_manifest_says_which() {
    for (file, format) in [
        (shown(), InputFormat::Xlsx),
        (shown_in_xls(), InputFormat::Xls),
    ] {
        let said = outcome(&file, format, "number", Percent::Refuse).unwrap_err();
        assert!(said.contains("2 cells do not contain a number"), "{said}");
        assert!(said.contains("4.5% (stored as 0.045)"), "{said}");
        assert_eq!(
            outcome(&file, format, "number", Percent::Points).unwrap(),
            "growth\n4.5\n7\n3\n"
        );
        assert_eq!(
            outcome(&file, format, "number", Percent::Fraction).unwrap(),
            "growth\n0.045\n0.07\n3\n"
        );
        assert_eq!(
            outcome(&file, format, "string", Percent::Refuse).unwrap(),
            "growth\n4.5%\n7%\n3\n"
        );
        let said = outcome(&file, format, "integer", Percent::Points).unwrap_err();
        assert!(said.contains("4.5%"), "{said}");
        assert!(!said.contains("A3"), "{said}");
    }
}

#[test]
fn a_percentage_is_reported_with_both_possible_numbers() {
    let file = workbook(|sheet| {
        sheet.write(0, 0, "growth").unwrap();
        let shown = Format::new().set_num_format("0.0%");
        sheet.write_with_format(1, 0, 0.045, &shown).unwrap();
    });
    assert_eq!(
        outcome(&file, InputFormat::Xlsx, "number", Percent::Refuse).unwrap_err(),
        "At Plan!A2: found 4.5% (stored as 0.045); a number is allowed. Excel shows this cell as a percentage: give it a number format and write 4.5 or 0.045, whichever is meant."
    );
}

#[test]
fn a_percent_sign_in_text_follows_the_same_rule() {
    let csv = b"growth\n4.5%\n-4.5 %\n7\xc2\xa0%\n3\n";
    let read = |kind, percent| outcome(csv, InputFormat::Csv, kind, percent);
    assert_eq!(
        read("number", Percent::Points).unwrap(),
        "growth\n4.5\n-4.5\n7\n3\n"
    );
    assert_eq!(
        read("number", Percent::Fraction).unwrap(),
        "growth\n0.045\n-0.045\n0.07\n3\n"
    );
    let said = read("number", Percent::Refuse).unwrap_err();
    assert!(said.contains("without the percent sign"), "{said}");
    let said = read("integer", Percent::Fraction).unwrap_err();
    assert!(said.contains("4.5%"), "{said}");
    for no_percentage in ["%", "4.5%5", "€4.5%", "%4", "4.5‰"] {
        let csv = format!("growth\n{no_percentage}\n");
        let said = outcome(csv.as_bytes(), InputFormat::Csv, "number", Percent::Points);
        assert!(said.is_err(), "{no_percentage}: {said:?}");
    }
}
