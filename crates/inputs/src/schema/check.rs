//! What a schema must be before documents are checked against it.

use dropcast_domain::{
    problem::{Problem, ProblemList, place},
    text::{excerpt, quoted},
};
use jsonschema::ValidationError;
use serde_json::Value;

use super::{
    CompiledSchema, SchemaError,
    nodes::{Node, NodeId},
};
use crate::{Limits, defaults, explain};

const DRAFT: &str = "https://json-schema.org/draft/2020-12/schema";

/// One problem of a schema as an error.
pub(super) fn failure(location: &str, message: &str) -> SchemaError {
    let message = format!("{}: {message}", place(location));
    SchemaError {
        problems: ProblemList::of(Problem::with_message(
            location,
            "this schema",
            "another one",
            &message,
        )),
    }
}

/// The schema without its own `$id`, which only matters to those who refer to it from
/// outside; and whether it is a schema of our draft at all.
pub(super) fn without_id(schema: &Value) -> Result<Value, SchemaError> {
    match schema {
        Value::Bool(_) => Ok(schema.clone()),
        Value::Object(keywords) => {
            if let Some(draft) = keywords.get("$schema")
                && draft
                    .as_str()
                    .is_none_or(|draft| draft.trim_end_matches('#') != DRAFT)
            {
                let found = draft
                    .as_str()
                    .map_or_else(|| excerpt(&draft.to_string()), quoted);
                let message = format!(
                    "this is {found}; only draft 2020-12 is read. Write \"{DRAFT}\" or leave it out."
                );
                return Err(failure("/$schema", &message));
            }
            let mut keywords = keywords.clone();
            keywords.remove("$id");
            keywords.remove("$schema");
            Ok(Value::Object(keywords))
        }
        _ => Err(failure("", "a schema is an object (or true or false).")),
    }
}

/// Everything in which a schema breaks the rules for schemas.
pub(super) fn against_meta_schema(root: &Value) -> Result<(), SchemaError> {
    let meta = jsonschema::draft202012::meta::validator();
    let mut problems = ProblemList::default();
    for error in meta.iter_errors(root) {
        problems.push(explain::from_validator(&error));
    }
    if problems.is_empty() {
        Ok(())
    } else {
        Err(SchemaError { problems })
    }
}

/// A schema that the validator refused to compile.
pub(super) fn build_error(error: &ValidationError<'_>) -> SchemaError {
    SchemaError {
        problems: ProblemList::of(explain::from_validator(error)),
    }
}

/// Refuses a schema that describes a value by itself: checking would never end.
pub(super) fn no_endless_reference(nodes: &[Node]) -> Result<(), SchemaError> {
    #[derive(Clone, Copy, PartialEq)]
    enum Mark {
        New,
        Open,
        Done,
    }
    let mut marks = vec![Mark::New; nodes.len()];
    for start in 0..nodes.len() {
        let mut stack = vec![(start, false)];
        while let Some((index, finished)) = stack.pop() {
            if finished {
                marks[index] = Mark::Done;
                continue;
            }
            match marks[index] {
                Mark::Done => continue,
                Mark::Open => {
                    return Err(failure(
                        &nodes[index].location,
                        "by its $ref this schema describes a value by itself, without end. \
                         Refer to it from a property or an item instead.",
                    ));
                }
                Mark::New => {}
            }
            marks[index] = Mark::Open;
            stack.push((index, true));
            stack.extend(
                nodes[index]
                    .in_place()
                    .filter(|id| marks[id.0] != Mark::Done)
                    .map(|NodeId(next)| (next, false)),
            );
        }
    }
    Ok(())
}

/// Checks that every default, completed by the defaults inside it, satisfies its own schema.
pub(super) fn defaults(schema: &CompiledSchema) -> Result<(), SchemaError> {
    let mut problems = ProblemList::default();
    for id in schema.node_ids() {
        let node = schema.node(id);
        let Some(default) = &node.default else {
            continue;
        };
        let location = format!("{}/default", node.location);
        let mut value = default.clone();
        if defaults::fill_at(schema, id, &mut value, Limits::default().max_memory / 8).is_err() {
            let message = format!(
                "{}: when filled in, this default would contain itself without end.",
                place(&location)
            );
            problems.push(Problem::with_message(
                &location,
                &excerpt(&default.to_string()),
                "a default that ends",
                &message,
            ));
        } else if !schema.satisfies(id, &value) {
            for problem in explain::problems_at(schema, id, &value).problems {
                let pointer = format!("{location}{}", problem.at);
                let message = format!(
                    "{}: the default does not satisfy its own schema: found {}; {} is allowed.",
                    place(&pointer),
                    problem.found,
                    problem.allowed
                );
                problems.push(Problem::with_message(
                    &pointer,
                    &problem.found,
                    &problem.allowed,
                    &message,
                ));
            }
        }
    }
    if problems.is_empty() {
        Ok(())
    } else {
        Err(SchemaError { problems })
    }
}

/// Percent-decodes a URI fragment.
pub(super) fn decode_fragment(fragment: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(fragment.len());
    let mut rest = fragment.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        if first == b'%' {
            let hex = std::str::from_utf8(tail.get(..2)?).ok()?;
            bytes.push(u8::from_str_radix(hex, 16).ok()?);
            rest = &tail[2..];
        } else {
            bytes.push(first);
            rest = tail;
        }
    }
    String::from_utf8(bytes).ok()
}
