//! One dropped file, whatever its format: whether its name and its size are what the model
//! takes, and what comes of reading it.
//!
//! The function that validates inputs and `dropcast validate` are thin callers of this: they
//! differ in where a file comes from and where its clean form goes.

use std::io::{self, Read, Seek, SeekFrom, Write};

use dropcast_domain::{
    failure::ErrorCode,
    model::{InputFormat, InputSpec, TableSpec},
    problem::{Problem, ProblemList},
    table::TableReading,
    title,
};

use crate::{
    CompiledSchema, Encoding, Limits, SchemaError, json, limits,
    table::{self, RowSchema},
};

/// The longest clean form in bytes. Defaults could make a small table endless; the disk of
/// the validating machine must hold this, the largest original and the marked copy.
const MAX_CLEAN_BYTES: u64 = 4 * 1024 * 1024 * 1024;

/// Reads files of one format for one version of a model; compiled once.
#[derive(Debug)]
pub struct Reader {
    format: InputFormat,
    limits: Limits,
    schema: Schema,
}

#[derive(Debug)]
enum Schema {
    Document(Box<CompiledSchema>),
    Rows(Box<RowSchema>, Box<TableSpec>),
}

/// What came of reading a file.
#[derive(Debug)]
pub enum Outcome {
    /// It satisfies the schema, and its clean form is written.
    Accepted(Reading),
    /// It does not; what was written of a clean form is of no use.
    Rejected(FileRejection),
}

/// How an accepted file was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reading {
    /// A JSON document.
    Document {
        /// How its text was encoded.
        encoding: Encoding,
        /// JSON Pointers of what the schema's defaults filled in.
        defaults: Vec<String>,
    },
    /// A table.
    Table(TableReading),
}

/// Why a file is not accepted.
#[derive(Debug)]
pub struct FileRejection {
    /// `InputRejected` or `InputTooLarge`.
    pub code: ErrorCode,
    problems: Problems,
}

#[derive(Debug)]
enum Problems {
    /// Of a file that is not a table, or was not read as one.
    File(ProblemList),
    Table(Box<table::TableProblems>),
}

impl FileRejection {
    fn new(code: ErrorCode, problem: Problem) -> Self {
        Self {
            code,
            problems: Problems::File(ProblemList::of(problem)),
        }
    }

    fn of(problems: Problems) -> Self {
        Self {
            code: ErrorCode::InputRejected,
            problems,
        }
    }

    /// Everything that is wrong with the file.
    pub fn problems(&self) -> &ProblemList {
        match &self.problems {
            Problems::File(problems) => problems,
            Problems::Table(table) => &table.problems,
        }
    }

    /// The same, without the rest of the rejection.
    pub fn into_problems(self) -> ProblemList {
        match self.problems {
            Problems::File(problems) => problems,
            Problems::Table(table) => table.problems,
        }
    }

    fn table(&self) -> Option<&table::TableProblems> {
        match &self.problems {
            Problems::File(_) => None,
            Problems::Table(table) => Some(table),
        }
    }

    /// A sentence that sums up what is wrong.
    pub fn message(&self) -> String {
        match (&self.problems().problems[..], self.code) {
            ([only], ErrorCode::InputTooLarge) => only.message.clone(),
            _ => match self.problems().total() {
                1 => "The file has one problem.".to_owned(),
                count => format!("The file has {count} problems."),
            },
        }
    }

    /// How the table was read, as far as it was.
    pub fn reading(&self) -> Option<&TableReading> {
        self.table()?.reading.as_ref()
    }

    /// Whether there are cells that a copy could mark.
    pub fn can_be_marked(&self) -> bool {
        self.table()
            .is_some_and(table::TableProblems::can_be_marked)
    }
}

/// The format of a file by its name, before any of it is read.
///
/// Fails when the model does not take such files, or none of so many bytes.
pub fn format_of(input: &InputSpec, name: &str, bytes: u64) -> Result<InputFormat, FileRejection> {
    let Some(format) = input.format_of(name) else {
        return Err(FileRejection::new(
            ErrorCode::InputRejected,
            wrong_extension(input, name),
        ));
    };
    let most = input.max_bytes_of(format);
    if bytes > most {
        return Err(FileRejection::new(
            ErrorCode::InputTooLarge,
            limits::too_large(bytes, most),
        ));
    }
    Ok(format)
}

