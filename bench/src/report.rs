//! What a part of the bench found: JSON for programs, tables for people.

use std::{fmt, io::Write as _, path::Path};

use anyhow::Context as _;
use serde::Serialize;
use serde_json::{Value, json};

use crate::{machine::Machine, numbers::now, table::Table};

/// What a part of the bench found.
#[derive(Debug)]
pub(crate) struct Report {
    figures: Value,
    tables: Vec<Table>,
    notes: Vec<String>,
}

impl Report {
    /// A report of these figures.
    pub(crate) fn new(figures: &impl Serialize, tables: Vec<Table>) -> anyhow::Result<Self> {
        Ok(Self {
            figures: serde_json::to_value(figures)?,
            tables,
            notes: Vec::new(),
        })
    }

    /// Adds a sentence below the tables.
    pub(crate) fn note(mut self, sentence: impl Into<String>) -> Self {
        self.notes.push(sentence.into());
        self
    }

    /// Writes the figures with the machine that they were measured on.
    pub(crate) fn write(&self, file: &Path, part: &str, machine: &Machine) -> anyhow::Result<()> {
        let at = jiff::Timestamp::from_nanosecond(now())?;
        let document = json!({
            "part": part,
            "at": at.to_string(),
            "machine": machine,
            "loadAfter": crate::machine::load()?,
            "figures": self.figures,
        });
        let text = serde_json::to_string_pretty(&document)?;
        std::fs::write(file, text + "\n")
            .with_context(|| format!("cannot write {}", file.display()))
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for table in &self.tables {
            writeln!(f, "\n{table}")?;
        }
        for note in &self.notes {
            writeln!(f, "  {note}")?;
        }
        Ok(())
    }
}

/// A line on the screen.
pub(crate) fn say(line: &str) {
    // A screen that is gone stops no measurement; the JSON files are what counts.
    let _ = writeln!(std::io::stdout(), "{line}");
}
