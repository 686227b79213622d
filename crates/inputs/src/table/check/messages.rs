//! The messages of problems with cells.

use dropcast_domain::{
    problem::{Problem, place},
    text::quoted,
};
use dropcast_workbook::Cell;
use serde_json::Value;

use crate::{
    explain,
    schema::NodeId,
    table::{
        columns::{Column, RowSchema, ValueKinds},
        convert::{self, ConversionProblem, Converted, Converter},
        report::ProblemText,
    },
};

/// A cell that could not be converted, in words.
pub(super) fn explain_unconverted(
    converter: Converter,
    cell: &Cell,
    column: &Column,
    problem: &ConversionProblem,
) -> ProblemText {
    let found = convert::found(cell);
    let allowed = Converter::allowed(column, problem).to_owned();
    ProblemText {
        subject: subject(column),
        many: format!("cells do not contain {allowed}"),
        sentence: format!("found {found}; {allowed} is allowed."),
        hint: converter.hint(cell, column, problem),
        general: converter.general_hint(cell, column, problem),
        found,
        shows_found: true,
        allowed,
    }
}

/// A converted cell that breaks a rule of its column, in words.
pub(super) fn explain_broken(
    schema: &RowSchema,
    column: &Column,
    cell: &Cell,
    read: &Converted,
) -> ProblemText {
    let value = &read.value;
    let compiled = schema.schema();
    let failing = find_failing(schema, column, value).unwrap_or(NodeId::ROOT);
    let problems = explain::problems_at(compiled, failing, value).problems;
    let read_as = convert::read_as(cell, &read.text);
    let first = problems
        .into_iter()
        .next()
        .filter(|_| !is_open(column, value));
    let Some(problem) = first else {
        let found = read_as.unwrap_or_else(|| show_value(value));
        return ProblemText {
            subject: subject(column),
            many: format!("cells do not contain {}", column.allowed),
            allowed: column.allowed.clone(),
            sentence: format!("found {found}; {} is allowed.", column.allowed),
            found,
            shows_found: true,
            ..ProblemText::default()
        };
    };
    let (found, sentence) = describe_problem(&problem, read_as);
    ProblemText {
        subject: subject(column),
        many: format!("cells do not contain {}", problem.allowed),
        sentence,
        found,
        shows_found: true,
        allowed: problem.allowed,
        ..ProblemText::default()
    }
}

/// The part of a column's schema that a value breaks.
pub(super) fn find_failing(schema: &RowSchema, column: &Column, value: &Value) -> Option<NodeId> {
    let mut checks = column.checks.iter().copied();
    checks.find(|&id| !schema.schema().satisfies(id, value))
}

/// Whether a text may have been meant as a number or a boolean: all is told then that may
/// stand there.
pub(super) fn is_open(column: &Column, value: &Value) -> bool {
    value.is_string() && column.kinds.has(ValueKinds::NUMBER | ValueKinds::BOOL)
}

/// What was found and the sentence about it: the content of the cell, and what it was read
/// as.
pub(super) fn describe_problem(problem: &Problem, read_as: Option<String>) -> (String, String) {
    let sentence = sentence_of(problem);
    match read_as {
        Some(found) => {
            let sentence = sentence.replacen(&problem.found, &found, 1);
            (found, sentence)
        }
        None => (problem.found.clone(), sentence),
    }
}

/// A problem's sentence without its place in a document.
pub(super) fn sentence_of(problem: &Problem) -> String {
    let prefix = format!("{}: ", place(&problem.at));
    let sentence = problem.message.strip_prefix(&prefix);
    sentence.unwrap_or(&problem.message).to_owned()
}

/// A cell that another column's value makes necessary.
pub(super) fn empty_cell(problem: &Problem, column: &Column) -> String {
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

pub(super) fn subject(column: &Column) -> String {
    format!("Column {}", quoted(&column.name))
}

pub(super) fn show_value(value: &Value) -> String {
    match value {
        Value::Null => "an empty cell".to_owned(),
        Value::String(text) => quoted(text),
        other => other.to_string(),
    }
}

/// `1 cell`, `2 cells`.
pub(super) fn count(number: impl Into<CountOf>, what: &str) -> String {
    let CountOf(number) = number.into();
    if number == 1 {
        format!("1 {what}")
    } else {
        format!("{number} {what}s")
    }
}

pub(super) struct CountOf(u64);

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
