//! The columns that a row schema describes: what a cell may hold, what takes an empty one's
//! place, and which parts of the schema judge it.

mod kinds;
mod multi_column;

use std::collections::{BTreeSet, HashSet};

use dropcast_domain::{
    model::{DateOrder, Locale, TableSpec},
    problem::{Problem, ProblemList, nearest, pointer_segment},
    text::quoted,
};
use serde_json::Value;

pub(super) use self::kinds::{Form, ValueKinds};
use crate::{
    CompiledSchema, SchemaError, explain,
    schema::{Node, NodeId},
};

/// A schema of one row, made ready for tables.
#[derive(Debug)]
pub struct RowSchema {
    schema: CompiledSchema,
    /// The nodes that every row must satisfy: the root, and what it leads to by `$ref` and
    /// `allOf`.
    applied: Vec<NodeId>,
    /// Those, and the branches that may apply.
    described: Vec<NodeId>,
    /// The columns in which every row must have a value.
    required: BTreeSet<String>,
    /// Whether it speaks about several columns at once, so that whole rows must be checked.
    has_multi_column_rules: bool,
    /// The columns that it then speaks about; `None` when these may be all.
    multi_column: Option<BTreeSet<String>>,
    /// Whether columns that no part of it describes are refused.
    closed: bool,
}

/// One column as its cells are read.
#[derive(Debug)]
pub(super) struct Column {
    /// Its name in the schema.
    pub(super) name: String,
    /// What its cells may hold.
    pub(super) kinds: ValueKinds,
    /// Which texts it takes.
    pub(super) form: Form,
    /// Whether it takes no text of another form.
    pub(super) form_is_certain: bool,
    /// The texts of its `enum` or `const`, when it takes no other text.
    pub(super) choices: Option<HashSet<String>>,
    /// The nodes that a converted value must be asked of; none when converting was enough.
    pub(super) checks: Vec<NodeId>,
    /// What an empty cell is, where no default takes its place.
    pub(super) empty: Empty,
    /// What takes the place of an empty cell: the value, and its text in the clean CSV.
    pub(super) default: Option<(Value, String)>,
    /// What a cell may hold, as a noun.
    pub(super) allowed: String,
    /// The least and the largest number that it takes, as far as its own part says so.
    pub(super) range: (Option<f64>, Option<f64>),
    /// Whether the row schema takes a member of this name.
    pub(super) in_row: bool,
}

/// What an empty cell of a column is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Empty {
    /// No value at all.
    Absent,
    /// The value `null`, which the schema requires or takes.
    Null,
    /// A problem.
    Rejected,
}

impl Column {
    /// Whether a row must have something in this column.
    pub(super) fn must_be_filled(&self) -> bool {
        self.empty == Empty::Rejected && self.default.is_none()
    }
}

impl RowSchema {
    /// Reads the file of a row schema, of at most 1 MiB.
    ///
    /// Fails with everything that is wrong with it.
    pub fn parse(bytes: &[u8]) -> Result<Self, SchemaError> {
        Self::new(CompiledSchema::parse(bytes)?)
    }

    /// Makes a schema ready for tables.
    ///
    /// Fails when it does not describe an object, or a column that no cell can hold.
    pub fn new(schema: CompiledSchema) -> Result<Self, SchemaError> {
        let applied = followed(&schema, |node| {
            node.reference.iter().chain(&node.all_of).copied().collect()
        });
        let described = followed(&schema, |node| node.in_place().collect());
        let closed = schema.is_closed();
        let has_multi_column_rules = applied
            .iter()
            .any(|&id| multi_column::spans_columns(&schema, id, closed));
        let multi_column = multi_column::find_columns(&schema, &applied, closed);
        let required = applied
            .iter()
            .filter_map(|&id| schema.node(id).own.get("required")?.as_array())
            .flatten()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect();
        let this = Self {
            schema,
            applied,
            described,
            required,
            has_multi_column_rules,
            multi_column,
            closed,
        };
        this.check()?;
        Ok(this)
    }

    /// The names of the columns that the schema describes, in alphabetical order.
    pub fn column_names(&self) -> impl Iterator<Item = &str> {
        self.described
            .iter()
            .flat_map(|&id| self.schema.node(id).properties.keys())
            .map(String::as_str)
            .chain(self.required.iter().map(String::as_str))
            .collect::<BTreeSet<_>>()
            .into_iter()
    }

