//! The sentences: what was found and what is allowed, keyword by keyword, in words for
//! people who know their numbers but not JSON Schema.

use std::fmt::Write;

use dropcast_domain::{
    problem::{Problem, nearest, place},
    text::{excerpt, quoted},
};
use serde_json::{Map, Value};

use super::describe::{by_keyword, choice, count, describe, literal};
use crate::{CompiledSchema, schema::Node};

/// A value as a sentence names it.
pub(super) fn describe_found(value: &Value) -> String {
    match value {
        Value::Null => "null (no value)".to_owned(),
        Value::Bool(_) | Value::Number(_) => value.to_string(),
        Value::String(text) => quoted(text),
        Value::Array(items) => describe_list(items.len()),
        Value::Object(members) if members.is_empty() => "an empty object".to_owned(),
        Value::Object(members) => format!(
            "an object with {}",
            count(members.len() as u64, "entry", "entries")
        ),
    }
}

fn describe_list(items: usize) -> String {
    if items == 0 {
        "an empty list".to_owned()
    } else {
        format!("a list of {}", count(items as u64, "item", "items"))
    }
}

/// A keyword about the value itself that the value breaks.
pub(super) fn explain_keyword(
    schema: &CompiledSchema,
    node: &Node,
    keyword: &str,
    value: &Value,
    pointer: &str,
) -> Problem {
    let found = describe_found(value);
    if keyword == "not" {
        return explain_not(schema, node, &found, pointer);
    }
    let allowed = by_keyword(keyword, &node.own);
    let problem = match (keyword, value) {
        // How long it is says more than how it begins.
        ("minLength" | "maxLength", Value::String(text)) => {
            let found = format!(
                "{found} ({})",
                count(text.chars().count() as u64, "character", "characters")
            );
            Problem::new(pointer, &found, &allowed)
        }
        _ => Problem::new(pointer, &found, &allowed),
    };
    add_hint(problem, node, keyword, value)
}

fn add_hint(problem: Problem, node: &Node, keyword: &str, value: &Value) -> Problem {
    let wants = |name: &str| match node.own.get("type") {
        Some(Value::String(wanted)) => wanted == name,
        Some(Value::Array(wanted)) => wanted.iter().any(|wanted| wanted == name),
        _ => false,
    };
    match (keyword, value) {
        ("type", Value::String(text))
            if (wants("number") || wants("integer")) && is_number(text) =>
        {
            problem.with_hint("Remove the quotation marks.")
        }
        ("type", Value::String(text))
            if (wants("number") || wants("integer")) && is_number(&text.replace(',', ".")) =>
        {
            problem.with_hint("Write the number with a decimal point and without quotation marks.")
        }
        ("type", Value::String(text))
            if wants("boolean") && matches!(text.as_str(), "true" | "false") =>
        {
            problem.with_hint("Remove the quotation marks.")
        }
        ("type", Value::Number(_) | Value::Bool(_)) if wants("string") => {
            problem.with_hint("Put it in quotation marks.")
        }
        ("type", Value::Null) => problem.with_hint("Fill it in, or leave the entry out."),
        ("enum" | "const", Value::String(text)) => match find_suggestion(&node.own, text) {
            Some(meant) => problem.with_hint(&format!("Did you mean {}?", quoted(meant))),
            None => problem,
        },
        ("pattern" | "format", _) => match &node.example {
            Some(Value::String(example)) => {
                problem.with_hint(&format!("For example: {}.", quoted(example)))
            }
            _ => problem,
        },
        _ => problem,
    }
}

fn is_number(text: &str) -> bool {
    text.trim().parse::<f64>().is_ok_and(f64::is_finite)
}

fn find_suggestion<'o>(own: &'o Map<String, Value>, text: &str) -> Option<&'o str> {
    let options = own
        .get("enum")
        .and_then(Value::as_array)
        .map(Vec::as_slice)
        .unwrap_or_default();
    nearest(
        text,
        options
            .iter()
            .chain(own.get("const"))
            .take(1_000)
            .filter_map(Value::as_str),
    )
}

fn explain_not(schema: &CompiledSchema, node: &Node, found: &str, pointer: &str) -> Problem {
    let excluded = node.not.and_then(|not| describe(schema, not));
    let allowed = match &excluded {
        Some(excluded) => format!("anything but {}", excluded.trim_start_matches("only ")),
        None => "another value".to_owned(),
    };
    Problem::new(pointer, found, &allowed)
}

/// A member that is not there.
pub(super) fn explain_missing(
    name: &str,
    wanted: Option<&str>,
    because: Option<&str>,
    meant: Option<&str>,
    pointer: &str,
) -> Problem {
    let name = quoted(name);
    let mut message = format!("{}: {name} is missing", place(pointer));
    if let Some(because) = because {
        let _ = write!(
            message,
            ", which is needed because {} is given",
            quoted(because)
        );
    }
    if let Some(wanted) = wanted {
        let _ = write!(message, "; {wanted} is allowed there");
    }
    message.push('.');
    if let Some(meant) = meant {
        let _ = write!(message, " Is it what {} was meant to be?", quoted(meant));
    }
    Problem::with_message(
        pointer,
        &format!("no {name}"),
        &format!("an object with {name}"),
        &message,
    )
}

