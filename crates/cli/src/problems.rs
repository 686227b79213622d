//! What is wrong with an input as text, in the words of the mail.

use std::fmt::Write as _;

use dropcast_domain::problem::ProblemList;
use dropcast_mail::ProblemRow;

use crate::{screen::Paint, words};

/// What stands before each label, and the label's own width, in columns.
const INDENT: usize = 5;
const LABEL: usize = 9;

/// The problems, numbered, and how many more there are.
pub(crate) fn text(list: &ProblemList, paint: Paint) -> String {
    let mut text = String::new();
    for (index, problem) in list.problems.iter().enumerate() {
        let row = ProblemRow::from(problem);
        let number = format!("{:>3}  ", index + 1);
        for (at, line) in wrapped(&row.place, paint, INDENT).into_iter().enumerate() {
            let before = if at == 0 { number.as_str() } else { "     " };
            let _ = writeln!(text, "{before}{}", paint.bold(&line));
        }
        for (label, said) in [
            ("Found", row.found),
            ("Allowed", row.allowed),
            ("Note", row.hint),
        ] {
            text += &labelled(label, &said, paint);
        }
    }
    match list.more {
        0 => {}
        more => {
            let _ = writeln!(text, "     and {}", words::counted(more, "more problem"));
        }
    }
    text
}

fn labelled(label: &str, said: &str, paint: Paint) -> String {
    let mut text = String::new();
    for (at, line) in wrapped(said, paint, INDENT + LABEL).iter().enumerate() {
        let label = if at == 0 { label } else { "" };
        let label = paint.dim(&format!("{label:LABEL$}"));
        let _ = writeln!(text, "{:INDENT$}{label}{line}", "");
    }
    text
}

/// Text as lines that fit beside what stands before them; none when it is empty.
fn wrapped(text: &str, paint: Paint, before: usize) -> Vec<String> {
    let most = usize::from(paint.width).saturating_sub(before).max(20);
    let mut lines: Vec<String> = Vec::new();
    let mut length = most;
    for word in words::printable(text).split_whitespace() {
        let width = word.chars().count();
        match lines.last_mut() {
            Some(line) if length + 1 + width <= most => {
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
    fn a_problem_of_many_cells_says_how_many_and_where() {
        let problem = Problem::new("Plan!C7", "\"ten\"", "a number")
            .hinted("Write 10.")
            .with_count(211, ["Plan!C9", "Plan!C12"]);
        let list = ProblemList {
            problems: vec![problem, Problem::new("", "nothing", "a table")],
            more: 1,
        };
        let text = text(&list, Paint::plain(60));
        assert_eq!(
            text,
            "  1  Plan!C7 and 210 more\n     Found    \"ten\"\n     Allowed  a number\n     \
             Note     Write 10.\n  2  The whole file\n     Found    nothing\n     \
             Allowed  a table\n     and 1 more problem\n"
        );
    }

    #[test]
    fn long_words_of_a_file_stay_within_the_screen_or_on_a_line_of_their_own() {
        let problem = Problem::new("/a", &"word ".repeat(30), &"x".repeat(80));
        let text = text(&ProblemList::of(problem), Paint::plain(60));
        let long: Vec<&str> = text
            .lines()
            .filter(|line| line.chars().count() > 60)
            .collect();
        assert_eq!(long.len(), 1, "{text}");
    }
}
