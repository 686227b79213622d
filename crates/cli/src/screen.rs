//! Output to the terminal: results to stdout, progress to stderr.

use std::io::{self, IsTerminal as _, Write as _};

use comfy_table::{
    Attribute, Cell, Color, ColumnConstraint, ContentArrangement, Table, presets::NOTHING,
};
use dropcast_api_types::{ErrorDetail, ErrorDocument};
use dropcast_domain::status::Status;
use serde::Serialize;

use crate::exit::{CliError, Exit};

/// The minimum width for which text is laid out, in columns.
const MIN_WIDTH: u16 = 40;

/// The maximum width, so that sentences stay readable.
const MAX_WIDTH: u16 = 120;

/// The width of output to a file or a pipe, in columns.
const PIPE_WIDTH: u16 = 100;

/// How output is shown.
#[derive(Debug, Clone, Copy)]
pub struct Screen {
    /// Whether the result is one JSON document.
    pub json: bool,
    /// The style of stdout.
    pub style: Style,
    /// The style of stderr.
    pub stderr_style: Style,
    /// Whether live progress is shown on stderr.
    pub live: bool,
}

impl Screen {
    /// The screen of this process. Colours are used on terminals only, and not if `NO_COLOR` is set (<https://no-color.org>) or `TERM` is `dumb`.
    pub fn new(json: bool) -> Self {
        let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
        let dumb = set("TERM").is_some_and(|term| term == "dumb");
        let use_color = set("NO_COLOR").is_none() && !dumb;
        let (out, err) = (io::stdout().is_terminal(), io::stderr().is_terminal());
        let width = terminal_size::terminal_size().map_or(PIPE_WIDTH, |(width, _)| width.0);
        Self {
            json,
            style: Style::of(use_color, out, width),
            stderr_style: Style::of(use_color, err, width),
            live: err && !dumb,
        }
    }

    /// Shows a result: the document with `--json`, the text otherwise.
    pub fn show<T: Serialize>(
        self,
        document: &T,
        text: impl FnOnce(Style) -> String,
    ) -> anyhow::Result<()> {
        let mut output = if self.json {
            serde_json::to_string_pretty(document)?
        } else {
            text(self.style)
        };
        if !output.is_empty() && !output.ends_with('\n') {
            output.push('\n');
        }
        self.write(&output)
    }

    /// Writes to stdout. A closed pipe (`| head`) is not an error.
    pub fn write(self, text: &str) -> anyhow::Result<()> {
        let mut out = io::stdout().lock();
        match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
            _ => Ok(()),
        }
    }

    /// Writes a line to stderr.
    pub fn note(self, line: &str) {
        // If stderr is closed, nobody can read the line.
        let _ = writeln!(io::stderr().lock(), "{line}");
    }

    /// Reports the error with which the command ended.
    pub fn report(self, error: &CliError) -> Exit {
        let style = self.stderr_style;
        let advice = error.advice.as_deref().unwrap_or_default();
        if self.json {
            let document = ErrorDocument {
                error: ErrorDetail {
                    exit_code: error.exit,
                    message: &error.message,
                    advice: error.advice.as_deref(),
                },
            };
            // An error in reporting an error cannot be reported.
            let _ = self.show(&document, |_| String::new());
        } else {
            self.note(&format!("{} {}", style.failure("error:"), error.message));
            if !advice.is_empty() {
                self.note(&format!("{} {advice}", style.dim("What to do:")));
            }
        }
        error.exit
    }
}

/// Colours and width of output.
#[derive(Debug, Clone, Copy)]
pub struct Style {
    /// Whether to use colours.
    pub on: bool,
    /// The width in columns.
    pub width: u16,
    /// Whether the output is a terminal.
    pub terminal: bool,
}

impl Style {
    /// The style of a stream: without colours and with a fixed width, unless it is a terminal.
    fn of(use_color: bool, terminal: bool, width: u16) -> Self {
        Self {
            on: use_color && terminal,
            width: if terminal {
                width.clamp(MIN_WIDTH, MAX_WIDTH)
            } else {
                PIPE_WIDTH
            },
            terminal,
        }
    }

    /// A style without colours, for a terminal of this width.
    #[cfg(test)]
    pub(crate) fn plain(width: u16) -> Self {
        Self {
            on: false,
            width,
            terminal: true,
        }
    }

    /// Text about a success.
    pub fn success(self, text: &str) -> String {
        self.apply("32", text)
    }

