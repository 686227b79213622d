//! Laws: what is right arrives unchanged, and one fault is named by exactly its cell.

use ::csv::{ReaderBuilder, Terminator, WriterBuilder};
use proptest::prelude::*;

use super::*;

const COLUMNS: [&str; 7] = [
    "text", "whole", "number", "truth", "day", "moment", "choice",
];

fn row() -> Value {
    json!({
        "required": ["whole"],
        "properties": {
            "text": {"type": "string", "maxLength": 100},
            "whole": {"type": "integer"},
            "number": {"type": "number"},
            "truth": {"type": "boolean"},
            "day": {"type": "string", "format": "date"},
            "moment": {"type": "string", "format": "date-time"},
            "choice": {"enum": ["month", "year", 7]},
        },
        "additionalProperties": false,
    })
}

/// One row's cells, as their canonical texts.
fn cells() -> impl Strategy<Value = Vec<String>> {
    let text = prop_oneof![
        Just(String::new()),
        "[a-zA-Z0-9 ,;|\t\"'\n\r=+@é€😀-]{0,30}",
        any::<String>(),
    ]
    .prop_map(|text| text.replace('\0', "0"))
    .prop_filter("short, and empty or visible", |text| {
        text.chars().count() <= 100 && (text.is_empty() || !text.trim().is_empty())
    });
    let number = prop_oneof![
        any::<f64>()
            .prop_filter("finite", |number| number.is_finite())
            .prop_map(|number| serde_json::Number::from_f64(number).unwrap().to_string())
            .prop_map(|text| text.replace("e+", "e")),
        Just(String::new()),
    ];
    let day = (1_i16..=9999, 1_i8..=12, 1_i8..=28)
        .prop_map(|(year, month, day)| format!("{year:04}-{month:02}-{day:02}"));
    let moment = (day.clone(), 0..24, 0..60, 0..60).prop_map(|(day, hour, minute, second)| {
        format!("{day}T{hour:02}:{minute:02}:{second:02}Z")
    });
    (
        text,
        any::<i64>().prop_map(|whole| whole.to_string()),
        number,
        prop::sample::select(vec!["true", "false", ""]).prop_map(str::to_owned),
        prop_oneof![day, Just(String::new())],
        moment,
        prop::sample::select(vec!["month", "year", "7", ""]).prop_map(str::to_owned),
    )
        .prop_map(|(a, b, c, d, e, f, g)| vec![a, b, c, d, e, f, g])
}

fn write(rows: &[Vec<String>], delimiter: u8, crlf: bool) -> Vec<u8> {
    let mut writer = WriterBuilder::new()
        .delimiter(delimiter)
        .terminator(if crlf {
            Terminator::CRLF
        } else {
            Terminator::Any(b'\n')
        })
        .from_writer(Vec::new());
    writer.write_record(COLUMNS).unwrap();
    for row in rows {
        writer.write_record(row).unwrap();
    }
    writer.into_inner().unwrap()
}

/// How the bytes of a text may stand in a file.
fn encoded(utf8: Vec<u8>, encoding: u8) -> Vec<u8> {
    let text = String::from_utf8(utf8).unwrap();
    let marked = format!("\u{feff}{text}");
    match encoding {
        0 => text.into_bytes(),
        1 => marked.into_bytes(),
        2 => marked.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        _ => marked.encode_utf16().flat_map(u16::to_be_bytes).collect(),
    }
}

proptest! {
    #[test]
    fn what_satisfies_the_schema_arrives_unchanged(
        rows in prop::collection::vec(cells(), 1..20),
        delimiter in prop::sample::select(vec![b',', b';', b'\t', b'|']),
        crlf in any::<bool>(),
        encoding in 0_u8..4,
    ) {
        let csv = encoded(write(&rows, delimiter, crlf), encoding);
        let (accepted, clean) = accepted(&csv, &row(), &TableSpec::default());
        prop_assert_eq!(accepted.reading.rows, rows.len() as u64);
        prop_assert_eq!(accepted.reading.delimiter, Some(char::from(delimiter)));
        let mut reader = ReaderBuilder::new().has_headers(false).from_reader(clean.as_bytes());
        let arrived: Vec<Vec<String>> = reader
            .records()
            .map(|record| record.unwrap().iter().map(str::to_owned).collect())
            .collect();
        prop_assert_eq!(&arrived[0], &COLUMNS);
        prop_assert_eq!(&arrived[1..], &rows[..]);
    }

    #[test]
    fn a_single_fault_is_named_by_exactly_its_cell(
        rows in prop::collection::vec(cells(), 1..20),
        at in any::<prop::sample::Index>(),
        column in 0..COLUMNS.len(),
        delimiter in prop::sample::select(vec![b',', b';', b'\t', b'|']),
        crlf in any::<bool>(),
        encoding in 0_u8..4,
    ) {
        let mut rows = rows;
        let at = at.index(rows.len());
        let long = "x".repeat(101);
        let wrong = [long.as_str(), "", "1,2,3", "maybe", "2026-02-30", "2026-01-31T24:00:00Z", "8"];
        rows[at][column] = wrong[column].to_owned();
        let csv = encoded(write(&rows, delimiter, crlf), encoding);
        let problems = problems(&csv, &row(), &TableSpec::default());
        prop_assert_eq!(problems.len(), 1);
        let expected = format!("row {}, column {}", at + 2, COLUMNS[column]);
        prop_assert_eq!(&problems[0].at, &expected);
        prop_assert_eq!(problems[0].count, 1);
        let begins = format!("At {expected}: ");
        prop_assert!(problems[0].message.starts_with(&begins));
    }

    #[test]
    fn no_bytes_make_the_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = read_csv(&bytes, &schema(&row()), &TableSpec::default());
    }

    #[test]
    fn no_table_like_text_makes_the_reader_panic(text in "[a-z\",;|\t\r\n =0-9.-]{0,200}", locale in prop::option::of(prop::sample::select(Locale::ALL.to_vec()))) {
        let spec = TableSpec { locale, ..TableSpec::default() };
        let csv = format!("text,whole,number,truth,day,moment,choice\n{text}");
        let _ = read_csv(csv.as_bytes(), &schema(&row()), &spec);
    }
}
