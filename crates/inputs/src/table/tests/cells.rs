//! Cells of workbooks, which come with a type of their own.

use dropcast_workbook::Cell;
use jiff::civil::date;

use super::{
    super::convert::{Converted, Converter, found},
    *,
};

/// What a cell becomes in a column, or what is said of it.
fn becomes(property: &Value, cell: &Cell) -> Result<(Value, String), String> {
    let row = schema(&json!({"properties": {"x": property}}));
    let column = row.column("x", &TableSpec::default()).unwrap();
    let converter = Converter::new(&TableSpec::default());
    let mut into = Converted::default();
    match converter.convert(cell, &column, &mut into) {
        Ok(()) => Ok((into.value, into.text)),
        Err(problem) => Err(format!(
            "found {}; {} is allowed. {}",
            found(cell),
            Converter::allowed(&column, &problem),
            converter.hint(cell, &column, &problem)
        )),
    }
}

#[test]
fn cells_become_what_their_column_takes() {
    let midnight = Cell::DateTime(date(2026, 1, 31).at(0, 0, 0, 0));
    let morning = Cell::DateTime(date(2026, 1, 31).at(8, 30, 0, 0));
    let text = json!({"type": "string"});
    let day = json!({"type": "string", "format": "date"});
    let moment = json!({"type": "string", "format": "date-time"});
    let time = json!({"type": "string", "format": "time"});
    for (property, cell, value, written) in [
        (
            &json!({"type": "integer"}),
            &Cell::Number(3.0),
            json!(3),
            "3",
        ),
        (
            &json!({"type": "number"}),
            &Cell::Number(0.1 + 0.2),
            json!(0.1 + 0.2),
            "0.30000000000000004",
        ),
        (
            &json!({"type": "number"}),
            &Cell::Number(-2e300),
            json!(-2e300),
            "-2e300",
        ),
        (
            &json!({"type": "number"}),
            &Cell::Text("1.50".into()),
            json!(1.5),
            "1.50",
        ),
        (&text, &Cell::Number(7.0), json!("7"), "7"),
        (&text, &Cell::Number(1.5), json!("1.5"), "1.5"),
        (&text, &Cell::Bool(true), json!("true"), "true"),
        (&text, &midnight, json!("2026-01-31"), "2026-01-31"),
        (
            &text,
            &morning,
            json!("2026-01-31T08:30:00"),
            "2026-01-31T08:30:00",
        ),
        (
            &text,
            &Cell::Unusable("36:15:00".into()),
            json!("36:15:00"),
            "36:15:00",
        ),
        (
            &json!({"type": ["integer", "string"]}),
            &Cell::Number(1.5),
            json!("1.5"),
            "1.5",
        ),
        (
            &json!({"type": "boolean"}),
            &Cell::Number(0.0),
            json!(false),
            "false",
        ),
        (
            &json!({"type": "boolean"}),
            &Cell::Text("Yes".into()),
            json!(true),
            "true",
        ),
        (&day, &midnight, json!("2026-01-31"), "2026-01-31"),
        (
            &moment,
            &morning,
            json!("2026-01-31T08:30:00Z"),
            "2026-01-31T08:30:00Z",
        ),
        (&time, &morning, json!("08:30:00Z"), "08:30:00Z"),
        (
            &time,
            &Cell::Unusable("12:30:00".into()),
            json!("12:30:00Z"),
            "12:30:00Z",
        ),
        (
            &time,
            &Cell::Text("8:30".into()),
            json!("08:30:00Z"),
            "08:30:00Z",
        ),
        (&json!({}), &Cell::Number(7.0), json!("7"), "7"),
    ] {
        assert_eq!(
            becomes(property, cell),
            Ok((value, written.to_owned())),
            "{property} {cell:?}"
        );
    }
}

#[test]
fn cells_of_another_kind_get_a_sentence_that_says_what_to_do() {
    let midnight = Cell::DateTime(date(2026, 1, 31).at(0, 0, 0, 0));
    let morning = Cell::DateTime(date(2026, 1, 31).at(8, 30, 0, 0));
    let day = json!({"type": "string", "format": "date"});
    let number = json!({"type": "number"});
    for (property, cell, expected) in [
        (
            &number,
            &midnight,
            "found the date 2026-01-31; a number is allowed. Excel shows this cell as a date: give it a number format, or write the number again.",
        ),
        (
            &number,
            &Cell::Error("#REF!"),
            "found #REF!; a number is allowed. The formula in this cell failed: fix it, or enter the value.",
        ),
        (
            &number,
            &Cell::Uncomputed,
            "found a formula without a result; a number is allowed. Open the workbook in Excel, which calculates the formula, save it, and upload it again.",
        ),
        (
            &json!({"type": "string", "format": "time"}),
            &Cell::Unusable("36:15:00".into()),
            "found \"36:15:00\"; a time such as 08:30:00Z is allowed. Write it out instead.",
        ),
        (
            &number,
            &Cell::Bool(true),
            "found true; a number is allowed. ",
        ),
        (
            &number,
            &Cell::Unusable("36:15:00".into()),
            "found \"36:15:00\"; a number is allowed. Write it out instead.",
        ),
        (
            &json!({"type": "integer"}),
            &Cell::Number(1.5),
            "found 1.5; a whole number is allowed. ",
        ),
        (
            &json!({"type": "boolean"}),
            &Cell::Number(2.0),
            "found 2; true or false is allowed. Write true or false.",
        ),
        (
            &day,
            &Cell::Number(45_000.0),
            "found 45000; a date such as 2026-01-31 is allowed. As a number of days it represents 2023-03-15: give the cell a date format.",
        ),
        (
            &day,
            &Cell::Number(7.0),
            "found 7; a date such as 2026-01-31 is allowed. Write a date, and give the cell a date format.",
        ),
        (
            &day,
            &Cell::Bool(true),
            "found true; a date such as 2026-01-31 is allowed. ",
        ),
        (
            &day,
            &morning,
            "found the date and time 2026-01-31T08:30:00; a date such as 2026-01-31 is allowed. Write the date without a time.",
        ),
        (
            &json!({"type": "string"}),
            &Cell::Error("#N/A"),
            "found #N/A; text is allowed. The formula in this cell failed: fix it, or enter the value.",
        ),
    ] {
        assert_eq!(becomes(property, cell), Err(expected.to_owned()));
    }
}
