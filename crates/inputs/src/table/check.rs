//! The rows of a table, one after the other: converted, checked, written.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    io::{self, Write},
};

use dropcast_domain::{
    model::TableSpec,
    problem::{Problem, ProblemList, place, quoted},
    table::{FilledColumn, TableReading},
};
use serde_json::{Map, Value};

use super::{
    Accepted, Outcome, Rejected, Source,
    clean::Clean,
    columns::{Column, Kinds, RowSchema},
    convert::{self, Converted, Converter, Fault},
    header::{self, Header},
    keys::{Keys, Seen},
    report::{Kind, Layout, Place, Report, Words},
    rows::{Cell, ReadError, Row, Rows},
};
use crate::{explain, schema::NodeId};

/// Reads a table to its end.
pub(super) fn table<W: Write>(
    rows: &mut dyn Rows,
    source: Source,
    spec: &TableSpec,
    schema: &RowSchema,
    clean: W,
) -> Result<Outcome, ReadError> {
    let mut report = Report::new(source.format);
    let mut row = Row::default();
    if !find_header(rows, &mut row, spec)? {
        report.whole(no_header(spec));
        return Ok(unread(report));
    }
    let Some(header) = Header::read(&row, rows, schema, spec, &mut report) else {
        return Ok(unread(report));
    };
    let mut checking = Checking {
        schema,
        spec,
        converter: Converter::new(spec.locale),
        cells: header
            .columns
            .iter()
            .map(|_| Converted::default())
            .collect(),
        filled: vec![0; header.columns.len()],
        keys: (!header.key.is_empty()).then(Keys::new),
        rows: 0,
        clean: Clean::new(clean),
        is_csv: source.delimiter.is_some(),
        header,
        report,
    };
    checking.write_header()?;
    let refused = loop {
        match rows.next_row(&mut row) {
            Ok(true) => checking.row(&row, rows)?,
            Ok(false) => break None,
            Err(ReadError::Refused(problems)) => break Some(problems),
            Err(error) => return Err(error),
        }
    };
    Ok(checking.finish(source, refused)?)
}

/// Reads up to the header; false when there is none.
fn find_header(rows: &mut dyn Rows, row: &mut Row, spec: &TableSpec) -> Result<bool, ReadError> {
    while rows.next_row(row)? {
        match spec.header_row {
            Some(wanted) if row.number < wanted => {}
            Some(wanted) if row.number > wanted => return Ok(false),
            _ if row.cells.iter().any(|cell| *cell != Cell::Empty) => return Ok(true),
            Some(_) => return Ok(false),
            None => {}
        }
    }
    Ok(false)
}

fn no_header(spec: &TableSpec) -> Problem {
    match spec.header_row {
        Some(row) => {
            let message = format!(
                "Row {row} must hold the names of the columns, but it is empty. Put them there."
            );
            Problem::with_message(
                &format!("row {row}"),
                "an empty row",
                "the names of the columns",
                &message,
            )
        }
        None => Problem::with_message(
            "",
            "an empty table",
            "a row of column names and rows of values",
            "The table is empty. Write the names of the columns in its first row and the values below.",
        ),
    }
}

fn unread(report: Report) -> Outcome {
    let (problems, faults) = report.finish();
    Outcome::Rejected(Rejected {
        faults,
        ..Rejected::unread(problems)
    })
}

struct Checking<'s, W: Write> {
    schema: &'s RowSchema,
    spec: &'s TableSpec,
    converter: Converter,
    header: Header,
    /// Per column of the header, this row's value.
    cells: Vec<Converted>,
    /// Per column of the header, how often its default was filled in.
    filled: Vec<u64>,
    keys: Option<Keys>,
    /// Rows of values so far.
    rows: u64,
    clean: Clean<W>,
    is_csv: bool,
    report: Report,
}

