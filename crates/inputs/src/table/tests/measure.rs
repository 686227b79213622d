//! How long a large table takes; see [`a_million_rows`].

use std::{fs::File, io::BufWriter, path::PathBuf, time::Instant};

use super::*;

/// Reads the CSV file named by `TABLE`, or writes one of 1,000,000 rows first, of which
/// `PROBLEMS` per thousand cells are faulty:
/// `TABLE=/tmp/m.csv PROBLEMS=10 /usr/bin/time -v <test binary> --ignored --exact table::tests::measure::a_million_rows --nocapture`
#[test]
#[ignore = "It is a measurement."]
#[expect(clippy::disallowed_methods, reason = "It is started by hand.")]
fn a_million_rows() {
    let Some(path) = std::env::var("TABLE").ok().map(PathBuf::from) else {
        return;
    };
    let problems: u64 = std::env::var("PROBLEMS").map_or(0, |text| text.parse().unwrap());
    if !path.exists() {
        generate(&path, problems);
        return;
    }
    let file = File::open(&path).unwrap();
    let bytes = file.metadata().unwrap().len();
    let clean = BufWriter::new(File::create(path.with_extension("clean")).unwrap());
    let spec = TableSpec {
        key: std::env::var("KEY").map_or_else(|_| Vec::new(), |key| vec![key]),
        ..TableSpec::default()
    };
    let schema = schema(&sales());
    let limits = Limits::for_bytes(1 << 30);
    let start = Instant::now();
    let outcome = read(file, InputFormat::Csv, &spec, &schema, &limits, clean).unwrap();
    let took = start.elapsed();
    match outcome {
        Outcome::Accepted(accepted) => println!("accepted {} rows", accepted.reading.rows),
        Outcome::Rejected(rejected) => println!(
            "rejected: {} problems; {}",
            rejected.problems.total(),
            rejected.problems.problems[0]
        ),
    }
    println!("{bytes} bytes in {took:?}");
}

fn sales() -> Value {
    json!({
        "type": "object",
        "additionalProperties": false,
        "required": ["order", "day", "region", "product", "quantity", "price"],
        "properties": {
            "order": {"type": "integer", "minimum": 1},
            "day": {"type": "string", "format": "date"},
            "region": {"enum": ["north", "south", "east", "west"]},
            "product": {"type": "string", "pattern": "^[A-Z]{3}-[0-9]{4}$"},
            "quantity": {"type": "integer", "minimum": 0, "maximum": 10000},
            "price": {"type": "number", "exclusiveMinimum": 0},
            "discount": {"type": "number", "minimum": 0, "maximum": 1},
            "paid": {"type": "boolean"},
            "booked": {"type": "string", "format": "date-time"},
            "currency": {"type": "string", "minLength": 3, "maxLength": 3, "default": "EUR"},
            "customer": {"type": "string", "maxLength": 40},
            "note": {"type": "string", "maxLength": 200},
        },
    })
}

fn generate(path: &std::path::Path, problems: u64) {
    let mut out = BufWriter::new(File::create(path).unwrap());
    writeln!(
        out,
        "order,day,region,product,quantity,price,discount,paid,booked,currency,customer,note"
    )
    .unwrap();
    let mut state = 42_u64;
    let mut random = |below: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state % below
    };
    for row in 1..=1_000_000_u64 {
        let (month, day) = (1 + random(12), 1 + random(28));
        let mut cells = [
            row.to_string(),
            format!("2026-{month:02}-{day:02}"),
            ["north", "south", "east", "west"][usize::try_from(random(4)).unwrap()].to_owned(),
            format!("ABC-{:04}", random(10_000)),
            random(10_001).to_string(),
            format!("{}.{:02}", 1 + random(1_000), random(100)),
            format!("0.{:03}", random(1_000)),
            (random(2) == 0).to_string(),
            format!(
                "2026-{month:02}-{day:02}T{:02}:{:02}:00Z",
                random(24),
                random(60)
            ),
            String::new(),
            format!("Customer {}", random(100_000)),
            format!("\"ordered by phone, line {}\"", random(1_000)),
        ];
        for cell in &mut cells {
            if random(1_000) < problems {
                "x?".clone_into(cell);
            }
        }
        writeln!(out, "{}", cells.join(",")).unwrap();
    }
}
