//! What holds for any workbook, by trying many.

use std::io::Cursor;

use dropcast_domain::model::{InputFormat, TableSpec};
use jiff::{ToSpan, civil::DateTime};
use proptest::prelude::*;
use rust_xlsxwriter::Format;
use serde_json::json;

use super::{
    address::cell_address,
    fixtures::{Biff, plan, read_as},
};
use crate::{
    CompiledSchema, Limits,
    table::{Outcome, RowSchema, mark, read},
};

/// One row of values that satisfy the schema.
#[derive(Debug, Clone)]
struct Line {
    name: String,
    units: i32,
    growth: Option<f64>,
    final_: bool,
    from: DateTime,
}

fn line() -> impl Strategy<Value = Line> {
    // Text that is no white space, with everything that has a meaning in CSV and in XML, and
    // what a workbook writes as an escape.
    let text = prop_oneof![
        "[a-zA-Z0-9 ,;\"'<>&=+@\\-\n\t_é€🐎]{0,12}[a-z]",
        Just("_x0041_".to_owned()),
        Just("=1+1".to_owned()),
        Just("0042".to_owned()),
        Just("TRUE".to_owned()),
    ];
    let number = prop_oneof![
        any::<f64>().prop_filter("finite", |number| number.is_finite()),
        (-1_000_000..1_000_000_i32).prop_map(|cents| f64::from(cents) / 100.0),
    ];
    let date = (0..2_900_000_i64).prop_map(|day| {
        let first = jiff::civil::date(1900, 3, 1);
        first.checked_add(day.days()).unwrap().at(0, 0, 0, 0)
    });
    (
        text,
        any::<i32>(),
        proptest::option::of(number),
        any::<bool>(),
        date,
    )
        .prop_map(|(name, units, growth, final_, from)| Line {
            name,
            units,
            growth,
            final_,
            from,
        })
}

fn schema() -> RowSchema {
    let schema = json!({
        "type": "object",
        "properties": {
            "name": {"type": "string", "minLength": 1},
            "units": {"type": "integer"},
            "growth": {"type": "number"},
            "final": {"type": "boolean"},
            "from": {"type": "string", "format": "date"}
        },
        "required": ["name", "units", "final", "from"],
        "additionalProperties": false
    });
    RowSchema::new(CompiledSchema::new(&schema).unwrap()).unwrap()
}

/// A workbook whose table begins at a cell; one cell of it may be another text.
fn workbook(lines: &[Line], at: (u32, u16), wrong: Option<(u32, u16)>) -> Vec<u8> {
    let dated = Format::new().set_num_format("d. mmmm yyyy");
    plan(|sheet| {
        for (column, name) in (at.1..).zip(["name", "units", "growth", "final", "from"]) {
            sheet.write(at.0, column, name).unwrap();
        }
        for (row, line) in (at.0 + 1..).zip(lines) {
            sheet.write(row, at.1, &line.name).unwrap();
            sheet.write(row, at.1 + 1, line.units).unwrap();
            if let Some(growth) = line.growth {
                sheet.write(row, at.1 + 2, growth).unwrap();
            }
            sheet.write(row, at.1 + 3, line.final_).unwrap();
            let day = line
                .from
                .date()
                .since(jiff::civil::date(1899, 12, 30))
                .unwrap();
            sheet
                .write_with_format(row, at.1 + 4, day.get_days(), &dated)
                .unwrap();
        }
        if let Some((row, column)) = wrong {
            sheet.write(row, column, "not so").unwrap();
        }
    })
}

