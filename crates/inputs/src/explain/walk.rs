//! The walk of a document through a schema.

use std::{
    collections::{HashMap, hash_map::Entry},
    hash::{DefaultHasher, Hash, Hasher},
};

use dropcast_domain::problem::{MAX_PROBLEMS, Problem, ProblemList, nearest, place};
use jsonschema::{Validator, error::ValidationErrorKind};
use serde_json::{Map, Value};

use super::{describe, messages, path::Path};
use crate::{
    CompiledSchema,
    schema::{Node, NodeId},
};

/// How many names are searched for the one that was meant.
const SEARCHED_NAMES: usize = 200;

/// Values that a walk through a branch that may not be chosen looks at.
const TRIAL_VISITS: u64 = 500;

/// How many choices within choices are explained by their branches.
const NESTED_TRIALS: u8 = 3;

pub(super) struct Walk<'s> {
    pub(super) schema: &'s CompiledSchema,
    problems: ProblemList,
    /// How many more values it looks at.
    visits: u64,
    /// How many undecided choices it is nested in.
    trials: u8,
}

impl<'s> Walk<'s> {
    pub(super) fn new(schema: &'s CompiledSchema) -> Self {
        Self {
            schema,
            problems: ProblemList::default(),
            visits: u64::MAX,
            trials: 0,
        }
    }

    /// What is wrong with a value by one branch of a choice, as far as a look at
    /// [`TRIAL_VISITS`] values tells; `None` when choices stand too deep in each other.
    pub(super) fn attempt(&mut self, branch: NodeId, value: &Value) -> Option<ProblemList> {
        if self.trials >= NESTED_TRIALS {
            return None;
        }
        let visits = self.visits.min(TRIAL_VISITS);
        let mut trial = Self {
            visits,
            trials: self.trials + 1,
            ..Self::new(self.schema)
        };
        trial.visit(branch, value, &Path::Root);
        if self.trials > 0 {
            // Attempts within an attempt are paid for by it, or their number would multiply.
            self.visits -= visits - trial.visits;
        }
        Some(trial.problems)
    }

    pub(super) fn into_problems(self) -> ProblemList {
        self.problems
    }

    pub(super) fn add(&mut self, problem: impl FnOnce() -> Problem) {
        self.problems.push_with(problem);
    }

    /// Whether further problems are only counted.
    pub(super) fn is_full(&self) -> bool {
        self.problems.problems.len() >= MAX_PROBLEMS
    }

    /// Notes what is wrong with a value by a node.
    pub(super) fn visit(&mut self, id: NodeId, value: &Value, path: &Path<'_>) {
        if self.visits == 0 {
            return;
        }
        self.visits -= 1;
        let node = self.schema.node(id);
        if node.refuses_all {
            self.add(|| messages::explain_nothing_allowed(value, &path.pointer()));
            return;
        }
        let before = self.problems.total();
        if let Some(validator) = self.schema.own_validator(id) {
            self.own(validator, node, value, path);
        }
        match value {
            Value::Object(members) => self.members(node, value, members, path),
            Value::Array(items) => self.items(node, items, path),
            _ => {}
        }
        for &applied in node.reference.iter().chain(&node.all_of) {
            self.visit(applied, value, path);
        }
        self.choices(node, value, path);
        if let Some(condition) = node.condition {
            let branch = if self.schema.satisfies(condition.test, value) {
                condition.then
            } else {
                condition.otherwise
            };
            if let Some(branch) = branch {
                self.visit(branch, value, path);
            }
        }
        if node.has_unevaluated && self.problems.total() == before {
            self.unevaluated(id, value, path);
        }
    }

    /// The keywords about the value itself.
    fn own(&mut self, validator: &Validator, node: &Node, value: &Value, path: &Path<'_>) {
        if validator.is_valid(value) {
            return;
        }
        let errors: Vec<_> = validator.iter_errors(value).collect();
        let wrong_type = errors
            .iter()
            .position(|error| matches!(error.kind(), ValidationErrorKind::Type { .. }));
        // Of a value of the wrong type nothing else need be said, and of one outside a
        // range of values neither: it is one problem.
        let wrong_choice = errors.iter().position(|error| {
            matches!(
                error.kind(),
                ValidationErrorKind::Enum { .. } | ValidationErrorKind::Constant { .. }
            )
        });
        if let Some(index) = wrong_choice.or(wrong_type) {
            let (schema, keyword) = (self.schema, errors[index].kind().keyword());
            self.add(|| messages::explain_keyword(schema, node, keyword, value, &path.pointer()));
            return;
        }
        for error in &errors {
            match error.kind() {
                ValidationErrorKind::Required { property } => {
                    let name = property.as_str().unwrap_or_default();
                    self.missing(node, name, None, value, path);
                }
                ValidationErrorKind::UniqueItems => self.repeated_items(value, path),
                kind => {
                    let schema = self.schema;
                    self.add(|| {
                        messages::explain_keyword(
                            schema,
                            node,
                            kind.keyword(),
                            value,
                            &path.pointer(),
                        )
                    });
                }
            }
        }
    }

