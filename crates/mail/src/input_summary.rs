//! An input document as the rows of a table that a person can read.

use std::collections::BTreeSet;

use dropcast_domain::text;
use serde_json::{Map, Value};

/// The most rows that are shown; the rest is counted.
pub const MAX_VALUES: usize = 40;

/// The longest value or label, in characters.
pub(crate) const VALUE_LENGTH: usize = 160;
const LABEL_LENGTH: usize = 80;

/// The most entries of a list that are shown in its row.
const LIST_ENTRIES: usize = 12;

/// A few values of at most so many bytes are shown side by side in one row.
const FIELDS_TOGETHER: usize = 5;
const SHORT_VALUE: usize = 16;

/// How deep a document is shown; what lies below is counted.
const DEPTH: usize = 6;

/// A summary of a run's input: its values by section.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct InputSummary {
    /// The sections; values outside any section come first, in one without a heading.
    pub sections: Vec<InputSection>,
    /// How many values are not shown.
    pub more: u64,
}

/// The values below one field of the document.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct InputSection {
    /// The field's title; empty for values outside any section.
    pub heading: String,
    /// The values, in the document's order.
    pub rows: Vec<InputValue>,
}

/// One value of the input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InputValue {
    /// What it is, by the schema's title or the field's own name.
    pub label: String,
    /// Its location in the document, as a JSON Pointer; empty for a table.
    pub pointer: String,
    /// The value as text.
    pub value: String,
    /// Whether the user left it out and the model's default was filled in.
    pub is_default: bool,
}

impl InputSummary {
    /// Flattens a document.
    ///
    /// `schema` lends its titles to the labels. `defaults` are the JSON
    /// Pointers of what the defaults filled in.
    pub(crate) fn from_document(
        document: &Value,
        schema: Option<&Value>,
        defaults: &[String],
    ) -> Self {
        let defaults = defaults.iter().map(String::as_str).collect();
        let mut walk = Walk {
            root: schema,
            defaults,
            sections: Vec::new(),
            shown: 0,
            more: 0,
        };
        let whole = Place {
            is_default: walk.defaults.contains(""),
            schema,
            ..Place::default()
        };
        match document {
            Value::Object(fields) if !fields.is_empty() => {
                let (nested, alone): (Vec<_>, Vec<_>) =
                    fields.iter().partition(|(_, value)| is_nested(value));
                for (name, value) in alone {
                    let place = walk.field(&whole, name);
                    walk.visit(place, value);
                }
                for (name, value) in nested {
                    let place = walk.field(&whole, name);
                    walk.sections.push(InputSection {
                        heading: place.label.clone(),
                        rows: Vec::new(),
                    });
                    walk.visit(
                        Place {
                            label: String::new(),
                            ..place
                        },
                        value,
                    );
                }
            }
            _ => walk.visit(
                Place {
                    label: "Value".to_owned(),
                    ..whole
                },
                document,
            ),
        }
        walk.sections.retain(|section| !section.rows.is_empty());
        Self {
            sections: walk.sections,
            more: walk.more,
        }
    }
}

/// The current position of a walk in a document.
#[derive(Default)]
struct Place<'a> {
    pointer: String,
    label: String,
    schema: Option<&'a Value>,
    is_default: bool,
    depth: usize,
}

/// A walk through a document that keeps the first rows and counts the others.
struct Walk<'a> {
    root: Option<&'a Value>,
    defaults: BTreeSet<&'a str>,
    sections: Vec<InputSection>,
    shown: usize,
    more: u64,
}

impl<'a> Walk<'a> {
    fn visit(&mut self, place: Place<'a>, value: &Value) {
        if self.shown >= MAX_VALUES {
            self.more += leaves(value);
            return;
        }
        match value {
            Value::Object(fields) if self.fits_one_row(&place, fields) => {
                self.show_together(place, fields);
            }
            Value::Object(fields) if !fields.is_empty() && place.depth < DEPTH => {
                for (name, value) in fields {
                    self.visit(self.field(&place, name), value);
                }
            }
            Value::Array(items) if is_nested(value) && place.depth < DEPTH => {
                for (at, value) in items.iter().enumerate() {
                    self.visit(self.item(&place, at), value);
                }
            }
            _ => self.show(place, value),
        }
    }

    /// Whether a few plain values read better side by side: `2027 = 22, 2028 = 15`.
    ///
    /// Not when only some of them are defaults, for a row is marked as a whole.
    fn fits_one_row(&self, place: &Place<'a>, fields: &Map<String, Value>) -> bool {
        let is_plain = |value: &Value| {
            !value.is_object() && !value.is_array() && in_words(value).len() <= SHORT_VALUE
        };
        !place.label.is_empty()
            && place.depth > 1
            && (1..=FIELDS_TOGETHER).contains(&fields.len())
            && fields.values().all(is_plain)
            && (place.is_default
                || fields
                    .keys()
                    .all(|name| !self.field(place, name).is_default))
    }

