//! Reading TOML tables key by key, so that every problem carries its line and
//! all are reported together.

use std::ops::{Range, RangeInclusive};

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::parse::ManifestProblem;
use crate::{problem::nearest, text::quoted};

/// The problems that have been found so far.
pub(super) struct ManifestProblems<'t> {
    text: &'t str,
    problems: Vec<ManifestProblem>,
}

impl<'t> ManifestProblems<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self {
            text,
            problems: Vec::new(),
        }
    }

    /// Notes a problem at a place in the text.
    pub(super) fn note(&mut self, at: &Range<usize>, key: &str, message: impl Into<String>) {
        let before = self.text.get(..at.start).unwrap_or(self.text);
        let line = 1 + before.matches('\n').count();
        self.problems.push(ManifestProblem {
            line,
            key: key.to_owned(),
            message: message.into(),
        });
    }

    /// The number of problems so far.
    pub(super) fn len(&self) -> usize {
        self.problems.len()
    }

    /// Every problem, in the order of the lines.
    pub(super) fn into_sorted(mut self) -> Vec<ManifestProblem> {
        self.problems.sort_by_key(|problem| problem.line);
        self.problems
    }
}

/// A value with the key that leads to it and its place in the text.
pub(super) struct Item<T> {
    pub(super) key: String,
    pub(super) at: Range<usize>,
    pub(super) value: T,
}

/// One table of the manifest.
pub(super) struct Section<'a> {
    path: String,
    at: Range<usize>,
    table: &'a DeTable<'a>,
}

impl<'a> Section<'a> {
    pub(super) fn root(table: &'a Spanned<DeTable<'a>>) -> Self {
        Self {
            path: String::new(),
            at: 0..0,
            table: table.get_ref(),
        }
    }

    /// Where the table begins.
    pub(super) fn at(&self) -> &Range<usize> {
        &self.at
    }

    /// Whether the key is there at all.
    pub(super) fn holds(&self, name: &str) -> bool {
        self.table.contains_key(name)
    }

    /// The key with the sections that lead to it.
    pub(super) fn key(&self, name: &str) -> String {
        if self.path.is_empty() {
            name.to_owned()
        } else {
            format!("{}.{name}", self.path)
        }
    }

    fn value(&self, name: &str) -> Option<Item<&'a DeValue<'a>>> {
        let value = self.table.get(name)?;
        Some(Item {
            key: self.key(name),
            at: value.span(),
            value: value.get_ref(),
        })
    }

    /// Notes every key that is not one of `known`.
    pub(super) fn refuse_unknown_keys(&self, known: &[&str], problems: &mut ManifestProblems<'_>) {
        for key in self.table.keys() {
            let name: &str = key.get_ref();
            if known.contains(&name) {
                continue;
            }
            let advice = match nearest(name, known.iter().copied()) {
                Some(meant) => format!("did you mean {meant}?"),
                None => format!("the known keys are {}", known.join(", ")),
            };
            problems.note(
                &key.span(),
                &self.key(&crate::text::excerpt(name)),
                format!("is not a known key; {advice}"),
            );
        }
    }