/// A member whose name the schema does not know.
pub(super) fn explain_unknown_name(node: &Node, name: &str, pointer: &str) -> Problem {
    let mut names: Vec<String> = node.properties.keys().map(|name| quoted(name)).collect();
    names.extend(
        node.patterns
            .iter()
            .map(|pattern| format!("a name of the form {}", excerpt(&pattern.text))),
    );
    let allowed = if names.is_empty() {
        "an empty object".to_owned()
    } else {
        choice(&names)
    };
    let message = format!(
        "{}: the name {} is not known here; {allowed} is allowed.",
        place(pointer),
        quoted(name)
    );
    let problem = Problem::with_message(
        pointer,
        &format!("the name {}", quoted(name)),
        &allowed,
        &message,
    );
    match nearest(name, node.properties.keys().map(String::as_str)) {
        Some(meant) => problem.with_hint(&format!("Did you mean {}?", quoted(meant))),
        None => problem,
    }
}

/// A member of the object at `base` that no part of the schema speaks of.
pub(super) fn explain_unknown_name_at(base: &str, name: &str) -> Problem {
    let pointer = format!("{base}/{}", dropcast_domain::problem::pointer_segment(name));
    let message = format!(
        "{}: the name {} is not known here.",
        place(&pointer),
        quoted(name)
    );
    Problem::with_message(
        &pointer,
        &format!("the name {}", quoted(name)),
        "a known name",
        &message,
    )
}

/// A name that the schema for names refuses, and why.
pub(super) fn explain_bad_name(name: &str, why: Option<&Problem>, pointer: &str) -> Problem {
    let allowed = why.map_or("another name", |problem| problem.allowed.as_str());
    let allowed = if allowed.starts_with("text ") {
        format!("as a name, {allowed}")
    } else {
        allowed.to_owned()
    };
    Problem::new(pointer, &format!("the name {}", quoted(name)), &allowed)
}

/// A value where none is allowed.
pub(super) fn explain_nothing_allowed(value: &Value, pointer: &str) -> Problem {
    let found = describe_found(value);
    let message = format!(
        "{}: found {found}; nothing is allowed here. Remove it.",
        place(pointer)
    );
    Problem::with_message(pointer, &found, "nothing", &message)
}

pub(super) fn explain_too_many_items(items: usize, most: usize, pointer: &str) -> Problem {
    let allowed = format!("a list of at most {}", count(most as u64, "item", "items"));
    Problem::new(pointer, &describe_list(items), &allowed)
}

/// An item that equals an earlier one.
pub(super) fn explain_repeated(item: &Value, pointer: &str, earlier: &str) -> Problem {
    let found = literal(item);
    let message = format!(
        "{}: found {found}, which is already at {}; each item is allowed once.",
        place(pointer),
        excerpt(earlier)
    );
    Problem::with_message(pointer, &found, "each item once", &message)
}

/// A value that fits none of several branches, and what each allows, as far as known.
pub(super) fn explain_fits_none(value: &Value, allowed: &[&str], pointer: &str) -> Problem {
    let mut distinct: Vec<String> = Vec::new();
    for allowed in allowed {
        if !distinct.iter().any(|known| known == allowed) {
            distinct.push((*allowed).to_owned());
        }
    }
    let allowed = if distinct.is_empty() {
        "one of the described forms".to_owned()
    } else {
        choice(&distinct)
    };
    Problem::new(pointer, &describe_found(value), &allowed)
}

/// A value that fits several branches of which it may fit one.
pub(super) fn explain_fits_several(
    value: &Value,
    fitting: usize,
    branches: usize,
    pointer: &str,
) -> Problem {
    let found = describe_found(value);
    let message = format!(
        "{}: found {found}, which fits {fitting} of the {branches} forms that are described; only a value that fits one is allowed.",
        place(pointer)
    );
    Problem::with_message(pointer, &found, "a value that fits one form", &message)
}

/// A text that is the same for equal values: numbers by what they are, not how they are written.
pub(super) fn write_canonical(value: &Value) -> String {
    match value {
        Value::Number(number) => match number.as_f64() {
            #[expect(
                clippy::cast_possible_truncation,
                reason = "A whole number below 2^63 fits."
            )]
            Some(double) if number.is_f64() && double.fract() == 0.0 && double.abs() < 1.8e19 => {
                (double as i128).to_string()
            }
            _ => number.to_string(),
        },
        Value::Array(items) => items.iter().fold("[".to_owned(), |text, item| {
            text + &write_canonical(item) + ","
        }),
        Value::Object(members) => members.iter().fold("{".to_owned(), |text, (key, member)| {
            text + &Value::from(key.as_str()).to_string() + ":" + &write_canonical(member) + ","
        }),
        other => other.to_string(),
    }
}
