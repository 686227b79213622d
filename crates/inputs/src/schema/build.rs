//! From a schema to its nodes, and what cannot be used on the way.

use std::collections::HashMap;

use dropcast_domain::{
    problem::{Problem, ProblemList, nearest, pointer_segment},
    text::quoted,
};
use serde_json::{Map, Value, json};

use super::{
    SchemaError, check,
    nodes::{Condition, Node, NodeId, Pattern},
    options, reference_to,
};

/// Keywords about the value itself, which the validator judges without the rest.
const OWN: [&str; 20] = [
    "type",
    "enum",
    "const",
    "multipleOf",
    "maximum",
    "exclusiveMaximum",
    "minimum",
    "exclusiveMinimum",
    "maxLength",
    "minLength",
    "pattern",
    "format",
    "maxItems",
    "minItems",
    "uniqueItems",
    "maxContains",
    "minContains",
    "maxProperties",
    "minProperties",
    "required",
];

/// The other keywords of draft 2020-12, and `definitions`, which older schemas keep theirs in.
const OTHER: [&str; 39] = [
    "$schema",
    "$id",
    "$ref",
    "$anchor",
    "$dynamicRef",
    "$dynamicAnchor",
    "$vocabulary",
    "$comment",
    "$defs",
    "definitions",
    "allOf",
    "anyOf",
    "oneOf",
    "not",
    "if",
    "then",
    "else",
    "dependentSchemas",
    "dependentRequired",
    "prefixItems",
    "items",
    "contains",
    "properties",
    "patternProperties",
    "additionalProperties",
    "propertyNames",
    "unevaluatedItems",
    "unevaluatedProperties",
    "title",
    "description",
    "default",
    "deprecated",
    "readOnly",
    "writeOnly",
    "examples",
    "contentEncoding",
    "contentMediaType",
    "contentSchema",
    "dependencies",
];

/// Annotations of other tools that only look like a slip.
const NO_SLIPS: [&str; 4] = ["example", "id", "enums", "names"];

/// The formats that draft 2020-12 defines.
const FORMATS: [&str; 19] = [
    "date",
    "date-time",
    "time",
    "duration",
    "email",
    "idn-email",
    "hostname",
    "idn-hostname",
    "ipv4",
    "ipv6",
    "uri",
    "uri-reference",
    "uri-template",
    "iri",
    "iri-reference",
    "uuid",
    "json-pointer",
    "relative-json-pointer",
    "regex",
];

/// The nodes of a schema; the root is the first.
pub(super) fn nodes(root: &Value) -> Result<Vec<Node>, SchemaError> {
    let mut building = Building {
        root,
        nodes: Vec::new(),
        known: HashMap::new(),
        anchors: HashMap::new(),
        problems: ProblemList::default(),
    };
    building.find_anchors(root, "");
    building.node(root, "");
    let Building {
        mut nodes,
        problems,
        ..
    } = building;
    if !problems.is_empty() {
        return Err(SchemaError { problems });
    }
    mark_filling(&mut nodes);
    Ok(nodes)
}

struct Building<'s> {
    root: &'s Value,
    nodes: Vec<Node>,
    /// Nodes by their location; also what breaks cycles.
    known: HashMap<String, NodeId>,
    anchors: HashMap<&'s str, String>,
    problems: ProblemList,
}

