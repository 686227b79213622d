//! The JSON Schema Test Suite, draft 2020-12, for what a row schema may say about a cell.

use std::{fs, path::Path};

use dropcast_workbook::Cell;

use super::{
    super::{
        check::accepts,
        columns::Form,
        convert::{ConversionProblem, Converted, Converter},
    },
    *,
};

/// Where `make` unpacks the suite, and a variable that names another place.
const FOLDER: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../target/json-schema-test-suite/json"
);

/// The required cases of the keywords that a row schema may use.
const REQUIRED: [&str; 16] = [
    "type",
    "enum",
    "const",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "minLength",
    "maxLength",
    "pattern",
    "format",
    "not",
    "anyOf",
    "oneOf",
    "allOf",
];

/// The cases of formats that are enforced, as ours are.
const FORMATS: [&str; 17] = [
    "date",
    "date-time",
    "time",
    "duration",
    "email",
    "hostname",
    "ipv4",
    "ipv6",
    "uri",
    "uri-reference",
    "uri-template",
    "iri",
    "iri-reference",
    "uuid",
    "json-pointer",
    "relative-json-pointer",
    "regex",
];

/// The groups whose schema no column has, because no cell could satisfy it: what takes nothing
/// but lists, objects or null, or nothing at all.
const NO_COLUMN: [&str; 13] = [
    "type: object type matches objects",
    "type: array type matches arrays",
    "type: null type matches only the null object",
    "type: type: array or object",
    "type: type: array, object or null",
    "const: const with null",
    "anyOf: anyOf with boolean schemas, all false",
    "anyOf: nested anyOf, to check validation semantics",
    "oneOf: oneOf with boolean schemas, all false",
    "oneOf: nested oneOf, to check validation semantics",
    "allOf: allOf with boolean schemas, some false",
    "allOf: allOf with boolean schemas, all false",
    "allOf: nested allOf, to check validation semantics",
];

/// How the cases came out.
#[derive(Debug, Default, PartialEq, Eq)]
struct Tally {
    /// The column's outcome was the suite's.
    same: usize,
    /// The cell means another value than the case's, such as the number of a text: the
    /// column's outcome was the validator's on that value.
    converted: usize,
    /// No cell holds such a value.
    no_cell: usize,
    /// A cell holds the value of some case, but no column has the schema of the group.
    refused: Vec<String>,
    /// An unknown text in an enforced format, which the suite lets pass as an annotation.
    enforced: usize,
    /// A number or a boolean in a column of dates or times, which is refused.
    no_date: usize,
}

#[test]
#[ignore = "It needs the suite, which make test-rust fetches."]
#[expect(
    clippy::disallowed_methods,
    reason = "It is started by hand or by make."
)]
fn every_scalar_case_gets_the_suite_s_verdict() {
    let folder = std::env::var("JSON_SCHEMA_TEST_SUITE").unwrap_or_else(|_| FOLDER.to_owned());
    let folder = Path::new(&folder).join("tests/draft2020-12");
    let mut tally = Tally::default();
    for keyword in REQUIRED {
        file(&folder.join(format!("{keyword}.json")), &mut tally);
    }
    for format in FORMATS {
        file(
            &folder.join(format!("optional/format/{format}.json")),
            &mut tally,
        );
    }
    let expected = Tally {
        same: 451,
        converted: 136,
        no_cell: 243,
        refused: NO_COLUMN.map(str::to_owned).to_vec(),
        enforced: 17,
        no_date: 18,
    };
    assert_eq!(tally, expected);
}

fn file(path: &Path, tally: &mut Tally) {
    let name = path.file_stem().unwrap().to_string_lossy();
    let annotated = path.ends_with("tests/draft2020-12/format.json");
    let groups: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    for group in groups.as_array().unwrap() {
        let about = format!("{name}: {}", group["description"].as_str().unwrap());
        let mut property = group["schema"].clone();
        if let Some(keywords) = property.as_object_mut() {
            keywords.remove("$schema");
        }
        let alone = CompiledSchema::new(&property).unwrap();
        let compiled = CompiledSchema::new(&json!({"properties": {"x": &property}}));
        let row = compiled.and_then(RowSchema::new);
        for case in group["tests"].as_array().unwrap() {
            let about = format!("{about}: {}", case["description"]);
            let expected = case["valid"].as_bool().unwrap();
            let outcome = alone.is_valid(&case["data"]);
            assert!(outcome == expected || annotated && expected, "{about}");
            match (&row, cell(&case["data"])) {
                (_, None) => tally.no_cell += 1,
                (Ok(row), Some(cell)) => {
                    one(row, &alone, case, &cell, annotated, &about, tally);
                }
                (Err(_), Some(_)) => {}
            }
        }
        let has_cell = |case: &Value| cell(&case["data"]).is_some();
        if row.is_err() && group["tests"].as_array().unwrap().iter().any(has_cell) {
            tally.refused.push(about);
        }
    }
}

fn one(
    row: &RowSchema,
    alone: &CompiledSchema,
    case: &Value,
    cell: &Cell,
    annotated: bool,
    about: &str,
    tally: &mut Tally,
) {
    let Some(column) = row.column("x", &TableSpec::default()) else {
        // The schema `false`: there is no such column.
        assert_eq!(case["valid"], json!(false), "{about}");
        tally.same += 1;
        return;
    };
    let mut into = Converted::default();
    let converted = Converter::new(&TableSpec::default()).convert(cell, &column, &mut into);
    let outcome = converted.is_ok() && accepts(row, &column, cell, &mut into);
    let expected = case["valid"].as_bool().unwrap();
    let same = match (&into.value, &case["data"]) {
        (Value::Number(value), Value::Number(data)) => value.as_f64() == data.as_f64(),
        (value, data) => value == data,
    };
    if column.form != Form::Any
        && matches!(
            converted,
            Err(ConversionProblem::Days(_) | ConversionProblem::IsBoolean)
        )
    {
        // JSON Schema lets a date's column without a type hold them. In a sheet such a number
        // is a day that lost its format.
        tally.no_date += 1;
    } else if converted == Ok(()) && !same {
        assert_eq!(outcome, alone.is_valid(&into.value), "{about}");
        tally.converted += 1;
    } else if annotated && expected && !outcome {
        tally.enforced += 1;
    } else {
        assert_eq!(outcome, expected, "{about}");
        tally.same += 1;
    }
}

/// A cell that holds a value of a case; `None` for what no cell holds.
fn cell(value: &Value) -> Option<Cell> {
    match value {
        Value::Bool(boolean) => Some(Cell::Bool(*boolean)),
        Value::Number(number) => number.as_f64().map(Cell::Number),
        Value::String(text) if !text.trim().is_empty() => Some(Cell::Text(text.clone())),
        _ => None,
    }
}
