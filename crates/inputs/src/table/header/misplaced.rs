//! The names of the columns, if there is a title above them.

use std::collections::HashSet;

use dropcast_domain::problem::Problem;
use dropcast_workbook::{ReadError, Row, Rows};

use super::names::{Name, fold, list};

/// How many rows are looked at below the one that should hold the names.
const ROWS: usize = 10;

/// A row further down that holds the names of columns.
pub(in crate::table) struct MisplacedHeader {
    /// Its number.
    pub(in crate::table) row: u64,
    /// What is said of it.
    pub(in crate::table) problem: Problem,
}

/// Looks below the row where the names should stand for the row that holds them.
pub(in crate::table) fn find_misplaced(
    rows: &mut dyn Rows,
    first: u64,
    wanted: &[&str],
) -> Result<Option<MisplacedHeader>, ReadError> {
    let known: HashSet<String> = wanted.iter().map(|name| fold(name)).collect();
    let mut row = Row::default();
    for _ in 0..ROWS {
        match rows.next_row(&mut row) {
            Ok(true) => {}
            Ok(false) | Err(ReadError::Rejected(_)) => break,
            Err(error) => return Err(error),
        }
        let names: HashSet<String> = row
            .cells
            .iter()
            .map(Name::of)
            .filter(|name| name.problem.is_none())
            .map(|name| fold(&name.text))
            .collect();
        // One word of a text may be a column's name by chance.
        if known.intersection(&names).count() >= known.len().min(2) {
            return Ok(Some(describe(rows, first, row.number, wanted)));
        }
    }
    Ok(None)
}

fn describe(rows: &dyn Rows, first: u64, row: u64, wanted: &[&str]) -> MisplacedHeader {
    let at = rows.row_address(first);
    let above = match row {
        2 => "row 1".to_owned(),
        3 => "rows 1 and 2".to_owned(),
        row => format!("rows 1 to {}", row - 1),
    };
    let message = format!(
        "At {at}: the first row must contain the column names, but they are in row {row}. Delete {above}."
    );
    MisplacedHeader {
        row,
        problem: Problem::with_message(
            &at,
            &format!("the names of the columns in row {row}"),
            &format!("the column names {}", list(wanted)),
            &message,
        ),
    }
}
