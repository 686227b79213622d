//! What must hold for any bytes that somebody drops: reading them ends, with a clean form that
//! reads back the same or with problems that a person can be shown, and takes no more memory
//! than its limits allow.

mod memory;
mod packed;

use std::{
    cell::RefCell,
    collections::HashMap,
    io::{self, Cursor, Write},
    rc::Rc,
};

use dropcast_domain::{
    model::{InputFormat, InputSpec, Locale, TableSpec},
    problem::{EXCERPT_CHARS, MOST_OTHERS, MOST_PROBLEMS, ProblemList},
};
use dropcast_inputs::file::{Reader, Reading, Rejected, Verdict, format_of};

pub use self::packed::{workbook_of, xlsx_of};

/// The largest file in bytes.
const MAX_BYTES: u64 = 64 * 1024;

/// The most memory in bytes that reading such a file may take at any time.
///
/// The largest share is a workbook's: cell styles may take 128 MiB, and the texts that its
/// cells share 256 MiB.
const MAX_MEMORY: usize = 448 * 1024 * 1024;

/// The most bytes of a clean form that are kept to be read back.
const MOST_CLEAN: usize = 4 * 1024 * 1024;

/// The largest marked copy in bytes.
const MOST_MARKED: usize = 32 * 1024 * 1024;

/// Every kind of column.
const ROW: &str = r##"{
    "type": "object",
    "required": ["line"],
    "properties": {
        "line": {"type": "string", "maxLength": 40},
        "year": {"type": "integer", "minimum": 2000, "maximum": 2099},
        "growth": {"type": "number", "exclusiveMaximum": 1000},
        "from": {"type": "string", "format": "date"},
        "at": {"type": "string", "format": "date-time"},
        "paid": {"type": "boolean"},
        "kind": {"enum": ["plan", "actual", 7, null]},
        "code": {"type": "string", "pattern": "^[A-Z]{2}[0-9]+$"},
        "any": {"type": ["integer", "string", "null"]},
        "unit": {"type": "string", "default": "EUR"}
    }
}"##;

/// The same, and rules for whole rows.
const JOINED: &str = r##"{
    "type": "object",
    "additionalProperties": false,
    "required": ["line", "year"],
    "properties": {
        "line": {"$ref": "#/$defs/name"},
        "year": {"type": "integer"},
        "growth": {"type": ["number", "null"], "default": 0.5},
        "from": {"type": "string", "format": "date"},
        "paid": {"type": "boolean"}
    },
    "dependentRequired": {"paid": ["growth"]},
    "if": {"properties": {"year": {"minimum": 2030}}},
    "then": {"properties": {"growth": {"maximum": 5}}},
    "$defs": {"name": {"type": "string", "minLength": 1}}
}"##;

const DOCUMENT: &str = r##"{
    "$defs": {"line": {"type": "object", "properties": {"name": {"type": "string"}, "unit": {"default": "EUR"}}, "unevaluatedProperties": false}},
    "properties": {
        "months": {"type": "integer", "minimum": 1, "maximum": 60, "default": 18},
        "lines": {"type": "array", "items": {"$ref": "#/$defs/line"}},
        "growth": {"type": "object", "patternProperties": {"^20": {"type": "number"}}, "propertyNames": {"maxLength": 12}},
        "tree": {"$ref": "#"},
        "from": {"type": "string", "format": "date"},
        "either": {"oneOf": [{"type": "integer"}, {"type": "object", "required": ["a"]}]}
    },
    "dependentRequired": {"from": ["months"]}
}"##;

/// How files are read. Chosen by a file's length, so that one input does the same every time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Rules {
    /// Documents.
    Document,
    /// Tables as they stand.
    Plain,
    /// Tables whose rows must differ.
    Keyed,
    /// Tables as somebody in Germany wrote them, with rules for whole rows.
    German,
    /// The clean form of those: canonical, whatever the locale of the file was.
    Joined,
}

impl Rules {
    fn of(format: InputFormat, bytes: &[u8]) -> Self {
        match bytes.len() % 4 {
            _ if format == InputFormat::Json => Self::Document,
            0 | 1 => Self::Plain,
            2 => Self::Keyed,
            _ => Self::German,
        }
    }

    fn of_clean(self) -> Self {
        match self {
            Self::German => Self::Joined,
            other => other,
        }
    }

