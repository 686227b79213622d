//! The rows of a table, one after the other: converted, checked, written.

mod messages;
mod multi_column;
mod rules;
mod shape;

use std::{
    io::{self, Write},
    mem,
};

use dropcast_domain::{
    model::TableSpec,
    problem::{Problem, ProblemList, place},
    table::{FilledColumn, ReadingRemarks, TableReading},
};
use dropcast_workbook::{Cell, ReadError, Row, Rows};
use serde_json::Value;

use self::{
    messages::{count, explain_broken, explain_unconverted, subject},
    rules::Rules,
};
use super::{
    Accepted, Outcome, Source, TableProblems,
    clean::Clean,
    columns::{Column, Empty, RowSchema, ValueKinds, wanted_names},
    convert::{Converted, Converter},
    header::{Header, MisplacedHeader, find_misplaced},
    keys::Keys,
    report::{Kind, Marking, Place, ProblemText, Report},
};

/// Reads a table to its end.
pub(super) fn check_rows<W: Write>(
    rows: &mut dyn Rows,
    source: Source,
    spec: &TableSpec,
    schema: &RowSchema,
    clean: W,
) -> Result<Outcome, ReadError> {
    let mut report = Report::new(source.format);
    let mut row = Row::default();
    if !find_header(rows, &mut row, spec)? {
        report.add(describe_no_header(spec));
        return Ok(reject_unread(report));
    }
    let header = match Header::read(&row, rows, schema, spec, &mut report) {
        Ok(header) => header,
        Err(problem) => {
            let wanted = wanted_names(schema, spec);
            let first = (row.number, problem);
            return reject_header(rows, report, source, spec, &wanted, first);
        }
    };
    let mut checking = Checking {
        schema,
        spec,
        converter: Converter::new(spec),
        cells: header
            .columns
            .iter()
            .map(|_| Converted::default())
            .collect(),
        wrong: vec![false; header.columns.len()],
        filled: vec![0; header.columns.len()],
        keys: (!spec.key.is_empty() && header.key.len() == spec.key.len()).then(Keys::new),
        rules: Rules::default(),
        has_multi_column_rules: schema.has_multi_column_rules() && report.is_empty(),
        rows: 0,
        short_rows: 0,
        last_row: header.row,
        is_apart: false,
        may_be_total: false,
        clean: Clean::new(clean),
        is_csv: source.delimiter.is_some(),
        header,
        report,
    };
    checking.write_header()?;
    let mut next = Row::default();
    let mut more = rows.next_row(&mut next);
    let refused = loop {
        match more {
            Ok(true) => {}
            Ok(false) => break None,
            Err(ReadError::Rejected(problems)) => break Some(problems),
            Err(error) => return Err(error),
        }
        mem::swap(&mut row, &mut next);
        more = rows.next_row(&mut next);
        let is_last = matches!(more, Ok(false));
        checking.is_apart = is_last && checking.rows > 0 || row.number > checking.last_row + 1;
        checking.row(&row, rows)?;
        checking.last_row = row.number;
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

fn describe_no_header(spec: &TableSpec) -> Problem {
    match spec.header_row {
        Some(row) => {
            let message = format!(
                "Row {row} must contain the column names, but it is empty. Put them there."
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

/// Rejects a first row that contains no column's name. It may be a title, with the names
/// below it.
fn reject_header(
    rows: &mut dyn Rows,
    mut report: Report,
    source: Source,
    spec: &TableSpec,
    wanted: &[&str],
    (first, problem): (u64, Option<Box<Problem>>),
) -> Result<Outcome, ReadError> {
    let below = match spec.header_row {
        None => find_misplaced(rows, first, wanted)?,
        Some(_) => None,
    };
    let (header_row, problem) = match (below, problem) {
        (Some(MisplacedHeader { row, problem }), _) => {
            let message = format!("the column names are in row {row}. Delete the rows above it.");
            report.mark(first, 0, &message);
            (row, problem)
        }
        (None, Some(problem)) => {
            let prefix = format!("{}: ", place(&problem.at));
            let message = problem.message.strip_prefix(&prefix);
            report.mark(first, 0, message.unwrap_or(&problem.message));
            (first, *problem)
        }
        (None, None) => (first, describe_no_header(spec)),
    };
    report.add(problem);
    let (problems, cell_problems) = report.finish();
    Ok(Outcome::Rejected(TableProblems {
        problems,
        cell_problems,
        reading: None,
        marking: Some(Marking {
            header_row,
            rows: 0,
            columns: wanted.iter().map(|&name| name.to_owned()).collect(),
            sheet: source.sheet,
            encoding: source.encoding,
        }),
    }))
}

fn reject_unread(report: Report) -> Outcome {
    let (problems, cell_problems) = report.finish();
    Outcome::Rejected(TableProblems {
        cell_problems,
        ..TableProblems::unread(problems)
    })
}

#[expect(
    clippy::struct_excessive_bools,
    reason = "They say different things about the row and the table."
)]
struct Checking<'s, W: Write> {
    schema: &'s RowSchema,
    spec: &'s TableSpec,
    converter: Converter,
    header: Header,
    /// Per column of the header, this row's value.
    cells: Vec<Converted>,
    /// Per column of the header, whether this row's cell is faulty.
    wrong: Vec<bool>,
    /// Per column of the header, how often its default was filled in.
    filled: Vec<u64>,
    keys: Option<Keys>,
    rules: Rules,
    /// Whether whole rows are checked: not where a column is missing, which is said once.
    has_multi_column_rules: bool,
    /// Rows of values so far.
    rows: u64,
    /// Rows that end before the header's last columns.
    short_rows: u64,
    /// The number of the row that was read last.
    last_row: u64,
    /// Whether this row is the last of several or follows an empty one: it may be a total.
    is_apart: bool,
    /// Whether it may be a total, or is below one and so may be a note.
    may_be_total: bool,
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
        let is_below = mem::take(&mut self.may_be_total);
        self.is_apart |= is_below;
        let is_whole = self.shape(row, last, rows);
        if is_whole {
            for index in 0..self.header.columns.len() {
                self.wrong[index] = !self.cell(index, row, rows);
            }
            if self.has_multi_column_rules && self.can_check_whole_row() {
                self.whole_row(row, rows);
            }
            if !self.header.key.iter().any(|&index| self.wrong[index]) {
                self.key(row.number, rows);
            }
        }
        self.stop_writing_if_rejected();
        for (placed, cell) in self.header.columns.iter().zip(&self.cells) {
            let text = match &placed.column.default {
                Some((_, text)) if cell.value.is_null() => text,
                _ => &cell.text,
            };
            self.clean.cell(text)?;
        }
        self.clean.end_row()
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
            if column.empty != Empty::Rejected {
                return true;
            }
        } else {
            let converted = self.converter.convert(cell, column, into);
            if converted.is_ok() && accepts(self.schema, column, cell, into) {
                return true;
            }
            let at = placed.at.unwrap_or_default();
            let address = || rows.address(row.number, at, &self.header.file[at].name);
            let place = Place {
                row: row.number,
                column: Some(at),
            };
            if let Err(problem) = converted {
                let words = || explain_unconverted(self.converter, cell, column, &problem);
                let kind = Kind::Unconverted(problem.class());
                let hint_key = problem.hint_key(cell);
                self.report
                    .add_cell_problem(place, kind, hint_key, address, words);
            } else {
                let words = || explain_broken(self.schema, column, cell, into);
                let known = (index, column);
                let kind = self.rules.kind(self.schema, known, &into.value, words);
                self.report.add_cell_problem(place, kind, 0, address, words);
            }
            return false;
        }
        let at = placed.at.unwrap_or_default();
        self.may_be_total = self.is_apart;
        self.report.add_cell_problem(
            Place {
                row: row.number,
                column: Some(at),
            },
            Kind::Empty,
            u64::from(self.is_apart),
            || rows.address(row.number, at, &self.header.file[at].name),
            || ProblemText {
                subject: subject(column),
                many: "cells are empty".to_owned(),
                found: "an empty cell".to_owned(),
                allowed: column.allowed.clone(),
                sentence: "the cell is empty.".to_owned(),
                hint: if self.is_apart {
                    format!(
                        "Fill it in: {} is allowed. If this row is a total or a note, remove it.",
                        column.allowed
                    )
                } else {
                    format!("Fill it in: {} is allowed.", column.allowed)
                },
                general: format!(
                    "Fill them in: {} is allowed. If a row is a total or a note, remove it.",
                    column.allowed
                ),
                ..ProblemText::default()
            },
        );
        false
    }

    fn finish(mut self, source: Source, refused: Option<ProblemList>) -> io::Result<Outcome> {
        if let Some(problems) = refused {
            self.report.add_all(problems);
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
            remarks: ReadingRemarks {
                short_rows: self.short_rows,
                ..source.remarks
            },
        };
        if self.report.is_empty() {
            return Ok(Outcome::Accepted(Accepted { reading }));
        }
        let marking = Marking {
            header_row: header.row,
            rows: self.rows,
            columns: reading.columns.clone(),
            sheet: reading.sheet.clone(),
            encoding: reading.encoding,
        };
        let (problems, cell_problems) = self.report.finish();
        Ok(Outcome::Rejected(TableProblems {
            problems,
            cell_problems,
            reading: Some(reading),
            marking: Some(marking),
        }))
    }

    /// The number of rows against what the manifest says.
    fn check_size(&mut self) {
        let found = count(self.rows, "row");
        let (least, most) = (self.spec.min_rows, self.spec.max_rows);
        let mut note = |allowed: String, message: String| {
            self.report
                .add(Problem::with_message("", &found, &allowed, &message));
        };
        if self.rows < least {
            let allowed = format!("at least {}", count(least, "row"));
            let message = if self.rows == 0 {
                format!("There are no values below the header; {allowed} must follow it.")
            } else {
                format!("The table has {found} below the header; {allowed} must follow it.")
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

/// A row's value in a column of the header, the default in the place of an empty cell.
fn value<'r>(header: &'r Header, cells: &'r [Converted], index: usize) -> &'r Value {
    match &header.columns[index].column.default {
        Some((default, _)) if cells[index].value.is_null() => default,
        _ => &cells[index].value,
    }
}

/// Whether a converted cell satisfies its column. Where a text may stand too, what looked like
/// a number may have been meant as one.
pub(super) fn accepts(
    schema: &RowSchema,
    column: &Column,
    cell: &Cell,
    into: &mut Converted,
) -> bool {
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
    if into.value.is_string() || !column.kinds.has(ValueKinds::TEXT) {
        return false;
    }
    let as_text = Value::from(text.as_str());
    if !all(&as_text) {
        return false;
    }
    into.set_text(text);
    true
}
