//! Rules about several columns at once, and which columns they are about.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::{
    CompiledSchema,
    schema::{Node, NodeId},
};

/// Whether a node says more about a row than about its columns one by one. Of a `closed` schema
/// the root's `unevaluatedProperties` are settled once, by the header.
pub(super) fn spans_columns(schema: &CompiledSchema, id: NodeId, closed: bool) -> bool {
    let node = schema.node(id);
    is_about_all(node)
        || !node.any_of.is_empty()
        || !node.one_of.is_empty()
        || node.not.is_some()
        || node.condition.is_some()
        || !node.dependent_schemas.is_empty()
        || !node.dependent_names.is_empty()
        || node.has_unevaluated && !(closed && id == NodeId::ROOT)
}

/// The columns that such rules speak about, however deep; `None` when these may be all.
pub(super) fn find_columns(
    schema: &CompiledSchema,
    applied: &[NodeId],
    closed: bool,
) -> Option<BTreeSet<String>> {
    let mut names = BTreeSet::new();
    let mut waiting = Vec::new();
    for &id in applied {
        let node = schema.node(id);
        let is_settled = closed && id == NodeId::ROOT;
        if is_about_all(node) || node.has_unevaluated && !is_settled {
            return None;
        }
        // What applies in any case is in the list itself.
        let others = node.in_place();
        waiting.extend(others.filter(|other| !applied.contains(other)));
        names.extend(needed(node));
    }
    let mut seen = BTreeSet::new();
    while let Some(id) = waiting.pop() {
        if !seen.insert(id) {
            continue;
        }
        let node = schema.node(id);
        if is_about_all(node)
            || node.has_unevaluated
            || node.additional.is_some()
            || node.names.is_some()
            || !node.patterns.is_empty()
        {
            return None;
        }
        names.extend(node.properties.keys().cloned());
        let required = node.own.get("required").and_then(Value::as_array);
        let required = required.into_iter().flatten().filter_map(Value::as_str);
        names.extend(required.map(str::to_owned));
        names.extend(needed(node));
        waiting.extend(node.in_place());
    }
    Some(names)
}

/// Whether a node's own keywords speak about the row as a whole: `minProperties`, `const`.
fn is_about_all(node: &Node) -> bool {
    let only_columns = ["type", "required"];
    let mut keywords = node.own.keys();
    node.refuses_all || keywords.any(|keyword| !only_columns.contains(&keyword.as_str()))
}

/// The names that need each other.
fn needed(node: &Node) -> impl Iterator<Item = String> {
    let names = node.dependent_names.iter();
    let schemas = node.dependent_schemas.iter().map(|(name, _)| name.clone());
    names
        .flat_map(|(name, needed)| std::iter::once(name).chain(needed))
        .cloned()
        .chain(schemas)
}
