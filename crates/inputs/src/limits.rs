//! How much of a file is read before it is refused.

use dropcast_domain::problem::Problem;
use serde_json::Value;

/// The bounds of one input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The largest file in bytes.
    pub max_bytes: u64,
    /// How deep lists and objects may be nested; at most [`Self::MAX_DEPTH`].
    pub max_depth: usize,
    /// Roughly how many bytes of memory the document may take once it is read.
    /// A list of lists takes many times its own file.
    pub max_memory: u64,
}

impl Limits {
    /// The deepest document, in levels. Reading itself needs no stack, but those who
    /// read the document after us recurse: `serde_json` refuses the 128th level.
    pub const MAX_DEPTH: usize = 127;

    /// The default bounds for a model that takes files of so many bytes.
    pub fn for_bytes(max_bytes: u64) -> Self {
        Self {
            max_bytes,
            ..Self::default()
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_bytes: 10 * 1024 * 1024,
            max_depth: Self::MAX_DEPTH,
            max_memory: 512 * 1024 * 1024,
        }
    }
}

/// What a value costs in addition to its content: itself in its container.
pub(crate) const VALUE_COST: u64 = 32;
/// A text's allocation in addition to its bytes.
pub(crate) const TEXT_COST: u64 = 16;
/// A list's first allocation.
pub(crate) const LIST_COST: u64 = 96;
/// An object's first node: room for eleven members.
pub(crate) const OBJECT_COST: u64 = 600;

/// Roughly how many bytes of memory a value takes.
pub(crate) fn cost_of(value: &Value) -> u64 {
    VALUE_COST
        + match value {
            Value::Null | Value::Bool(_) | Value::Number(_) => 0,
            Value::String(text) => text_cost(text),
            Value::Array(items) => LIST_COST + items.iter().map(cost_of).sum::<u64>(),
            Value::Object(members) => {
                OBJECT_COST
                    + members
                        .iter()
                        .map(|(key, member)| text_cost(key) + cost_of(member))
                        .sum::<u64>()
            }
        }
}

pub(crate) fn text_cost(text: &str) -> u64 {
    TEXT_COST + text.len() as u64
}

/// The problem of a file of `size` bytes where `max` are allowed.
pub(crate) fn too_large(size: u64, max: u64) -> Problem {
    let (found, allowed) = (format!("{size} bytes"), format!("at most {max} bytes"));
    let message = format!("The file has {found}; {allowed} are allowed.");
    Problem::with_message("", &found, &allowed, &message)
}
