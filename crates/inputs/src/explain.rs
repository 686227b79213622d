//! What is wrong with a document, place by place, in words.
//!
//! The `jsonschema` validator decides what is right. To explain, a walk follows the
//! document through the schema's nodes and asks the validator about each value's own
//! keywords. So problems come in the order of the document, are counted without being
//! kept, and an alternative that failed is explained by the branch that was nearest.

mod branches;
mod describe;
mod messages;
mod path;
mod walk;

use dropcast_domain::{
    problem::{Problem, ProblemList, place},
    text::excerpt,
};
use jsonschema::ValidationError;
use serde_json::Value;

pub(crate) use self::describe::describe;
use self::walk::Walk;
use crate::{CompiledSchema, schema::NodeId};

/// Everything that is wrong with a document; nothing when it satisfies the schema.
pub(crate) fn problems(schema: &CompiledSchema, document: &Value) -> ProblemList {
    if schema.is_valid(document) {
        return ProblemList::default();
    }
    let mut problems = problems_at(schema, NodeId::ROOT, document);
    if problems.is_empty() {
        // The validator's word counts, even where the walk cannot say it better.
        if let Err(error) = schema.validator().validate(document) {
            problems.push(from_validator(&error));
        }
    }
    problems
}

/// What is wrong with a value by one node of the schema; pointers are relative to the value.
pub(crate) fn problems_at(schema: &CompiledSchema, node: NodeId, value: &Value) -> ProblemList {
    let mut walk = Walk::new(schema);
    walk.visit(node, value, &path::Path::Root);
    walk.into_problems()
}

/// A problem in the validator's own words.
pub(crate) fn from_validator(error: &ValidationError<'_>) -> Problem {
    let pointer = error.instance_path().as_str();
    let message = format!("{}: {}.", place(pointer), excerpt(&error.to_string()));
    Problem::with_message(
        pointer,
        &messages::describe_found(error.instance()),
        "what the schema describes",
        &message,
    )
}

#[cfg(test)]
mod tests;
