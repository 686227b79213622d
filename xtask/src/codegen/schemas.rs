//! The JSON Schemas of `schemas/`.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use dropcast_api_types as api;
use dropcast_domain::{
    event::{BuildFinished, RunStatusChanged},
    job::JobContext,
    model::Manifest,
    problem::ProblemList,
    registry::VersionFile,
    run::Run,
};
use schemars::{
    JsonSchema, Schema,
    generate::SchemaSettings,
    transform::{RecursiveTransform, Transform as _},
};
use serde_json::{Value, json};

use super::json;

/// The folders that hold nothing but generated schemas.
pub(super) const FOLDERS: [&str; 2] = ["schemas", "schemas/cli"];

type Source = fn() -> Schema;

/// Each schema by its file's name and how it follows from its type.
const SCHEMAS: [(&str, Source); 29] = [
    ("build-finished", written::<BuildFinished>),
    ("job-context", written::<JobContext>),
    ("model-manifest", manifest),
    ("problems", written::<ProblemList>),
    ("run-record", written::<Run>),
    ("run-status-changed", written::<RunStatusChanged>),
    ("version", read::<VersionFile>),
    ("cli/builds", written::<api::Builds>),
    ("cli/demo", written::<api::Demo>),
    ("cli/doctor", written::<api::DoctorReport>),
    ("cli/error", written::<api::ErrorDocument<'_>>),
    ("cli/initialized", written::<api::Initialized>),
    ("cli/local", written::<api::LocalStatus>),
    ("cli/mails", written::<api::Mails>),
    ("cli/model", written::<api::ModelDetail>),
    ("cli/models", written::<api::Models>),
    ("cli/promoted", written::<api::Promoted>),
    ("cli/pushed", written::<api::Pushed>),
    ("cli/registered", written::<api::Registered>),
    ("cli/retired", written::<api::Retired>),
    ("cli/run", written::<api::RunDetail>),
    ("cli/runs", written::<api::Runs>),
    ("cli/cancel-requested", written::<api::CancelRequested>),
    ("cli/log", written::<api::RunLog>),
    ("cli/submitted", written::<api::Submitted>),
    ("cli/tested", written::<api::Tested>),
    ("cli/validated", written::<api::Validated>),
    ("cli/validated-model", written::<api::ValidatedModel>),
    ("cli/versions", written::<api::Versions>),
];

/// Every schema's text by its path from the root of the repository.
pub(super) fn files() -> anyhow::Result<BTreeMap<PathBuf, String>> {
    SCHEMAS
        .iter()
        .map(|(name, schema)| {
            let path = format!("schemas/{name}.schema.json");
            let mut schema = schema();
            schema.insert(
                "$id".to_owned(),
                json!(format!("https://dropcast.example/{path}")),
            );
            Ok((Path::new(&path).to_owned(), json::text(schema.as_value())?))
        })
        .collect()
}

/// The schema of what Dropcast itself writes: nothing is in it but what the type says.
fn written<T: JsonSchema>() -> Schema {
    SchemaSettings::draft2020_12()
        .for_serialize()
        .with_transform(RecursiveTransform(tidy))
        .with_transform(RecursiveTransform(close))
        .with_transform(RecursiveTransform(utc))
        .into_generator()
        .into_root_schema_for::<T>()
}

/// The schema of what Dropcast reads from another program, which may say more.
fn read<T: JsonSchema>() -> Schema {
    SchemaSettings::draft2020_12()
        .for_deserialize()
        .with_transform(RecursiveTransform(tidy))
        .into_generator()
        .into_root_schema_for::<T>()
}

/// The schema of `model.toml`: what the record of a version holds, with the parser's defaults, in TOML's
/// way of writing keys. It is one piece, for editors.
fn manifest() -> Schema {
    let mut settings = SchemaSettings::draft2020_12().for_deserialize();
    settings.inline_subschemas = true;
    let mut schema = settings
        .with_transform(RecursiveTransform(tidy))
        .with_transform(RecursiveTransform(close))
        .with_transform(RecursiveTransform(snake_case))
        .into_generator()
        .into_root_schema_for::<Manifest>();
    RecursiveTransform(tidy).transform(&mut schema);
    schema
}

/// Takes out what says nothing outside Rust, and joins a comment's lines.
fn tidy(schema: &mut Schema) {
    let is_number = |format: &Value| {
        let format = format.as_str().unwrap_or_default();
        ["uint", "int", "float", "double"]
            .iter()
            .any(|kind| format.starts_with(kind))
    };
    if schema.get("format").is_some_and(is_number) {
        schema.remove("format");
    }
    if let Some(Value::String(description)) = schema.get("description") {
        let description = description
            .split("\n\n")
            .map(|paragraph| paragraph.split_whitespace().collect::<Vec<_>>().join(" "))
            .collect::<Vec<_>>()
            .join("\n\n");
        schema.insert("description".to_owned(), json!(description));
    }
    // Variants with comments come one by one.
    let names: Option<Vec<Value>> = schema
        .get("oneOf")
        .and_then(Value::as_array)
        .and_then(|variants| variants.iter().map(names).collect::<Option<Vec<_>>>())
        .map(|names| names.into_iter().flatten().collect());
    if let Some(names) = names {
        schema.remove("oneOf");
        schema.insert("type".to_owned(), json!("string"));
        schema.insert("enum".to_owned(), json!(names));
    }
}

/// The texts that a schema names, if it is one of texts alone.
fn names(schema: &Value) -> Option<Vec<Value>> {
    if schema.get("type")? != "string" {
        return None;
    }
    match (schema.get("const"), schema.get("enum")) {
        (Some(name), None) => Some(vec![name.clone()]),
        (None, Some(Value::Array(names))) => Some(names.clone()),
        _ => None,
    }
}

/// Nothing but what is named, and what may be left out is never null.
fn close(schema: &mut Schema) {
    if schema.get("type") != Some(&json!("object")) {
        return;
    }
    let required = schema.get("required").cloned().unwrap_or_default();
    let is_required = |name: &str| {
        let required = required.as_array().into_iter().flatten();
        required.into_iter().any(|required| required == name)
    };
    let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) else {
        return;
    };
    for (name, property) in properties {
        if !is_required(name) {
            refuse_null(property);
        }
    }
    if schema.get("additionalProperties").is_none() {
        schema.insert("additionalProperties".to_owned(), json!(false));
    }
}