    fn show_together(&mut self, place: Place<'a>, fields: &Map<String, Value>) {
        let unnamed = Place {
            label: String::new(),
            schema: place.schema,
            ..Place::default()
        };
        let parts: Vec<_> = fields
            .iter()
            .map(|(name, value)| {
                format!("{} = {}", self.field(&unnamed, name).label, in_words(value))
            })
            .collect();
        self.push(place, parts.join(", "));
    }

    fn show(&mut self, place: Place<'a>, value: &Value) {
        self.push(place, in_words(value));
    }

    fn push(&mut self, place: Place<'a>, value: String) {
        self.shown += 1;
        let Place {
            label,
            pointer,
            is_default,
            ..
        } = place;
        let row = InputValue {
            label,
            pointer,
            value,
            is_default,
        };
        match self.sections.last_mut() {
            Some(section) => section.rows.push(row),
            None => self.sections.push(InputSection {
                heading: String::new(),
                rows: vec![row],
            }),
        }
    }

    fn field(&self, parent: &Place<'a>, name: &str) -> Place<'a> {
        let parts = self.resolve(parent.schema);
        let own = parts.and_then(|schema| schema.get("properties")?.get(name));
        // What the schema says of any further field describes all of them and names none.
        let title = own.and_then(|schema| {
            schema
                .get("title")
                .or_else(|| self.resolve(Some(schema))?.get("title"))
        });
        let schema = own.or_else(|| parts?.get("additionalProperties"));
        self.below(
            parent,
            name,
            title.and_then(Value::as_str).unwrap_or(name),
            schema,
        )
    }

    fn item(&self, parent: &Place<'a>, at: usize) -> Place<'a> {
        let schema = self
            .resolve(parent.schema)
            .and_then(|schema| schema.get("items"));
        self.below(parent, &at.to_string(), &format!("item {}", at + 1), schema)
    }

    fn below(
        &self,
        parent: &Place<'a>,
        name: &str,
        label: &str,
        schema: Option<&'a Value>,
    ) -> Place<'a> {
        let pointer = format!(
            "{}/{}",
            parent.pointer,
            name.replace('~', "~0").replace('/', "~1")
        );
        let label = match parent.label.as_str() {
            "" => text::one_line(label, LABEL_LENGTH),
            above => text::one_line(&format!("{above}, {label}"), LABEL_LENGTH),
        };
        let is_default = parent.is_default || self.defaults.contains(pointer.as_str());
        Place {
            pointer,
            label,
            schema,
            is_default,
            depth: parent.depth + 1,
        }
    }

    /// Follows a schema's references within its own document.
    fn resolve(&self, mut schema: Option<&'a Value>) -> Option<&'a Value> {
        // Two references may point at each other; a schema's chains are short.
        for _ in 0..8 {
            let Some(reference) = schema
                .and_then(|schema| schema.get("$ref"))
                .and_then(Value::as_str)
            else {
                return schema;
            };
            schema = self
                .root
                .and_then(|root| root.pointer(reference.strip_prefix('#')?));
        }
        None
    }
}

/// Whether a value has values of its own that deserve rows.
fn is_nested(value: &Value) -> bool {
    match value {
        Value::Object(fields) => !fields.is_empty(),
        Value::Array(items) => items.iter().any(is_nested),
        _ => false,
    }
}

/// How many values lie in a value; an empty list or object is one.
///
/// Kept on a stack of its own, for nothing says how deep a document goes.
fn leaves(value: &Value) -> u64 {
    let (mut open, mut found) = (vec![value], 0);
    while let Some(value) = open.pop() {
        match value {
            Value::Object(fields) if !fields.is_empty() => open.extend(fields.values()),
            Value::Array(items) if is_nested(value) => open.extend(items),
            _ => found += 1,
        }
    }
    found
}

/// A value as a person writes it.
fn in_words(value: &Value) -> String {
    match value {
        Value::Null => "nothing".to_owned(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::Number(number) => text::one_line(&number.to_string(), VALUE_LENGTH),
        Value::String(text) => match text::one_line(text, VALUE_LENGTH) {
            line if line.is_empty() => "(empty text)".to_owned(),
            line => line,
        },
        Value::Array(items) if items.is_empty() => "none".to_owned(),
        Value::Object(fields) if fields.is_empty() => "none".to_owned(),
        Value::Array(_) | Value::Object(_) if is_nested(value) => {
            text::count(leaves(value), "value", "values")
        }
        Value::Array(items) => list_in_words(items),
        Value::Object(_) => text::count(leaves(value), "value", "values"),
    }
}

/// A list of plain values in one line.
fn list_in_words(items: &[Value]) -> String {
    let shown: Vec<_> = items.iter().take(LIST_ENTRIES).map(in_words).collect();
    let line = text::one_line(&shown.join(", "), VALUE_LENGTH);
    match items.len().saturating_sub(shown.len()) {
        0 => line,
        more => format!("{line} and {} more", text::grouped(more as u64)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn rows(summary: &InputSummary) -> Vec<(String, String, bool)> {
        summary
            .sections
            .iter()
            .flat_map(|section| &section.rows)
            .map(|row| (row.label.clone(), row.value.clone(), row.is_default))
            .collect()
    }

    #[test]
    fn nested_values_stand_under_their_fields_title() {
        let schema = json!({"properties": {
            "horizon_months": {"title": "Horizon in months"},
            "growth_percent": {"title": "Growth in percent", "additionalProperties": {"title": "Growth of one line"}}
        }});
        let document = json!({"horizon_months": 26, "growth_percent": {"Hardware": {"2027": 4.5, "2028": 3}, "A/B": {"2028": -3}}});
        let summary =
            InputSummary::from_document(&document, Some(&schema), &["/horizon_months".to_owned()]);
        assert_eq!(summary.sections.len(), 2);
        assert_eq!(summary.sections[0].heading, "");
        assert_eq!(summary.sections[1].heading, "Growth in percent");
        assert_eq!(summary.sections[1].rows[0].pointer, "/growth_percent/A~1B");
        assert_eq!(
            rows(&summary),
            [
                ("Horizon in months".to_owned(), "26".to_owned(), true),
                ("A/B".to_owned(), "2028 = -3".to_owned(), false),
                (
                    "Hardware".to_owned(),
                    "2027 = 4.5, 2028 = 3".to_owned(),
                    false
                ),
            ]
        );
    }

    #[test]
    fn values_of_which_only_some_are_defaults_stand_apart() {
        let document = json!({"lines": [{"name": "Hardware", "growth": 0}, {"name": "Services", "growth": 2}]});
        let summary = InputSummary::from_document(&document, None, &["/lines/0/growth".to_owned()]);
        assert_eq!(
            rows(&summary),
            [
                ("item 1, growth".to_owned(), "0".to_owned(), true),
                ("item 1, name".to_owned(), "Hardware".to_owned(), false),
                (
                    "item 2".to_owned(),
                    "growth = 2, name = Services".to_owned(),
                    false
                ),
            ]
        );
    }

    #[test]
    fn a_default_marks_everything_below_it() {
        let summary = InputSummary::from_document(
            &json!({"a": {"b": [1, {"c": 2}]}}),
            None,
            &["/a".to_owned()],
        );
        assert!(rows(&summary).iter().all(|row| row.2));
        let summary = InputSummary::from_document(&json!({"a": 1}), None, &[String::new()]);
        assert!(rows(&summary)[0].2);
    }

    #[test]
    fn titles_are_found_behind_references_even_circular_ones() {
        let schema = json!({
            "$defs": {"m": {"title": "Months"}, "x": {"$ref": "#/$defs/y"}, "y": {"$ref": "#/$defs/x"}},
            "properties": {"h": {"$ref": "#/$defs/m"}, "x": {"$ref": "#/$defs/x"}}
        });
        let summary = InputSummary::from_document(&json!({"h": 1, "x": 2}), Some(&schema), &[]);
        assert_eq!(rows(&summary)[0].0, "Months");
        assert_eq!(rows(&summary)[1].0, "x");
    }

    #[test]
    fn a_huge_document_is_shortened_and_the_rest_is_counted() {
        let lines: serde_json::Map<_, _> = (0..5_000)
            .map(|n| (format!("line {n}"), json!({"2027": n})))
            .collect();
        let summary = InputSummary::from_document(
            &json!({"growth": lines, "title": "x".repeat(1_000_000)}),
            None,
            &[],
        );
        assert_eq!(rows(&summary).len(), MAX_VALUES);
        assert_eq!(summary.more, 5_001 - MAX_VALUES as u64);
        assert!(
            rows(&summary)
                .iter()
                .all(|row| row.1.chars().count() <= VALUE_LENGTH)
        );
    }

    #[test]
    fn every_kind_of_value_reads_as_words() {
        let many: Vec<_> = (0..1_500).collect();
        let said = |value: &Value| {
            rows(&InputSummary::from_document(value, None, &[]))[0]
                .1
                .clone()
        };
        assert_eq!(said(&json!(null)), "nothing");
        assert_eq!(said(&json!([])), "none");
        assert_eq!(said(&json!({})), "none");
        assert_eq!(said(&json!("")), "(empty text)");
        assert_eq!(said(&json!({"a": true})), "yes");
        assert_eq!(said(&json!(["a", "b"])), "a, b");
        assert_eq!(
            said(&json!(many)),
            "0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 and 1,488 more"
        );
    }

    #[test]
    fn a_deep_document_ends_in_a_count() {
        let mut document = json!([1, {"a": 2}]);
        for _ in 0..40 {
            document = json!({"d": document});
        }
        let summary = InputSummary::from_document(&document, None, &[]);
        assert_eq!(rows(&summary).len(), 1);
        assert_eq!(rows(&summary)[0].1, "2 values");
    }
}
