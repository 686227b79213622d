//! Names of columns, in a header and in the schema.

use std::collections::{BTreeSet, HashMap};

use dropcast_domain::text::quoted;
use dropcast_workbook::{Cell, CellTextProblem};

use crate::table::convert;

/// The longest name of a column in characters: that of the manifest's own names.
const MAX_NAME_LENGTH: usize = 255;

/// How many names a sentence lists.
const LISTED: usize = 12;

/// The content of a header cell.
pub(super) struct Name {
    /// The name, empty where there is none; what is shown of the cell where it is refused.
    pub(super) text: String,
    /// Why it can be no name.
    pub(super) problem: Option<CellTextProblem>,
}

impl Name {
    pub(super) fn of(cell: &Cell) -> Self {
        let refused = |allowed, hint| {
            Err(CellTextProblem {
                found: convert::found(cell),
                allowed,
                hint,
            })
        };
        let text = match cell {
            Cell::Text(text) if text.trim().chars().count() > MAX_NAME_LENGTH => {
                let start: String = text.trim().chars().take(40).collect();
                Err(CellTextProblem {
                    found: quoted(&format!("{start}…")),
                    allowed: "a name of at most 255 characters",
                    hint: "Shorten it.",
                })
            }
            Cell::Text(text) => Ok(text.trim().to_owned()),
            Cell::Empty | Cell::Number(_) | Cell::Percent(_) | Cell::DateTime(_) => {
                Ok(convert::as_text(cell))
            }
            Cell::Bool(_) | Cell::Unusable(_) => refused(
                "a column's name as text",
                "Write the name, and give the cell the format Text.",
            ),
            Cell::Error(_) | Cell::Uncomputed => refused(
                "a column's name as text",
                "The formula in this cell has no result: write the name.",
            ),
            Cell::UnusableText(unusable) => Err((**unusable).clone()),
        };
        match text {
            Ok(text) => Self {
                text,
                problem: None,
            },
            Err(unusable) => Self {
                text: unusable.found.clone(),
                problem: Some(unusable),
            },
        }
    }
}

/// Which of the wanted names each name is: the same, or the only one that differs in nothing
/// but case and the characters between words, or the only one whose title it is.
pub(super) fn match_names<'w>(
    names: &[Name],
    wanted: &[&'w str],
    title: impl Fn(&str) -> Option<String>,
) -> Vec<Option<&'w str>> {
    let exact: HashMap<&str, &'w str> = wanted.iter().map(|&name| (name, name)).collect();
    let mut folded: HashMap<String, Option<&'w str>> = HashMap::new();
    let mut titled: HashMap<String, Option<&'w str>> = HashMap::new();
    let put = |known: &mut HashMap<String, Option<&'w str>>, text: &str, name: &'w str| {
        known
            .entry(fold(text))
            .and_modify(|known| *known = None)
            .or_insert(Some(name));
    };
    for &name in wanted {
        put(&mut folded, name, name);
        if let Some(title) = title(name) {
            put(&mut titled, &title, name);
        }
    }
    names
        .iter()
        .map(|name| {
            if name.problem.is_some() {
                return None;
            }
            let bare = fold(&name.text);
            exact.get(name.text.as_str()).copied().or_else(|| {
                let known = folded.get(&bare).or_else(|| titled.get(&bare));
                known.copied().flatten()
            })
        })
        .collect()
}

/// The words of a name; a symbol such as `%` is none.
pub(super) struct NameWords(BTreeSet<String>);

impl NameWords {
    pub(super) fn of(name: &str) -> Self {
        let words = name.split(|c: char| !c.is_alphanumeric());
        let words = words.filter(|word| !word.is_empty());
        Self(words.map(str::to_lowercase).collect())
    }

    /// Whether one has all words of the other: `growth_percent` and `Growth %`.
    pub(super) fn are_near(&self, other: &Self) -> bool {
        !self.0.is_empty()
            && !other.0.is_empty()
            && (self.0.is_subset(&other.0) || other.0.is_subset(&self.0))
    }
}

/// A name without regard to case and to the characters between its words.
pub(in crate::table) fn fold(name: &str) -> String {
    name.chars()
        .filter(|c| !matches!(c, '-' | '_') && !c.is_whitespace())
        .flat_map(char::to_lowercase)
        .collect()
}

/// `"a", "b" and "c"`; what exceeds [`LISTED`] is counted.
pub(in crate::table) fn list<S: AsRef<str>>(names: &[S]) -> String {
    let more = names.len().saturating_sub(LISTED);
    let shown: Vec<String> = names
        .iter()
        .take(LISTED)
        .map(|name| quoted(name.as_ref()))
        .collect();
    match shown.as_slice() {
        [] => "none".to_owned(),
        _ if more > 0 => format!("{} and {more} more", shown.join(", ")),
        [only] => only.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}
