//! What is wrong with an input: where, what was found, what is allowed.
//!
//! Problems are shown to the person who uploaded the file. They never contain more than
//! [`EXCERPT_CHARS`] characters of the file in one piece, and no characters that could hide or
//! reverse the text around them.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::text::{EXCERPT_CHARS, excerpt, visible};

/// The maximum number of problems in a list; further ones are counted.
pub const MAX_PROBLEMS: usize = 100;

/// The most characters of a whole sentence, which holds several excerpts.
const SENTENCE_CHARS: usize = 1_000;

/// Words longer than this get no suggestion: comparing costs length × length.
const MAX_COMPARED: usize = 64;

/// The maximum number of further places that a problem names.
pub const MAX_OTHERS: usize = 5;

/// One thing that is wrong at one place, or the same thing at several places of a table.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Problem {
    /// The location: a JSON Pointer (RFC 6901) in JSON, `Plan!C7` in a workbook, `row 7, column growth` in a
    /// CSV file; the empty text is the whole file. A place of more than 200 characters has its middle
    /// left out (`…`).
    #[schemars(length(max = EXCERPT_CHARS))]
    pub at: String,
    /// What was found there, as it is shown to users: `"ten"`, `an empty list`.
    #[schemars(length(max = EXCERPT_CHARS))]
    pub found: String,
    /// What is allowed there: `a number`, `one of "month" or "year"`.
    #[schemars(length(max = EXCERPT_CHARS))]
    pub allowed: String,
    /// The whole problem in one or two sentences.
    #[schemars(length(max = SENTENCE_CHARS))]
    pub message: String,
    /// The number of cells or rows that have this problem: similar problems of a table are grouped.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    #[schemars(range(min = 1), extend("default" = 1))]
    pub count: u64,
    /// Further places that have this problem, at most five.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = MAX_OTHERS), inner(length(max = EXCERPT_CHARS)))]
    pub others: Vec<String>,
}

fn one() -> u64 {
    1
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "Serde hands out a reference."
)]
fn is_one(count: &u64) -> bool {
    *count == 1
}

impl Problem {
    /// A problem whose sentence follows from its parts:
    /// `At /growth/0: found "ten"; a number is allowed.`
    pub fn new(at: &str, found: &str, allowed: &str) -> Self {
        let place = place(at);
        let sentence = format!(
            "{place}: found {}; {} is allowed.",
            excerpt(found),
            excerpt(allowed)
        );
        Self::with_message(at, found, allowed, &sentence)
    }

    /// A problem with a sentence of its own.
    pub fn with_message(at: &str, found: &str, allowed: &str, message: &str) -> Self {
        Self {
            at: short_place(at),
            found: excerpt(found),
            allowed: excerpt(allowed),
            message: visible(message, SENTENCE_CHARS),
            count: 1,
            others: Vec::new(),
        }
    }

    /// The same problem for `count` places in all, of which `others` are the next ones.
    #[must_use]
    pub fn with_count<'a>(mut self, count: u64, others: impl IntoIterator<Item = &'a str>) -> Self {
        self.count = count.max(1);
        self.others = others
            .into_iter()
            .take(MAX_OTHERS)
            .map(short_place)
            .collect();
        self
    }

    /// The same problem with one more sentence: what to do.
    #[must_use]
    pub fn with_hint(mut self, hint: &str) -> Self {
        self.message = visible(&format!("{} {hint}", self.message), SENTENCE_CHARS);
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// The problems of one input: the first [`MAX_PROBLEMS`], and how many more there are.
///
/// Its serialized form is the run's file `problems.json`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(
    title = "Problems of a rejected input",
    description = "The file `problems.json` of a run: why its input was rejected."
)]
pub struct ProblemList {
    /// The first hundred problems, in the order in which they were found; similar problems of a table
    /// are put together, the most frequent first.
    #[schemars(length(max = MAX_PROBLEMS))]
    pub problems: Vec<Problem>,
    /// The number of problems that are not in the list, each occurrence counted.
    pub more: u64,
}