fn refuse_null(property: &mut Value) {
    let Some(property) = property.as_object_mut() else {
        return;
    };
    let null = json!("null");
    if let Some(Value::Array(types)) = property.get_mut("type") {
        types.retain(|kind| *kind != null);
        if let [only] = types.as_slice() {
            let only = only.clone();
            property.insert("type".to_owned(), only);
        }
    }
    if let Some(Value::Array(values)) = property.get_mut("enum") {
        values.retain(|value| !value.is_null());
    }
    if let Some(Value::Array(schemas)) = property.get_mut("anyOf") {
        let count = schemas.len();
        schemas.retain(|schema| schema.get("type") != Some(&null));
        if let (true, [Value::Object(only)]) = (schemas.len() < count, schemas.as_slice()) {
            let only = only.clone();
            property.remove("anyOf");
            for (keyword, value) in only {
                property.entry(keyword).or_insert(value);
            }
        }
    }
}

/// Dropcast writes all times in UTC.
fn utc(schema: &mut Schema) {
    if schema.get("format") == Some(&json!("date-time")) {
        schema.insert("pattern".to_owned(), json!("Z$"));
    }
}

/// The properties' names as TOML has them.
fn snake_case(schema: &mut Schema) {
    let snake = |name: &str| {
        name.chars().fold(String::new(), |mut snake, c| {
            if c.is_ascii_uppercase() {
                snake.push('_');
            }
            snake.push(c.to_ascii_lowercase());
            snake
        })
    };
    if let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) {
        *properties = std::mem::take(properties)
            .into_iter()
            .map(|(name, property)| (snake(&name), property))
            .collect();
    }
    if let Some(Value::Array(names)) = schema.get_mut("required") {
        for name in names {
            if let Value::String(text) = name {
                *text = snake(text);
            }
        }
    }
}
