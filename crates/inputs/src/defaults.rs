//! Values that a schema supplies where the document leaves them out.
//!
//! A property that is absent from an object gets the `default` of its schema: its
//! own, else the one behind its `$ref`, else the first in its `allOf`. This goes on
//! inside what is there and what was filled in: in properties, in the items of lists,
//! through `$ref` and `allOf`. Branches that may not apply (`anyOf`, `oneOf`, `if`,
//! `dependentSchemas`) supply nothing. A value of `null` is there.

use std::collections::HashSet;

use dropcast_domain::problem::pointer_segment;
use serde_json::Value;

use crate::{
    CompiledSchema, Limits,
    limits::cost_of,
    schema::{Node, NodeId},
};

/// One value that was filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Insert {
    /// The pointer of the object that lacked it.
    pub(crate) parent: String,
    /// Its name there.
    pub(crate) key: String,
}

impl Insert {
    /// The pointer of the value.
    pub(crate) fn pointer(&self) -> String {
        format!("{}/{}", self.parent, pointer_segment(&self.key))
    }
}

/// Filling in would exceed the memory or the depth that a document may take.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct DefaultsTooLarge;

/// Fills the schema's defaults into a document.
///
/// `budget` is what the added values may cost in bytes of memory.
pub(crate) fn fill(
    schema: &CompiledSchema,
    document: &mut Value,
    budget: u64,
) -> Result<Vec<Insert>, DefaultsTooLarge> {
    fill_at(schema, NodeId::ROOT, document, budget)
}

/// Fills one schema's defaults into a value that it describes.
pub(crate) fn fill_at(
    schema: &CompiledSchema,
    node: NodeId,
    value: &mut Value,
    budget: u64,
) -> Result<Vec<Insert>, DefaultsTooLarge> {
    let mut filling = Filling {
        schema,
        pointer: String::new(),
        depth: 0,
        budget,
        inserts: Vec::new(),
        inserted: HashSet::new(),
        inside: 0,
    };
    filling.visit(node, value)?;
    Ok(filling.inserts)
}

struct Filling<'s> {
    schema: &'s CompiledSchema,
    pointer: String,
    depth: usize,
    budget: u64,
    inserts: Vec<Insert>,
    /// The pointers of the inserts.
    inserted: HashSet<String>,
    /// How many inserts the current value lies in.
    inside: usize,
}