    /// The key columns of a manifest that neither the schema nor the manifest itself declares,
    /// where one that is declared has nearly their name: `found` is the name, `allowed` what was
    /// probably meant.
    pub fn misspelt(&self, spec: &TableSpec) -> ProblemList {
        let declared: Vec<&str> = self
            .column_names()
            .chain(spec.required_columns.iter().map(String::as_str))
            .chain(spec.optional_columns.iter().map(String::as_str))
            .collect();
        let mut problems = ProblemList::default();
        for name in &spec.key {
            if declared.contains(&name.as_str()) {
                continue;
            }
            if let Some(meant) = nearest(name, declared.iter().copied()) {
                let at = "input.table.key";
                let (name, meant) = (quoted(name), quoted(meant));
                let message =
                    format!("At {at}: the row schema has no column {name}. Did you mean {meant}?");
                problems.push(Problem::with_message(at, &name, &meant, &message));
            }
        }
        problems
    }

    pub(super) fn schema(&self) -> &CompiledSchema {
        &self.schema
    }

    /// Whether whole rows must be checked.
    pub(super) fn has_multi_column_rules(&self) -> bool {
        self.has_multi_column_rules
    }

    /// What the schema calls a column for people.
    pub(super) fn title_of(&self, name: &str) -> Option<String> {
        let nodes = self.nodes_for(&self.described, name);
        nodes
            .iter()
            .find_map(|&id| self.schema.node(id).title.clone())
    }

    /// Whether a rule about several columns speaks about this one.
    pub(super) fn spans_columns(&self, name: &str) -> bool {
        self.multi_column
            .as_ref()
            .is_none_or(|names| names.contains(name))
    }

    /// Whether every row must have a value in a column.
    pub(super) fn requires(&self, name: &str) -> bool {
        self.required.contains(name)
    }

    /// A column by its name in the schema; `None` when the schema refuses it and `spec` does
    /// not name it.
    pub(super) fn column(&self, name: &str, spec: &TableSpec) -> Option<Column> {
        let in_row = self.takes(name);
        if !in_row && !names(spec).any(|named| named == name) {
            return None;
        }
        let checks = if in_row {
            self.nodes_for(&self.applied, name)
        } else {
            Vec::new()
        };
        let described = self.nodes_for(&self.described, name);
        let schema = &self.schema;
        let mut kinds = checks.iter().fold(ValueKinds::ALL, |kinds, &id| {
            kinds & ValueKinds::of(schema, id)
        });
        if kinds == ValueKinds::ALL && !described.is_empty() {
            kinds = described.iter().fold(ValueKinds::NONE, |kinds, &id| {
                kinds | ValueKinds::of(schema, id)
            });
        }
        let form = Form::of(schema, &described);
        let form_is_certain = form.is_certain(schema, &checks);
        let kinds = kinds.implied(schema, &described);
        let default = checks
            .iter()
            .find_map(|&id| schema.default_of(id))
            .map(|value| (value.clone(), text_of(value)));
        let words = checks.iter().chain(&described).find_map(|&id| {
            explain::describe(schema, id).or_else(|| describe_branches(schema, id))
        });
        let allowed = allowed(words, kinds, form, spec.locale);
        let choices = choices(schema, &described, kinds);
        let empty = if !self.requires(name) {
            Empty::Absent
        } else if kinds::takes_null(schema, &checks) {
            Empty::Null
        } else {
            Empty::Rejected
        };
        let checks = checks
            .into_iter()
            .filter(|&id| !kinds::is_ensured(schema, id))
            .collect();
        Some(Column {
            name: name.to_owned(),
            kinds,
            form,
            form_is_certain,
            choices,
            checks,
            empty,
            default,
            allowed,
            range: range(schema, &described),
            in_row,
        })
    }

    /// Whether the schema takes a member of this name.
    fn takes(&self, name: &str) -> bool {
        let known = |id: &NodeId| {
            let node = self.schema.node(*id);
            node.properties.contains_key(name) || !node.for_other_name(name).is_empty()
        };
        let refused = |id: &NodeId| {
            let node = self.schema.node(*id);
            let by_rest = !node.properties.contains_key(name)
                && node
                    .for_other_name(name)
                    .iter()
                    .any(|&other| self.schema.node(other).refuses_all);
            let by_name = node
                .names
                .is_some_and(|names| !self.schema.satisfies(names, &Value::from(name)));
            by_rest || by_name
        };
        !self.applied.iter().any(refused) && (!self.closed || self.described.iter().any(known))
    }

    /// The nodes that describe a column.
    fn nodes_for(&self, objects: &[NodeId], name: &str) -> Vec<NodeId> {
        let mut nodes = Vec::new();
        for &id in objects {
            let node = self.schema.node(id);
            nodes.extend(node.properties.get(name).copied());
            nodes.extend(node.for_other_name(name));
        }
        nodes.retain(|&id| !self.schema.node(id).refuses_all);
        nodes
    }

