//! Which kinds of values a schema takes, as far as its types, choices and references tell.

use std::ops::{BitAnd, BitOr};

use serde_json::{Map, Value};

use crate::{
    CompiledSchema,
    schema::{Node, NodeId},
};

/// How many `$ref` and `allOf` steps are followed.
const FOLLOWED: u8 = 16;

/// Keywords that only speak about numbers.
const NUMERIC: [&str; 5] = [
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
];

/// A set of kinds of values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::table) struct ValueKinds(u8);

impl ValueKinds {
    pub(in crate::table) const NONE: Self = Self(0);
    pub(in crate::table) const NULL: Self = Self(1);
    pub(in crate::table) const BOOL: Self = Self(2);
    /// Whole numbers.
    pub(in crate::table) const WHOLE: Self = Self(4);
    /// Other numbers.
    pub(in crate::table) const FRACTION: Self = Self(8);
    pub(in crate::table) const TEXT: Self = Self(16);
    pub(in crate::table) const LIST: Self = Self(32);
    pub(in crate::table) const OBJECT: Self = Self(64);
    pub(in crate::table) const NUMBER: Self = Self(Self::WHOLE.0 | Self::FRACTION.0);
    pub(in crate::table) const ALL: Self = Self(127);

    /// Whether the sets have a kind in common.
    pub(in crate::table) fn has(self, kinds: Self) -> bool {
        self.0 & kinds.0 != 0
    }

    pub(super) fn has_scalar(self) -> bool {
        self.has(Self::BOOL | Self::NUMBER | Self::TEXT)
    }

    pub(in crate::table) fn is_text_only(self) -> bool {
        self.has(Self::TEXT) && !self.has(Self::BOOL | Self::NUMBER)
    }

    /// The kinds that a node takes.
    pub(super) fn of(schema: &CompiledSchema, id: NodeId) -> Self {
        Self::within(schema, id, FOLLOWED)
    }

    fn within(schema: &CompiledSchema, id: NodeId, steps: u8) -> Self {
        let node = schema.node(id);
        if node.refuses_all {
            return Self::NONE;
        }
        let Some(steps) = steps.checked_sub(1) else {
            return Self::ALL;
        };
        let mut kinds = Self::own(&node.own);
        for &applied in node.reference.iter().chain(&node.all_of) {
            kinds = kinds & Self::within(schema, applied, steps);
        }
        for branches in [&node.any_of, &node.one_of] {
            if !branches.is_empty() {
                kinds = kinds
                    & branches.iter().fold(Self::NONE, |kinds, &branch| {
                        kinds | Self::within(schema, branch, steps)
                    });
            }
        }
        kinds
    }

    fn own(own: &Map<String, Value>) -> Self {
        let types = match own.get("type") {
            Some(Value::String(name)) => Self::named(name),
            Some(Value::Array(names)) => names
                .iter()
                .filter_map(Value::as_str)
                .fold(Self::NONE, |kinds, name| kinds | Self::named(name)),
            _ => Self::ALL,
        };
        let choices = match (own.get("const"), own.get("enum")) {
            (Some(only), _) => Self::of_value(only),
            (None, Some(Value::Array(options))) => options
                .iter()
                .fold(Self::NONE, |kinds, option| kinds | Self::of_value(option)),
            _ => Self::ALL,
        };
        types & choices
    }

    fn named(name: &str) -> Self {
        match name {
            "null" => Self::NULL,
            "boolean" => Self::BOOL,
            "integer" => Self::WHOLE,
            "number" => Self::NUMBER,
            "string" => Self::TEXT,
            "array" => Self::LIST,
            _ => Self::OBJECT,
        }
    }

    fn of_value(value: &Value) -> Self {
        match value {
            Value::Null => Self::NULL,
            Value::Bool(_) => Self::BOOL,
            Value::Number(number) if number.as_f64().is_some_and(|n| n.fract() == 0.0) => {
                Self::WHOLE
            }
            Value::Number(_) => Self::FRACTION,
            Value::String(_) => Self::TEXT,
            Value::Array(_) => Self::LIST,
            Value::Object(_) => Self::OBJECT,
        }
    }

