//! What several columns, or several rows, must be together.

use std::io::Write;

use dropcast_domain::{problem::Problem, text::quoted};
use dropcast_workbook::{Row, Rows};
use serde_json::{Map, Value};

use super::{
    Checking,
    messages::{describe_problem, empty_cell, show_value, subject},
    value,
};
use crate::{
    explain,
    table::{
        columns::Empty,
        convert, header,
        keys::KeyLookup,
        report::{Kind, Place, ProblemText},
    },
};

impl<W: Write> Checking<'_, W> {
    /// Whether the rules about several columns can be asked of this row: not where they speak
    /// about a cell that is faulty, of which that was said already.
    pub(super) fn can_check_whole_row(&self) -> bool {
        let mut columns = self.header.columns.iter().zip(&self.wrong);
        columns.all(|(placed, wrong)| !wrong || !self.schema.spans_columns(&placed.column.name))
    }

    /// Checks what the schema says about several columns at once.
    pub(super) fn whole_row(&mut self, row: &Row, rows: &dyn Rows) {
        let mut members = Map::new();
        for (index, placed) in self.header.columns.iter().enumerate() {
            let column = &placed.column;
            let value = super::value(&self.header, &self.cells, index);
            let is_there = !self.wrong[index]
                && (!value.is_null() || column.default.is_some() || column.empty == Empty::Null);
            if column.in_row && is_there {
                members.insert(column.name.clone(), value.clone());
            }
        }
        let document = Value::Object(members);
        for problem in explain::problems(self.schema.schema(), &document).problems {
            let columns = &self.header.columns;
            let lacking = columns
                .iter()
                .find(|placed| problem.found == format!("no {}", quoted(&placed.column.name)));
            if lacking.is_some_and(|lacking| self.is_wrong(lacking.at)) {
                continue;
            }
            let column = lacking.or_else(|| {
                let segment = problem.at.strip_prefix('/')?;
                let name = segment.replace("~1", "/").replace("~0", "~");
                columns.iter().find(|placed| placed.column.name == name)
            });
            let at = column.and_then(|placed| placed.at);
            let index = columns
                .iter()
                .position(|placed| column.is_some_and(|column| column.at == placed.at));
            let cell = at.and_then(|at| row.cells.get(at));
            let read_as = cell
                .zip(index)
                .and_then(|(cell, index)| convert::read_as(cell, &self.cells[index].text));
            let (found, sentence) = match lacking {
                Some(placed) => (problem.found.clone(), empty_cell(&problem, &placed.column)),
                None => describe_problem(&problem, read_as),
            };
            let what = match column {
                Some(placed) => subject(&placed.column),
                None => String::new(),
            };
            let many = match column {
                Some(_) => format!("cells do not contain {}", problem.allowed),
                None => format!(
                    "rows are not as the schema describes them ({})",
                    problem.allowed
                ),
            };
            self.report.add_cell_problem(
                Place {
                    row: row.number,
                    column: at,
                },
                Kind::rule(&(&problem.allowed, &problem.at)),
                0,
                || match at {
                    Some(at) => rows.address(row.number, at, &self.header.file[at].name),
                    None => rows.row_address(row.number),
                },
                || ProblemText {
                    subject: what,
                    many,
                    found,
                    shows_found: lacking.is_none() && column.is_some(),
                    allowed: problem.allowed,
                    sentence,
                    ..ProblemText::default()
                },
            );
        }
    }

    /// Whether this row's cell in a column of the file is faulty.
    fn is_wrong(&self, at: Option<usize>) -> bool {
        let index = at.and_then(|at| self.header.file[at].column);
        index.is_some_and(|index| self.wrong[index])
    }

    /// Checks that no earlier row has the same key.
    pub(super) fn key(&mut self, row: u64, rows: &dyn Rows) {
        let Some(mut keys) = self.keys.take() else {
            return;
        };
        let mut key = keys.key();
        for &index in &self.header.key {
            key.add(value(&self.header, &self.cells, index));
        }
        let seen = keys.put(&key, row);
        self.keys = Some(keys);
        let earlier = match seen {
            KeyLookup::New => return,
            KeyLookup::In(earlier) => earlier,
            KeyLookup::TooMany => {
                let names = header::list(&self.spec.key);
                let message = format!(
                    "The table has too many rows to check that {names} are unique: at most {} are compared. Split the table.",
                    self.rows - 1
                );
                self.report.add(Problem::with_message(
                    "",
                    "too many rows",
                    "fewer rows",
                    &message,
                ));
                self.keys = None;
                return;
            }
        };
        let at = self.header.columns[self.header.key[0]].at;
        let values: Vec<&Value> = self
            .header
            .key
            .iter()
            .map(|&index| value(&self.header, &self.cells, index))
            .collect();
        let words = || {
            let names = header::list(&self.spec.key);
            let found: Vec<String> = values.iter().map(|value| show_value(value)).collect();
            let found = found.join(", ");
            let each = if self.spec.key.len() == 1 {
                format!("each value of {names}")
            } else {
                format!("each combination of {names}")
            };
            ProblemText {
                subject: if self.spec.key.len() == 1 {
                    format!("Column {names}")
                } else {
                    format!("Columns {names}")
                },
                many: "rows repeat the values of an earlier row".to_owned(),
                sentence: format!(
                    "{found} is already in row {earlier}; {each} may occur only once."
                ),
                found: format!("{found} again"),
                allowed: format!("{each} once"),
                shows_found: true,
                hint: "Remove or correct one of the rows.".to_owned(),
                ..ProblemText::default()
            }
        };
        let address = || match at {
            Some(at) => rows.address(row, at, &self.header.file[at].name),
            None => rows.row_address(row),
        };
        self.report
            .add_cell_problem(Place { row, column: at }, Kind::Repeated, 0, address, words);
    }
}
