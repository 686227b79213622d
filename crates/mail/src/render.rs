//! A mail's content as HTML and as plain text.
//!
//! The HTML template escapes every value. The plain one needs no escaping:
//! [`crate::compose`] gives single lines only, and each follows
//! a text of ours or an indentation.

use std::fmt::Write as _;

use askama::Template;
use dropcast_domain::mail::{MailKind, MailTopic};
use thiserror::Error;

use crate::{ChartRow, Fact, InputSection, InputValue, MailContent, OutputRow};

/// The content id under which the HTML shows the inline chart.
pub const CHART_ID: &str = "chart@dropcast";

/// The widest line of the plain text, in characters; a link may be longer.
pub const COLUMNS: usize = 76;

/// The end of every mail.
const FOOTER: &str = "This mail was sent automatically by Dropcast. Replies are not read.";

/// A template failed; only a write that fails can make it, and writing to memory does not.
#[derive(Debug, Error)]
#[error("the mail could not be rendered")]
pub struct RenderError(#[from] askama::Error);

/// A mail's content as text and as HTML, the same for every recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    /// Plain text, lines ended by `\n`.
    pub text: String,
    /// HTML without an image.
    pub html: String,
    /// HTML that shows the inline image [`CHART_ID`], where there is a chart to show.
    pub html_with_chart: Option<String>,
}

/// Renders a mail; `with_chart` says whether the chart's content is at hand.
pub fn render(content: &MailContent, with_chart: bool) -> Result<Rendered, RenderError> {
    let look = MailStyle::of(content.kind);
    let html = HtmlMail {
        content,
        chart: None,
        cid: CHART_ID,
        look,
        footer: FOOTER,
    };
    let chart = content.chart.as_ref().filter(|_| with_chart);
    Ok(Rendered {
        text: TextMail {
            content,
            footer: FOOTER,
        }
        .render()?,
        html_with_chart: chart
            .map(|chart| {
                HtmlMail {
                    chart: Some(chart),
                    ..html
                }
                .render()
            })
            .transpose()?,
        html: html.render()?,
    })
}

#[derive(Clone, Copy, Template)]
#[template(path = "mail.html")]
struct HtmlMail<'a> {
    content: &'a MailContent,
    chart: Option<&'a ChartRow>,
    cid: &'static str,
    look: MailStyle,
    footer: &'static str,
}

#[derive(Template)]
#[template(path = "mail.txt", escape = "none")]
struct TextMail<'a> {
    content: &'a MailContent,
    footer: &'static str,
}

/// The colours of one kind of mail.
#[derive(Clone, Copy)]
struct MailStyle {
    /// The class that dark mode recolours.
    class: &'static str,
    /// For words and buttons; at least 4.5 : 1 against white.
    strong: &'static str,
    /// For the ground under a few words.
    pale: &'static str,
}

impl MailStyle {
    fn of(kind: MailKind) -> Self {
        match kind {
            MailKind::Succeeded => Self {
                class: "ready",
                strong: "#0b6b62",
                pale: "#e8f4f2",
            },
            MailKind::Failed => Self {
                class: "failed",
                strong: "#b3261e",
                pale: "#fcefee",
            },
            MailKind::Rejected => Self {
                class: "rejected",
                strong: "#96520a",
                pale: "#fdf4e6",
            },
            MailKind::Cancelled => Self {
                class: "cancelled",
                strong: "#4d5661",
                pale: "#eef0f3",
            },
        }
    }
}

/// Whose last lines a mail shows.
fn log_of(content: &MailContent) -> &'static str {
    match content.topic {
        MailTopic::Run(_) => "model",
        MailTopic::Build(_) => "build",
    }
}

impl HtmlMail<'_> {
    fn log_of(&self) -> &'static str {
        log_of(self.content)
    }

    fn more_problems(&self) -> Option<String> {
        more_problems(self.content)
    }

    fn more_values(&self) -> Option<String> {
        more_values(self.content)
    }

    /// The log with its indentation kept by spaces that no mail program folds.
    fn log(&self) -> impl Iterator<Item = String> {
        self.content.log.iter().map(|line| {
            let text = line.trim_start_matches(' ');
            // An indentation deeper than this would leave no room on a phone.
            format!(
                "{}{text}",
                "\u{a0}".repeat((line.len() - text.len()).min(12))
            )
        })
    }
}

