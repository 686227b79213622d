//! The sentences: what was found and what is allowed, keyword by keyword, in words for
//! people who know their numbers but not JSON Schema.

use std::fmt::Write;

use dropcast_domain::problem::{Problem, excerpt, nearest, place, quoted};
use serde_json::{Map, Value};

use crate::{
    CompiledSchema,
    schema::{Node, NodeId},
};

/// How many choices a sentence lists.
const LISTED: usize = 12;

/// How many `$ref` and `allOf` steps are followed to describe what belongs somewhere.
const FOLLOWED: u8 = 8;

/// A value as a sentence names it.
pub(super) fn found(value: &Value) -> String {
    match value {
        Value::Null => "null (no value)".to_owned(),
        Value::Bool(_) | Value::Number(_) => value.to_string(),
        Value::String(text) => quoted(text),
        Value::Array(items) => list_of(items.len()),
        Value::Object(members) if members.is_empty() => "an empty object".to_owned(),
        Value::Object(members) => format!(
            "an object with {}",
            count(members.len() as u64, "entry", "entries")
        ),
    }
}

/// A value as a choice names it: short values whole.
fn literal(value: &Value) -> String {
    match value {
        Value::Array(_) | Value::Object(_) => excerpt(&value.to_string()),
        other => found(other),
    }
}

fn list_of(items: usize) -> String {
    if items == 0 {
        "an empty list".to_owned()
    } else {
        format!("a list of {}", count(items as u64, "item", "items"))
    }
}

fn count(number: u64, one: &str, many: &str) -> String {
    if number == 1 {
        format!("1 {one}")
    } else {
        format!("{number} {many}")
    }
}