    /// Text about a failure.
    pub fn failure(self, text: &str) -> String {
        self.apply("1;31", text)
    }

    /// Important text.
    pub fn bold(self, text: &str) -> String {
        self.apply("1", text)
    }

    /// Secondary text.
    pub fn dim(self, text: &str) -> String {
        self.apply("2", text)
    }

    /// A run's status.
    pub fn status(self, status: Status) -> String {
        self.apply(status_code(status), status.as_str())
    }

    fn apply(self, code: &str, text: &str) -> String {
        if self.on && !code.is_empty() && !text.is_empty() {
            format!("\u{1b}[{code}m{text}\u{1b}[0m")
        } else {
            text.to_owned()
        }
    }

    /// A table without borders. All its cells are wrapped to the width.
    pub fn format_table(self, head: &[&str], rows: impl IntoIterator<Item = Vec<Cell>>) -> String {
        self.lay_out(head, rows, ContentArrangement::Dynamic, |_| {})
    }

    /// A table without borders, from which values can be copied: only the last column is wrapped, and
    /// in a pipe each row is one line.
    pub fn format_list(self, head: &[&str], rows: impl IntoIterator<Item = Vec<Cell>>) -> String {
        if !self.terminal {
            return self.lay_out(head, rows, ContentArrangement::Disabled, |_| {});
        }
        self.lay_out(head, rows, ContentArrangement::Dynamic, |table| {
            let last = table.column_count().saturating_sub(1);
            for column in table.column_iter_mut().take(last) {
                column.set_constraint(ColumnConstraint::ContentWidth);
            }
        })
    }

    fn lay_out(
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

    /// One label and value per line, with aligned values. Empty values are left out.
    pub fn format_fields(self, fields: &[(&str, String)]) -> String {
        let widest = fields
            .iter()
            .map(|(label, _)| label.chars().count())
            .max()
            .unwrap_or_default();
        crate::messages::join_lines(
            fields
                .iter()
                .filter(|(_, value)| !value.is_empty())
                .map(|(label, value)| {
                    format!("{}  {value}", self.dim(&format!("{label:widest$}")))
                }),
        )
    }
}

/// A table cell with a run's status.
pub fn status_cell(status: Status) -> Cell {
    let cell = Cell::new(status);
    match status {
        Status::Succeeded => cell.fg(Color::DarkGreen),
        Status::Failed | Status::Cancelled => cell.fg(Color::DarkRed),
        Status::Rejected => cell.fg(Color::DarkYellow),
        _ => cell.fg(Color::DarkCyan),
    }
}

/// The terminal code of a status's colour.
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
        assert_eq!(Style::plain(60).failure("no"), "no");
        assert_eq!(Style::plain(60).status(Status::Failed), "failed");
        assert!(
            !Style::plain(60)
                .format_table(&["status"], [vec![status_cell(Status::Failed)]])
                .contains('\u{1b}')
        );
    }

    #[test]
    fn colours_are_used_when_they_are_on() {
        let style = Style {
            on: true,
            ..Style::plain(60)
        };
        assert_eq!(style.status(Status::Failed), "\u{1b}[31mfailed\u{1b}[0m");
        assert!(
            style
                .format_table(&["status"], [vec![status_cell(Status::Failed)]])
                .contains('\u{1b}')
        );
    }

    #[test]
    fn a_table_is_aligned_and_wrapped_to_the_width() {
        let table = Style::plain(60).format_table(
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
    fn a_list_wraps_only_its_last_column_and_nothing_in_a_pipe() {
        let id = "mfrggzdfmztwq2lknnwg23tpoa";
        let rows = || [vec![Cell::new(id), Cell::new("a long title ".repeat(6))]];
        let list = Style::plain(60).format_list(&["Run", "Title"], rows());
        assert!(list.contains(id) && list.lines().count() > 2, "{list}");
        let piped = Style {
            terminal: false,
            ..Style::plain(60)
        };
        let list = piped.format_list(&["Run", "Title"], rows());
        assert_eq!(list.lines().count(), 2, "{list}");
    }

    #[test]
    fn fields_without_a_value_are_left_out() {
        let fields = Style::plain(60).format_fields(&[
            ("Run", "r".to_owned()),
            ("Nothing", String::new()),
            ("Model", "m".to_owned()),
        ]);
        assert_eq!(fields, "Run      r\nModel    m\n");
    }
}
