//! Messages for grouped problems: what was found in each cell, and no advice that is
//! not true of all.

use super::*;

fn numbers() -> Value {
    json!({"properties": {"x": {"type": "number", "minimum": -90, "maximum": 300}}})
}

fn german() -> TableSpec {
    TableSpec {
        locale: Some(Locale::DeDe),
        ..TableSpec::default()
    }
}

fn column(cells: &[&str], row: &Value, spec: &TableSpec) -> Vec<String> {
    let quoted: Vec<String> = cells.iter().map(|cell| format!("\"{cell}\"\n")).collect();
    messages(&format!("x\n{}", quoted.concat()), row, spec)
}

#[test]
fn a_mixed_column_is_reported_by_kind_of_problem_with_each_cells_content() {
    let cells = ["4,5", "1.234,5", "٣", "NaN", "ten", "5 EUR", "1,25"];
    assert_eq!(
        column(&cells, &numbers(), &TableSpec::default()),
        [
            "Column \"x\": 3 cells do not contain a number from -90 to 300: row 2 (\"4,5\"), row 3 (\"1.234,5\"), row 8 (\"1,25\"). Write numbers such as 12.5.",
            "At row 4, column x: found \"٣\"; a number from -90 to 300 is allowed. Write numbers with the digits 0 to 9.",
            "At row 5, column x: found \"NaN\"; a number from -90 to 300 is allowed. There is no such number: leave the cell empty.",
            "At row 6, column x: found \"ten\"; a number from -90 to 300 is allowed.",
            "At row 7, column x: found \"5 EUR\"; a number from -90 to 300 is allowed. Write the number alone, such as 12.5: without a unit, a currency or other symbols.",
        ]
    );
}

#[test]
fn different_bad_dates_get_no_advice_about_one_of_them() {
    let row = json!({"properties": {"x": {"type": "string", "format": "date"}}});
    let said = column(
        &[
            "2026-02-30",
            "2026-04-31",
            "2026-13-01",
            "2026-14-01",
            "31/01/2026",
            "30/01/2026",
        ],
        &row,
        &TableSpec::default(),
    );
    assert_eq!(
        said,
        [
            "Column \"x\": 2 cells do not contain a date such as 2026-01-31: row 2 (\"2026-02-30\"), row 3 (\"2026-04-31\"). Their months have fewer days.",
            "Column \"x\": 2 cells do not contain a date such as 2026-01-31: row 4 (\"2026-13-01\"), row 5 (\"2026-14-01\"). A year has the months 1 to 12.",
            "Column \"x\": 2 cells do not contain a date such as 2026-01-31: row 6 (\"31/01/2026\"), row 7 (\"30/01/2026\"). Write the year first, then the month and the day: 2026-01-31.",
        ]
    );
}

#[test]
fn advice_that_is_the_same_for_all_is_given() {
    let row = json!({"properties": {"x": {"type": "string", "format": "date"}}});
    let said = column(&["2026-02-30", "30/02/2026"], &row, &TableSpec::default());
    assert_eq!(
        said,
        [
            "Column \"x\": 2 cells do not contain a date such as 2026-01-31: row 2 (\"2026-02-30\"), row 3 (\"30/02/2026\"). February 2026 has 28 days."
        ]
    );
    let said = column(&["4,5", "4,5"], &numbers(), &TableSpec::default());
    assert!(said[0].ends_with("Write 4.5."), "{said:?}");
    // The seventh is not listed, and counts all the same.
    let cells = ["4,5", "4,5", "4,5", "4,5", "4,5", "4,5", "4,6"];
    let said = column(&cells, &numbers(), &TableSpec::default());
    assert!(
        said[0].ends_with("and 1 more. Write numbers such as 12.5."),
        "{said:?}"
    );
}

#[test]
fn what_is_found_is_the_content_of_the_cell() {
    assert_eq!(
        column(&["1.234"], &numbers(), &german()),
        [
            "At row 2, column x: found \"1.234\" (read as 1234); a number from -90 to 300 is allowed."
        ]
    );
    assert_eq!(
        column(&["1.234", "301", "1.235"], &numbers(), &german()),
        [
            "Column \"x\": 3 cells do not contain a number from -90 to 300: row 2 (\"1.234\" (read as 1234)), row 3 (301), row 4 (\"1.235\" (read as 1235))."
        ]
    );
    let row =
        json!({"properties": {"x": {"type": "string", "format": "date", "const": "2026-01-31"}}});
    let said = column(&["30.01.2026"], &row, &german());
    assert!(
        said[0].contains("found \"30.01.2026\" (read as 2026-01-30)"),
        "{said:?}"
    );
}

#[test]
fn a_rule_with_alternatives_is_explained_by_the_nearest_one() {
    let row = json!({"properties": {"x": {"oneOf": [
        {"type": "string", "pattern": "^A[0-9]$"},
        {"type": "string", "minLength": 9}
    ]}}});
    let said = column(&["A", "B", "A", "C"], &row, &TableSpec::default());
    let cells: usize = said.iter().map(|said| said.matches("row ").count()).sum();
    assert_eq!(cells, 4, "{said:?}");
}
