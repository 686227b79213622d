//! `anyOf` and `oneOf`: which of the branches was meant, and what is wrong by it.

use dropcast_domain::problem::ProblemList;
use serde_json::Value;

use super::{messages, path::Path, walk::Walk};
use crate::{
    CompiledSchema,
    schema::{Node, NodeId},
};

/// How many `$ref` and `allOf` steps are followed to see what a branch is about.
const FOLLOWED: u8 = 16;

impl Walk<'_> {
    /// Notes what is wrong with a value by a node's choices.
    pub(super) fn choices(&mut self, node: &Node, value: &Value, path: &Path<'_>) {
        if !node.any_of.is_empty()
            && !node
                .any_of
                .iter()
                .any(|&branch| self.schema.satisfies(branch, value))
        {
            self.no_branch(&node.any_of, value, path);
        }
        if node.one_of.is_empty() {
            return;
        }
        match node
            .one_of
            .iter()
            .filter(|&&branch| self.schema.satisfies(branch, value))
            .count()
        {
            0 => self.no_branch(&node.one_of, value, path),
            1 => {}
            fitting => {
                self.add(|| {
                    messages::explain_fits_several(
                        value,
                        fitting,
                        node.one_of.len(),
                        &path.pointer(),
                    )
                });
            }
        }
    }

    /// No branch fits: explains by the nearest, or, where the branches differ in the kind
    /// of value, names every kind.
    fn no_branch(&mut self, branches: &[NodeId], value: &Value, path: &Path<'_>) {
        let schema = self.schema;
        let taking: Vec<NodeId> = branches
            .iter()
            .copied()
            .filter(|&branch| takes_type(schema, branch, value, FOLLOWED))
            .collect();
        if let [branch] = *taking {
            return self.visit(branch, value, path);
        }
        let structured = value.is_object() || value.is_array();
        if self.is_full() && !(structured && taking.len() > 1) {
            // It is one problem more, and nobody will read it.
            return self.add(|| messages::explain_fits_none(value, &[], &path.pointer()));
        }
        let mut likely: Vec<_> = taking
            .iter()
            .map(|&branch| (unlikeness(schema, branch, value), branch))
            .collect();
        likely.sort_by_key(|(unlikeness, _)| *unlikeness);
        if let [(least, branch), (next, _), ..] = *likely
            && structured
            && least < next
        {
            return self.visit(branch, value, path);
        }
        let attempts: Option<Vec<ProblemList>> = branches
            .iter()
            .map(|&branch| self.attempt(branch, value))
            .collect();
        let Some(attempts) = attempts else {
            return self.add(|| messages::explain_fits_none(value, &[], &path.pointer()));
        };
        // Of those that are as likely, the one with the fewest problems was meant.
        let least = likely.first().map(|(unlikeness, _)| *unlikeness);
        let as_likely = |branch| {
            likely
                .iter()
                .any(|(unlikeness, other)| Some(*unlikeness) == least && *other == branch)
        };
        let mut nearest: Vec<_> = branches
            .iter()
            .zip(&attempts)
            .filter(|(branch, _)| as_likely(**branch))
            .map(|(&branch, attempt)| (attempt.total(), branch, attempt))
            .collect();
        nearest.sort_by_key(|(total, ..)| *total);
        let inside = |attempt: &ProblemList| {
            attempt
                .problems
                .iter()
                .any(|problem| !problem.at.is_empty())
        };
        match nearest.as_slice() {
            [(key, branch, attempt), (next, ..), ..]
                if structured && (inside(attempt) || key < next) =>
            {
                self.visit(*branch, value, path);
            }
            _ => {
                let allowed: Vec<&str> = attempts
                    .iter()
                    .filter_map(|attempt| {
                        attempt
                            .problems
                            .iter()
                            .find(|problem| problem.at.is_empty())
                    })
                    .map(|problem| problem.allowed.as_str())
                    .collect();
                self.add(|| messages::explain_fits_none(value, &allowed, &path.pointer()));
            }
        }
    }
}

/// Whether a node's `type`, `const` and `enum`, as far as it has them, leave room for a
/// value of this type.
fn takes_type(schema: &CompiledSchema, id: NodeId, value: &Value, steps: u8) -> bool {
    let node = schema.node(id);
    if node.refuses_all {
        return false;
    }
    let own = match (
        node.own.get("type"),
        node.own.get("const"),
        node.own.get("enum"),
    ) {
        (Some(Value::String(name)), ..) => is_type(name, value),
        (Some(Value::Array(names)), ..) => names
            .iter()
            .filter_map(Value::as_str)
            .any(|name| is_type(name, value)),
        (_, Some(only), _) => same_type(only, value),
        (_, _, Some(Value::Array(options))) => {
            options.iter().any(|option| same_type(option, value))
        }
        _ => true,
    };
    own && (steps == 0
        || node
            .reference
            .iter()
            .chain(&node.all_of)
            .all(|&applied| takes_type(schema, applied, value, steps - 1)))
}

fn is_type(name: &str, value: &Value) -> bool {
    match name {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        // 1.5 was meant as a number, if not as a whole one.
        _ => value.is_number(),
    }
}

fn same_type(left: &Value, right: &Value) -> bool {
    std::mem::discriminant(left) == std::mem::discriminant(right)
}

/// How unlike an object is to what a branch is about: a property that the branch fixes to
/// another value counts most, then properties that the branch does not have.
fn unlikeness(schema: &CompiledSchema, branch: NodeId, value: &Value) -> (u8, i64) {
    let Value::Object(members) = value else {
        return (1, 0);
    };
    let (mut fixed_otherwise, mut fixed_so, mut known) = (false, false, 0);
    let mut nodes = vec![(branch, FOLLOWED)];
    while let Some((id, steps)) = nodes.pop() {
        let node = schema.node(id);
        for (name, &child) in &node.properties {
            let Some(member) = members.get(name) else {
                continue;
            };
            known += 1;
            let child = &schema.node(child).own;
            let fits = match (child.get("const"), child.get("enum")) {
                (Some(only), _) => only == member,
                (None, Some(Value::Array(options))) => options.contains(member),
                _ => continue,
            };
            fixed_so |= fits;
            fixed_otherwise |= !fits;
        }
        if steps > 0 {
            nodes.extend(
                node.reference
                    .iter()
                    .chain(&node.all_of)
                    .map(|&applied| (applied, steps - 1)),
            );
        }
    }
    let rank = match (fixed_so, fixed_otherwise) {
        (true, false) => 0,
        (_, true) => 2,
        (false, false) => 1,
    };
    (rank, -known)
}