    /// A table that must be there.
    pub(super) fn section(
        &self,
        name: &str,
        problems: &mut ManifestProblems<'_>,
    ) -> Option<Section<'a>> {
        let found = self.optional_section(name, problems);
        if found.is_none() && !self.holds(name) {
            problems.note(
                &self.at,
                &self.key(name),
                format!("is missing; add a section [{name}]"),
            );
        }
        found
    }

    /// A table that may be there.
    pub(super) fn optional_section(
        &self,
        name: &str,
        problems: &mut ManifestProblems<'_>,
    ) -> Option<Section<'a>> {
        let item = self.value(name)?;
        let DeValue::Table(table) = item.value else {
            problems.note(
                &item.at,
                &item.key,
                format!(
                    "is {}; write it as a section [{}]",
                    kind(item.value),
                    item.key
                ),
            );
            return None;
        };
        Some(Section {
            path: item.key,
            at: item.at,
            table,
        })
    }

    /// The tables of an array of tables; none when the key is absent.
    pub(super) fn sections(
        &self,
        name: &str,
        problems: &mut ManifestProblems<'_>,
    ) -> Vec<Section<'a>> {
        let mut sections = Vec::new();
        let Some(item) = self.value(name) else {
            return sections;
        };
        let advice = format!("write each as a section [[{name}]]");
        let DeValue::Array(array) = item.value else {
            problems.note(
                &item.at,
                &item.key,
                format!("is {}; {advice}", kind(item.value)),
            );
            return sections;
        };
        for (index, entry) in array.iter().enumerate() {
            let path = format!("{}[{index}]", item.key);
            match entry.get_ref() {
                DeValue::Table(table) => sections.push(Section {
                    path,
                    at: entry.span(),
                    table,
                }),
                other => problems.note(
                    &entry.span(),
                    &path,
                    format!("is {}; {advice}", kind(other)),
                ),
            }
        }
        sections
    }

    /// Text that must be there.
    pub(super) fn text(
        &self,
        name: &str,
        example: &str,
        problems: &mut ManifestProblems<'_>,
    ) -> Option<Item<&'a str>> {
        if !self.holds(name) {
            problems.note(
                &self.at,
                &self.key(name),
                format!("is missing; for example {name} = \"{example}\""),
            );
        }
        self.optional_text(name, problems)
    }

    /// Text that may be there.
    pub(super) fn optional_text(
        &self,
        name: &str,
        problems: &mut ManifestProblems<'_>,
    ) -> Option<Item<&'a str>> {
        let item = self.value(name)?;
        as_text(item, problems)
    }

    /// A list of texts; `None` when the key is absent or is no list of texts.
    pub(super) fn texts(
        &self,
        name: &str,
        problems: &mut ManifestProblems<'_>,
    ) -> Option<Item<Vec<Item<&'a str>>>> {
        let item = self.value(name)?;
        let DeValue::Array(array) = item.value else {
            problems.note(
                &item.at,
                &item.key,
                format!("is {}; write a list of strings in [ ]", kind(item.value)),
            );
            return None;
        };
        let before = problems.len();
        let value = array
            .iter()
            .enumerate()
            .filter_map(|(index, entry)| {
                let key = format!("{}[{index}]", item.key);
                as_text(
                    Item {
                        key,
                        at: entry.span(),
                        value: entry.get_ref(),
                    },
                    problems,
                )
            })
            .collect();
        (problems.len() == before).then_some(Item {
            key: item.key,
            at: item.at,
            value,
        })
    }

    /// A whole number within a range; `default` when the key is absent.
    pub(super) fn number(
        &self,
        name: &str,
        range: RangeInclusive<u64>,
        default: u64,
        problems: &mut ManifestProblems<'_>,
    ) -> Option<u64> {
        let Some(item) = self.value(name) else {
            return Some(default);
        };
        let number = match item.value {
            DeValue::Integer(integer) => {
                u64::from_str_radix(integer.as_str(), integer.radix()).ok()
            }
            other => {
                problems.note(
                    &item.at,
                    &item.key,
                    format!("is {}; write a whole number without quotes", kind(other)),
                );
                return None;
            }
        };
        let fitting = number.filter(|number| range.contains(number));
        if fitting.is_none() {
            let (least, most) = (range.start(), range.end());
            problems.note(
                &item.at,
                &item.key,
                format!("is out of range; write a number from {least} to {most}"),
            );
        }
        fitting
    }

    /// A number, whole or not, as it is written shortest; `Some(None)` when the key is absent,
    /// `None` when it is no number.
    #[expect(
        clippy::option_option,
        reason = "A key that is absent has a default; one that holds no number has none."
    )]
    pub(super) fn numeral(
        &self,
        name: &str,
        problems: &mut ManifestProblems<'_>,
    ) -> Option<Option<Item<String>>> {
        let Some(item) = self.value(name) else {
            return Some(None);
        };
        let value = match item.value {
            DeValue::Integer(integer) => u64::from_str_radix(integer.as_str(), integer.radix())
                .map_or_else(|_| integer.as_str().to_owned(), |number| number.to_string()),
            DeValue::Float(float) => match float.as_str().parse::<f64>() {
                Ok(number) => number.to_string(),
                Err(_) => float.as_str().to_owned(),
            },
            other => {
                problems.note(
                    &item.at,
                    &item.key,
                    format!("is {}; write a number without quotes", kind(other)),
                );
                return None;
            }
        };
        Some(Some(Item {
            key: item.key,
            at: item.at,
            value,
        }))
    }

    /// Every key with its text; `None` beside a key that holds no text, which is noted.
    pub(super) fn entries(
        &self,
        problems: &mut ManifestProblems<'_>,
    ) -> Vec<(&'a str, Option<Item<&'a str>>)> {
        self.table
            .keys()
            .map(|key| {
                let name: &str = key.get_ref();
                let item = self.value(name).and_then(|item| as_text(item, problems));
                (name, item)
            })
            .collect()
    }

    /// `true` or `false`; `default` when the key is absent.
    pub(super) fn flag(
        &self,
        name: &str,
        default: bool,
        problems: &mut ManifestProblems<'_>,
    ) -> Option<bool> {
        let Some(item) = self.value(name) else {
            return Some(default);
        };
        if let DeValue::Boolean(flag) = item.value {
            return Some(*flag);
        }
        problems.note(
            &item.at,
            &item.key,
            format!(
                "is {}; write true or false without quotes",
                kind(item.value)
            ),
        );
        None
    }
}

fn as_text<'a>(
    item: Item<&'a DeValue<'a>>,
    problems: &mut ManifestProblems<'_>,
) -> Option<Item<&'a str>> {
    if let DeValue::String(text) = item.value {
        return Some(Item {
            key: item.key,
            at: item.at,
            value: text,
        });
    }
    problems.note(
        &item.at,
        &item.key,
        format!("is {}; write a string in quotes", kind(item.value)),
    );
    None
}

/// What a value is, as it is named to a person.
fn kind(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(text) => format!("the text {}", quoted(text)),
        DeValue::Integer(number) => {
            format!("the number {}", crate::text::excerpt(number.as_str()))
        }
        DeValue::Float(number) => {
            format!("the number {}", crate::text::excerpt(number.as_str()))
        }
        DeValue::Boolean(flag) => format!("{flag}"),
        DeValue::Datetime(_) => "a date".to_owned(),
        DeValue::Array(_) => "a list".to_owned(),
        DeValue::Table(_) => "a section".to_owned(),
    }
}