fn outcome(file: &[u8]) -> (Outcome, String) {
    let mut clean = Vec::new();
    let outcome = read(
        Cursor::new(file),
        InputFormat::Xlsx,
        &TableSpec::default(),
        &schema(),
        &Limits::default(),
        &mut clean,
    )
    .unwrap();
    (outcome, String::from_utf8(clean).unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn a_table_that_satisfies_its_schema_arrives_unchanged(
        lines in prop::collection::vec(line(), 1..8),
        at in (0..5_u32, 0..30_u16),
    ) {
        let (outcome, clean) = outcome(&workbook(&lines, at, None));
        if let Outcome::Rejected(rejected) = outcome {
            return Err(TestCaseError::fail(rejected.problems.to_string()));
        }
        let mut read = csv::Reader::from_reader(clean.as_bytes());
        prop_assert_eq!(
            read.headers().unwrap(),
            &csv::StringRecord::from(vec!["name", "units", "growth", "final", "from"])
        );
        let records: Vec<csv::StringRecord> = read.records().map(Result::unwrap).collect();
        prop_assert_eq!(records.len(), lines.len());
        for (record, line) in records.iter().zip(&lines) {
            prop_assert_eq!(&record[0], line.name.as_str());
            prop_assert_eq!(record[1].parse::<i32>().unwrap(), line.units);
            let growth = (!record[2].is_empty()).then(|| record[2].parse::<f64>().unwrap());
            prop_assert_eq!(growth, line.growth);
            prop_assert_eq!(&record[3], line.final_.to_string());
            prop_assert_eq!(&record[4], line.from.date().to_string());
        }
    }

    #[test]
    fn a_single_faulty_cell_is_named_by_its_address(
        lines in prop::collection::vec(line(), 1..8),
        at in (0..5_u32, 0..30_u16),
        row in any::<prop::sample::Index>(),
        column in 1..5_u16,
    ) {
        let row = at.0 + 1 + u32::try_from(row.index(lines.len())).unwrap();
        let column = at.1 + column;
        let file = workbook(&lines, at, Some((row, column)));
        let (outcome, _) = outcome(&file);
        let Outcome::Rejected(rejected) = outcome else {
            return Err(TestCaseError::fail("it was accepted"));
        };
        let address = cell_address("Plan", u64::from(row) + 1, usize::from(column));
        prop_assert_eq!(rejected.problems.total(), 1);
        prop_assert_eq!(&rejected.problems.problems[0].at, &address);
        let mut copy = Cursor::new(Vec::new());
        let spec = TableSpec::default();
        mark(Cursor::new(&file), InputFormat::Xlsx, &spec, &rejected, &Limits::default(), &mut copy)
            .unwrap();
        let mut archive = zip::ZipArchive::new(copy).unwrap();
        let notes = std::io::read_to_string(archive.by_name("xl/comments1.xml").unwrap()).unwrap();
        let (_, cell) = address.split_once('!').unwrap();
        prop_assert!(notes.contains(&format!("<comment ref=\"{cell}\"")), "{}", notes);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn a_spoilt_sheet_is_read_or_refused_and_nothing_else(
        spoils in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        text in "[<>/!?cvrfs=\"' A-C0-9&;.\\-\\[\\]]{0,20}",
        at in any::<prop::sample::Index>(),
    ) {
        let rows = "<row r=\"1\"><c r=\"A1\" t=\"str\"><v>a</v></c><c r=\"B1\" t=\"b\"><v>1</v></c>\
            <c r=\"C1\" t=\"inlineStr\"><is><r><t>x</t></r></is></c></row><row r=\"2\"><c r=\"A2\" \
            s=\"1\"><f t=\"shared\" si=\"0\" ref=\"A2:A9\">A1&amp;1</f><v>1.5</v></c><c r=\"B2\" \
            t=\"e\"><v>#REF!</v></c></row>";
        let mut sheet = super::fixtures::sheet_xml(rows).into_bytes();
        for (at, byte) in &spoils {
            let at = at.index(sheet.len());
            sheet[at] = *byte & 0x7f;
        }
        let at = at.index(sheet.len());
        sheet.splice(at..at, text.bytes());
        let file = super::fixtures::packed(&String::from_utf8(sheet).unwrap());
        let _ = read_as(&file, InputFormat::Xlsx, &TableSpec::default());
    }

    #[test]
    fn a_spoilt_xls_is_read_or_refused_and_nothing_else(
        spoils in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        in_stream in any::<bool>(),
    ) {
        let book = Biff::new()
            .global(0x41e, &[164, 0, 4, 0, 0, b'd', b'.', b'm', b'.'])
            .global(0xe0, &[0, 0, 164, 0])
            .texts(&["month", "plan"])
            .cell(0xfd, 0, 0, &[0, 0, 0, 0])
            .cell(0x204, 0, 1, &[2, 0, 0, b'h', b'i'])
            .cell(0x203, 1, 0, &45_000_f64.to_le_bytes())
            .cell(0x205, 1, 1, &[7, 1])
            .cell(0x6, 2, 0, &[0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 1, 0, 9])
            .record(0x207, &[3, 0, 0, b'a', b'b', b'c'])
            .record(0xbd, &[3, 0, 0, 0, 0, 0, 6, 0, 0, 0, 0, 0, 10, 0, 0, 0, 1, 0]);
        let spoil = |bytes: &mut Vec<u8>| {
            for (at, byte) in &spoils {
                let at = at.index(bytes.len());
                bytes[at] = *byte;
            }
        };
        let mut bytes = if in_stream { book.stream() } else { book.file() };
        spoil(&mut bytes);
        if in_stream {
            bytes = crate::table::guard::compound_file(&bytes).unwrap().into_inner();
        }
        let _ = read_as(&bytes, InputFormat::Xls, &TableSpec::default());
    }
}