    /// What a cell's text is taken for where the schema names no kind: a number where a
    /// keyword speaks about numbers, and text.
    pub(super) fn implied(self, schema: &CompiledSchema, nodes: &[NodeId]) -> Self {
        if self != Self::ALL {
            return self;
        }
        let numeric = any_node(schema, nodes, |node| {
            NUMERIC
                .iter()
                .any(|keyword| node.own.contains_key(*keyword))
        });
        if numeric {
            Self::TEXT | Self::NUMBER
        } else {
            Self::TEXT
        }
    }

    /// The kinds as a noun.
    pub(super) fn words(self) -> &'static str {
        if self.has(Self::TEXT) {
            "text"
        } else if self.has(Self::FRACTION) {
            "a number"
        } else if self.has(Self::WHOLE) {
            "a whole number"
        } else if self.has(Self::BOOL) {
            "true or false"
        } else {
            "an empty cell"
        }
    }
}

impl BitAnd for ValueKinds {
    type Output = Self;

    fn bitand(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}

impl BitOr for ValueKinds {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// Which texts a column takes, as far as they are converted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::table) enum Form {
    Any,
    Date,
    DateTime,
    Time,
}

impl Form {
    /// The form that the nodes name by `format`.
    pub(super) fn of(schema: &CompiledSchema, nodes: &[NodeId]) -> Self {
        let named = |form: &Self| {
            any_node(schema, nodes, |node| {
                node.own.get("format").and_then(Value::as_str) == Some(form.name())
            })
        };
        [Self::Date, Self::DateTime, Self::Time]
            .into_iter()
            .find(named)
            .unwrap_or(Self::Any)
    }
}

impl Form {
    fn name(self) -> &'static str {
        match self {
            Self::Any => "",
            Self::Date => "date",
            Self::DateTime => "date-time",
            Self::Time => "time",
        }
    }

    /// Whether the form holds for every text, in whichever branch of the schema.
    pub(super) fn is_certain(self, schema: &CompiledSchema, nodes: &[NodeId]) -> bool {
        nodes.iter().any(|&id| {
            let node = schema.node(id);
            let applied: Vec<NodeId> = node.reference.iter().chain(&node.all_of).copied().collect();
            node.own.get("format").and_then(Value::as_str) == Some(self.name())
                || self.is_certain(schema, &applied)
        })
    }
}

/// Whether the nodes name `null` among the kinds that they take.
pub(super) fn takes_null(schema: &CompiledSchema, nodes: &[NodeId]) -> bool {
    let all = nodes.iter().fold(ValueKinds::ALL, |kinds, &id| {
        kinds & ValueKinds::of(schema, id)
    });
    all != ValueKinds::ALL
        && all.has(ValueKinds::NULL)
        && nodes.iter().all(|&id| schema.satisfies(id, &Value::Null))
}

/// Whether a value that was converted for a column satisfies a node without asking.
pub(super) fn is_ensured(schema: &CompiledSchema, id: NodeId) -> bool {
    let node = schema.node(id);
    let by_type = node
        .own
        .iter()
        .all(|(keyword, value)| match keyword.as_str() {
            "type" => true,
            "format" => {
                value == "date" && node.own.get("type").is_some_and(|name| name == "string")
            }
            _ => false,
        });
    by_type
        && !node.refuses_all
        && node.in_place().all(|applied| {
            (node.reference == Some(applied) || node.all_of.contains(&applied))
                && is_ensured(schema, applied)
        })
}

/// Whether one of the nodes, or of those that describe the same value, is so.
fn any_node(schema: &CompiledSchema, nodes: &[NodeId], is_so: impl Fn(&Node) -> bool) -> bool {
    let mut waiting = nodes.to_vec();
    let mut seen = Vec::new();
    while let Some(id) = waiting.pop() {
        if seen.contains(&id) {
            continue;
        }
        seen.push(id);
        let node = schema.node(id);
        if is_so(node) {
            return true;
        }
        waiting.extend(node.in_place());
    }
    false
}
