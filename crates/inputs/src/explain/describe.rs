//! What a schema allows, as a noun: `a number from 0 to 100`, `one of "month" or "year"`.

use std::fmt::Write;

use dropcast_domain::text::excerpt;
use serde_json::{Map, Value};

use super::messages::describe_found;
use crate::{CompiledSchema, schema::NodeId};

/// How many choices a sentence lists.
const LISTED: usize = 12;

/// How many `$ref` and `allOf` steps are followed to describe what belongs somewhere.
const FOLLOWED: u8 = 8;

/// What a node describes, as a noun: `a number from 0 to 100`; `None` when it says nothing
/// that would help.
pub(crate) fn describe(schema: &CompiledSchema, id: NodeId) -> Option<String> {
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

/// What one keyword allows, together with those that belong to it.
pub(super) fn by_keyword(keyword: &str, own: &Map<String, Value>) -> String {
    match keyword {
        "type" => describe_own(own).unwrap_or_else(|| "another type".to_owned()),
        "enum" | "const" => describe_choice(own).unwrap_or_else(|| "another value".to_owned()),
        "minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum" | "multipleOf" => {
            numbers(own)
        }
        "minLength" | "maxLength" => texts(own),
        "pattern" => format!("text of the form {}", plain(own.get("pattern"))),
        "format" => format(&plain(own.get("format"))),
        "minItems" | "maxItems" => sizes(own, "a list", "Items", "item", "items"),
        "minProperties" | "maxProperties" => {
            sizes(own, "an object", "Properties", "entry", "entries")
        }
        "contains" | "minContains" | "maxContains" => containing(own),
        _ => "another value".to_owned(),
    }
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
            let least = format!("{least} item{}", if least < 2.0 { "" } else { "s" });
            format!("a list with at least {least} of the kind that is needed")
        }
        (least, Some(most)) => {
            format!("a list with {least} to {most} items of the kind that is needed")
        }
    }
}

/// A value as a choice names it: short values whole.
pub(super) fn literal(value: &Value) -> String {
    match value {
        Value::Array(_) | Value::Object(_) => excerpt(&value.to_string()),
        other => describe_found(other),
    }
}

/// `a`, `a or b`, `a, b or c`; what exceeds [`LISTED`] is counted.
pub(super) fn choice(options: &[String]) -> String {
    let more = options.len().saturating_sub(LISTED);
    let shown = &options[..options.len() - more];
    match shown {
        [] => "nothing".to_owned(),
        _ if more > 0 => format!("{} or one of {more} more", shown.join(", ")),
        [only] => only.clone(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}

pub(super) fn count(number: u64, one: &str, many: &str) -> String {
    if number == 1 {
        format!("1 {one}")
    } else {
        format!("{number} {many}")
    }
}

/// A keyword's text without quotation marks.
fn plain(value: Option<&Value>) -> String {
    value
        .and_then(Value::as_str)
        .map(excerpt)
        .unwrap_or_default()
}
