//! What holds for any workbook, by trying many.

use std::io::Cursor;

use dropcast_domain::model::{InputFormat, TableSpec};
use dropcast_workbook::cell_address;
use jiff::{
    ToSpan,
    civil::{Date, DateTime, Time, date},
};
use proptest::prelude::*;
use serde_json::json;

use super::fixtures::{
    Biff, read_as,
    writers::{Held, Maker},
};
use crate::{
    CompiledSchema, Limits,
    table::{Outcome, RowSchema, mark, read},
};

/// One character more than a name may have.
const TOO_LONG: &str = "xxxxxxxxxxxxxxxxxxxxx";
const COLUMNS: [&str; 7] = ["name", "units", "growth", "final", "from", "at", "kind"];

/// One row of values that satisfy the schema.
#[derive(Debug, Clone)]
struct Line {
    name: String,
    units: i32,
    growth: Option<f64>,
    final_: bool,
    from: Date,
    at: Option<DateTime>,
    kind: &'static str,
}

/// Rows, and who writes them.
fn plan() -> impl Strategy<Value = (Maker, Vec<Line>)> {
    prop::sample::select(Maker::ALL.to_vec()).prop_flat_map(|maker| {
        let lines = prop::collection::vec(line(maker.first_day()), 1..8);
        (Just(maker), lines)
    })
}

fn line(first_day: Date) -> impl Strategy<Value = Line> {
    // Text that is no white space, with everything that has a meaning in CSV and in XML, and
    // what a workbook writes as an escape.
    let text = prop_oneof![
        "[a-zA-Z0-9 ,;\"'<>&=+@\\-\n\r\t_é€🐎]{0,12}[a-z]",
        Just("_x0041_".to_owned()),
        Just("=1+1".to_owned()),
        Just("0042".to_owned()),
        Just("TRUE".to_owned()),
    ];
    let number = prop_oneof![
        any::<f64>().prop_filter("finite", |number| number.is_finite()),
        (-1_000_000..1_000_000_i32).prop_map(|cents| f64::from(cents) / 100.0),
    ];
    let day = (0..2_900_000_i64)
        .prop_map(move |day| first_day.checked_add(day.days()).unwrap())
        .boxed();
    let time = (0..24_i8, 0..60_i8, 0..60_i8)
        .prop_map(|(hour, minute, second)| Time::new(hour, minute, second, 0).unwrap());
    let moment = (day.clone(), time).prop_map(|(day, time)| day.to_datetime(time));
    (
        text,
        any::<i32>(),
        proptest::option::of(number),
        any::<bool>(),
        day,
        proptest::option::of(moment),
        prop::sample::select(vec!["", "month", "year", "7"]),
    )
        .prop_map(|(name, units, growth, final_, from, at, kind)| Line {
            name,
            units,
            growth,
            final_,
            from,
            at,
            kind,
        })
}

impl Line {
    fn cells(&self) -> Vec<Held<'_>> {
        vec![
            Held::Text(&self.name),
            Held::Number(self.units.into()),
            self.growth.map_or(Held::Nothing, Held::Number),
            Held::Boolean(self.final_),
            Held::Moment(self.from.to_datetime(Time::midnight())),
            self.at.map_or(Held::Nothing, Held::Moment),
            match self.kind {
                "" => Held::Nothing,
                "7" => Held::Number(7.0),
                kind => Held::Text(kind),
            },
        ]
    }
}

