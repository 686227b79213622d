//! Which column of a file is which of the schema's.

use std::collections::HashMap;

use dropcast_domain::{
    model::TableSpec,
    problem::{Problem, nearest, quoted},
};

use super::{
    columns::{Column, RowSchema, wanted_names},
    convert,
    report::Report,
    rows::{Cell, Refusal, Row, Rows},
};

/// The longest name of a column in characters: that of the manifest's own names.
const LONGEST_NAME: usize = 255;

/// How many names a sentence lists.
const LISTED: usize = 12;

/// How many names are compared to find the one that was meant: comparing ten thousand with ten
/// thousand would take minutes.
const COMPARED: usize = 200;

/// The columns of one table.
#[derive(Debug)]
pub(super) struct Header {
    /// The header's row.
    pub(super) row: u64,
    /// Per column of the file: its name there, and which of [`Self::columns`] it is, if any.
    pub(super) file: Vec<FileColumn>,
    /// The columns that are read, in the file's order, then those that only have a default.
    pub(super) columns: Vec<Placed>,
    /// Which of them make up the key.
    pub(super) key: Vec<usize>,
}

/// A column of the file.
#[derive(Debug)]
pub(super) struct FileColumn {
    pub(super) name: String,
    /// Its place in [`Header::columns`]; `None` when it has no name or is not known.
    pub(super) column: Option<usize>,
}

/// A column that is read, and where.
#[derive(Debug)]
pub(super) struct Placed {
    pub(super) column: Column,
    /// Its place in the file; `None` when only its default is written.
    pub(super) at: Option<usize>,
}

impl Header {
    /// Finds the columns of a header row; `None` when it is no header at all. Problems are
    /// noted.
    pub(super) fn read(
        row: &Row,
        rows: &dyn Rows,
        schema: &RowSchema,
        spec: &TableSpec,
        report: &mut Report,
    ) -> Option<Self> {
        let wanted = wanted_names(schema, spec);
        let mut names: Vec<Name> = row.cells.iter().map(Name::of).collect();
        let width = names.iter().rposition(|name| !name.text.is_empty())? + 1;
        names.truncate(width);
        let meant = match_names(&names, &wanted);
        let mut reading = Reading {
            row: row.number,
            rows,
            schema,
            spec,
            missing: wanted
                .iter()
                .copied()
                .filter(|name| !meant.contains(&Some(*name)))
                .collect(),
            suggested: Vec::new(),
            report,
        };
        if !wanted.is_empty() && reading.is_no_header(&names, &meant, &row.cells) {
            return None;
        }
        let mut file = Vec::with_capacity(width);
        let mut columns: Vec<Placed> = Vec::with_capacity(width);
        let mut first: HashMap<String, usize> = HashMap::new();
        for (at, (name, meant)) in names.into_iter().zip(meant).enumerate() {
            let Name { text: name, fault } = name;
            let column = if let Some(fault) = fault {
                reading.no_name(at, &name, &fault);
                None
            } else if name.is_empty() {
                None
            } else {
                reading.column(at, &name, meant)
            };
            let column = column.and_then(|column| {
                if let Some(&earlier) = first.get(&column.name) {
                    reading.repeated(at, &name, earlier);
                    return None;
                }
                first.insert(column.name.clone(), at);
                columns.push(Placed {
                    column,
                    at: Some(at),
                });
                Some(columns.len() - 1)
            });
            file.push(FileColumn { name, column });
        }
        let supplied = reading.left_out();
        columns.extend(
            supplied
                .into_iter()
                .map(|column| Placed { column, at: None }),
        );
        let key = spec
            .key
            .iter()
            .filter_map(|name| {
                columns
                    .iter()
                    .position(|placed| placed.column.name == *name)
            })
            .collect();
        Some(Self {
            row: row.number,
            file,
            columns,
            key,
        })
    }
}