impl<'s> Building<'s> {
    /// `$anchor`s, wherever they stand; those in plain data do no harm.
    fn find_anchors(&mut self, value: &'s Value, location: &str) {
        match value {
            Value::Object(members) => {
                if let Some(anchor) = members.get("$anchor").and_then(Value::as_str) {
                    self.anchors
                        .entry(anchor)
                        .or_insert_with(|| location.to_owned());
                }
                for (key, member) in members {
                    self.find_anchors(member, &format!("{location}/{}", pointer_segment(key)));
                }
            }
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    self.find_anchors(item, &format!("{location}/{index}"));
                }
            }
            _ => {}
        }
    }

    fn add_problem(&mut self, location: &str, found: &str, allowed: &str, message: &str) {
        let message = format!("{}: {message}", dropcast_domain::problem::place(location));
        self.problems
            .push_with(|| Problem::with_message(location, found, allowed, &message));
    }

    fn node(&mut self, schema: &'s Value, location: &str) -> NodeId {
        if let Some(&known) = self.known.get(location) {
            return known;
        }
        let id = NodeId(self.nodes.len());
        self.known.insert(location.to_owned(), id);
        self.nodes.push(Node::default());
        let mut node = Node {
            location: location.to_owned(),
            ..Node::default()
        };
        match schema {
            Value::Object(keywords) => self.keywords(keywords, &mut node),
            other => node.refuses_all = *other == Value::Bool(false),
        }
        self.nodes[id.0] = node;
        id
    }

    fn keywords(&mut self, keywords: &'s Map<String, Value>, node: &mut Node) {
        let location = node.location.clone();
        self.check_names(keywords, &location);
        for (keyword, value) in keywords {
            let at = format!("{location}/{}", pointer_segment(keyword));
            match keyword.as_str() {
                "$ref" => node.reference = self.reference(value, &at),
                "default" => node.default = Some(value.clone()),
                "title" => node.title = value.as_str().map(str::to_owned),
                "examples" => node.example = value.get(0).cloned(),
                "allOf" => node.all_of = self.list(value, &at),
                "anyOf" => node.any_of = self.list(value, &at),
                "oneOf" => node.one_of = self.list(value, &at),
                "prefixItems" => node.prefix_items = self.list(value, &at),
                "items" => node.items = Some(self.node(value, &at)),
                "additionalProperties" => node.additional = Some(self.node(value, &at)),
                "propertyNames" => node.names = Some(self.node(value, &at)),
                "properties" => node.properties = self.map(value, &at).into_iter().collect(),
                "dependentSchemas" => node.dependent_schemas = self.map(value, &at),
                "patternProperties" => node.patterns = self.patterns(value, &at),
                "dependentRequired" => node.dependent_names = dependent_names(value),
                "$defs" | "definitions" => {
                    self.map(value, &at);
                }
                "not" | "contains" => {
                    // Judged as a whole: why something fits what it must not is no help.
                    let part = self.node(value, &at);
                    node.not = if keyword == "not" {
                        Some(part)
                    } else {
                        node.not
                    };
                    node.own.insert(keyword.clone(), reference_to(&at));
                }
                "unevaluatedProperties" | "unevaluatedItems" => {
                    self.node(value, &at);
                    node.has_unevaluated = true;
                }
                "format" => self.format(value, &at, node),
                "pattern" => self.pattern(value, &at, node),
                own if OWN.contains(&own) => {
                    node.own.insert(own.to_owned(), value.clone());
                }
                _ => {}
            }
        }
        if let Some(test) = keywords.get("if") {
            let test = self.node(test, &format!("{location}/if"));
            let then = keywords
                .get("then")
                .map(|schema| self.node(schema, &format!("{location}/then")));
            let otherwise = keywords
                .get("else")
                .map(|schema| self.node(schema, &format!("{location}/else")));
            node.condition = Some(Condition {
                test,
                then,
                otherwise,
            });
        }
    }

    /// Keywords that are refused, and keys that are nearly keywords.
    fn check_names(&mut self, keywords: &Map<String, Value>, location: &str) {
        for (key, value) in keywords {
            let at = format!("{location}/{}", pointer_segment(key));
            match key.as_str() {
                "$dynamicRef" | "$dynamicAnchor" | "$recursiveRef" => {
                    self.add_problem(
                        &at,
                        key,
                        "$ref",
                        &format!(
                            "{key} is not supported; write $ref with the place that is meant."
                        ),
                    );
                }
                "$id" if !location.is_empty() => {
                    let message = "a schema inside the schema cannot have an $id; refer to it by its location, such as #/$defs/line.";
                    self.add_problem(&at, "$id", "no $id", message);
                }
                "dependencies" => {
                    let message = "dependencies belongs to an older draft; write dependentRequired or dependentSchemas.";
                    self.add_problem(&at, key, "dependentRequired or dependentSchemas", message);
                }
                "items" if value.is_array() => {
                    self.add_problem(
                        &at,
                        "a list",
                        "a schema",
                        "a list of schemas belongs to an older draft; write prefixItems.",
                    );
                }
                known
                    if OWN.contains(&known)
                        || OTHER.contains(&known)
                        || NO_SLIPS.contains(&known) => {}
                unknown => {
                    if let Some(meant) = nearest(unknown, OWN.into_iter().chain(OTHER)) {
                        let message = format!(
                            "{} is not a keyword, so it would check nothing. Did you mean {meant}?",
                            quoted(unknown)
                        );
                        self.add_problem(&at, &quoted(unknown), meant, &message);
                    }
                }
            }
        }
    }

    fn list(&mut self, value: &'s Value, location: &str) -> Vec<NodeId> {
        let schemas = value.as_array().map(Vec::as_slice).unwrap_or_default();
        schemas
            .iter()
            .enumerate()
            .map(|(index, schema)| self.node(schema, &format!("{location}/{index}")))
            .collect()
    }

    fn map(&mut self, value: &'s Value, location: &str) -> Vec<(String, NodeId)> {
        let schemas = value.as_object().into_iter().flatten();
        schemas
            .map(|(key, schema)| {
                (
                    key.clone(),
                    self.node(schema, &format!("{location}/{}", pointer_segment(key))),
                )
            })
            .collect()
    }

    fn patterns(&mut self, value: &'s Value, location: &str) -> Vec<Pattern> {
        let nodes = self.map(value, location);
        nodes
            .into_iter()
            .filter_map(|(text, node)| {
                let at = format!("{location}/{}", pointer_segment(&text));
                let validator = self.compile_pattern(&text, &at)?;
                Some(Pattern {
                    text,
                    validator,
                    node,
                })
            })
            .collect()
    }

    fn pattern(&mut self, value: &Value, location: &str, node: &mut Node) {
        if let Some(text) = value.as_str() {
            self.compile_pattern(text, location);
        }
        node.own.insert("pattern".to_owned(), value.clone());
    }

    fn compile_pattern(&mut self, text: &str, location: &str) -> Option<jsonschema::Validator> {
        let compiled = options().build(&json!({ "pattern": text }));
        if compiled.is_err() {
            let message = format!(
                "{} is no pattern that can be used: look-around such as (?=…) and back-references such as \\1 are not \
                 supported, nor are patterns of more than {} MiB when compiled.",
                quoted(text),
                super::PATTERN_SIZE / 1024 / 1024
            );
            self.add_problem(
                location,
                &quoted(text),
                "a regular expression without look-around",
                &message,
            );
        }
        compiled.ok()
    }

    fn format(&mut self, value: &Value, location: &str, node: &mut Node) {
        node.own.insert("format".to_owned(), value.clone());
        let Some(name) = value.as_str().filter(|name| !FORMATS.contains(name)) else {
            return;
        };
        let advice = match nearest(name, FORMATS) {
            Some(meant) => format!("Did you mean {meant}?"),
            None => format!("The formats are {}.", FORMATS.join(", ")),
        };
        let message = format!(
            "{} is not a known format, so it would check nothing. {advice}",
            quoted(name)
        );
        self.add_problem(location, &quoted(name), "a known format", &message);
    }

    fn reference(&mut self, value: &Value, location: &str) -> Option<NodeId> {
        let target = value.as_str()?;
        let Some(fragment) = target.strip_prefix('#') else {
            let message = format!(
                "{} leads out of this file, and nothing is fetched. Copy what it means into $defs and refer to it as #/$defs/….",
                quoted(target)
            );
            self.add_problem(location, &quoted(target), "a place in this file", &message);
            return None;
        };
        let pointer = match check::decode_fragment(fragment) {
            Some(pointer) if pointer.is_empty() || pointer.starts_with('/') => Some(pointer),
            Some(anchor) => self.anchors.get(anchor.as_str()).cloned(),
            None => None,
        };
        let root = self.root;
        let found =
            pointer.and_then(|pointer| root.pointer(&pointer).map(|schema| (pointer, schema)));
        let Some((pointer, schema)) =
            found.filter(|(_, schema)| schema.is_object() || schema.is_boolean())
        else {
            let known = root
                .get("$defs")
                .and_then(Value::as_object)
                .into_iter()
                .flat_map(Map::keys);
            let known: Vec<String> = known
                .map(|key| format!("#/$defs/{}", pointer_segment(key)))
                .collect();
            let advice = nearest(target, known.iter().map(String::as_str))
                .map_or(String::new(), |meant| format!(" Did you mean {meant}?"));
            let message = format!(
                "{} leads to no schema in this file.{advice}",
                quoted(target)
            );
            self.add_problem(location, &quoted(target), "a place in this file", &message);
            return None;
        };
        Some(self.node(schema, &pointer))
    }
}

fn dependent_names(value: &Value) -> Vec<(String, Vec<String>)> {
    let entries = value.as_object().into_iter().flatten();
    entries
        .map(|(name, needed)| {
            let needed = needed
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(Value::as_str);
            (name.clone(), needed.map(str::to_owned).collect())
        })
        .collect()
}

/// Marks the nodes below which there is a default to fill in.
fn mark_filling(nodes: &mut [Node]) {
    // A property's default is filled in at its object; elsewhere a default is only read
    // through `$ref` and `allOf` of such a property, so that marking more does no harm.
    let mut changed = true;
    while changed {
        changed = false;
        // Parts mostly come after the whole, so that backwards one round is nearly enough.
        for index in (0..nodes.len()).rev() {
            let below = nodes[index]
                .filled_through()
                .any(|id| nodes[id.0].fills || nodes[id.0].default.is_some());
            if below && !nodes[index].fills {
                nodes[index].fills = true;
                changed = true;
            }
        }
    }
}
