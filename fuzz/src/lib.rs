//! What must hold for any bytes that somebody drops: reading them ends, with a clean form that
//! reads back the same or with problems that a person can be shown, and takes no more memory
//! than its limits allow.

mod memory;
mod packed;

use std::{
    cell::RefCell,
    collections::HashMap,
    hash::{DefaultHasher, Hash, Hasher},
    io::{self, Cursor, Write},
    rc::Rc,
};

use dropcast_domain::{
    model::{InputFormat, InputSpec, Locale, Percent, TableEncoding, TableSpec},
    problem::{MAX_OTHERS, MAX_PROBLEMS, ProblemList},
    text::{EXCERPT_CHARS, is_hidden},
};
use dropcast_inputs::file::{FileRejection, Outcome, Reader, Reading, format_of};

pub use self::packed::{workbook_of, xlsx_of};

/// The largest file in bytes.
const MAX_BYTES: u64 = 64 * 1024;

/// The most memory in bytes that reading such a file may take at any time.
///
/// The largest share is a workbook's: cell styles may take 128 MiB, and the texts that its
/// cells share 256 MiB.
const MAX_MEMORY: usize = 448 * 1024 * 1024;

/// How many bytes of a clean form are kept to be read back.
const MAX_CLEAN: usize = 4 * 1024 * 1024;

/// The largest marked copy in bytes.
const MAX_MARKED: usize = 32 * 1024 * 1024;

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

/// How files are read. Chosen by what stands in a file, so that one input does the same every
/// time and each length meets every rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Rules {
    schema: Schema,
    /// Whether rows must differ.
    keyed: bool,
    locale: Option<Locale>,
    percent: Percent,
    header_row: Option<u64>,
    encoding: Option<TableEncoding>,
    named_sheet: bool,
    /// Whether the manifest names columns beside the schema's.
    named_columns: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Schema {
    Document,
    Rows,
    Joined,
}

impl Rules {
    fn of(format: InputFormat, bytes: &[u8]) -> Self {
        let mut rules = Self {
            schema: Schema::Rows,
            keyed: false,
            locale: None,
            percent: Percent::Refuse,
            header_row: None,
            encoding: None,
            named_sheet: false,
            named_columns: false,
        };
        if format == InputFormat::Json {
            rules.schema = Schema::Document;
            return rules;
        }
        let mut hasher = DefaultHasher::new();
        bytes.hash(&mut hasher);
        let hash = hasher.finish();
        let pick = |at: u32, of: u64| hash.rotate_right(8 * at) % of;
        if pick(0, 3) == 0 {
            rules.schema = Schema::Joined;
        }
        rules.keyed = pick(1, 2) == 0;
        // Most files are read as they stand, or hardly one would be accepted.
        match pick(2, 16) {
            0 => rules.locale = Some(Locale::DeDe),
            1 => rules.locale = Some(Locale::EnUs),
            2 => rules.locale = Some(Locale::FrFr),
            3 => rules.locale = Some(Locale::SvSe),
            4 => rules.percent = Percent::Points,
            5 => rules.percent = Percent::Fraction,
            6 => rules.header_row = Some(1),
            7 => rules.header_row = Some(2),
            8 => rules.encoding = Some(TableEncoding::Utf16Le),
            9 => rules.encoding = Some(TableEncoding::Windows1250),
            10 => rules.named_sheet = true,
            11 => rules.named_columns = true,
            _ => {}
        }
        rules
    }

    /// The rules for the clean form: canonical, whatever the file was.
    fn of_clean(self) -> Self {
        Self {
            locale: None,
            percent: Percent::Refuse,
            header_row: None,
            encoding: None,
            named_sheet: false,
            ..self
        }
    }

    fn schema(self) -> &'static str {
        match self.schema {
            Schema::Document => DOCUMENT,
            Schema::Rows => ROW,
            Schema::Joined => JOINED,
        }
    }

    fn input(self, max_bytes: u64) -> InputSpec {
        let mut table = TableSpec {
            locale: self.locale,
            percent: self.percent,
            header_row: self.header_row,
            encoding: self.encoding,
            ..TableSpec::default()
        };
        if self.keyed {
            table.key = vec!["line".to_owned()];
            table.max_rows = Some(500);
        }
        if self.named_sheet {
            table.sheet = Some("Plan".to_owned());
        }
        if self.named_columns {
            table.required_columns = vec!["year".to_owned()];
            table.optional_columns = vec!["remark".to_owned()];
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
    let name = format!("plan.{}", format.as_str());
    if let Err(rejected) = format_of(&rules.input(MAX_BYTES), &name, bytes.len() as u64) {
        assert!(bytes.len() as u64 > MAX_BYTES, "{rejected:?}");
        return;
    }
    let reader = rules.reader(format, MAX_BYTES);
    let mut clean = Clean::default();
    let (outcome, peak) = memory::peak_of(|| reader.read(Cursor::new(bytes), &mut clean));
    assert!(peak <= MAX_MEMORY, "reading took {peak} bytes of memory");
    match outcome.expect("memory can be read and written") {
        Outcome::Accepted(reading) => {
            assert_eq!(clean.flushed, clean.total, "all of it is flushed");
            if clean.total <= MAX_CLEAN {
                reads_back(rules.of_clean(), format, &reading, &clean.kept);
            }
        }
        Outcome::Rejected(rejected) => {
            can_be_shown(rejected.problems());
            // Making a copy takes many times as long as reading.
            if bytes.iter().fold(0_u8, |sum, byte| sum.wrapping_add(*byte)) % 8 == 0 {
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
    let outcome = rules
        .reader(format, MAX_CLEAN as u64)
        .read(Cursor::new(clean), &mut again)
        .expect("memory can be read");
    let Outcome::Accepted(second) = outcome else {
        let clean = String::from_utf8_lossy(clean);
        panic!("what was read as {reading:?} became what is refused: {outcome:?}\n{clean}");
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
    assert!(problems.problems.len() <= MAX_PROBLEMS);
    for problem in &problems.problems {
        assert!(problem.others.len() <= MAX_OTHERS && problem.count > problem.others.len() as u64);
        let places = problem.others.iter().chain([&problem.at]);
        for text in places.chain([&problem.found, &problem.allowed]) {
            assert!(text.chars().count() <= EXCERPT_CHARS, "{text:?}");
            assert!(!hides(text), "{text:?}");
        }
        assert!(
            !problem.message.is_empty() && !hides(&problem.message),
            "{problem:?}"
        );
    }
}

/// Whether a text hides something; the joiners that belong to words do not.
fn hides(text: &str) -> bool {
    text.chars()
        .any(|c| is_hidden(c) && !matches!(c, '\u{ad}' | '\u{180e}' | '\u{200c}' | '\u{200d}'))
}

/// The marked copy is a workbook of a size that goes into a mail.
fn can_be_marked(reader: &Reader, rejected: &FileRejection, bytes: &[u8]) {
    let mut copy = Cursor::new(Vec::new());
    let (marked, peak) = memory::peak_of(|| reader.mark(Cursor::new(bytes), rejected, &mut copy));
    assert!(peak <= MAX_MEMORY, "marking took {peak} bytes of memory");
    let copy = copy.into_inner();
    assert_eq!(
        marked.expect("memory can be written"),
        copy.starts_with(b"PK")
    );
    assert!(
        copy.len() <= MAX_MARKED,
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
        let room = MAX_CLEAN - self.kept.len();
        self.kept.extend_from_slice(&bytes[..bytes.len().min(room)]);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.flushed = self.total;
        Ok(())
    }
}