impl ProblemList {
    /// A list that holds one problem.
    pub fn of(problem: Problem) -> Self {
        Self {
            problems: vec![problem],
            more: 0,
        }
    }

    /// Adds a problem, unless the list already shows the very same one.
    pub fn push(&mut self, problem: Problem) {
        self.push_with(|| problem);
    }

    /// Adds a problem that is only put into words while the list has room for it,
    /// so that a million problems cost a million increments.
    pub fn push_with(&mut self, problem: impl FnOnce() -> Problem) {
        if self.problems.len() >= MAX_PROBLEMS {
            self.more += 1;
            return;
        }
        let problem = problem();
        if !self.problems.contains(&problem) {
            self.problems.push(problem);
        }
    }

    /// Adds another list's problems behind this one's.
    pub fn append(&mut self, other: Self) {
        for problem in other.problems {
            self.push(problem);
        }
        self.more += other.more;
    }

    /// Whether nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.problems.is_empty() && self.more == 0
    }

    /// How many problems there are, shown or not, each occurrence in the file counted.
    pub fn total(&self) -> u64 {
        self.problems.iter().fold(self.more, |total, problem| {
            total.saturating_add(problem.count)
        })
    }

    /// Sorts by the number of places, the most frequent problem first; ties keep their order.
    pub fn sort_by_frequency(&mut self) {
        self.problems
            .sort_by_key(|problem| std::cmp::Reverse(problem.count));
    }
}

impl fmt::Display for ProblemList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.problems.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            f.write_str(&problem.message)?;
        }
        match self.more {
            0 => Ok(()),
            1 => f.write_str("\nThere is 1 more problem."),
            more => write!(f, "\nThere are {more} more problems."),
        }
    }
}

impl std::error::Error for ProblemList {}

/// How a sentence names a place: `At /growth/0`, or `In the document` for the whole.
pub fn place(at: &str) -> String {
    if at.is_empty() {
        "In the document".to_owned()
    } else {
        format!("At {}", short_place(at))
    }
}

/// One segment of a JSON Pointer, escaped as RFC 6901 says.
pub fn pointer_segment(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

/// The nearest of several known words, if it is near enough to be what was meant.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if word.chars().count() > MAX_COMPARED {
        return None;
    }
    let folded = folded(word);
    known
        .into_iter()
        .filter(|candidate| candidate.len() <= MAX_COMPARED)
        .map(|candidate| {
            (
                strsim::damerau_levenshtein(&folded, &self::folded(candidate)),
                candidate,
            )
        })
        .filter(|(distance, candidate)| {
            // One slip in a short word, two in a longer one, three in a long one.
            let length = candidate.chars().count().max(folded.chars().count());
            *distance <= if length <= 3 { 0 } else { 1 + length / 6 }.min(3)
                && *distance < candidate.chars().count()
        })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// A word without case and separators, in which most slips are made.
fn folded(word: &str) -> String {
    word.chars()
        .filter(|c| !matches!(c, '-' | '_' | ' '))
        .flat_map(char::to_lowercase)
        .collect()
}