/// Cells that their columns do not take, one after the other.
fn wrong() -> impl Strategy<Value = (u16, Held<'static>)> {
    let text = |text: &'static str| Held::Text(text);
    let noon = || Held::Moment(date(2026, 1, 31).at(12, 0, 0, 0));
    let cells = [
        vec![Held::Nothing, text(TOO_LONG)],
        vec![
            Held::Nothing,
            text("ten"),
            Held::Number(1.5),
            Held::Boolean(true),
            noon(),
        ],
        vec![text("1,2,3"), Held::Boolean(false), noon()],
        vec![Held::Nothing, text("maybe"), Held::Number(2.0), noon()],
        vec![
            Held::Nothing,
            text("2026-02-30"),
            Held::Number(45_000.0),
            Held::Boolean(true),
            noon(),
        ],
        vec![
            text("2026-01-31T24:00:00Z"),
            Held::Number(45_000.5),
            Held::Boolean(false),
        ],
        vec![
            text("monht"),
            Held::Number(8.0),
            Held::Number(0.5),
            Held::Boolean(true),
            noon(),
        ],
    ];
    let all: Vec<(u16, Held<'static>)> = (0..)
        .zip(cells)
        .flat_map(|(column, cells)| cells.into_iter().map(move |cell| (column, cell)))
        .collect();
    prop::sample::select(all)
}

fn schema() -> RowSchema {
    let schema = json!({
        "type": "object",
        "properties": {
            "name": {"type": "string", "minLength": 1, "maxLength": 20},
            "units": {"type": "integer"},
            "growth": {"type": "number"},
            "final": {"type": "boolean"},
            "from": {"type": "string", "format": "date"},
            "at": {"type": "string", "format": "date-time"},
            "kind": {"enum": ["month", "year", 7]}
        },
        "required": ["name", "units", "final", "from"],
        "additionalProperties": false
    });
    RowSchema::new(CompiledSchema::new(&schema).unwrap()).unwrap()
}

/// The header and the rows below it.
fn rows(lines: &[Line]) -> Vec<Vec<Held<'_>>> {
    let names = COLUMNS.map(Held::Text).to_vec();
    std::iter::once(names)
        .chain(lines.iter().map(Line::cells))
        .collect()
}

fn outcome(file: &[u8], format: InputFormat) -> (Outcome, String) {
    let mut clean = Vec::new();
    let outcome = read(
        Cursor::new(file),
        format,
        &TableSpec::default(),
        &schema(),
        &Limits::default(),
        &mut clean,
    )
    .unwrap();
    (outcome, String::from_utf8(clean).unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn a_table_that_satisfies_its_schema_arrives_unchanged(
        (maker, lines) in plan(),
        at in (0..5_u32, 0..30_u16),
    ) {
        let (outcome, clean) = outcome(&maker.write(&rows(&lines), at), maker.format());
        if let Outcome::Rejected(rejected) = outcome {
            return Err(TestCaseError::fail(rejected.problems.to_string()));
        }
        let mut read = csv::Reader::from_reader(clean.as_bytes());
        prop_assert_eq!(read.headers().unwrap(), &csv::StringRecord::from(COLUMNS.to_vec()));
        let records: Vec<csv::StringRecord> = read.records().map(Result::unwrap).collect();
        prop_assert_eq!(records.len(), lines.len());
        for (record, line) in records.iter().zip(&lines) {
            prop_assert_eq!(&record[0], line.name.as_str());
            prop_assert_eq!(record[1].parse::<i32>().unwrap(), line.units);
            let growth = (!record[2].is_empty()).then(|| record[2].parse::<f64>().unwrap());
            prop_assert_eq!(growth, line.growth);
            prop_assert_eq!(&record[3], line.final_.to_string());
            prop_assert_eq!(&record[4], line.from.to_string());
            let at = line.at.map_or_else(String::new, |at| format!("{at}Z"));
            prop_assert_eq!(&record[5], at);
            prop_assert_eq!(&record[6], line.kind);
        }
    }

    #[test]
    fn a_single_faulty_cell_is_named_by_its_address(
        (maker, lines) in plan(),
        at in (0..5_u32, 0..30_u16),
        row in any::<prop::sample::Index>(),
        (column, cell) in wrong(),
    ) {
        let mut rows = rows(&lines);
        let row = 1 + row.index(lines.len());
        rows[row][usize::from(column)] = cell;
        let file = maker.write(&rows, at);
        let format = maker.format();
        let (outcome, _) = outcome(&file, format);
        let Outcome::Rejected(rejected) = outcome else {
            return Err(TestCaseError::fail("it was accepted"));
        };
        let number = u64::from(at.0) + row as u64 + 1;
        let address = cell_address("Plan", number, usize::from(at.1 + column));
        prop_assert_eq!(rejected.problems.total(), 1);
        prop_assert_eq!(&rejected.problems.problems[0].at, &address);
        let mut copy = Cursor::new(Vec::new());
        let spec = TableSpec::default();
        mark(Cursor::new(&file), format, &spec, &rejected, &Limits::default(), &mut copy).unwrap();
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
            bytes = super::fixtures::compound_file(&bytes);
        }
        let _ = read_as(&bytes, InputFormat::Xls, &TableSpec::default());
    }
}
