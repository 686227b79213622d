//! Faults of cells in words.

use dropcast_domain::problem::{Problem, place, quoted};
use serde_json::Value;

use crate::{
    explain,
    schema::NodeId,
    table::{
        columns::{Column, Kinds, RowSchema},
        convert::{self, Converter, Fault},
        report::Words,
        rows::Cell,
    },
};

/// A cell that could not be converted, in words.
pub(super) fn unconverted(
    converter: Converter,
    cell: &Cell,
    column: &Column,
    fault: &Fault,
) -> Words {
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
pub(super) fn broken(schema: &RowSchema, column: &Column, value: &Value) -> Words {
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

pub(super) fn shown(value: &Value) -> String {
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
