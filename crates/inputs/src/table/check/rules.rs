//! Which problems break the same rule of a column's schema.

use std::{
    collections::HashMap,
    hash::{DefaultHasher, Hash, Hasher},
};

use serde_json::Value;

use super::messages::{find_failing, is_open};
use crate::{
    CompiledSchema,
    schema::NodeId,
    table::{
        columns::{Column, RowSchema},
        report::{Kind, ProblemText},
    },
};

/// The rules that were broken so far. To put a problem into words takes a hundred times as long
/// as to find it, so that it is done once for each rule, as far as nobody reads more.
#[derive(Debug, Default)]
pub(super) struct Rules {
    /// By the column's place and the keyword that failed.
    known: HashMap<(usize, u64), Kind>,
}

impl Rules {
    /// The kind of a problem: by what is allowed in its place.
    pub(super) fn kind(
        &mut self,
        schema: &RowSchema,
        (index, column): (usize, &Column),
        value: &Value,
        words: impl FnOnce() -> ProblemText,
    ) -> Kind {
        if is_open(column, value) {
            return Kind::rule(&column.allowed);
        }
        let kind = || Kind::rule(&words().allowed);
        match keyword(schema, column, value) {
            Some(keyword) => *self.known.entry((index, keyword)).or_insert_with(kind),
            None => kind(),
        }
    }
}

/// The keyword that a value breaks, as a number; `None` where what is allowed follows from the
/// value too, because the schema has alternatives.
fn keyword(schema: &RowSchema, column: &Column, value: &Value) -> Option<u64> {
    let failing = find_failing(schema, column, value)?;
    let schema = schema.schema();
    if has_alternatives(schema, failing) {
        return None;
    }
    let error = schema.whole_validator(failing)?.validate(value).err()?;
    let mut hasher = DefaultHasher::new();
    (failing, error.schema_path().as_str()).hash(&mut hasher);
    Some(hasher.finish())
}

fn has_alternatives(schema: &CompiledSchema, id: NodeId) -> bool {
    let node = schema.node(id);
    let applied = || {
        node.reference
            .into_iter()
            .chain(node.all_of.iter().copied())
    };
    node.in_place().count() > applied().count()
        || applied().any(|applied| has_alternatives(schema, applied))
}
