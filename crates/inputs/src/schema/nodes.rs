//! The schema as a graph of nodes, one for each subschema, for those who follow a
//! document through it: the filling in of defaults and the explaining of problems.

use std::collections::BTreeMap;

use jsonschema::Validator;
use serde_json::{Map, Value};

/// A node by its place in the schema's list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct NodeId(pub(super) usize);

impl NodeId {
    /// The whole document's node.
    pub(crate) const ROOT: Self = Self(0);
}

/// One subschema.
#[derive(Debug, Default)]
pub(crate) struct Node {
    /// Its JSON Pointer in the schema.
    pub(crate) location: String,
    /// Whether it is the schema `false`.
    pub(crate) refuses_all: bool,
    /// The keywords about the value itself: its type, its range, its required members.
    pub(crate) own: Map<String, Value>,
    /// `title`.
    pub(crate) title: Option<String>,
    /// `default`.
    pub(crate) default: Option<Value>,
    /// The first of `examples`.
    pub(crate) example: Option<Value>,
    /// Where `$ref` leads.
    pub(crate) reference: Option<NodeId>,
    pub(crate) all_of: Vec<NodeId>,
    pub(crate) any_of: Vec<NodeId>,
    pub(crate) one_of: Vec<NodeId>,
    pub(crate) not: Option<NodeId>,
    pub(crate) condition: Option<Condition>,
    pub(crate) properties: BTreeMap<String, NodeId>,
    pub(crate) patterns: Vec<Pattern>,
    pub(crate) additional: Option<NodeId>,
    pub(crate) names: Option<NodeId>,
    pub(crate) dependent_schemas: Vec<(String, NodeId)>,
    /// `dependentRequired`: a name and those that it needs.
    pub(crate) dependent_names: Vec<(String, Vec<String>)>,
    pub(crate) prefix_items: Vec<NodeId>,
    pub(crate) items: Option<NodeId>,
    /// Whether it has `unevaluatedProperties` or `unevaluatedItems`.
    pub(crate) has_unevaluated: bool,
    /// Whether anything below it has a default that [`crate::defaults`] would fill in.
    pub(crate) fills: bool,
}

/// `if`, `then` and `else`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Condition {
    pub(crate) test: NodeId,
    pub(crate) then: Option<NodeId>,
    pub(crate) otherwise: Option<NodeId>,
}

/// One entry of `patternProperties`.
#[derive(Debug)]
pub(crate) struct Pattern {
    /// The pattern as it is written.
    pub(crate) text: String,
    /// Accepts the names, as JSON texts, that it fits.
    pub(crate) validator: Validator,
    pub(crate) node: NodeId,
}

impl Node {
    /// The nodes that describe a member whose name is not looked up in `properties`:
    /// those of the patterns that fit, else, for a name that nothing names, the
    /// `additionalProperties`.
    pub(crate) fn for_other_name(&self, name: &str) -> Vec<NodeId> {
        let mut nodes: Vec<NodeId> = Vec::new();
        if !self.patterns.is_empty() {
            let name = Value::from(name);
            nodes.extend(
                self.patterns
                    .iter()
                    .filter(|pattern| pattern.validator.is_valid(&name))
                    .map(|p| p.node),
            );
        }
        if nodes.is_empty() && !self.properties.contains_key(name) {
            nodes.extend(self.additional);
        }
        nodes
    }

    /// The nodes that describe the same value as this one.
    pub(crate) fn in_place(&self) -> impl Iterator<Item = NodeId> {
        let condition = self.condition.into_iter().flat_map(|condition| {
            [Some(condition.test), condition.then, condition.otherwise]
                .into_iter()
                .flatten()
        });
        self.reference
            .into_iter()
            .chain(self.all_of.iter().copied())
            .chain(self.any_of.iter().copied())
            .chain(self.one_of.iter().copied())
            .chain(self.dependent_schemas.iter().map(|(_, node)| *node))
            .chain(self.not)
            .chain(condition)
    }

    /// The nodes through which defaults are filled in: of the same value, and of its parts.
    pub(super) fn filled_through(&self) -> impl Iterator<Item = NodeId> {
        self.reference
            .into_iter()
            .chain(self.all_of.iter().copied())
            .chain(self.parts())
    }

    /// The nodes that describe the parts of the value.
    fn parts(&self) -> impl Iterator<Item = NodeId> {
        self.properties
            .values()
            .copied()
            .chain(self.patterns.iter().map(|pattern| pattern.node))
            .chain(self.additional)
            .chain(self.prefix_items.iter().copied())
            .chain(self.items)
    }
}