impl TextMail<'_> {
    fn log_of(&self) -> String {
        log_of(self.content).to_uppercase()
    }

    fn about(&self) -> String {
        self.content.topic.noun().to_uppercase()
    }

    fn more_problems(&self) -> Option<String> {
        more_problems(self.content)
    }

    fn more_values(&self) -> Option<String> {
        more_values(self.content)
    }

    fn wrap(first: impl AsRef<str>, rest: &str, text: impl AsRef<str>) -> String {
        wrap(first.as_ref(), rest, text.as_ref())
    }

    fn underline(&self) -> String {
        "=".repeat(self.content.headline.chars().count().min(COLUMNS))
    }

    fn number(index: impl std::fmt::Display) -> String {
        format!("{:>6}", format!("{index}. "))
    }

    fn indent(group: &InputSection) -> &'static str {
        if group.heading.is_empty() {
            "  "
        } else {
            "    "
        }
    }

    fn said(row: &InputValue) -> String {
        let mark = if row.is_default { " (default)" } else { "" };
        format!("{}: {}{mark}", row.label, row.value)
    }

    fn sized(output: &OutputRow) -> String {
        format!("{} ({}, {})", output.file, output.kind, output.size)
    }

    fn labelled(fact: &Fact) -> String {
        format!("  {:<20}", format!("{}:", fact.label))
    }
}

fn more_problems(content: &MailContent) -> Option<String> {
    let more = more(content.more_problems, "problem", "problems")?;
    Some(format!(
        "{more} Correct these first; the others are listed when you upload the file again."
    ))
}

fn more_values(content: &MailContent) -> Option<String> {
    more(content.input.as_ref()?.more, "value", "values")
}

fn more(number: u64, one: &str, many: &str) -> Option<String> {
    (number > 0).then(|| {
        format!(
            "And {} more {}.",
            number,
            if number == 1 { one } else { many }
        )
    })
}

/// Breaks a text into lines of at most [`COLUMNS`] characters.
///
/// `first` begins the first line and `rest` every further one; both are short.
/// Spaces at the beginning of the text stay, and a word that is longer than a
/// line is cut.
fn wrap(first: &str, rest: &str, text: &str) -> String {
    let mut out = first.to_owned();
    let mut column = first.chars().count();
    let margin = rest.chars().count();
    // Whether the line already holds a word, so that the next one needs a space.
    let mut begun = false;
    for word in text.split(' ') {
        let length = word.chars().count();
        if begun {
            if column + 1 + length <= COLUMNS {
                out.push(' ');
                column += 1;
            } else {
                let _ = write!(out, "\n{rest}");
                column = margin;
            }
        }
        begun = true;
        for c in word.chars() {
            if column >= COLUMNS {
                let _ = write!(out, "\n{rest}");
                column = margin;
            }
            out.push(c);
            column += 1;
        }
    }
    out.truncate(out.trim_end().len());
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_wrapped_at_words_and_long_words_are_cut() {
        let text = format!("{} {}", "word ".repeat(30).trim(), "x".repeat(200));
        let wrapped = wrap("  * ", "    ", &text);
        assert!(wrapped.lines().all(|line| line.chars().count() <= COLUMNS));
        assert!(wrapped.lines().skip(1).all(|line| line.starts_with("    ")));
        assert_eq!(
            wrapped.replace('\n', "").replace([' ', '*'], "").len(),
            30 * 4 + 200
        );
    }

    #[test]
    fn an_indented_line_stays_indented() {
        assert_eq!(
            wrap("  | ", "  |     ", "    raise ValueError"),
            "  |     raise ValueError"
        );
        assert_eq!(wrap("  | ", "  |     ", ""), "  |");
    }
}
