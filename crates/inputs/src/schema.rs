//! A model's input schema: JSON Schema, draft 2020-12, made ready to check documents
//! and to explain what is wrong with them.
//!
//! What a data scientist should know:
//! - `$ref` leads to a place in the same file: `#`, `#/$defs/line` or `#anchor`.
//!   Nothing is ever fetched. `$dynamicRef` and an `$id` inside the schema are refused.
//! - `format` is enforced, and an unknown format is refused, since it would check nothing.
//! - `pattern` runs in time linear in the text: look-around and back-references, which
//!   make that impossible, are refused.
//! - A key that is nearly a keyword is refused, since it would check nothing.
//! - A `default` must satisfy its own schema, nested defaults filled in.

mod build;
mod check;
mod nodes;

use std::{
    fmt::{self, Write},
    sync::OnceLock,
};

use dropcast_domain::problem::ProblemList;
use jsonschema::{Draft, PatternOptions, Registry, ValidationOptions, Validator};
pub(crate) use nodes::{Node, NodeId};
use serde_json::{Value, json};

use crate::{Limits, encoding, json_parser, limits::too_large};

/// The URI under which parts of the schema are compiled on their own.
const ROOT_URI: &str = "dropcast:///schema";

/// How much memory a compiled pattern may take, in bytes.
const PATTERN_SIZE: usize = 4 * 1024 * 1024;

/// The largest schema file in bytes.
const MAX_SCHEMA_BYTES: u64 = 1024 * 1024;

/// A schema that documents can be checked against; compiled once, used for every document.
pub struct CompiledSchema {
    root: Value,
    validator: Validator,
    nodes: Vec<Node>,
    registry: Registry<'static>,
    /// Per node, compiled on first use: what the node itself says, without the parts that
    /// speak about other values or are followed one by one.
    own: Vec<OnceLock<Option<Validator>>>,
    /// Per node, compiled on first use: everything it says.
    whole: Vec<OnceLock<Option<Validator>>>,
}

/// Why a schema cannot be used, for the data scientist who registers it. The pointers
/// lead into the schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemaError {
    /// Everything that is wrong with it.
    pub problems: ProblemList,
}

impl fmt::Display for SchemaError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "The input schema cannot be used.\n{}", self.problems)
    }
}

impl std::error::Error for SchemaError {}

impl fmt::Debug for CompiledSchema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CompiledSchema")
            .field("root", &self.root)
            .finish_non_exhaustive()
    }
}

impl CompiledSchema {
    /// Reads a schema file, of at most 1 MiB.
    pub fn parse(bytes: &[u8]) -> Result<Self, SchemaError> {
        let size = bytes.len() as u64;
        let error = |problem| SchemaError {
            problems: ProblemList::of(problem),
        };
        if size > MAX_SCHEMA_BYTES {
            return Err(error(too_large(size, MAX_SCHEMA_BYTES)));
        }
        let (text, _) = encoding::decode(bytes).map_err(|problem| error(*problem))?;
        let parsed = json_parser::parse(&text, &Limits::default())
            .map_err(|problems| SchemaError { problems })?;
        if parsed.problems.is_empty() {
            Self::new(&parsed.value)
        } else {
            Err(SchemaError {
                problems: parsed.problems,
            })
        }
    }

    /// Compiles a schema.
    ///
    /// Fails with everything that the first failing step found: what is no schema by its
    /// meta-schema; references, patterns, formats and misspelt keywords; defaults.
    pub fn new(schema: &Value) -> Result<Self, SchemaError> {
        let root = check::without_id(schema)?;
        check::against_meta_schema(&root)?;
        let nodes = build::nodes(&root)?;
        check::no_endless_reference(&nodes)?;
        let validator = options()
            .build(&root)
            .map_err(|error| check::build_error(&error))?;
        let registry = Registry::new()
            .draft(Draft::Draft202012)
            .add(ROOT_URI, root.clone())
            .and_then(jsonschema::RegistryBuilder::prepare)
            .map_err(|error| check::failure("", &error.to_string()))?;
        let count = nodes.len();
        let compiled = Self {
            root,
            validator,
            nodes,
            registry,
            own: (0..count).map(|_| OnceLock::new()).collect(),
            whole: (0..count).map(|_| OnceLock::new()).collect(),
        };
        check::defaults(&compiled)?;
        Ok(compiled)
    }

    /// Whether a document satisfies the schema.
    pub(crate) fn is_valid(&self, document: &Value) -> bool {
        self.validator.is_valid(document)
    }

    /// The validator of the whole document.
    pub(crate) fn validator(&self) -> &Validator {
        &self.validator
    }

    /// A node of the schema.
    pub(crate) fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.0]
    }

    /// Whether `unevaluatedProperties` refuses the members that no part of it describes.
    pub(crate) fn is_closed(&self) -> bool {
        self.root.get("unevaluatedProperties") == Some(&Value::Bool(false))
    }

    /// Every node.
    fn node_ids(&self) -> impl Iterator<Item = NodeId> {
        (0..self.nodes.len()).map(NodeId)
    }

    /// The value that a schema supplies for what is left out.
    pub(crate) fn default_of(&self, id: NodeId) -> Option<&Value> {
        let node = self.node(id);
        let behind = || {
            node.reference
                .iter()
                .chain(&node.all_of)
                .find_map(|&applied| self.default_of(applied))
        };
        node.default.as_ref().or_else(behind)
    }

    /// What a node itself says about a value; `None` when it says nothing of its own.
    pub(crate) fn own_validator(&self, id: NodeId) -> Option<&Validator> {
        let node = self.node(id);
        if node.own.is_empty() {
            return None;
        }
        self.own[id.0]
            .get_or_init(|| self.part(&Value::Object(node.own.clone())))
            .as_ref()
    }

    /// Whether a value satisfies everything that a node says.
    pub(crate) fn satisfies(&self, id: NodeId, value: &Value) -> bool {
        self.whole_validator(id)
            .is_none_or(|validator| validator.is_valid(value))
    }

    /// Everything that a node says.
    pub(crate) fn whole_validator(&self, id: NodeId) -> Option<&Validator> {
        self.whole[id.0]
            .get_or_init(|| self.part(&reference_to(&self.node(id).location)))
            .as_ref()
    }

    fn part(&self, schema: &Value) -> Option<Validator> {
        // A part of a schema that compiled as a whole compiles too.
        options().with_registry(&self.registry).build(schema).ok()
    }
}

/// How every schema is compiled: one draft, nothing fetched, formats enforced, and
/// patterns on an engine that cannot backtrack.
fn options<'i>() -> ValidationOptions<'i> {
    jsonschema::options()
        .with_draft(Draft::Draft202012)
        .offline()
        .should_validate_formats(true)
        .with_pattern_options(PatternOptions::regex().size_limit(PATTERN_SIZE))
}

/// A schema that refers to a place in the root schema.
fn reference_to(location: &str) -> Value {
    let mut fragment = String::new();
    for byte in location.bytes() {
        if byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte) {
            fragment.push(char::from(byte));
        } else {
            let _ = write!(fragment, "%{byte:02X}");
        }
    }
    json!({ "$ref": format!("{ROOT_URI}#{fragment}") })
}

#[cfg(test)]
mod tests;
