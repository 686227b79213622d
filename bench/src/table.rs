//! A table on the screen: columns as wide as their widest cell, figures to the right.

use std::fmt::{self, Write as _};

/// A table with a heading.
#[derive(Debug, Default)]
pub(crate) struct Table {
    title: String,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with these column headings.
    pub(crate) fn new<const N: usize>(title: &str, headings: [&str; N]) -> Self {
        Self {
            title: title.to_owned(),
            rows: vec![headings.map(str::to_owned).to_vec()],
        }
    }

    /// Adds a row.
    pub(crate) fn row<const N: usize>(&mut self, cells: [String; N]) {
        self.rows.push(cells.into());
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.title)?;
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or_default();
        let widths: Vec<usize> = (0..columns)
            .map(|column| {
                let cells = self.rows.iter().filter_map(|row| row.get(column));
                cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
            })
            .collect();
        for row in &self.rows {
            let mut line = String::new();
            for (column, (cell, width)) in row.iter().zip(&widths).enumerate() {
                let written = if column == 0 {
                    write!(line, "  {cell:<width$}")
                } else {
                    write!(line, "  {cell:>width$}")
                };
                written?;
            }
            writeln!(f, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

/// A figure with one decimal.
pub(crate) fn figure(value: f64) -> String {
    format!("{value:.1}")
}

/// A target beside a figure, which should not be above it.
pub(crate) fn at_most(target: f64, measured: f64) -> String {
    let outcome = if measured <= target { "ok" } else { "missed" };
    format!("≤ {target}: {outcome}")
}