fn wrong_extension(input: &InputSpec, name: &str) -> Problem {
    let allowed: Vec<String> = input
        .accepts
        .iter()
        .flat_map(|format| format.extensions())
        .map(|extension| format!(".{extension}"))
        .collect();
    let allowed = allowed.join(", ");
    let message = format!(
        "The file is named “{}”; the model reads files that end in {allowed}.",
        title::clean(name)
    );
    Problem::with_message("", name, &allowed, &message)
}

impl Reader {
    /// Makes ready to read files of a format; `schema` is the text of the schema that inputs of
    /// that format are checked against.
    ///
    /// Fails when the schema cannot be used.
    pub fn new(input: &InputSpec, format: InputFormat, schema: &str) -> Result<Self, SchemaError> {
        let schema = if format.is_table() {
            let rows = RowSchema::parse(schema.as_bytes())?;
            let spec = input.table.clone().unwrap_or_default();
            Schema::Rows(Box::new(rows), Box::new(spec))
        } else {
            Schema::Document(Box::new(CompiledSchema::parse(schema.as_bytes())?))
        };
        Ok(Self {
            format,
            limits: Limits::for_bytes(input.max_bytes_of(format)),
            schema,
        })
    }

    /// Reads a file from its start, and writes what the model would get to `clean`: the document
    /// with its defaults filled in, or the clean CSV.
    ///
    /// Documents are read into memory, tables are not. Fails when `file` cannot be read or
    /// `clean` cannot be written.
    pub fn read<R: Read + Seek, W: Write>(&self, file: R, clean: W) -> io::Result<Outcome> {
        let mut clean = Bounded::new(clean);
        let outcome = match &self.schema {
            Schema::Document(schema) => self.document(file, schema, &mut clean),
            Schema::Rows(schema, spec) => self.table(file, schema, spec, &mut clean),
        };
        if clean.full {
            return Ok(Outcome::Rejected(FileRejection::new(
                ErrorCode::InputTooLarge,
                too_long_written_out(),
            )));
        }
        let outcome = outcome?;
        clean.flush()?;
        Ok(outcome)
    }

    /// Writes the copy of a rejected table in which its problems are marked; says whether there
    /// was anything to mark, and writes nothing when there was not.
    pub fn mark<R: Read + Seek, W: Write + Seek + Send>(
        &self,
        file: R,
        rejected: &FileRejection,
        out: W,
    ) -> io::Result<bool> {
        let (Schema::Rows(_, spec), Some(table)) = (&self.schema, rejected.table()) else {
            return Ok(false);
        };
        if !rejected.can_be_marked() {
            return Ok(false);
        }
        table::mark(file, self.format, spec, table, &self.limits, out)?;
        Ok(true)
    }

    fn document<R: Read + Seek, W: Write>(
        &self,
        mut file: R,
        schema: &CompiledSchema,
        clean: &mut W,
    ) -> io::Result<Outcome> {
        let size = file.seek(SeekFrom::End(0))?;
        let most = self.limits.max_bytes;
        if size > most {
            let problem = limits::too_large(size, most);
            return Ok(Outcome::Rejected(FileRejection::new(
                ErrorCode::InputTooLarge,
                problem,
            )));
        }
        file.rewind()?;
        let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or_default());
        // A file that grows under its reader ends at one byte too many.
        file.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
        match json::read(&bytes, schema, &self.limits) {
            Ok(accepted) => {
                clean.write_all(&accepted.prepared)?;
                Ok(Outcome::Accepted(Reading::Document {
                    encoding: accepted.encoding,
                    defaults: accepted.defaults,
                }))
            }
            Err(problems) => Ok(Outcome::Rejected(FileRejection::of(Problems::File(
                problems,
            )))),
        }
    }

    fn table<R: Read + Seek, W: Write>(
        &self,
        file: R,
        schema: &RowSchema,
        spec: &TableSpec,
        clean: &mut W,
    ) -> io::Result<Outcome> {
        let outcome = table::read(file, self.format, spec, schema, &self.limits, clean)?;
        Ok(match outcome {
            table::Outcome::Accepted(accepted) => {
                Outcome::Accepted(Reading::Table(accepted.reading))
            }
            table::Outcome::Rejected(rejected) => {
                Outcome::Rejected(FileRejection::of(Problems::Table(Box::new(rejected))))
            }
        })
    }
}