struct Reading<'r> {
    row: u64,
    rows: &'r dyn Rows,
    schema: &'r RowSchema,
    spec: &'r TableSpec,
    /// Columns that are looked for and not there.
    missing: Vec<&'r str>,
    /// Those of them that a misspelt column was meant to be.
    suggested: Vec<&'r str>,
    report: &'r mut Report,
}

impl<'r> Reading<'r> {
    /// Whether nothing in the row is a column's name. It is noted.
    fn is_no_header(&mut self, names: &[Name], meant: &[Option<&str>], cells: &[Cell]) -> bool {
        let is_near = |name: &Name| self.nearest(&name.text).is_some();
        if meant.iter().any(Option::is_some) || names.iter().take(COMPARED).any(is_near) {
            return false;
        }
        let is_data = cells.iter().any(convert::is_no_name);
        let open = self
            .missing
            .iter()
            .all(|name| !self.is_required(name) || self.has_default(name));
        if open && !is_data {
            return false;
        }
        let at = self.rows.row_address(self.row);
        let shown: Vec<String> = names
            .iter()
            .filter(|name| !name.text.is_empty())
            .take(3)
            .map(|name| quoted(&name.text))
            .collect();
        let found = shown.join(", ");
        let allowed = format!("the column names {}", list(&self.missing));
        let message = if is_data {
            format!(
                "At {at}: the first row must hold the names of the columns, but it looks like values: {found}. Put a row with the names {} above it.",
                list(&self.missing)
            )
        } else {
            format!(
                "At {at}: none of the names in this row is a known column: {found}. The columns are {}.",
                list(&self.missing)
            )
        };
        self.report
            .whole(Problem::with_message(&at, &found, &allowed, &message));
        true
    }

