//! What goes to the terminal: results to stdout, progress to stderr.

use std::io::{self, IsTerminal as _, Write as _};

use comfy_table::{
    Attribute, Cell, Color, ColumnConstraint, ContentArrangement, Table, presets::NOTHING,
};
use dropcast_api_types::{ErrorDetail, ErrorDocument};
use dropcast_domain::status::Status;
use serde::Serialize;

use crate::exit::{Exit, Stop};

/// The narrowest width that text is laid out for, in columns.
const NARROWEST: u16 = 40;

/// The widest, so that sentences stay readable.
const WIDEST: u16 = 120;

/// Width of what goes to a file or a pipe, in columns.
const PIPED: u16 = 100;

/// How results are shown.
#[derive(Debug, Clone, Copy)]
pub struct Screen {
    /// Whether the result is one JSON document.
    pub json: bool,
    /// How stdout is painted.
    pub paint: Paint,
    /// How stderr is painted.
    pub stderr_paint: Paint,
    /// Whether progress is drawn live on stderr.
    pub live: bool,
}

impl Screen {
    /// The screen as this process has it. Colours go to terminals only, and
    /// not when `NO_COLOR` is set (<https://no-color.org>) or `TERM` is `dumb`.
    pub fn new(json: bool) -> Self {
        let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
        let dumb = set("TERM").is_some_and(|term| term == "dumb");
        let colourful = set("NO_COLOR").is_none() && !dumb;
        let (out, err) = (io::stdout().is_terminal(), io::stderr().is_terminal());
        let width = terminal_size::terminal_size().map_or(PIPED, |(width, _)| width.0);
        Self {
            json,
            paint: Paint::of(colourful, out, width),
            stderr_paint: Paint::of(colourful, err, width),
            live: err && !dumb,
        }
    }

    /// Shows a result: the document with `--json`, the text otherwise.
    pub fn show<T: Serialize>(
        self,
        document: &T,
        text: impl FnOnce(Paint) -> String,
    ) -> anyhow::Result<()> {
        let mut whole = if self.json {
            serde_json::to_string_pretty(document)?
        } else {
            text(self.paint)
        };
        if !whole.is_empty() && !whole.ends_with('\n') {
            whole.push('\n');
        }
        self.write(&whole)
    }

    /// Writes to stdout as it is. A reader that went away (`| head`) is no error.
    pub fn write(self, text: &str) -> anyhow::Result<()> {
        let mut out = io::stdout().lock();
        match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
            _ => Ok(()),
        }
    }

    /// Says something beside the result, on stderr.
    pub fn note(self, line: &str) {
        // A stderr that is closed has no reader to miss it.
        let _ = writeln!(io::stderr().lock(), "{line}");
    }

    /// Tells how the command ended when it did not end well.
    pub fn report(self, stop: &Stop) -> Exit {
        let paint = self.stderr_paint;
        let advice = stop.advice.as_deref().unwrap_or_default();
        if self.json {
            let document = ErrorDocument {
                error: ErrorDetail {
                    exit_code: stop.exit,
                    message: &stop.message,
                    advice: stop.advice.as_deref(),
                },
            };
            // Nothing is left to tell an error of telling the error to.
            let _ = self.show(&document, |_| String::new());
        } else {
            self.note(&format!("{} {}", paint.bad("error:"), stop.message));
            if !advice.is_empty() {
                self.note(&format!("{} {advice}", paint.dim("What to do:")));
            }
        }
        stop.exit
    }
}

/// Colours, if there are any, and the width to lay out for.
#[derive(Debug, Clone, Copy)]
pub struct Paint {
    /// Whether to colour.
    pub on: bool,
    /// Columns.
    pub width: u16,
    /// Whether a terminal is painted.
    pub terminal: bool,
}

impl Paint {
    /// Paint for one stream: no colours and a fixed width unless it is a terminal.
    fn of(colourful: bool, terminal: bool, width: u16) -> Self {
        Self {
            on: colourful && terminal,
            width: if terminal {
                width.clamp(NARROWEST, WIDEST)
            } else {
                PIPED
            },
            terminal,
        }
    }

    /// Paint without colours, for a terminal so wide.
    #[cfg(test)]
    pub(crate) fn plain(width: u16) -> Self {
        Self {
            on: false,
            width,
            terminal: true,
        }
    }

    /// Good news.
    pub fn good(self, text: &str) -> String {
        self.styled("32", text)
    }

    /// Bad news.
    pub fn bad(self, text: &str) -> String {
        self.styled("1;31", text)
    }

    /// Something to read first.
    pub fn bold(self, text: &str) -> String {
        self.styled("1", text)
    }

    /// Something to read last.
    pub fn dim(self, text: &str) -> String {
        self.styled("2", text)
    }

    /// A run's status.
    pub fn status(self, status: Status) -> String {
        self.styled(status_code(status), status.as_str())
    }

    fn styled(self, code: &str, text: &str) -> String {
        if self.on && !code.is_empty() && !text.is_empty() {
            format!("\u{1b}[{code}m{text}\u{1b}[0m")
        } else {
            text.to_owned()
        }
    }