    fn missing(
        &mut self,
        node: &Node,
        name: &str,
        because: Option<&str>,
        value: &Value,
        path: &Path<'_>,
    ) {
        let schema = self.schema;
        self.add(|| {
            let wanted = node
                .properties
                .get(name)
                .and_then(|&child| describe::describe(schema, child));
            // An existing name that the schema does not know may be meant.
            let present = value
                .as_object()
                .into_iter()
                .flat_map(Map::keys)
                .take(SEARCHED_NAMES);
            let unknown = present
                .map(String::as_str)
                .filter(|key| !node.properties.contains_key(*key));
            messages::explain_missing(
                name,
                wanted.as_deref(),
                because,
                nearest(name, unknown),
                &path.pointer(),
            )
        });
    }

    /// Notes every item that equals an earlier one in its list.
    fn repeated_items(&mut self, value: &Value, path: &Path<'_>) {
        let Some(items) = value.as_array() else {
            return;
        };
        // Hashes, not texts: a list may be as long as the file.
        let mut first: HashMap<u64, usize> = HashMap::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            let text = messages::write_canonical(item);
            let mut hasher = DefaultHasher::new();
            text.hash(&mut hasher);
            match first.entry(hasher.finish()) {
                Entry::Vacant(entry) => {
                    entry.insert(index);
                }
                Entry::Occupied(entry) => {
                    let earlier = *entry.get();
                    if text == messages::write_canonical(&items[earlier]) {
                        let at = |index| Path::Item(path, index).pointer();
                        self.add(|| messages::explain_repeated(item, &at(index), &at(earlier)));
                    }
                }
            }
        }
    }

    fn members(
        &mut self,
        node: &Node,
        value: &Value,
        members: &Map<String, Value>,
        path: &Path<'_>,
    ) {
        if !describes_members(node) {
            return;
        }
        let dependent = node
            .dependent_schemas
            .iter()
            .filter(|(name, _)| members.contains_key(name));
        for (_, child) in dependent {
            self.visit(*child, value, path);
        }
        for (name, member) in members {
            let path = Path::Member(path, name);
            if let Some(&child) = node.properties.get(name) {
                self.visit(child, member, &path);
            }
            if !node.patterns.is_empty() || node.additional.is_some() {
                for child in node.for_other_name(name) {
                    if node.additional == Some(child) && self.schema.node(child).refuses_all {
                        self.add(|| messages::explain_unknown_name(node, name, &path.pointer()));
                    } else {
                        self.visit(child, member, &path);
                    }
                }
            }
            if let Some(names) = node.names {
                self.name(names, name, &path);
            }
        }
        for (name, needed) in &node.dependent_names {
            if members.contains_key(name) {
                for missing in needed
                    .iter()
                    .filter(|missing| !members.contains_key(*missing))
                {
                    self.missing(node, missing, Some(name), value, path);
                }
            }
        }
    }

    /// A name by the schema for names.
    fn name(&mut self, names: NodeId, name: &str, path: &Path<'_>) {
        let text = Value::from(name);
        if self.schema.satisfies(names, &text) {
            return;
        }
        let schema = self.schema;
        self.add(|| {
            let why = super::problems_at(schema, names, &text);
            messages::explain_bad_name(name, why.problems.first(), &path.pointer())
        });
    }

    fn items(&mut self, node: &Node, items: &[Value], path: &Path<'_>) {
        if node.prefix_items.is_empty() && node.items.is_none() {
            return;
        }
        for (index, item) in items.iter().enumerate() {
            if let Some(&child) = node.prefix_items.get(index) {
                self.visit(child, item, &Path::Item(path, index));
            } else if let Some(child) = node.items {
                if self.schema.node(child).refuses_all {
                    self.add(|| {
                        messages::explain_too_many_items(
                            items.len(),
                            node.prefix_items.len(),
                            &path.pointer(),
                        )
                    });
                    return;
                }
                self.visit(child, item, &Path::Item(path, index));
            }
        }
    }

    /// What no part of the schema speaks of. Which members those are, the validator knows
    /// once everything else is right.
    fn unevaluated(&mut self, id: NodeId, value: &Value, path: &Path<'_>) {
        let Some(Err(error)) = self
            .schema
            .whole_validator(id)
            .map(|validator| validator.validate(value))
        else {
            return;
        };
        let base = format!("{}{}", path.pointer(), error.instance_path().as_str());
        match error.kind() {
            ValidationErrorKind::UnevaluatedProperties { unexpected } => {
                for name in unexpected {
                    self.add(|| messages::explain_unknown_name_at(&base, name));
                }
            }
            _ => self.add(|| {
                let found = messages::describe_found(error.instance());
                let message = format!(
                    "{}: found {found}, which the schema does not allow.",
                    place(&base)
                );
                Problem::with_message(&base, &found, "what the schema describes", &message)
            }),
        }
    }
}

fn describes_members(node: &Node) -> bool {
    !node.properties.is_empty()
        || !node.patterns.is_empty()
        || node.additional.is_some()
        || node.names.is_some()
        || !node.dependent_names.is_empty()
        || !node.dependent_schemas.is_empty()
}