    fn schema(self) -> &'static str {
        match self {
            Self::Document => DOCUMENT,
            Self::Plain | Self::Keyed => ROW,
            Self::German | Self::Joined => JOINED,
        }
    }

    fn input(self, max_bytes: u64) -> InputSpec {
        let mut table = TableSpec::default();
        if matches!(self, Self::Keyed | Self::German | Self::Joined) {
            table.key = vec!["line".to_owned()];
            table.max_rows = Some(500);
        }
        if self == Self::German {
            table.locale = Some(Locale::DeDe);
        }
        InputSpec {
            accepts: InputFormat::ALL.to_vec(),
            schema: "schema.json".to_owned(),
            max_bytes,
            table: Some(table),
        }
    }

    /// Reads files of a format by these rules; made once, for making it is the larger work.
    fn reader(self, format: InputFormat, max_bytes: u64) -> Rc<Reader> {
        thread_local! {
            static READERS: RefCell<HashMap<(Rules, InputFormat, u64), Rc<Reader>>> = RefCell::default();
        }
        READERS.with_borrow_mut(|readers| {
            let reader = readers.entry((self, format, max_bytes)).or_insert_with(|| {
                let reader = Reader::new(&self.input(max_bytes), format, self.schema());
                Rc::new(reader.expect("the schema is one"))
            });
            Rc::clone(reader)
        })
    }
}

/// Reads a file of a format, and checks everything that must hold.
pub fn check(format: InputFormat, bytes: &[u8]) {
    let rules = Rules::of(format, bytes);
    let name = format!("plan.{}", format.name());
    if let Err(rejected) = format_of(&rules.input(MAX_BYTES), &name, bytes.len() as u64) {
        assert!(bytes.len() as u64 > MAX_BYTES, "{rejected:?}");
        return;
    }
    let reader = rules.reader(format, MAX_BYTES);
    let mut clean = Clean::default();
    let (verdict, peak) = memory::peak_of(|| reader.read(Cursor::new(bytes), &mut clean));
    assert!(peak <= MAX_MEMORY, "reading took {peak} bytes of memory");
    match verdict.expect("memory can be read and written") {
        Verdict::Accepted(reading) => {
            assert_eq!(clean.flushed, clean.total, "all of it is flushed");
            if clean.total <= MOST_CLEAN {
                reads_back(rules.of_clean(), format, &reading, &clean.kept);
            }
        }
        Verdict::Rejected(rejected) => {
            can_be_shown(&rejected.problems);
            if bytes.len().is_multiple_of(8) {
                can_be_marked(&reader, &rejected, bytes);
            }
        }
    }
}

/// A clean form is accepted itself, and is its own clean form.
fn reads_back(rules: Rules, format: InputFormat, reading: &Reading, clean: &[u8]) {
    let format = if format.is_table() {
        InputFormat::Csv
    } else {
        format
    };
    let mut again = Vec::new();
    let verdict = rules
        .reader(format, MOST_CLEAN as u64)
        .read(Cursor::new(clean), &mut again)
        .expect("memory can be read");
    let Verdict::Accepted(second) = verdict else {
        let clean = String::from_utf8_lossy(clean);
        panic!("what was read as {reading:?} became what is refused: {verdict:?}\n{clean}");
    };
    assert_eq!(
        String::from_utf8_lossy(clean),
        String::from_utf8_lossy(&again)
    );
    if let (Reading::Table(first), Reading::Table(second)) = (reading, &second) {
        assert_eq!(first.rows, second.rows);
    }
}

/// Problems are there, few, short, and hide nothing.
fn can_be_shown(problems: &ProblemList) {
    assert!(!problems.is_empty(), "a rejected file has problems");
    assert!(problems.problems.len() <= MOST_PROBLEMS);
    for problem in &problems.problems {
        assert!(problem.others.len() <= MOST_OTHERS && problem.count > problem.others.len() as u64);
        let places = problem.others.iter().chain([&problem.at]);
        for text in places.chain([&problem.found, &problem.allowed]) {
            assert!(text.chars().count() <= EXCERPT_CHARS, "{text:?}");
            assert!(!text.chars().any(is_hidden), "{text:?}");
        }
        assert!(
            !problem.message.is_empty() && !problem.message.chars().any(is_hidden),
            "{problem:?}"
        );
    }
}

fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// The marked copy is a workbook of a size that goes into a mail.
fn can_be_marked(reader: &Reader, rejected: &Rejected, bytes: &[u8]) {
    let mut copy = Cursor::new(Vec::new());
    let (marked, peak) = memory::peak_of(|| reader.mark(Cursor::new(bytes), rejected, &mut copy));
    assert!(peak <= MAX_MEMORY, "marking took {peak} bytes of memory");
    let copy = copy.into_inner();
    assert_eq!(
        marked.expect("memory can be written"),
        copy.starts_with(b"PK")
    );
    assert!(
        copy.len() <= MOST_MARKED,
        "the marked copy has {} bytes",
        copy.len()
    );
}

/// Keeps the first bytes of a clean form, and counts all.
#[derive(Default)]
struct Clean {
    kept: Vec<u8>,
    total: usize,
    flushed: usize,
}

impl Write for Clean {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.total += bytes.len();
        let room = MOST_CLEAN - self.kept.len();
        self.kept.extend_from_slice(&bytes[..bytes.len().min(room)]);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.flushed = self.total;
        Ok(())
    }
}