    /// A table without lines whose cells are all wrapped to the width.
    pub fn table(self, head: &[&str], rows: impl IntoIterator<Item = Vec<Cell>>) -> String {
        self.laid_out(head, rows, ContentArrangement::Dynamic, |_| {})
    }

    /// A table without lines that is there to be copied from: a terminal wraps
    /// its last column alone, and a pipe gets one line per row.
    pub fn list(self, head: &[&str], rows: impl IntoIterator<Item = Vec<Cell>>) -> String {
        if !self.terminal {
            return self.laid_out(head, rows, ContentArrangement::Disabled, |_| {});
        }
        self.laid_out(head, rows, ContentArrangement::Dynamic, |table| {
            let last = table.column_count().saturating_sub(1);
            for column in table.column_iter_mut().take(last) {
                column.set_constraint(ColumnConstraint::ContentWidth);
            }
        })
    }

    fn laid_out(
        self,
        head: &[&str],
        rows: impl IntoIterator<Item = Vec<Cell>>,
        arrangement: ContentArrangement,
        constrain: impl FnOnce(&mut Table),
    ) -> String {
        let mut table = Table::new();
        table
            .load_style(NOTHING)
            .force_no_tty()
            .set_width(self.width)
            .set_content_arrangement(arrangement);
        if self.on {
            table.enforce_styling();
        }
        if !head.is_empty() {
            table.set_header(
                head.iter()
                    .map(|name| Cell::new(name).add_attribute(Attribute::Dim))
                    .collect::<Vec<Cell>>(),
            );
        }
        for row in rows {
            table.add_row(row);
        }
        if let Some(first) = table.column_mut(0) {
            first.set_padding((0, 1));
        }
        constrain(&mut table);
        table
            .lines()
            .map(|line| line.trim_end().to_owned())
            .collect::<Vec<_>>()
            .join("\n")
    }

    /// A label and a value per line, the values under one another.
    pub fn facts(self, facts: &[(&str, String)]) -> String {
        let widest = facts
            .iter()
            .map(|(label, _)| label.chars().count())
            .max()
            .unwrap_or_default();
        crate::words::lines(
            facts
                .iter()
                .filter(|(_, value)| !value.is_empty())
                .map(|(label, value)| {
                    format!("{}  {value}", self.dim(&format!("{label:widest$}")))
                }),
        )
    }
}

/// A table's cell for a run's status.
pub fn status_cell(status: Status) -> Cell {
    let cell = Cell::new(status);
    match status {
        Status::Succeeded => cell.fg(Color::DarkGreen),
        Status::Failed | Status::Cancelled => cell.fg(Color::DarkRed),
        Status::Rejected => cell.fg(Color::DarkYellow),
        _ => cell.fg(Color::DarkCyan),
    }
}

/// The colour of a status as a terminal's code.
fn status_code(status: Status) -> &'static str {
    match status {
        Status::Succeeded => "32",
        Status::Failed | Status::Cancelled => "31",
        Status::Rejected => "33",
        _ => "36",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_coloured_when_colours_are_off() {
        assert_eq!(Paint::plain(60).bad("no"), "no");
        assert_eq!(Paint::plain(60).status(Status::Failed), "failed");
        assert!(
            !Paint::plain(60)
                .table(&["status"], [vec![status_cell(Status::Failed)]])
                .contains('\u{1b}')
        );
    }

    #[test]
    fn colours_are_there_when_they_are_on() {
        let paint = Paint {
            on: true,
            ..Paint::plain(60)
        };
        assert_eq!(paint.status(Status::Failed), "\u{1b}[31mfailed\u{1b}[0m");
        assert!(
            paint
                .table(&["status"], [vec![status_cell(Status::Failed)]])
                .contains('\u{1b}')
        );
    }

    #[test]
    fn a_table_is_aligned_and_wrapped_to_the_width() {
        let table = Paint::plain(60).table(
            &["Where", "What"],
            [
                vec![Cell::new("/a"), Cell::new("word ".repeat(30))],
                vec![Cell::new("/longer"), Cell::new("short")],
            ],
        );
        assert!(
            table.lines().all(|line| line.chars().count() <= 60),
            "{table}"
        );
        assert!(table.starts_with("Where    What"), "{table}");
    }

    #[test]
    fn a_list_wraps_its_last_column_alone_and_nothing_in_a_pipe() {
        let id = "mfrggzdfmztwq2lknnwg23tpoa";
        let rows = || [vec![Cell::new(id), Cell::new("a long title ".repeat(6))]];
        let list = Paint::plain(60).list(&["Run", "Title"], rows());
        assert!(list.contains(id) && list.lines().count() > 2, "{list}");
        let piped = Paint {
            terminal: false,
            ..Paint::plain(60)
        };
        let list = piped.list(&["Run", "Title"], rows());
        assert_eq!(list.lines().count(), 2, "{list}");
    }

    #[test]
    fn facts_without_a_value_are_left_out() {
        let facts = Paint::plain(60).facts(&[
            ("Run", "r".to_owned()),
            ("Nothing", String::new()),
            ("Model", "m".to_owned()),
        ]);
        assert_eq!(facts, "Run      r\nModel    m\n");
    }
}