/// `a`, `a or b`, `a, b or c`; what exceeds [`LISTED`] is counted.
fn choice(options: &[String]) -> String {
    let more = options.len().saturating_sub(LISTED);
    let shown = &options[..options.len() - more];
    match shown {
        [] => "nothing".to_owned(),
        _ if more > 0 => format!("{} or one of {more} more", shown.join(", ")),
        [only] => only.clone(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}

/// A keyword about the value itself that the value breaks.
pub(super) fn own(
    schema: &CompiledSchema,
    node: &Node,
    keyword: &str,
    value: &Value,
    pointer: &str,
) -> Problem {
    let found = found(value);
    let allowed = match keyword {
        "type" => describe_own(&node.own).unwrap_or_else(|| "another type".to_owned()),
        "enum" | "const" => {
            describe_choice(&node.own).unwrap_or_else(|| "another value".to_owned())
        }
        "minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum" | "multipleOf" => {
            numbers(&node.own)
        }
        "minLength" | "maxLength" => texts(&node.own),
        "pattern" => format!("text of the form {}", plain(node.own.get("pattern"))),
        "format" => format(plain(node.own.get("format")).as_str()),
        "minItems" | "maxItems" => sizes(&node.own, "a list", "Items", "item", "items"),
        "minProperties" | "maxProperties" => {
            sizes(&node.own, "an object", "Properties", "entry", "entries")
        }
        "contains" | "minContains" | "maxContains" => containing(&node.own),
        "not" => return not(schema, node, &found, pointer),
        _ => "another value".to_owned(),
    };
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
    hinted(problem, node, keyword, value)
}

fn hinted(problem: Problem, node: &Node, keyword: &str, value: &Value) -> Problem {
    let wants = |name: &str| match node.own.get("type") {
        Some(Value::String(wanted)) => wanted == name,
        Some(Value::Array(wanted)) => wanted.iter().any(|wanted| wanted == name),
        _ => false,
    };
    match (keyword, value) {
        ("type", Value::String(text))
            if (wants("number") || wants("integer")) && is_number(text) =>
        {
            problem.hinted("Remove the quotation marks.")
        }
        ("type", Value::String(text))
            if (wants("number") || wants("integer")) && is_number(&text.replace(',', ".")) =>
        {
            problem.hinted("Write the number with a decimal point and without quotation marks.")
        }
        ("type", Value::String(text))
            if wants("boolean") && matches!(text.as_str(), "true" | "false") =>
        {
            problem.hinted("Remove the quotation marks.")
        }
        ("type", Value::Number(_) | Value::Bool(_)) if wants("string") => {
            problem.hinted("Put it in quotation marks.")
        }
        ("type", Value::Null) => problem.hinted("Fill it in, or leave the entry out."),
        ("enum" | "const", Value::String(text)) => match suggestion(&node.own, text) {
            Some(meant) => problem.hinted(&format!("Did you mean {}?", quoted(meant))),
            None => problem,
        },
        ("pattern" | "format", _) => match &node.example {
            Some(Value::String(example)) => {
                problem.hinted(&format!("For example: {}.", quoted(example)))
            }
            _ => problem,
        },
        _ => problem,
    }
}

fn is_number(text: &str) -> bool {
    text.trim().parse::<f64>().is_ok_and(f64::is_finite)
}

fn suggestion<'o>(own: &'o Map<String, Value>, text: &str) -> Option<&'o str> {
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

/// What a node describes, as a noun: `a number from 0 to 100`; `None` when it says nothing
/// that would help.
pub(super) fn describe(schema: &CompiledSchema, id: NodeId) -> Option<String> {
    describe_within(schema, id, FOLLOWED)
}

fn describe_within(schema: &CompiledSchema, id: NodeId, steps: u8) -> Option<String> {
    let node = schema.node(id);
    describe_own(&node.own).or_else(|| {
        let steps = steps.checked_sub(1)?;
        node.reference
            .iter()
            .chain(&node.all_of)
            .find_map(|&applied| describe_within(schema, applied, steps))
    })
}

/// What a node's own keywords describe.
fn describe_own(own: &Map<String, Value>) -> Option<String> {
    if let Some(choice) = describe_choice(own) {
        return Some(choice);
    }
    match own.get("type")? {
        Value::String(name) => Some(describe_type(name, own)),
        Value::Array(names) => {
            let names: Vec<String> = names
                .iter()
                .filter_map(Value::as_str)
                .map(|name| describe_type(name, own))
                .collect();
            Some(choice(&names))
        }
        _ => None,
    }
}

fn describe_choice(own: &Map<String, Value>) -> Option<String> {
    if let Some(only) = own.get("const") {
        return Some(format!("only {}", literal(only)));
    }
    let options: Vec<String> = own.get("enum")?.as_array()?.iter().map(literal).collect();
    Some(if options.len() == 1 {
        format!("only {}", options[0])
    } else {
        format!("one of {}", choice(&options))
    })
}

fn describe_type(name: &str, own: &Map<String, Value>) -> String {
    match name {
        "string" if own.contains_key("format") => format(plain(own.get("format")).as_str()),
        "string" => texts(own),
        "integer" | "number" => numbers_of(name == "integer", own),
        "boolean" => "true or false".to_owned(),
        "null" => "null (no value)".to_owned(),
        "array" => sizes(own, "a list", "Items", "item", "items"),
        "object" => "an object".to_owned(),
        other => other.to_owned(),
    }
}

fn numbers(own: &Map<String, Value>) -> String {
    let whole = match own.get("type") {
        Some(Value::String(name)) => name == "integer",
        Some(Value::Array(names)) => {
            names.iter().any(|name| name == "integer") && !names.iter().any(|name| name == "number")
        }
        _ => false,
    };
    numbers_of(whole, own)
}

fn numbers_of(whole: bool, own: &Map<String, Value>) -> String {
    let mut text = if whole { "a whole number" } else { "a number" }.to_owned();
    let limit = |key: &str| own.get(key).map(Value::to_string);
    let range = match (
        limit("minimum"),
        limit("maximum"),
        limit("exclusiveMinimum"),
        limit("exclusiveMaximum"),
    ) {
        (Some(least), Some(most), None, None) => format!(" from {least} to {most}"),
        (least, most, above, below) => {
            let parts = [
                ("of at least", least),
                ("above", above),
                ("of at most", most),
                ("below", below),
            ];
            let parts: Vec<String> = parts
                .into_iter()
                .filter_map(|(words, limit)| limit.map(|limit| format!("{words} {limit}")))
                .collect();
            if parts.is_empty() {
                String::new()
            } else {
                format!(" {}", parts.join(" and "))
            }
        }
    };
    text.push_str(&range);
    if let Some(step) = limit("multipleOf") {
        let _ = write!(
            text,
            "{} a multiple of {step}",
            if range.is_empty() {
                " that is"
            } else {
                ", and"
            }
        );
    }
    text
}

fn texts(own: &Map<String, Value>) -> String {
    sizes(own, "text", "Length", "character", "characters")
}

/// `a list of 1 to 5 items`, from `min…` and `max…`.
fn sizes(own: &Map<String, Value>, what: &str, keyword: &str, one: &str, many: &str) -> String {
    let limit = |bound: &str| {
        own.get(&format!("{bound}{keyword}"))
            .and_then(Value::as_f64)
    };
    let of = if what == "an object" { "with" } else { "of" };
    match (limit("min").filter(|least| *least > 0.0), limit("max")) {
        (None, None) => what.to_owned(),
        #[expect(clippy::float_cmp, reason = "Two counts, written as whole numbers.")]
        (Some(least), Some(most)) if least == most => format!(
            "{what} {of} {least} {}",
            if most == 1.0 { one } else { many }
        ),
        (Some(least), Some(most)) => format!("{what} {of} {least} to {most} {many}"),
        (Some(least), None) => format!(
            "{what} {of} at least {least} {}",
            if least < 2.0 { one } else { many }
        ),
        (None, Some(most)) => format!(
            "{what} {of} at most {most} {}",
            if most < 2.0 && most > 0.0 { one } else { many }
        ),
    }
}

/// A format, by an example of it.
fn format(name: &str) -> String {
    match name {
        "date" => "a date such as 2026-01-31",
        "date-time" => "a date and time such as 2026-01-31T08:30:00Z",
        "time" => "a time such as 08:30:00Z",
        "duration" => "a duration such as P3M or PT12H",
        "email" | "idn-email" => "a mail address such as ana@corp.example",
        "hostname" | "idn-hostname" => "a host name such as www.corp.example",
        "ipv4" => "an IPv4 address such as 192.0.2.1",
        "ipv6" => "an IPv6 address such as 2001:db8::1",
        "uri" | "iri" => "a web address such as https://corp.example/plan",
        "uuid" => "a UUID such as 123e4567-e89b-12d3-a456-426614174000",
        other => return format!("text in the format {other}"),
    }
    .to_owned()
}

fn containing(own: &Map<String, Value>) -> String {
    let limit = |key: &str| own.get(key).and_then(Value::as_f64);
    match (limit("minContains").unwrap_or(1.0), limit("maxContains")) {
        (least, None) => {
            format!("a list in which at least {least} of the items are of the kind that is needed")
        }
        (least, Some(most)) => {
            format!("a list in which {least} to {most} of the items are of the kind that is needed")
        }
    }
}

fn not(schema: &CompiledSchema, node: &Node, found: &str, pointer: &str) -> Problem {
    let excluded = node.not.and_then(|not| describe(schema, not));
    let allowed = match &excluded {
        Some(excluded) => format!("anything but {}", excluded.trim_start_matches("only ")),
        None => "another value".to_owned(),
    };
    Problem::new(pointer, found, &allowed)
}

/// A keyword's text without quotation marks.
fn plain(value: Option<&Value>) -> String {
    value
        .and_then(Value::as_str)
        .map(excerpt)
        .unwrap_or_default()
}

/// A member that is not there.
pub(super) fn missing(
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
pub(super) fn unknown_name(node: &Node, name: &str, pointer: &str) -> Problem {
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
        Some(meant) => problem.hinted(&format!("Did you mean {}?", quoted(meant))),
        None => problem,
    }
}

/// A member of the object at `base` that no part of the schema speaks of.
pub(super) fn unknown_name_at(base: &str, name: &str) -> Problem {
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
pub(super) fn bad_name(name: &str, why: Option<&Problem>, pointer: &str) -> Problem {
    let allowed = why.map_or("another name", |problem| problem.allowed.as_str());
    let allowed = if allowed.starts_with("text ") {
        format!("as a name, {allowed}")
    } else {
        allowed.to_owned()
    };
    Problem::new(pointer, &format!("the name {}", quoted(name)), &allowed)
}

/// A value where none may stand.
pub(super) fn nothing_allowed(value: &Value, pointer: &str) -> Problem {
    let found = found(value);
    let message = format!(
        "{}: found {found}; nothing is allowed here. Remove it.",
        place(pointer)
    );
    Problem::with_message(pointer, &found, "nothing", &message)
}

pub(super) fn too_many_items(items: usize, most: usize, pointer: &str) -> Problem {
    let allowed = format!("a list of at most {}", count(most as u64, "item", "items"));
    Problem::new(pointer, &list_of(items), &allowed)
}

/// An item that equals an earlier one.
pub(super) fn repeated(item: &Value, pointer: &str, earlier: &str) -> Problem {
    let found = literal(item);
    let message = format!(
        "{}: found {found}, which stands at {} already; each item is allowed once.",
        place(pointer),
        excerpt(earlier)
    );
    Problem::with_message(pointer, &found, "each item once", &message)
}

/// A value that fits none of several branches, and what each allows, as far as known.
pub(super) fn fits_none(value: &Value, allowed: &[&str], pointer: &str) -> Problem {
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
    Problem::new(pointer, &found(value), &allowed)
}

/// A value that fits several branches of which it may fit one.
pub(super) fn fits_several(
    value: &Value,
    fitting: usize,
    branches: usize,
    pointer: &str,
) -> Problem {
    let found = found(value);
    let message = format!(
        "{}: found {found}, which fits {fitting} of the {branches} forms that are described; only a value that fits one is allowed.",
        place(pointer)
    );
    Problem::with_message(pointer, &found, "a value that fits one form", &message)
}

/// A text that is the same for equal values: numbers by what they are, not how they are written.
pub(super) fn canonical(value: &Value) -> String {
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
        Value::Array(items) => items
            .iter()
            .fold("[".to_owned(), |text, item| text + &canonical(item) + ","),
        Value::Object(members) => members.iter().fold("{".to_owned(), |text, (key, member)| {
            text + &Value::from(key.as_str()).to_string() + ":" + &canonical(member) + ","
        }),
        other => other.to_string(),
    }
}