    fn check(&self) -> Result<(), SchemaError> {
        let mut problems = ProblemList::default();
        let root = self.applied.iter().fold(ValueKinds::ALL, |kinds, &id| {
            kinds & ValueKinds::of(&self.schema, id)
        });
        if !root.has(ValueKinds::OBJECT) {
            let message = "The schema of a row describes an object: its columns are the object's properties. Write \"type\": \"object\".";
            problems.push(Problem::with_message(
                "",
                "another type",
                "an object",
                message,
            ));
        }
        for &id in &self.applied {
            let node = self.schema.node(id);
            for (name, &child) in &node.properties {
                if ValueKinds::of(&self.schema, child).has_scalar()
                    || self.schema.node(child).refuses_all
                {
                    continue;
                }
                let at = format!("{}/properties/{}", node.location, pointer_segment(name));
                let message = format!(
                    "At {at}: a table cell contains a single value; this column takes only lists or objects. Describe a number, a text, a date or a boolean."
                );
                problems.push(Problem::with_message(
                    &at,
                    "a list or an object",
                    "one value",
                    &message,
                ));
            }
        }
        if problems.is_empty() {
            Ok(())
        } else {
            Err(SchemaError { problems })
        }
    }
}

/// What the branches of a choice describe, when each tells.
fn describe_branches(schema: &CompiledSchema, id: NodeId) -> Option<String> {
    let node = schema.node(id);
    let branches = if node.any_of.is_empty() {
        &node.one_of
    } else {
        &node.any_of
    };
    let words: Option<Vec<String>> = branches
        .iter()
        .map(|&branch| explain::describe(schema, branch))
        .collect();
    words
        .map(|words| words.join(" or "))
        .filter(|words| !words.is_empty())
}

/// The columns that are looked for in a header, each once.
pub(super) fn wanted_names<'s>(schema: &'s RowSchema, spec: &'s TableSpec) -> Vec<&'s str> {
    let mut wanted: Vec<&str> = schema.column_names().collect();
    for name in names(spec) {
        if !wanted.contains(&name) {
            wanted.push(name);
        }
    }
    wanted
}

/// The columns that a manifest names.
fn names(spec: &TableSpec) -> impl Iterator<Item = &str> {
    spec.required_columns
        .iter()
        .chain(&spec.optional_columns)
        .chain(&spec.key)
        .map(String::as_str)
}

/// The text of a value in the clean CSV.
pub(super) fn text_of(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// The root and the nodes that it leads to, each once.
fn followed(schema: &CompiledSchema, next: impl Fn(&Node) -> Vec<NodeId>) -> Vec<NodeId> {
    let mut found = vec![NodeId::ROOT];
    let mut seen = 0;
    while seen < found.len() {
        for id in next(schema.node(found[seen])) {
            if !found.contains(&id) {
                found.push(id);
            }
        }
        seen += 1;
    }
    found
}

/// The bounds of a column's numbers.
fn range(schema: &CompiledSchema, nodes: &[NodeId]) -> (Option<f64>, Option<f64>) {
    let bound = |keyword: &str| {
        let mut nodes = nodes.iter();
        nodes.find_map(|&id| schema.node(id).own.get(keyword)?.as_f64())
    };
    (bound("minimum"), bound("maximum"))
}

/// The texts of an `enum`, when nothing but texts may stand in the column.
fn choices(
    schema: &CompiledSchema,
    nodes: &[NodeId],
    kinds: ValueKinds,
) -> Option<HashSet<String>> {
    if !kinds.is_text_only() {
        return None;
    }
    nodes.iter().find_map(|&id| {
        let own = &schema.node(id).own;
        let listed = own.get("enum").and_then(Value::as_array);
        let options: Vec<&Value> = match (own.get("const"), listed) {
            (Some(only), _) => vec![only],
            (None, Some(options)) => options.iter().collect(),
            (None, None) => return None,
        };
        let texts = options.into_iter().filter_map(Value::as_str);
        Some(texts.map(str::to_owned).collect())
    })
}

/// What a cell may hold, in words for people who fill in cells.
fn allowed(words: Option<String>, kinds: ValueKinds, form: Form, locale: Option<Locale>) -> String {
    let words = words.unwrap_or_else(|| kinds.words().to_owned());
    let words = words
        .replace(" or null (no value)", " or an empty cell")
        .replace("null (no value) or ", "an empty cell or ");
    let Some(locale) = locale else {
        return words;
    };
    let example = match locale.date_order() {
        DateOrder::DayMonthYear if matches!(locale, Locale::DeDe | Locale::DeAt | Locale::DeCh) => {
            "31.01.2026"
        }
        DateOrder::DayMonthYear => "31/01/2026",
        DateOrder::MonthDayYear => "01/31/2026",
        DateOrder::YearMonthDay => "2026-01-31",
    };
    match form {
        Form::Date => words.replace("such as 2026-01-31", &format!("such as {example}")),
        Form::DateTime => words.replace(
            "such as 2026-01-31T08:30:00Z",
            &format!("such as {example} 08:30"),
        ),
        Form::Time | Form::Any => words,
    }
}
