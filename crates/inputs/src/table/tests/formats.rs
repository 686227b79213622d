//! What is refused in one format is refused in each.

use rust_xlsxwriter::Format;

use super::*;
use crate::table::workbook::fixtures::{
    plan as workbook,
    writers::{
        Held::{self, Boolean, Moment, Nothing, Number, Text},
        Maker,
    },
};

fn open() -> Value {
    json!({"properties": {"a": {"type": "string"}, "b": {}}, "required": ["a"]})
}

/// Three columns of three kinds, and no others.
fn closed() -> Value {
    json!({
        "required": ["a"],
        "properties": {
            "a": {"type": "string"},
            "b": {"type": "number"},
            "c": {"type": "string", "format": "date"},
        },
        "additionalProperties": false,
    })
}

/// What comes of reading a file.
fn outcome(file: &[u8], format: InputFormat, row: &Value) -> Result<String, Vec<Problem>> {
    let limits = Limits::for_bytes(100 << 20);
    let spec = TableSpec::default();
    let mut clean = Vec::new();
    let file = Cursor::new(file);
    match read(file, format, &spec, &schema(row), &limits, &mut clean).unwrap() {
        Outcome::Rejected(rejected) => Err(rejected.problems.problems),
        Outcome::Accepted(_) => Ok(String::from_utf8(clean).unwrap()),
    }
}

/// What is wrong with a file.
fn said(file: &[u8], format: InputFormat) -> String {
    let problems = outcome(file, format, &open()).unwrap_err();
    let messages: Vec<String> = problems
        .into_iter()
        .map(|problem| problem.message)
        .collect();
    messages.join("\n")
}

/// The same rows in each format, but those that the older one cannot hold: a text of it counts
/// its characters in two bytes.
fn in_each(rows: &[&[Held<'_>]]) -> Vec<(Vec<u8>, InputFormat)> {
    let mut files = vec![
        (csv_of(rows), InputFormat::Csv),
        (Maker::From1904.write(rows, (0, 0)), InputFormat::Xlsx),
    ];
    let is_long = |cell: &Held<'_>| matches!(cell, Text(text) if text.len() > 60_000);
    if !rows.iter().copied().flatten().any(is_long) {
        files.push((Maker::Older.write(rows, (0, 0)), InputFormat::Xls));
    }
    files
}

fn csv_of(rows: &[&[Held<'_>]]) -> Vec<u8> {
    let cell = |cell: &Held<'_>| match cell {
        Nothing => String::new(),
        Text(text) => format!("\"{}\"", text.replace('"', "\"\"")),
        Number(number) => number.to_string(),
        Boolean(boolean) => boolean.to_string(),
        Moment(moment) => moment.to_string(),
    };
    let line = |row: &&[Held<'_>]| {
        let cells: Vec<String> = row.iter().map(cell).collect();
        cells.join(",") + "\n"
    };
    rows.iter().map(line).collect::<String>().into_bytes()
}

/// A column `a` with one text below it, in each format.
fn with_cell(text: &str) -> Vec<(Vec<u8>, InputFormat)> {
    in_each(&[&[Text("a"), Text("b")], &[Text(text), Number(1.0)]])
}

#[test]
fn the_same_rows_are_the_same_table_in_every_format() {
    let rows: [&[Held<'_>]; 3] = [
        &[Text("A"), Nothing, Text("c"), Text("B")],
        &[Text("x"), Nothing, Text("2026-01-31"), Number(-1.5)],
        &[Text("=\"<&>\""), Nothing, Nothing, Number(2.0)],
    ];
    for (file, format) in in_each(&rows) {
        assert_eq!(
            outcome(&file, format, &closed()).unwrap(),
            "a,c,b\nx,2026-01-31,-1.5\n\"=\"\"<&>\"\"\",,2\n",
            "{format:?}"
        );
    }
}

/// A header and one row below it; where a CSV file and a workbook have what is wrong with them,
/// and what is said of it in both.
type ConversionProblem<'t> = (
    &'t [Held<'t>],
    &'t [Held<'t>],
    &'t str,
    &'t str,
    &'t [&'t str],
);

