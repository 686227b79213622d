//! Whether a row is as wide as the header, and all its cells are in named columns.

use std::io::Write;

use dropcast_domain::text::quoted;
use dropcast_workbook::{Cell, Row, Rows};

use super::{Checking, messages::count};
use crate::table::{
    convert,
    report::{Kind, Place, ProblemText},
};

impl<W: Write> Checking<'_, W> {
    /// Whether a row has the header's shape; when it has not, its cells stand in wrong columns.
    pub(super) fn shape(&mut self, row: &Row, last: usize, rows: &dyn Rows) -> bool {
        let width = self.header.file.len();
        let place = |column| Place {
            row: row.number,
            column,
        };
        if last >= width && self.is_csv {
            self.report.add_cell_problem(
                place(None),
                Kind::TooManyCells,
0,
                || rows.row_address(row.number),
                || ProblemText {
                    subject: String::new(),
                    many: format!("rows have more cells than the header, which has {width}"),
                    found: count(last + 1, "cell"),
                    allowed: format!("at most {}", count(width, "cell")),
                    sentence: format!(
                        "the row has {}, but the header has {width}.",
                        count(last + 1, "cell")
                    ),
                    hint: "Put text that contains the delimiter or a line break in quotation marks, or remove the extra cells.".to_owned(),
shows_found: true,
..ProblemText::default()
                },
            );
            return false;
        }
        let given = row.width;
        if self.is_csv && given < width {
            let header = &self.header;
            let lacking = header.columns.iter().find(|placed| {
                let column = &placed.column;
                placed.at.is_some_and(|at| at >= given) && column.must_be_filled()
            });
            let (missing, hint) = match lacking {
                Some(lacking) => (
                    format!(": {} is missing", quoted(&lacking.column.name)),
                    "Fill in the row, and put text that contains a line break in quotation marks.",
                ),
                None if row.is_cut => (
                    ", and the file ends within it".to_owned(),
                    "The file is incomplete, or its last line has no line break: save it again.",
                ),
                // Spreadsheets leave out the delimiters behind a row's last value.
                None => {
                    self.short_rows += 1;
                    return self.names(row, last, rows);
                }
            };
            self.report.add_cell_problem(
                place(None),
                Kind::TooFewCells,
                u64::from(lacking.is_some()),
                || rows.row_address(row.number),
                || ProblemText {
                    subject: String::new(),
                    many: format!("rows have fewer cells than the header, which has {width}"),
                    found: count(given, "cell"),
                    allowed: count(width, "cell"),
                    sentence: format!(
                        "the row has {}, but the header has {width}{missing}.",
                        count(given, "cell")
                    ),
                    hint: hint.to_owned(),
                    general: "Fill in the rows.".to_owned(),
                    shows_found: true,
                },
            );
            return false;
        }
        self.names(row, last, rows)
    }

    /// Notes the cells in columns without a name; the row is read nevertheless.
    fn names(&mut self, row: &Row, last: usize, rows: &dyn Rows) -> bool {
        for (at, cell) in row.cells.iter().enumerate().take(last + 1) {
            let named = self
                .header
                .file
                .get(at)
                .is_some_and(|column| !column.name.is_empty());
            if *cell != Cell::Empty && !named {
                let header = rows.address(self.header.row, at, "");
                self.report.add_cell_problem(
                    Place {
                        row: row.number,
                        column: Some(at),
                    },
                    Kind::Unnamed,
                    0,
                    || rows.address(row.number, at, ""),
                    || {
                        let found = convert::found(cell);
                        ProblemText {
                            subject: String::new(),
                            many: format!("cells are in a column without a name at {header}"),
                            sentence: format!(
                                "found {found} in a column without a name at {header}."
                            ),
                            found,
                            allowed: "an empty cell".to_owned(),
                            hint: "Give the column a name, or empty it.".to_owned(),
                            shows_found: true,
                            ..ProblemText::default()
                        }
                    },
                );
            }
        }
        true
    }
}