/// A place with its middle left out when it is long: its end says most.
fn short_place(at: &str) -> String {
    let shown = visible(at, usize::MAX / 4);
    let count = shown.chars().count();
    if count <= EXCERPT_CHARS {
        return shown;
    }
    let head: String = shown.chars().take(EXCERPT_CHARS / 4).collect();
    let tail: String = shown
        .chars()
        .skip(count - (EXCERPT_CHARS - EXCERPT_CHARS / 4 - 1))
        .collect();
    format!("{head}…{tail}")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::text::{is_written_out, quoted};

    #[test]
    fn a_problem_reads_as_a_sentence() {
        let problem = Problem::new("/growth/0/percent", &quoted("ten"), "a number");
        assert_eq!(
            problem.to_string(),
            "At /growth/0/percent: found \"ten\"; a number is allowed."
        );
        let problem = Problem::new("", "a list", "an object").with_hint("Put it in braces.");
        assert_eq!(
            problem.message,
            "In the document: found a list; an object is allowed. Put it in braces."
        );
    }

    #[test]
    fn hidden_characters_are_written_out() {
        assert_eq!(quoted("a\u{202e}b\n\u{0}"), "\"a\\u202eb\\n\\u0000\"");
        assert_eq!(Problem::new("/a\u{202e}b", "x", "y").at, "/a\\u202eb");
    }

    #[test]
    fn a_list_keeps_a_hundred_and_counts_the_rest() {
        let mut list = ProblemList::default();
        for index in 0..1_000_000_u32 {
            list.push_with(|| Problem::new(&format!("/{index}"), "1", "text"));
        }
        assert_eq!(
            (list.problems.len(), list.more, list.total()),
            (100, 999_900, 1_000_000)
        );
        assert!(
            list.to_string()
                .ends_with("There are 999900 more problems.")
        );
    }

    #[test]
    fn the_same_problem_is_shown_once() {
        let mut list = ProblemList::of(Problem::new("/a", "1", "text"));
        list.push(Problem::new("/a", "1", "text"));
        assert_eq!(list.total(), 1);
    }

    #[test]
    fn a_problem_of_many_cells_counts_as_many_and_comes_first() {
        let one = Problem::new("Plan!B3", "an empty cell", "text");
        let many = Problem::with_message(
            "Plan!C7",
            "text",
            "a number",
            "Column growth: 214 cells are not numbers.",
        )
        .with_count(214, ["Plan!C9", "a\u{202e}b"]);
        assert_eq!(many.others, ["Plan!C9", "a\\u202eb"]);
        let mut list = ProblemList {
            problems: vec![one.clone(), many.clone()],
            more: 10,
        };
        assert_eq!(list.total(), 225);
        list.sort_by_frequency();
        assert_eq!(list.problems, [many, one]);
    }

    #[test]
    fn a_slip_gets_a_suggestion_and_another_word_none() {
        let known = ["growth_percent", "horizon_months", "title"];
        assert_eq!(nearest("growht_percent", known), Some("growth_percent"));
        assert_eq!(nearest("GrowthPercent", known), Some("growth_percent"));
        assert_eq!(nearest("titel", known), Some("title"));
        assert_eq!(nearest("colour", known), None);
        assert_eq!(nearest("a", ["b", "c"]), None);
        assert_eq!(nearest(&"t".repeat(1_000_000), known), None);
    }

    #[test]
    fn the_serialized_list_agrees_with_its_schema() {
        let schema: serde_json::Value =
            serde_json::from_str(include_str!("../../../schemas/problems.schema.json")).unwrap();
        let validator = jsonschema::validator_for(&schema).unwrap();
        let mut list = ProblemList::default();
        assert!(validator.is_valid(&serde_json::to_value(&list).unwrap()));
        for index in 0..150 {
            list.push(Problem::new(
                &format!("/{index}/{}", "k".repeat(400)),
                &"v".repeat(4_000),
                "a number",
            ));
        }
        list.problems[0] = list.problems[0].clone().with_count(9, ["Plan!C9"]);
        let value = serde_json::to_value(&list).unwrap();
        assert!(
            validator.is_valid(&value),
            "{:?}",
            validator.validate(&value).err()
        );
        assert_eq!(serde_json::from_value::<ProblemList>(value).unwrap(), list);
        assert!(!validator.is_valid(&serde_json::json!({"problems": [{"at": "/a"}], "more": 0})));
    }

    proptest! {
        #[test]
        fn no_excerpt_is_long_or_hides_anything(text in any::<String>(), times in 1_usize..200) {
            let text = text.repeat(times);
            let problem = Problem::new(&text, &text, &text).with_hint(&text);
            for part in [&problem.at, &problem.found, &problem.allowed] {
                prop_assert!(part.chars().count() <= EXCERPT_CHARS);
                prop_assert!(!part.chars().any(is_written_out));
            }
            prop_assert!(problem.message.chars().count() <= SENTENCE_CHARS);
            prop_assert!(!problem.message.chars().any(is_written_out));
        }

        #[test]
        fn a_short_plain_text_is_shown_whole(text in "[a-zA-Z0-9é€ ]{0,190}") {
            prop_assert_eq!(quoted(&text), format!("\"{text}\""));
        }
    }
}
