//! How long a large workbook takes; see [`a_large_workbook`].

use std::{fs::File, io::BufReader, path::Path, time::Instant};

use dropcast_domain::model::{InputFormat, TableSpec};
use rust_xlsxwriter::{Format, Workbook as Writer};
use serde_json::json;

use crate::{
    CompiledSchema, Limits,
    table::{Outcome, RowSchema, mark, read},
};

/// Reads the workbook named by `TABLE`, or writes one of `ROWS` rows of 12 columns first, with
/// shared texts as Excel writes them, of which `PROBLEMS` per thousand have a faulty cell:
/// `TABLE=/tmp/m.xlsx ROWS=200000 <test binary> --ignored --exact table::workbook::measure::a_large_workbook --nocapture`
///
/// Started a second time it reads it, and tells the time and the peak of its memory.
#[test]
#[ignore = "It is a measurement."]
#[expect(clippy::disallowed_methods, reason = "It is started by hand.")]
fn a_large_workbook() {
    let variable = |name: &str, default: u32| {
        std::env::var(name).map_or(default, |text| text.parse().unwrap())
    };
    let Ok(path) = std::env::var("TABLE") else {
        return;
    };
    let path = Path::new(&path);
    if !path.exists() {
        generate(path, variable("ROWS", 200_000), variable("PROBLEMS", 0));
        return;
    }
    let bytes = path.metadata().unwrap().len();
    let schema = json!({"type": "object", "properties": {
        "order": {"type": "integer"}, "day": {"type": "string", "format": "date"},
        "region": {"enum": ["north", "south", "east", "west"]}, "product": {"type": "string"},
        "quantity": {"type": "integer", "minimum": 0}, "price": {"type": "number"},
        "discount": {"type": "number"}, "paid": {"type": "boolean"}, "currency": {"type": "string"},
        "customer": {"type": "string"}, "a": {"type": "number"}, "note": {"type": "string"}}});
    let schema = RowSchema::new(CompiledSchema::new(&schema).unwrap()).unwrap();
    let limits = Limits::for_bytes(1 << 30);
    let (spec, format) = (TableSpec::default(), InputFormat::Xlsx);
    let open = || BufReader::new(File::open(path).unwrap());
    let start = Instant::now();
    let outcome = read(open(), format, &spec, &schema, &limits, std::io::sink()).unwrap();
    let took = start.elapsed();
    println!("{bytes} bytes read in {took:?}, {}", peak());
    match outcome {
        Outcome::Accepted(accepted) => println!("accepted {} rows", accepted.reading.rows),
        Outcome::Rejected(rejected) => {
            println!("{}", rejected.problems);
            let copy = path.with_extension("marked.xlsx");
            let start = Instant::now();
            let out = File::create(&copy).unwrap();
            mark(open(), format, &spec, &rejected, &limits, out).unwrap();
            let written = copy.metadata().unwrap().len();
            println!(
                "marked in {:?}: {written} bytes, {}",
                start.elapsed(),
                peak()
            );
        }
    }
}

/// The most memory that this process ever had, as Linux counts it.
fn peak() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM"));
    line.unwrap_or_default().to_owned()
}

fn generate(path: &Path, rows: u32, problems: u32) {
    let mut writer = Writer::new();
    let dated = Format::new().set_num_format("yyyy-mm-dd");
    let sheet = writer.add_worksheet_with_low_memory().unwrap();
    let names = [
        "order", "day", "region", "product", "quantity", "price", "discount", "paid", "currency",
        "customer", "a", "note",
    ];
    for (column, name) in (0..).zip(names) {
        sheet.write(0, column, name).unwrap();
    }
    for row in 1..=rows {
        let mixed = row.wrapping_mul(2_654_435_761) >> 7;
        sheet.write(row, 0, row).unwrap();
        sheet
            .write_with_format(row, 1, 40_000 + mixed % 6_000, &dated)
            .unwrap();
        let region = ["north", "south", "east", "west"][(mixed % 4) as usize];
        sheet.write(row, 2, region).unwrap();
        sheet
            .write(row, 3, format!("ABC-{:04}", mixed % 10_000))
            .unwrap();
        if row % 1000 < problems {
            sheet.write(row, 4, "many").unwrap();
        } else {
            sheet.write(row, 4, mixed % 10_000).unwrap();
        }
        sheet
            .write(row, 5, f64::from(mixed % 100_000) / 100.0)
            .unwrap();
        sheet.write(row, 6, f64::from(mixed % 100) / 100.0).unwrap();
        sheet.write(row, 7, mixed % 2 == 0).unwrap();
        sheet.write(row, 8, "EUR").unwrap();
        sheet
            .write(row, 9, format!("Customer {}", mixed % 20_000))
            .unwrap();
        sheet.write(row, 10, f64::from(mixed) * 1.25).unwrap();
        sheet.write(row, 11, "second floor, rear entrance").unwrap();
    }
    writer.save(path).unwrap();
}
