use std::io::Cursor;

use dropcast_domain::{
    model::{InputFormat, Locale, TableSpec},
    problem::Problem,
    table::FilledColumn,
};
use serde_json::{Value, json};

use super::*;
use crate::{CompiledSchema, Limits};

pub(super) fn schema(schema: &Value) -> RowSchema {
    RowSchema::new(CompiledSchema::new(schema).unwrap()).unwrap()
}

pub(super) fn read_csv(csv: &[u8], schema: &RowSchema, spec: &TableSpec) -> (Outcome, String) {
    let mut clean = Vec::new();
    let limits = Limits::for_bytes(100 << 20);
    let outcome = read(
        Cursor::new(csv),
        InputFormat::Csv,
        spec,
        schema,
        &limits,
        &mut clean,
    )
    .unwrap();
    (outcome, String::from_utf8(clean).unwrap())
}

/// The clean CSV of a table that is accepted.
pub(super) fn accepted(csv: &[u8], row: &Value, spec: &TableSpec) -> (Accepted, String) {
    match read_csv(csv, &schema(row), spec) {
        (Outcome::Accepted(accepted), clean) => (accepted, clean),
        (Outcome::Rejected(rejected), _) => panic!("{}", rejected.problems),
    }
}

pub(super) fn rejected(csv: &[u8], row: &Value, spec: &TableSpec) -> TableProblems {
    match read_csv(csv, &schema(row), spec) {
        (Outcome::Rejected(rejected), _) => rejected,
        (Outcome::Accepted(_), clean) => panic!("accepted: {clean}"),
    }
}

pub(super) fn problems(csv: &[u8], row: &Value, spec: &TableSpec) -> Vec<Problem> {
    rejected(csv, row, spec).problems.problems
}

fn messages(csv: &str, row: &Value, spec: &TableSpec) -> Vec<String> {
    let problems = problems(csv.as_bytes(), row, spec);
    problems
        .into_iter()
        .map(|problem| problem.message)
        .collect()
}

pub(super) fn plan() -> Value {
    json!({
        "type": "object",
        "required": ["line", "month"],
        "properties": {
            "line": {"type": "string", "maxLength": 20},
            "month": {"type": "string", "format": "date"},
            "growth": {"type": "number", "minimum": -90, "maximum": 300},
            "units": {"type": ["integer", "null"]},
            "active": {"type": "boolean", "default": true},
            "unit": {"enum": ["EUR", "USD"], "default": "EUR"},
        },
        "additionalProperties": false,
    })
}

#[test]
fn a_table_arrives_with_canonical_values_and_the_schema_s_names() {
    let csv = "Line;MONTH; growth ;Units;active\nA;31.12.2026;1.234,50;;ja\n\"B; \"\"x\"\"\";2026-01-31;-5;1.000;0\n";
    let spec = TableSpec {
        locale: Some(Locale::DeDe),
        ..TableSpec::default()
    };
    let mut row = plan();
    row["properties"]["growth"] = json!({"type": "number"});
    let (accepted, clean) = accepted(csv.as_bytes(), &row, &spec);
    assert_eq!(
        clean,
        "line,month,growth,units,active,unit\nA,2026-12-31,1234.50,,true,EUR\n\"B; \"\"x\"\"\",2026-01-31,-5,1000,false,EUR\n"
    );
    let reading = accepted.reading;
    assert_eq!((reading.rows, reading.column_count), (2, 5));
    assert_eq!(reading.delimiter, Some(';'));
    assert_eq!(
        reading.columns,
        ["line", "month", "growth", "units", "active"]
    );
    assert_eq!(
        reading.defaults,
        [FilledColumn {
            column: "unit".into(),
            cells: 2
        }]
    );
}

#[test]
fn every_problem_is_named_by_its_row_and_column() {
    let csv = "line,month,growth\nA,2026-01-31,ten\n\nB,,301\n,2026-01-31,\nC,2026-02-31,2\n";
    assert_eq!(
        messages(csv, &plan(), &TableSpec::default()),
        [
            "At row 2, column growth: found \"ten\"; a number from -90 to 300 is allowed.",
            "At row 4, column month: the cell is empty. Fill it in: a date such as 2026-01-31 is allowed. If this row is a total or a note, remove it.",
            "At row 4, column growth: found 301; a number from -90 to 300 is allowed.",
            "At row 5, column line: the cell is empty. Fill it in: text of at most 20 characters is allowed. If this row is a total or a note, remove it.",
            "At row 6, column month: found \"2026-02-31\"; a date such as 2026-01-31 is allowed. February 2026 has 28 days.",
        ]
    );
}

mod cells;
mod dates;
mod formats;
mod groups;
mod header;
mod percent;
mod properties;
mod shape;
mod sheets;
mod suite;
mod text_format;
mod values;
