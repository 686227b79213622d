//! The columns of a header one by one, and what is said of those that are wrong.

use dropcast_domain::{
    model::TableSpec,
    problem::{MAX_PROBLEMS, Problem, nearest},
    text::{is_hidden, quoted},
};
use dropcast_workbook::{Cell, CellTextProblem, Rows};

use super::names::{Name, NameWords, list};
use crate::table::{
    columns::{Column, RowSchema, wanted_names},
    convert,
    report::Report,
};

/// How many names are compared to find the one that was meant: comparing ten thousand with ten
/// thousand would take minutes.
const COMPARED: usize = 200;

pub(super) struct Reading<'r> {
    pub(super) row: u64,
    pub(super) rows: &'r dyn Rows,
    pub(super) schema: &'r RowSchema,
    pub(super) spec: &'r TableSpec,
    /// How many columns the header has.
    pub(super) width: usize,
    /// Columns that are looked for and not there.
    pub(super) missing: Vec<&'r str>,
    /// The first of them that must be there.
    pub(super) needed: Vec<&'r str>,
    /// Those of them that a misspelt column was meant to be.
    pub(super) suggested: Vec<&'r str>,
    /// Names that are no column's, and where they stand.
    pub(super) unknown: Vec<(usize, String)>,
    pub(super) report: &'r mut Report,
}

impl<'r> Reading<'r> {
    /// What is wrong where nothing in the row is a column's name.
    pub(super) fn explain_no_header(
        &self,
        names: &[Name],
        meant: &[Option<&str>],
        cells: &[Cell],
    ) -> Option<Problem> {
        let is_near = |name: &Name| {
            self.is_slip(&name.text, self.nearest(&name.text)) || self.nearest(&name.text).is_some()
        };
        if meant.iter().any(Option::is_some) || names.iter().take(COMPARED).any(is_near) {
            return None;
        }
        let is_data = cells.iter().any(convert::is_no_name);
        let open = self
            .missing
            .iter()
            .all(|name| !self.is_required(name) || self.has_default(name));
        if open && !is_data {
            return None;
        }
        let at = self.rows.row_address(self.row);
        let shown: Vec<String> = names
            .iter()
            .filter(|name| !name.text.is_empty())
            .take(3)
            .map(|name| quoted(&name.text))
            .collect();
        let found = shown.join(", ");
        let allowed = format!("the column names {}", list(&self.in_order(&self.missing)));
        let message = if is_data {
            format!(
                "At {at}: the first row must contain the column names, but it looks like values: {found}. Put a row with the names {} above it.",
                list(&self.in_order(&self.missing))
            )
        } else {
            format!(
                "At {at}: none of the names in this row is a known column: {found}. The columns are {}.",
                list(&self.in_order(&self.missing))
            )
        };
        Some(Problem::with_message(&at, &found, &allowed, &message))
    }

    /// The column of a name in the header; `None` when it is refused, which is noted.
    pub(super) fn find_column(
        &mut self,
        at: usize,
        name: &str,
        meant: Option<&str>,
    ) -> Option<Column> {
        if let Some(meant) = meant {
            return self.schema.column(meant, self.spec);
        }
        if let Some(hidden) = name.chars().find(|&c| is_hidden(c) && !c.is_whitespace()) {
            let message = format!(
                "the column's name {} contains the invisible character U+{:04X}. Write the name without it.",
                quoted(name),
                u32::from(hidden)
            );
            self.note(
                at,
                name,
                &quoted(name),
                "a name without invisible characters",
                &message,
            );
            return None;
        }
        // Nobody reads what exceeds the list.
        let is_full = self.report.is_full() || self.unknown.len() >= MAX_PROBLEMS;
        let suggestion = if is_full { None } else { self.nearest(name) };
        // A column that must be there and one that nobody knows are one slip.
        let is_slip = !is_full && self.is_slip(name, suggestion);
        if !is_slip
            && self.spec.optional_columns.is_empty()
            && let Some(column) = self.schema.column(name, self.spec)
        {
            return Some(column);
        }
        if self.report.is_full() {
            self.report.skip();
            return None;
        }
        let Some(meant) = suggestion else {
            // What it may be is told when all other columns are known.
            self.unknown.push((at, name.to_owned()));
            return None;
        };
        let message = format!(
            "the column {} is not known. Did you mean {}?",
            quoted(name),
            quoted(meant)
        );
        self.suggested.push(meant);
        self.unknown_column(at, name, &format!("the column {}", quoted(meant)), &message);
        None
    }

    fn unknown_column(&mut self, at: usize, name: &str, allowed: &str, message: &str) {
        let found = format!("the column {}", quoted(name));
        self.note(at, name, &found, allowed, message);
    }