impl<W: Write> Checking<'_, W> {
    fn write_header(&mut self) -> io::Result<()> {
        for placed in &self.header.columns {
            self.clean.cell(&placed.column.name)?;
        }
        self.clean.end_row()?;
        self.stop_writing_if_rejected();
        Ok(())
    }

    fn stop_writing_if_rejected(&mut self) {
        if !self.report.is_empty() {
            self.clean.stop();
        }
    }

    fn row(&mut self, row: &Row, rows: &dyn Rows) -> io::Result<()> {
        let Some(last) = row.cells.iter().rposition(|cell| *cell != Cell::Empty) else {
            return Ok(());
        };
        self.rows += 1;
        let is_whole = self.shape(row, last, rows);
        if is_whole {
            let mut is_right = true;
            for index in 0..self.header.columns.len() {
                is_right &= self.cell(index, row, rows);
            }
            if is_right && self.schema.joins_columns() {
                self.whole_row(row.number, rows);
            }
            if is_right {
                self.key(row.number, rows);
            }
        }
        self.stop_writing_if_rejected();
        for (placed, cell) in self.header.columns.iter().zip(&self.cells) {
            let default = match (&cell.value, &placed.column.default) {
                (Value::Null, Some((_, text))) => text,
                _ => &cell.text,
            };
            self.clean.cell(default)?;
        }
        self.clean.end_row()
    }

    /// Whether a row has the header's shape; when it has not, its cells stand in wrong columns.
    fn shape(&mut self, row: &Row, last: usize, rows: &dyn Rows) -> bool {
        let width = self.header.file.len();
        let place = |column| Place {
            row: row.number,
            column,
        };
        if last >= width && self.is_csv {
            self.report.fault(
                place(None),
                Kind::TooManyCells,
                || rows.row_address(row.number),
                || Words {
                    subject: String::new(),
                    many: format!("rows have more cells than the header, which has {width}"),
                    found: count(last + 1, "cell"),
                    allowed: format!("at most {}", count(width, "cell")),
                    sentence: format!(
                        "the row has {}, but the header has {width}.",
                        count(last + 1, "cell")
                    ),
                    hint: "Put a text that holds the delimiter or a line break in quotation marks, or remove what is too much.".to_owned(),
                },
            );
            return false;
        }
        let given = row.cells.len();
        if self.is_csv && given < width {
            let header = &self.header;
            let lacking = header.columns.iter().find(|placed| {
                let column = &placed.column;
                placed.at.is_some_and(|at| at >= given)
                    && column.required
                    && column.default.is_none()
                    && !column.nullable
            });
            if let Some(lacking) = lacking {
                let name = quoted(&lacking.column.name);
                self.report.fault(
                    place(None),
                    Kind::TooFewCells,
                    || rows.row_address(row.number),
                    || Words {
                        subject: String::new(),
                        many: format!("rows have fewer cells than the header, which has {width}"),
                        found: count(given, "cell"),
                        allowed: count(width, "cell"),
                        sentence: format!(
                            "the row has {}, but the header has {width}: {name} is missing.",
                            count(given, "cell")
                        ),
                        hint: "Fill in the row, and put a text that holds a line break in quotation marks.".to_owned(),
                    },
                );
                return false;
            }
        }
        for (at, cell) in row.cells.iter().enumerate().take(last + 1) {
            let named = self
                .header
                .file
                .get(at)
                .is_some_and(|column| !column.name.is_empty());
            if *cell != Cell::Empty && !named {
                let header = rows.address(self.header.row, at, "");
                self.report.fault(
                    place(Some(at)),
                    Kind::Unnamed,
                    || rows.address(row.number, at, ""),
                    || {
                        let found = convert::found(cell);
                        Words {
                            subject: String::new(),
                            many: format!("cells stand in a column that has no name at {header}"),
                            sentence: format!(
                                "found {found} in a column that has no name at {header}."
                            ),
                            found,
                            allowed: "an empty cell".to_owned(),
                            hint: "Give the column a name, or empty it.".to_owned(),
                        }
                    },
                );
            }
        }
        true
    }

    /// Converts and checks one cell; false when it is faulty.
    fn cell(&mut self, index: usize, row: &Row, rows: &dyn Rows) -> bool {
        let placed = &self.header.columns[index];
        let column = &placed.column;
        let into = &mut self.cells[index];
        let cell = placed
            .at
            .and_then(|at| row.cells.get(at))
            .unwrap_or(&Cell::Empty);
        if *cell == Cell::Empty {
            into.value = Value::Null;
            into.text.clear();
            if column.default.is_some() {
                self.filled[index] += 1;
                return true;
            }
            if !column.required || column.nullable {
                return true;
            }
        } else {
            let converted = self.converter.convert(cell, column, into);
            if converted.is_ok() && satisfies(self.schema, column, cell, into) {
                return true;
            }
            let at = placed.at.unwrap_or_default();
            let address = || rows.address(row.number, at, &self.header.file[at].name);
            let place = Place {
                row: row.number,
                column: Some(at),
            };
            match converted {
                Err(fault) => {
                    let words = || unconverted(self.converter, cell, column, &fault);
                    self.report.fault(place, Kind::Unconverted, address, words);
                }
                Ok(()) => {
                    let words = broken(self.schema, column, &into.value);
                    let mut hasher = DefaultHasher::new();
                    words.allowed.hash(&mut hasher);
                    self.report
                        .fault(place, Kind::Rule(hasher.finish()), address, || words);
                }
            }
            return false;
        }
        let at = placed.at.unwrap_or_default();
        self.report.fault(
            Place {
                row: row.number,
                column: Some(at),
            },
            Kind::Empty,
            || rows.address(row.number, at, &self.header.file[at].name),
            || Words {
                subject: subject(column),
                many: "cells are empty".to_owned(),
                found: "an empty cell".to_owned(),
                allowed: column.allowed.clone(),
                sentence: "the cell is empty.".to_owned(),
                hint: format!("Fill it in: {} is allowed.", column.allowed),
            },
        );
        false
    }

    /// Checks what the schema says about several columns at once.
    fn whole_row(&mut self, row: u64, rows: &dyn Rows) {
        let mut members = Map::new();
        for (placed, cell) in self.header.columns.iter().zip(&self.cells) {
            let column = &placed.column;
            let value = match (&cell.value, &column.default) {
                (Value::Null, Some((value, _))) => value,
                (Value::Null, None) if !(column.required && column.nullable) => continue,
                (value, _) => value,
            };
            if column.in_row {
                members.insert(column.name.clone(), value.clone());
            }
        }
        let document = Value::Object(members);
        for problem in explain::problems(self.schema.schema(), &document).problems {
            let columns = &self.header.columns;
            let lacking = columns
                .iter()
                .find(|placed| problem.found == format!("no {}", quoted(&placed.column.name)));
            let column = lacking.or_else(|| {
                let segment = problem.at.strip_prefix('/')?;
                let name = segment.replace("~1", "/").replace("~0", "~");
                columns.iter().find(|placed| placed.column.name == name)
            });
            let at = column.and_then(|placed| placed.at);
            let sentence = match lacking {
                Some(placed) => empty_cell(&problem, &placed.column),
                None => sentence_of(&problem),
            };
            let mut hasher = DefaultHasher::new();
            (&problem.allowed, &problem.at).hash(&mut hasher);
            let what = match column {
                Some(placed) => subject(&placed.column),
                None => String::new(),
            };
            let many = match column {
                Some(_) => format!("cells do not hold {}", problem.allowed),
                None => format!(
                    "rows are not as the schema describes them ({})",
                    problem.allowed
                ),
            };
            self.report.fault(
                Place { row, column: at },
                Kind::Rule(hasher.finish()),
                || match at {
                    Some(at) => rows.address(row, at, &self.header.file[at].name),
                    None => rows.row_address(row),
                },
                || Words {
                    subject: what,
                    many,
                    found: problem.found,
                    allowed: problem.allowed,
                    sentence,
                    hint: String::new(),
                },
            );
        }
    }

    /// Checks that no earlier row has the same key.
    fn key(&mut self, row: u64, rows: &dyn Rows) {
        let Some(keys) = &mut self.keys else {
            return;
        };
        let columns = &self.header.columns;
        let values = || {
            self.header.key.iter().map(|&index| {
                match (&self.cells[index].value, &columns[index].column.default) {
                    (Value::Null, Some((value, _))) => value,
                    (value, _) => value,
                }
            })
        };
        let mut key = keys.key();
        values().for_each(|value| key.add(value));
        let earlier = match keys.put(&key, row) {
            Seen::New => return,
            Seen::In(earlier) => earlier,
            Seen::TooMany => {
                let names = header::list(&self.spec.key);
                let message = format!(
                    "The table has too many rows to tell whether {names} stand once only: at most {} are compared. Split the table.",
                    self.rows - 1
                );
                self.report.whole(Problem::with_message(
                    "",
                    "too many rows",
                    "fewer rows",
                    &message,
                ));
                self.keys = None;
                return;
            }
        };
        let at = columns[self.header.key[0]].at;
        let words = || {
            let names = header::list(&self.spec.key);
            let found: Vec<String> = values().map(shown).collect();
            let found = found.join(", ");
            let once = if self.spec.key.len() == 1 {
                format!("each value of {names} once")
            } else {
                format!("each combination of {names} once")
            };
            Words {
                subject: format!("Columns {names}").replacen(
                    "Columns",
                    if self.spec.key.len() == 1 {
                        "Column"
                    } else {
                        "Columns"
                    },
                    1,
                ),
                many: "rows repeat what an earlier row has".to_owned(),
                sentence: format!("{found} stands in row {earlier} already; {once} is allowed."),
                found: format!("{found} again"),
                allowed: once,
                hint: "Remove or correct one of the rows.".to_owned(),
            }
        };
        let address = || match at {
            Some(at) => rows.address(row, at, &self.header.file[at].name),
            None => rows.row_address(row),
        };
        self.report
            .fault(Place { row, column: at }, Kind::Repeated, address, words);
    }

    fn finish(mut self, source: Source, refused: Option<ProblemList>) -> io::Result<Outcome> {
        let is_whole = refused.is_none();
        if let Some(problems) = refused {
            self.report.all(problems);
        } else {
            self.check_size();
        }
        self.stop_writing_if_rejected();
        self.clean.finish()?;
        let header = &self.header;
        let filled = header.columns.iter().zip(&self.filled);
        let reading = TableReading {
            format: source.format,
            sheet: source.sheet,
            rows: self.rows,
            column_count: header.file.len() as u64,
            columns: header
                .file
                .iter()
                .map(|column| match column.column {
                    Some(index) => header.columns[index].column.name.clone(),
                    None => column.name.clone(),
                })
                .collect(),
            delimiter: source.delimiter,
            encoding: source.encoding,
            locale: self.spec.locale,
            defaults: filled
                .filter(|(_, cells)| **cells > 0)
                .map(|(placed, &cells)| FilledColumn {
                    column: placed.column.name.clone(),
                    cells,
                })
                .collect(),
        };
        if self.report.is_empty() {
            return Ok(Outcome::Accepted(Accepted { reading }));
        }
        let (problems, faults) = self.report.finish();
        Ok(Outcome::Rejected(Rejected {
            problems,
            faults,
            reading: Some(reading),
            layout: is_whole.then_some(Layout {
                header_row: header.row,
                width: header.file.len(),
            }),
        }))
    }

    /// The number of rows against what the manifest says.
    fn check_size(&mut self) {
        let found = count(self.rows, "row");
        let (least, most) = (self.spec.min_rows, self.spec.max_rows);
        let mut note = |allowed: String, message: String| {
            self.report
                .whole(Problem::with_message("", &found, &allowed, &message));
        };
        if self.rows < least {
            let allowed = format!("at least {}", count(least, "row"));
            let message = if self.rows == 0 {
                format!("There are no values below the header; {allowed} must be there.")
            } else {
                format!("The table has {found} below the header; {allowed} must be there.")
            };
            note(allowed, message);
        } else if let Some(most) = most.filter(|most| self.rows > *most) {
            let allowed = format!("at most {}", count(most, "row"));
            let message =
                format!("The table has {found} below the header; {allowed} are allowed. Split it.");
            note(allowed, message);
        }
    }
}