fn too_long_written_out() -> Problem {
    let message = "With its defaults filled in and its values written out, the table is too large. Split it into several files.";
    let allowed = format!("at most {MAX_CLEAN_BYTES} bytes of clean CSV");
    Problem::with_message("", "too many values", &allowed, message)
}

/// Writes until [`MAX_CLEAN_BYTES`] bytes are written.
struct Bounded<W> {
    to: W,
    left: u64,
    full: bool,
}

impl<W: Write> Bounded<W> {
    fn new(to: W) -> Self {
        Self {
            to,
            left: MAX_CLEAN_BYTES,
            full: false,
        }
    }
}

impl<W: Write> Write for Bounded<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.to.write(bytes)?;
        let Some(left) = self.left.checked_sub(written as u64) else {
            self.full = true;
            return Err(io::ErrorKind::FileTooLarge.into());
        };
        self.left = left;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn input(accepts: &[InputFormat]) -> InputSpec {
        InputSpec {
            accepts: accepts.to_vec(),
            schema: "schema.json".to_owned(),
            max_bytes: 200,
            table: Some(TableSpec::default()),
        }
    }

    const ROW: &str = r#"{"type": "object", "additionalProperties": false, "properties": {"n": {"type": "integer"}}}"#;

    fn read(format: InputFormat, content: &str) -> (Outcome, String) {
        let reader = Reader::new(&input(&InputFormat::ALL), format, ROW).unwrap();
        let mut clean = Vec::new();
        let outcome = reader.read(Cursor::new(content), &mut clean).unwrap();
        (outcome, String::from_utf8(clean).unwrap())
    }

    #[test]
    fn a_file_of_another_ending_or_size_is_refused_unread() {
        let input = input(&[InputFormat::Json, InputFormat::Csv]);
        let rejected = format_of(&input, "plan.xlsx", 1).unwrap_err();
        assert_eq!(rejected.code, ErrorCode::InputRejected);
        assert!(
            rejected.problems().problems[0]
                .message
                .contains(".json, .csv, .tsv"),
            "{rejected:?}"
        );
        let rejected = format_of(&input, "plan.TSV", 201).unwrap_err();
        assert_eq!(rejected.code, ErrorCode::InputTooLarge);
        assert!(rejected.message().contains("201 bytes"));
        assert_eq!(
            format_of(&input, "plan.TSV", 200).unwrap(),
            InputFormat::Csv
        );
    }

    #[test]
    fn both_kinds_of_input_come_out_clean() {
        let (outcome, clean) = read(InputFormat::Csv, "N;\r\n1;\r\n2\r\n");
        let Outcome::Accepted(Reading::Table(reading)) = outcome else {
            panic!("{outcome:?}")
        };
        assert_eq!((reading.rows, clean.as_str()), (2, "n\n1\n2\n"));
        let (outcome, clean) = read(InputFormat::Json, "\u{feff}{\"n\": 1}");
        let Outcome::Accepted(Reading::Document { encoding, .. }) = outcome else {
            panic!("{outcome:?}")
        };
        assert_eq!(
            (encoding, clean.as_str()),
            (Encoding::Utf8Bom, "{\"n\": 1}")
        );
    }

    #[test]
    fn a_table_with_faulty_cells_can_be_marked_and_a_document_cannot() {
        let (outcome, _) = read(InputFormat::Csv, "n\nx\ny\n");
        let Outcome::Rejected(rejected) = outcome else {
            panic!("{outcome:?}")
        };
        assert!(rejected.can_be_marked());
        assert_eq!(rejected.message(), "The file has 2 problems.");
        let (outcome, _) = read(InputFormat::Json, "{\"n\": \"x\"}");
        let Outcome::Rejected(rejected) = outcome else {
            panic!("{outcome:?}")
        };
        assert!(!rejected.can_be_marked());
        assert_eq!(rejected.message(), "The file has one problem.");
    }

    #[test]
    fn what_would_be_endless_is_written_up_to_the_bound_and_then_refused() {
        let mut bounded = Bounded::new(io::sink());
        bounded.left = 10;
        bounded.write_all(b"0123456789").unwrap();
        assert!(!bounded.full);
        let error = bounded.write_all(b"x").unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::FileTooLarge);
        assert!(bounded.full);
    }
}