    /// The column of a name in the header; `None` when it is refused, which is noted.
    fn column(&mut self, at: usize, name: &str, meant: Option<&str>) -> Option<Column> {
        if let Some(meant) = meant {
            return self.schema.column(meant, self.spec);
        }
        if let Some(hidden) = name.chars().find(|&c| is_hidden(c)) {
            let message = format!(
                "the column's name {} holds the invisible character U+{:04X}. Write the name without it.",
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
        let suggestion = if self.report.is_full() {
            None
        } else {
            self.nearest(name)
        };
        // A column that must be there and one that nobody knows are one slip.
        let slip = suggestion.filter(|meant| self.is_required(meant));
        if slip.is_none()
            && self.spec.optional_columns.is_empty()
            && let Some(column) = self.schema.column(name, self.spec)
        {
            return Some(column);
        }
        if self.report.is_full() {
            self.report.skip();
            return None;
        }
        let known = wanted_names(self.schema, self.spec);
        let message = match suggestion {
            Some(meant) => format!(
                "the column {} is not known. Did you mean {}?",
                quoted(name),
                quoted(meant)
            ),
            None => format!(
                "the column {} is not known. Remove it; the columns are {}.",
                quoted(name),
                list(&known)
            ),
        };
        let allowed = match suggestion {
            Some(meant) => format!("the column {}", quoted(meant)),
            None => format!("the columns {}", list(&known)),
        };
        self.suggested.extend(suggestion);
        self.note(
            at,
            name,
            &format!("the column {}", quoted(name)),
            &allowed,
            &message,
        );
        None
    }

    /// A cell that can be no column's name.
    fn no_name(&mut self, at: usize, name: &str, fault: &Refusal) {
        let Refusal {
            found,
            allowed,
            hint,
        } = fault;
        let message = format!("found {found} where {allowed} must stand. {hint}");
        self.note(at, name, found, allowed, &message);
    }

    /// The missing column that a name was meant to be.
    fn nearest(&self, name: &str) -> Option<&'r str> {
        nearest(name, self.missing.iter().copied().take(COMPARED))
    }

    /// A column that stands earlier in the header too.
    fn repeated(&mut self, at: usize, name: &str, earlier: usize) {
        let message = format!(
            "the column {} stands in the header twice, as columns {} and {}. Remove or rename one of them.",
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
            .whole(Problem::with_message(&address, found, allowed, &sentence));
        self.report.mark(self.row, at, message);
    }

    /// Notes the columns that must be there and are not; those that have a default are the
    /// answer.
    fn left_out(&mut self) -> Vec<Column> {
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
                format!(" Its cells hold {}.", column.allowed)
            });
            let message = format!(
                "At {at}: the column {} is missing. Add it to the header.{wanted}",
                quoted(name)
            );
            self.report.whole(Problem::with_message(
                &at,
                &format!("no column {}", quoted(name)),
                &format!("the column {}", quoted(name)),
                &message,
            ));
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

/// What stands in a cell of the header.
struct Name {
    /// The name, empty where there is none; what is shown of the cell where it is refused.
    text: String,
    /// Why it can be no name.
    fault: Option<Refusal>,
}

impl Name {
    fn of(cell: &Cell) -> Self {
        let refused = |allowed, hint| {
            Err(Refusal {
                found: convert::found(cell),
                allowed,
                hint,
            })
        };
        let text = match cell {
            Cell::Text(text) if text.trim().chars().count() > LONGEST_NAME => {
                let start: String = text.trim().chars().take(40).collect();
                Err(Refusal {
                    found: quoted(&format!("{start}…")),
                    allowed: "a name of at most 255 characters",
                    hint: "Shorten it.",
                })
            }
            Cell::Text(text) => Ok(text.trim().to_owned()),
            Cell::Empty | Cell::Number(_) | Cell::Percent(_) | Cell::DateTime(_) => {
                Ok(convert::as_text(cell))
            }
            Cell::Bool(_) | Cell::Unusable(_) => refused(
                "a column's name as text",
                "Write the name, and give the cell the format Text.",
            ),
            Cell::Error(_) => refused(
                "a column's name as text",
                "The formula in this cell has no result: write the name.",
            ),
            Cell::Refused(refusal) => Err((**refusal).clone()),
        };
        match text {
            Ok(text) => Self { text, fault: None },
            Err(refusal) => Self {
                text: refusal.found.clone(),
                fault: Some(refusal),
            },
        }
    }
}

/// Which of the wanted names each name is: the same, or the only one that differs in nothing
/// but case and the signs between words.
fn match_names<'w>(names: &[Name], wanted: &[&'w str]) -> Vec<Option<&'w str>> {
    let exact: HashMap<&str, &'w str> = wanted.iter().map(|&name| (name, name)).collect();
    let mut folded: HashMap<String, Option<&'w str>> = HashMap::new();
    for &name in wanted {
        folded
            .entry(fold(name))
            .and_modify(|known| *known = None)
            .or_insert(Some(name));
    }
    names
        .iter()
        .map(|name| {
            if name.fault.is_some() {
                return None;
            }
            let same = exact.get(name.text.as_str()).copied();
            same.or_else(|| folded.get(&fold(&name.text)).copied().flatten())
        })
        .collect()
}

/// A name without regard to case and to the signs between its words.
pub(super) fn fold(name: &str) -> String {
    name.chars()
        .filter(|c| !matches!(c, '-' | '_') && !c.is_whitespace())
        .flat_map(char::to_lowercase)
        .collect()
}

/// Whether a character cannot be seen, or turns round the text beside it.
fn is_hidden(c: char) -> bool {
    (c.is_control() && !c.is_whitespace())
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}')
}

/// `"a", "b" and "c"`; what exceeds [`LISTED`] is counted.
pub(super) fn list<S: AsRef<str>>(names: &[S]) -> String {
    let more = names.len().saturating_sub(LISTED);
    let shown: Vec<String> = names
        .iter()
        .take(LISTED)
        .map(|name| quoted(name.as_ref()))
        .collect();
    match shown.as_slice() {
        [] => "none".to_owned(),
        _ if more > 0 => format!("{} and {more} more", shown.join(", ")),
        [only] => only.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}