impl Filling<'_> {
    fn visit(&mut self, id: NodeId, value: &mut Value) -> Result<(), DefaultsTooLarge> {
        let node = self.schema.node(id);
        if !node.fills {
            return Ok(());
        }
        if self.depth > Limits::MAX_DEPTH {
            return Err(DefaultsTooLarge);
        }
        match value {
            Value::Object(_) => self.object(node, value)?,
            Value::Array(items) => {
                for (index, item) in items.iter_mut().enumerate() {
                    if let Some(child) = node.prefix_items.get(index).copied().or(node.items) {
                        self.below(&index.to_string(), child, item)?;
                    }
                }
            }
            _ => {}
        }
        for &applied in node.reference.iter().chain(&node.all_of) {
            self.visit(applied, value)?;
        }
        Ok(())
    }

    fn object(&mut self, node: &Node, value: &mut Value) -> Result<(), DefaultsTooLarge> {
        for (key, &child) in &node.properties {
            let Value::Object(members) = value else {
                return Ok(());
            };
            if !members.contains_key(key) {
                let Some(default) = self.schema.default_of(child) else {
                    continue;
                };
                self.budget = self
                    .budget
                    .checked_sub(cost_of(default))
                    .ok_or(DefaultsTooLarge)?;
                members.insert(key.clone(), default.clone());
                self.note(key);
            }
            if let Some(member) = members.get_mut(key) {
                self.below(key, child, member)?;
            }
        }
        if node.patterns.is_empty() && node.additional.is_none() {
            return Ok(());
        }
        let Value::Object(members) = value else {
            return Ok(());
        };
        for (key, member) in members {
            for child in node.for_other_name(key) {
                self.below(key, child, member)?;
            }
        }
        Ok(())
    }

    fn note(&mut self, key: &str) {
        // What lies inside a value that was filled in comes with it.
        if self.inside == 0 {
            let insert = Insert {
                parent: self.pointer.clone(),
                key: key.to_owned(),
            };
            self.inserted.insert(insert.pointer());
            self.inserts.push(insert);
        }
    }

    fn below(
        &mut self,
        segment: &str,
        child: NodeId,
        value: &mut Value,
    ) -> Result<(), DefaultsTooLarge> {
        if !self.schema.node(child).fills {
            return Ok(());
        }
        let length = self.pointer.len();
        self.pointer.push('/');
        self.pointer.push_str(&pointer_segment(segment));
        let inside = usize::from(self.inserted.contains(&self.pointer));
        self.depth += 1;
        self.inside += inside;
        let result = self.visit(child, value);
        self.inside -= inside;
        self.depth -= 1;
        self.pointer.truncate(length);
        result
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn filled(schema: &Value, document: &Value) -> (Value, Vec<String>) {
        let schema = CompiledSchema::new(schema).unwrap();
        let mut document = document.clone();
        let inserts = fill(&schema, &mut document, u64::MAX).unwrap();
        (document, inserts.iter().map(Insert::pointer).collect())
    }

    #[test]
    fn defaults_are_found_in_every_place_that_applies() {
        let schema = json!({
            "$defs": {"line": {"properties": {"unit": {"default": "EUR"}}}, "five": {"default": 5}},
            "properties": {
                "own": {"default": 1},
                "behind": {"$ref": "#/$defs/five"},
                "first": {"allOf": [{"default": 6}, {"default": 7}]},
                "nearer": {"default": 8, "$ref": "#/$defs/five"},
                "lines": {"prefixItems": [{"properties": {"head": {"default": true}}}], "items": {"$ref": "#/$defs/line"}},
            },
            "allOf": [{"properties": {"own": {"default": 2}, "more": {"default": 3}}}],
            "patternProperties": {"^x-": {"$ref": "#/$defs/line"}},
            "additionalProperties": {"properties": {"other": {"default": null}}},
        });
        let (document, pointers) = filled(
            &schema,
            &json!({"lines": [{}, {}, {"unit": "USD"}, 3], "x-a": {}, "rest/": {}}),
        );
        assert_eq!(
            document,
            json!({
                "own": 1, "behind": 5, "first": 6, "nearer": 8, "more": 3,
                "lines": [{"head": true}, {"unit": "EUR"}, {"unit": "USD"}, 3],
                "x-a": {"unit": "EUR"}, "rest/": {"other": null},
            })
        );
        assert_eq!(
            pointers,
            [
                "/behind",
                "/first",
                "/lines/0/head",
                "/lines/1/unit",
                "/nearer",
                "/own",
                "/rest~1/other",
                "/x-a/unit",
                "/more"
            ]
        );
    }

    #[test]
    fn branches_that_may_not_apply_supply_nothing() {
        let branch = json!({"properties": {"a": {"default": 1}}});
        let schema = json!({
            "anyOf": [branch], "oneOf": [branch], "if": branch, "then": branch, "else": branch,
            "dependentSchemas": {"b": branch}, "not": {"required": ["z"]},
        });
        assert_eq!(filled(&schema, &json!({"b": 1})), (json!({"b": 1}), vec![]));
    }

    #[test]
    fn null_is_a_value_and_stays() {
        let schema = json!({"properties": {"a": {"default": 1}}});
        assert_eq!(
            filled(&schema, &json!({"a": null})),
            (json!({"a": null}), vec![])
        );
        assert_eq!(filled(&schema, &json!([])), (json!([]), vec![]));
    }

    #[test]
    fn what_lies_inside_a_default_comes_with_it() {
        let schema = json!({
            "properties": {"o": {"default": {}, "properties": {"p": {"default": {}, "properties": {"q": {"default": 1}}}}}},
            "allOf": [{"properties": {"o": {"properties": {"r": {"default": 2}}}}}],
        });
        assert_eq!(
            filled(&schema, &json!({})),
            (json!({"o": {"p": {"q": 1}, "r": 2}}), vec!["/o".to_owned()])
        );
        assert_eq!(
            filled(&schema, &json!({"o": {}})),
            (
                json!({"o": {"p": {"q": 1}, "r": 2}}),
                vec!["/o/p".to_owned(), "/o/r".to_owned()]
            )
        );
    }

    #[test]
    fn a_recursive_schema_fills_as_deep_as_the_document_goes() {
        let schema = json!({"properties": {"unit": {"default": "EUR"}, "child": {"$ref": "#"}}});
        let (document, pointers) = filled(&schema, &json!({"child": {"child": {"unit": 1}}}));
        assert_eq!(
            document,
            json!({"unit": "EUR", "child": {"unit": "EUR", "child": {"unit": 1}}})
        );
        assert_eq!(pointers, ["/child/unit", "/unit"]);
    }
}