/// A header whose second column is of one kind, and where the first cell of that column is.
type Kind<'t> = (&'t [Held<'t>], &'t str, &'t str);

const IN_NUMBERS: Kind<'_> = (&[Text("a"), Text("b")], "row 2, column b", "Plan!B2");
const IN_DATES: Kind<'_> = (&[Text("a"), Text("c")], "row 2, column c", "Plan!B2");

#[test]
fn what_is_wrong_is_named_by_its_cell_in_every_format() {
    let headers: [ConversionProblem<'_>; 5] = [
        (
            &[Text("x"), Number(1.0)],
            &[Text("y"), Number(2.0)],
            "row 1",
            "row 1 of the sheet Plan",
            &[
                "the first row must contain the column names, but it looks like values: \"x\", \"1\".",
            ],
        ),
        (
            &[Text("a"), Text("a")],
            &[Text("x"), Text("y")],
            "row 1, column a",
            "Plan!B1",
            &["the column \"a\" appears twice in the header, as columns 1 and 2."],
        ),
        (
            &[Text("a"), Text("b"), Nothing, Text("c")],
            &[Text("x"), Number(1.0), Text("z"), Text("2026-01-31")],
            "row 2, cell 3",
            "Plan!C2",
            &["found \"z\" in a column without a name at "],
        ),
        (
            &[Text("a"), Text("b")],
            &[Text("x"), Number(1.0), Text("z")],
            "row 2",
            "Plan!C2",
            &[],
        ),
        (
            &[Text("a"), Text("b\u{202e}")],
            &[Text("x"), Number(1.0)],
            "row 1, column b\\u202e",
            "Plan!B1",
            &["the column's name \"b\\u202e\" contains the invisible character U+202E."],
        ),
    ];
    for (header, row, in_csv, in_book, words) in headers {
        one_fault(&[header, row], in_csv, in_book, words);
    }
    let number = "a number is allowed.";
    let date = "a date such as 2026-01-31 is allowed.";
    let cells: [(Kind<'_>, Held<'_>, &[&str]); 9] = [
        (
            IN_NUMBERS,
            Text("1.234,5"),
            &["found \"1.234,5\"", number, "Write 1234.5."],
        ),
        (
            IN_NUMBERS,
            Text("1e999"),
            &["found \"1e999\"", number, "ends at 1.8e308."],
        ),
        (
            IN_NUMBERS,
            Text("٣"),
            &["found \"٣\"", number, "with the digits 0 to 9."],
        ),
        (
            IN_NUMBERS,
            Text("NaN"),
            &["found \"NaN\"", number, "There is no such number"],
        ),
        (
            IN_NUMBERS,
            Text("=HYPERLINK(\"http://x\")"),
            &["found \"=HYPERLINK(", number],
        ),
        (
            IN_NUMBERS,
            Text("+cmd|' /C calc'!A0"),
            &["found \"+cmd|' /C calc'!A0\"", number],
        ),
        (
            IN_DATES,
            Text("31/02/2026"),
            &["found \"31/02/2026\"", date, "February 2026 has 28 days."],
        ),
        (
            IN_DATES,
            Text("2026-13-01"),
            &["found \"2026-13-01\"", date, "There is no month 13."],
        ),
        (
            IN_DATES,
            Number(45_000.0),
            &["45000", date, "represents 2023-03-15"],
        ),
    ];
    for ((header, in_csv, in_book), cell, words) in cells {
        one_fault(&[header, &[Text("x"), cell]], in_csv, in_book, words);
    }
}

/// Whether rows have the one problem, at its place.
fn one_fault(rows: &[&[Held<'_>]], in_csv: &str, in_book: &str, words: &[&str]) {
    for (file, format) in in_each(rows) {
        let problems = outcome(&file, format, &closed()).unwrap_err();
        let [problem] = problems.as_slice() else {
            panic!("{format:?}: {problems:?}")
        };
        let at = match format {
            InputFormat::Csv => in_csv,
            _ => in_book,
        };
        assert_eq!(problem.at, at, "{format:?}: {problem}");
        for words in words {
            assert!(
                problem.message.contains(words),
                "{format:?}: {words:?} not in: {problem}"
            );
        }
    }
}

#[test]
fn equal_problems_are_put_together_in_every_format() {
    let rows: [&[Held<'_>]; 3] = [
        &[Text("a"), Text("b")],
        &[Text("x"), Text("ten")],
        &[Text("y"), Text("many")],
    ];
    for (file, format) in in_each(&rows) {
        let problems = outcome(&file, format, &closed()).unwrap_err();
        let [problem] = problems.as_slice() else {
            panic!("{format:?}: {problems:?}")
        };
        let (first, other, listed) = match format {
            InputFormat::Csv => (
                "row 2, column b",
                "row 3, column b",
                "row 2 (\"ten\"), row 3 (\"many\").",
            ),
            _ => ("Plan!B2", "Plan!B3", "B2 (\"ten\"), B3 (\"many\")."),
        };
        assert_eq!((problem.at.as_str(), problem.count), (first, 2));
        assert_eq!(problem.others, [other]);
        assert_eq!(
            problem.message,
            format!("Column \"b\": 2 cells do not contain a number: {listed}")
        );
    }
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
    for (length, formats) in [(32_768, 3), (1_000_000, 2)] {
        let files = with_cell(&"x".repeat(length));
        assert_eq!(files.len(), formats);
        for (file, format) in files {
            let said = said(&file, format);
            assert!(
                said.contains(&format!("({length} characters)")),
                "{format:?}: {said}"
            );
            assert!(
                said.contains("at most 32767 characters"),
                "{format:?}: {said}"
            );
        }
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
fn an_invalid_column_name_is_reported_with_its_cell() {
    let said_of_nul = said(b"a,b\0\nx,1\n", InputFormat::Csv);
    assert!(
        said_of_nul.starts_with("At row 1, column \"b\\u0000\": found \"b\\u0000\" where text without NUL bytes must stand."),
        "{said_of_nul}"
    );
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
    let boolean = workbook(|sheet| {
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
        said(&boolean, InputFormat::Xlsx),
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