/// Whether a converted cell satisfies its column. Where a text may stand too, what looked like
/// a number may have been meant as one.
fn satisfies(schema: &RowSchema, column: &Column, cell: &Cell, into: &mut Converted) -> bool {
    let all = |value: &Value| {
        column
            .checks
            .iter()
            .all(|&id| schema.schema().satisfies(id, value))
    };
    if all(&into.value) {
        return true;
    }
    let Cell::Text(text) = cell else {
        return false;
    };
    if into.value.is_string() || !column.kinds.has(Kinds::TEXT) {
        return false;
    }
    let as_text = Value::from(text.as_str());
    if !all(&as_text) {
        return false;
    }
    into.set_text(text);
    true
}

/// A cell that could not be converted, in words.
fn unconverted(converter: Converter, cell: &Cell, column: &Column, fault: &Fault) -> Words {
    let found = convert::found(cell);
    let allowed = Converter::allowed(column, fault).to_owned();
    Words {
        subject: subject(column),
        many: format!("cells do not hold {allowed}"),
        sentence: format!("found {found}; {allowed} is allowed."),
        hint: converter.hint(cell, column, fault),
        found,
        allowed,
    }
}

/// A converted cell that breaks a rule of its column, in words.
fn broken(schema: &RowSchema, column: &Column, value: &Value) -> Words {
    let compiled = schema.schema();
    let failing = column
        .checks
        .iter()
        .copied()
        .find(|&id| !compiled.satisfies(id, value))
        .unwrap_or(NodeId::ROOT);
    let problems = explain::problems_at(compiled, failing, value).problems;
    // A text may have been meant as a number or a truth value: say all that may stand there.
    let is_open = value.is_string() && column.kinds.has(Kinds::NUMBER | Kinds::BOOL);
    let first = problems.into_iter().next().filter(|_| !is_open);
    let Some(problem) = first else {
        return Words {
            subject: subject(column),
            many: format!("cells do not hold {}", column.allowed),
            found: shown(value),
            allowed: column.allowed.clone(),
            sentence: format!("found {}; {} is allowed.", shown(value), column.allowed),
            hint: String::new(),
        };
    };
    Words {
        subject: subject(column),
        many: format!("cells do not hold {}", problem.allowed),
        sentence: sentence_of(&problem),
        found: problem.found,
        allowed: problem.allowed,
        hint: String::new(),
    }
}