    /// Notes the names that are no column's, each with the column that it may have been meant
    /// to be: the one of the same words, or the only one that is missing yet.
    pub(super) fn report_unknown(&mut self) {
        let mut unknown = std::mem::take(&mut self.unknown);
        let missing: Vec<(&str, NameWords)> = self
            .missing
            .iter()
            .take(COMPARED)
            .map(|&name| (name, NameWords::of(name)))
            .collect();
        unknown.retain(|(at, name)| {
            if self.report.is_full() {
                return true;
            }
            let own = NameWords::of(name);
            let is_free = |name: &&str| !self.suggested.contains(name);
            let fitting = missing.iter().filter(|(_, words)| words.are_near(&own));
            let fitting: Vec<&str> = fitting.map(|(name, _)| *name).filter(is_free).collect();
            let needed = fitting.iter().filter(|name| self.needed.contains(*name));
            let Some(meant) = only(needed.copied()).or_else(|| only(fitting.iter().copied()))
            else {
                return true;
            };
            self.suggested.push(meant);
            let message = format!(
                "the column {} is not known. If {} is meant, rename it to that.",
                quoted(name),
                quoted(meant)
            );
            self.unknown_column(
                *at,
                name,
                &format!("the column {}", quoted(meant)),
                &message,
            );
            false
        });
        let left = self.needed.iter().copied();
        let only = only(left.filter(|name| !self.suggested.contains(name)));
        if let (Some(meant), [(at, name)], false) =
            (only, unknown.as_slice(), self.report.is_full())
        {
            self.suggested.push(meant);
            let message = format!(
                "the column {} is not known, and the column {} is missing. If it is that column, rename it; otherwise remove it and add {}.",
                quoted(name),
                quoted(meant),
                quoted(meant)
            );
            self.unknown_column(
                *at,
                name,
                &format!("the column {}", quoted(meant)),
                &message,
            );
            return;
        }
        let known = list(&self.in_order(&wanted_names(self.schema, self.spec)));
        for (at, name) in unknown {
            if self.report.is_full() {
                self.report.skip();
                continue;
            }
            let message = format!(
                "the column {} is not known. Remove it; the columns are {known}.",
                quoted(&name)
            );
            self.unknown_column(at, &name, &format!("the columns {known}"), &message);
        }
    }

    /// Names with those first that must be there.
    fn in_order<'n>(&self, names: &[&'n str]) -> Vec<&'n str> {
        let mut names = names.to_vec();
        names.sort_by_key(|name| !self.is_required(name));
        names
    }

    /// Finds out which of the missing columns must be there.
    pub(super) fn find_needed(&mut self) {
        let missing = self.missing.iter().copied();
        let needed = missing.filter(|name| self.is_needed(name));
        self.needed = needed.take(COMPARED).collect();
    }

    /// Whether a column must be in the file.
    fn is_needed(&self, name: &str) -> bool {
        self.is_named(name) || self.is_required(name) && !self.has_default(name)
    }

    /// A cell that can be no column's name.
    pub(super) fn report_unusable_name(
        &mut self,
        at: usize,
        name: &str,
        problem: &CellTextProblem,
    ) {
        let CellTextProblem {
            found,
            allowed,
            hint,
        } = problem;
        let message = format!("found {found} where {allowed} must stand. {hint}");
        self.note(at, name, found, allowed, &message);
    }

    /// The missing column that a name was meant to be, by its letters.
    fn nearest(&self, name: &str) -> Option<&'r str> {
        nearest(name, self.missing.iter().copied().take(COMPARED))
    }

    /// Whether a name is a misspelling of a required column: by its letters or by its words.
    fn is_slip(&self, name: &str, nearest: Option<&str>) -> bool {
        if nearest.is_some_and(|meant| self.is_required(meant)) {
            return true;
        }
        let own = NameWords::of(name);
        let needed = self.needed.iter().copied();
        only(needed.filter(|needed| NameWords::of(needed).are_near(&own))).is_some()
    }

    /// A column that appears earlier in the header.
    pub(super) fn report_repeated(&mut self, at: usize, name: &str, earlier: usize) {
        let message = format!(
            "the column {} appears twice in the header, as columns {} and {}. Remove or rename one of them.",
            quoted(name),
            earlier + 1,
            at + 1
        );
        self.note(
            at,
            name,
            &format!("the column {} again", quoted(name)),
            "each column once",
            &message,
        );
    }

    fn note(&mut self, at: usize, name: &str, found: &str, allowed: &str, message: &str) {
        let address = self.rows.address(self.row, at, name);
        let sentence = format!("At {address}: {message}");
        self.report
            .add(Problem::with_message(&address, found, allowed, &sentence));
        self.report.mark(self.row, at, message);
    }

    /// Notes the columns that must be there and are not; those that have a default are the
    /// answer.
    pub(super) fn report_missing(&mut self) -> Vec<Column> {
        let mut supplied = Vec::new();
        for name in std::mem::take(&mut self.missing) {
            let column = self.schema.column(name, self.spec);
            if let Some(column) = column
                && column.default.is_some()
                && !self.is_named(name)
            {
                supplied.push(column);
                continue;
            }
            if !self.is_required(name) || self.suggested.contains(&name) {
                continue;
            }
            let at = self.rows.row_address(self.row);
            let wanted = self.schema.column(name, self.spec);
            let wanted = wanted.map_or_else(String::new, |column| {
                format!(" Its cells contain {}.", column.allowed)
            });
            let message = format!(
                "At {at}: the column {} is missing. Add it to the header.{wanted}",
                quoted(name)
            );
            self.report.add(Problem::with_message(
                &at,
                &format!("no column {}", quoted(name)),
                &format!("the column {}", quoted(name)),
                &message,
            ));
            let missing = format!("the column {} is missing here.{wanted}", quoted(name));
            self.report.mark(self.row, self.width, &missing);
            self.width += 1;
        }
        supplied
    }

    /// Whether the manifest wants a column to be there.
    fn is_named(&self, name: &str) -> bool {
        let mut named = self.spec.required_columns.iter().chain(&self.spec.key);
        named.any(|named| named == name)
    }

    fn is_required(&self, name: &str) -> bool {
        self.schema.requires(name) || self.is_named(name)
    }

    fn has_default(&self, name: &str) -> bool {
        self.schema
            .column(name, self.spec)
            .is_some_and(|column| column.default.is_some())
    }
}

/// The only one there is.
fn only<'n>(mut names: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let first = names.next()?;
    names.next().is_none().then_some(first)
}
