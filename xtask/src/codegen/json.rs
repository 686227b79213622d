//! JSON Schemas as people read them: keywords in a fixed order, properties as their type declares them.

use serde::{
    Serialize, Serializer,
    ser::{SerializeMap as _, SerializeSeq as _},
};
use serde_json::{Map, Value};

/// The keywords that come first, in their order; others follow by name.
const FIRST: [&str; 7] = [
    "$schema",
    "$id",
    "title",
    "description",
    "$ref",
    "type",
    "enum",
];
/// The keywords that come last, in their order.
const LAST: [&str; 5] = ["if", "then", "else", "properties", "$defs"];

/// A schema as text, with a line break at its end.
pub(super) fn text(schema: &Value) -> serde_json::Result<String> {
    serde_json::to_string_pretty(&Ordered(schema)).map(|text| text + "\n")
}

struct Ordered<'a>(&'a Value);

impl Serialize for Ordered<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::Object(schema) => {
                let mut map = serializer.serialize_map(Some(schema.len()))?;
                for (keyword, value) in in_order(schema) {
                    map.serialize_key(keyword)?;
                    match (keyword.as_str(), value) {
                        ("properties", Value::Object(properties)) => {
                            map.serialize_value(&Properties {
                                properties,
                                required: schema.get("required"),
                            })?;
                        }
                        ("$defs", Value::Object(properties)) => {
                            map.serialize_value(&Properties {
                                properties,
                                required: None,
                            })?;
                        }
                        // A default or a constant is a value, not a schema.
                        ("default" | "const", value) => map.serialize_value(value)?,
                        (_, value) => map.serialize_value(&Ordered(value))?,
                    }
                }
                map.end()
            }
            Value::Array(items) => {
                let mut list = serializer.serialize_seq(Some(items.len()))?;
                for item in items {
                    list.serialize_element(&Ordered(item))?;
                }
                list.end()
            }
            value => value.serialize(serializer),
        }
    }
}

fn in_order(schema: &Map<String, Value>) -> Vec<(&String, &Value)> {
    let mut entries: Vec<_> = schema.iter().collect();
    entries.sort_by_key(|(keyword, _)| {
        let first = FIRST.iter().position(|known| known == keyword);
        let last = LAST.iter().position(|known| known == keyword);
        (
            last.map_or(0, |at| at + 1),
            first.unwrap_or(FIRST.len()),
            (*keyword).clone(),
        )
    });
    entries
}

/// Schemas by the name of a property or a definition; the required ones first, as they are declared.
struct Properties<'a> {
    properties: &'a Map<String, Value>,
    required: Option<&'a Value>,
}

impl Serialize for Properties<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let required: Vec<&str> = self
            .required
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        let mut entries: Vec<_> = self.properties.iter().collect();
        entries.sort_by_key(|(name, _)| {
            let place = required.iter().position(|required| required == name);
            (place.unwrap_or(required.len()), (*name).clone())
        });
        let mut map = serializer.serialize_map(Some(entries.len()))?;
        for (name, schema) in entries {
            map.serialize_entry(name, &Ordered(schema))?;
        }
        map.end()
    }
}
