//! Which cells of a sheet are shown as percentages.
//!
//! A workbook keeps 0.045 in a cell that shows 4.5 %. calamine gives the number alone, so the
//! places of such cells are found beforehand.

use std::collections::HashMap;

/// The most runs of such cells, one below the other, that are kept: 8 bytes each.
const MAX_RUNS: usize = 4_000_000;

/// The cells that are displayed as percentages, column by column, as runs from one row to another, both from 0.
#[derive(Debug, Default)]
pub(crate) struct PercentCells {
    columns: HashMap<u32, Vec<(u32, u32)>>,
    runs: usize,
}

impl PercentCells {
    /// Adds a place; in each column the rows come from the top. False when there is no room.
    pub(crate) fn add(&mut self, row: u32, column: u32) -> bool {
        let runs = self.columns.entry(column).or_default();
        match runs.last_mut() {
            Some((_, last)) if *last == row || last.checked_add(1) == Some(row) => *last = row,
            _ if self.runs >= MAX_RUNS => return false,
            _ => {
                runs.push((row, row));
                self.runs += 1;
            }
        }
        true
    }

    /// Whether a place was added.
    pub(crate) fn hold(&self, row: u32, column: u32) -> bool {
        if self.runs == 0 {
            return false;
        }
        self.columns.get(&column).is_some_and(|runs| {
            let behind = runs.partition_point(|(first, _)| *first <= row);
            behind > 0 && row <= runs[behind - 1].1
        })
    }
}

/// Whether a number format shows a number a hundred times as large, with a percent sign.
pub(crate) fn is_percent(format: &str) -> bool {
    let mut characters = format.chars();
    while let Some(character) = characters.next() {
        let end = match character {
            '%' => return true,
            // The next character stands for itself, or for room as wide as itself.
            '\\' | '_' | '*' => {
                characters.next();
                continue;
            }
            '"' => '"',
            '[' => ']',
            _ => continue,
        };
        characters.by_ref().find(|&character| character == end);
    }
    false
}

/// Whether a format that every workbook has, by its number, is one of percentages.
pub(crate) fn is_built_in(format: u16) -> bool {
    matches!(format, 9 | 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percent_sign_counts_unless_it_is_written_out() {
        for format in [
            "0%",
            "0.00%",
            "0.0 %",
            "[Red]0%;-0%",
            "\"about\" 0%",
            "#,##0.0%_)",
        ] {
            assert!(is_percent(format), "{format}");
        }
        for format in [
            "General", "0.00", "0\"%\"", "0\\%", "0_%", "0*%", "[%]0", "\"%", "",
        ] {
            assert!(!is_percent(format), "{format}");
        }
    }

    #[test]
    fn places_are_kept_as_runs() {
        let mut places = PercentCells::default();
        assert!(!places.hold(0, 0));
        for row in (1..1_000).chain(2_000..3_000) {
            assert!(places.add(row, 2) && places.add(row, 3));
        }
        assert_eq!(places.runs, 4);
        for (row, held) in [
            (0, false),
            (1, true),
            (999, true),
            (1_000, false),
            (2_999, true),
        ] {
            assert_eq!((places.hold(row, 2), places.hold(row, 1)), (held, false));
        }
    }
}
