//! The problems of an input as text, with the wording of the mail.

use std::fmt::Write as _;

use dropcast_api_types::RejectionView;
use dropcast_domain::problem::ProblemList;
use dropcast_inputs::file::FileRejection;
use dropcast_mail::ProblemRow;

use crate::{messages, screen::Style};

/// The indentation before each label, and the label's width, in columns.
const INDENT: usize = 5;
const LABEL: usize = 9;

/// Renders the problems, numbered, and how many more there are.
pub(crate) fn render(list: &ProblemList, style: Style) -> String {
    let mut text = String::new();
    for (index, problem) in list.problems.iter().enumerate() {
        let row = ProblemRow::from(problem);
        let number = format!("{:>3}  ", index + 1);
        for (at, line) in wrap(&row.place, style, INDENT).into_iter().enumerate() {
            let prefix = if at == 0 { number.as_str() } else { "     " };
            let _ = writeln!(text, "{prefix}{}", style.bold(&line));
        }
        for (label, value) in [
            ("Found", row.found),
            ("Allowed", row.allowed),
            ("Note", row.hint),
        ] {
            text += &render_label(label, &value, style);
        }
    }
    match list.more {
        0 => {}
        more => {
            let _ = writeln!(
                text,
                "     and {}",
                messages::format_count(more, "more problem")
            );
        }
    }
    text
}

/// Turns a rejection into its document.
pub(crate) fn to_rejection_view(rejected: &FileRejection) -> RejectionView {
    RejectionView {
        code: rejected.code,
        message: rejected.message(),
        advice: rejected.code.advice(),
    }
}

fn render_label(label: &str, value: &str, style: Style) -> String {
    let mut text = String::new();
    for (at, line) in wrap(value, style, INDENT + LABEL).iter().enumerate() {
        let label = if at == 0 { label } else { "" };
        let label = style.dim(&format!("{label:LABEL$}"));
        let _ = writeln!(text, "{:INDENT$}{label}{line}", "");
    }
    text
}

/// Wraps text into lines that fit after an indentation; none if it is empty.
fn wrap(text: &str, style: Style, indent: usize) -> Vec<String> {
    let width_left = usize::from(style.width).saturating_sub(indent).max(20);
    let mut lines: Vec<String> = Vec::new();
    let mut length = width_left;
    for word in messages::sanitize(text).split_whitespace() {
        let width = word.chars().count();
        match lines.last_mut() {
            Some(line) if length + 1 + width <= width_left => {
                line.push(' ');
                line.push_str(word);
                length += 1 + width;
            }
            _ => {
                lines.push(word.to_owned());
                length = width;
            }
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use dropcast_domain::problem::Problem;

    use super::*;

    #[test]
    fn a_problem_of_many_cells_shows_their_number_and_location() {
        let problem = Problem::new("Plan!C7", "\"ten\"", "a number")
            .with_hint("Write 10.")
            .with_count(211, ["Plan!C9", "Plan!C12"]);
        let list = ProblemList {
            problems: vec![problem, Problem::new("", "nothing", "a table")],
            more: 1,
        };
        let text = render(&list, Style::plain(60));
        assert_eq!(
            text,
            "  1  Plan!C7 and 210 more\n     Found    \"ten\"\n     Allowed  a number\n     \
             Note     Write 10.\n  2  The whole file\n     Found    nothing\n     \
             Allowed  a table\n     and 1 more problem\n"
        );
    }

    #[test]
    fn long_text_is_wrapped_and_a_long_word_has_its_own_line() {
        let problem = Problem::new("/a", &"word ".repeat(30), &"x".repeat(80));
        let text = render(&ProblemList::of(problem), Style::plain(60));
        let long: Vec<&str> = text
            .lines()
            .filter(|line| line.chars().count() > 60)
            .collect();
        assert_eq!(long.len(), 1, "{text}");
    }
}