/// A problem's sentence without its place in a document.
fn sentence_of(problem: &Problem) -> String {
    let prefix = format!("{}: ", place(&problem.at));
    let sentence = problem.message.strip_prefix(&prefix);
    sentence.unwrap_or(&problem.message).to_owned()
}

/// A cell that another column's value makes necessary.
fn empty_cell(problem: &Problem, column: &Column) -> String {
    let sentence = sentence_of(problem).replace(" is allowed there", " is allowed");
    let missing = format!("{} is missing", quoted(&column.name));
    let sentence = sentence.replacen(&missing, "the cell is empty", 1);
    if sentence.contains(" is allowed") {
        sentence
    } else {
        let stem = sentence.trim_end_matches('.');
        format!("{stem}; {} is allowed.", column.allowed)
    }
}

fn subject(column: &Column) -> String {
    format!("Column {}", quoted(&column.name))
}

fn shown(value: &Value) -> String {
    match value {
        Value::Null => "an empty cell".to_owned(),
        Value::String(text) => quoted(text),
        other => other.to_string(),
    }
}

/// `1 cell`, `2 cells`.
fn count(number: impl Into<CountOf>, what: &str) -> String {
    let CountOf(number) = number.into();
    if number == 1 {
        format!("1 {what}")
    } else {
        format!("{number} {what}s")
    }
}

struct CountOf(u64);

impl From<u64> for CountOf {
    fn from(number: u64) -> Self {
        Self(number)
    }
}

impl From<usize> for CountOf {
    fn from(number: usize) -> Self {
        Self(number as u64)
    }
}
