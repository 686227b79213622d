//! JSON documents.

mod splice;

use dropcast_domain::problem::{Problem, ProblemList};
use serde_json::Value;

use crate::{
    CompiledSchema, Encoding, Limits, defaults, encoding, explain,
    json_parser::{Parsed, parse},
    limits::too_large,
};

/// A document that satisfies its schema.
#[derive(Debug, Clone, PartialEq)]
pub struct Accepted {
    /// How the file was encoded.
    pub encoding: Encoding,
    /// The document, with the schema's defaults filled in.
    pub document: Value,
    /// The JSON Pointers of the values that were filled in, in the order of the
    /// schema; a value inside one that was filled in is not named again.
    pub defaults: Vec<String>,
    /// What the model gets: the file's own text in UTF-8 without a byte order mark,
    /// every number and space as it was written, the defaults added to it.
    pub prepared: Vec<u8>,
}

/// Reads a JSON file: decodes it, parses it, fills in the schema's defaults and
/// checks the result against the schema.
///
/// UTF-8, UTF-16 and UTF-32 are read, with and without a byte order mark. Refused
/// are: an empty or truncated file, anything that is not JSON (RFC 8259), a name that
/// appears twice in one object, a whole number that has more digits than 64 bits hold,
/// a number beyond the range of a double, and what exceeds the limits. Time and
/// memory are bounded by the file's size, however many problems it has.
///
/// Fails with the problems: the first hundred, and how many more there are.
pub fn read(
    bytes: &[u8],
    schema: &CompiledSchema,
    limits: &Limits,
) -> Result<Accepted, ProblemList> {
    let size = bytes.len() as u64;
    if size > limits.max_bytes {
        return Err(ProblemList::of(too_large(size, limits.max_bytes)));
    }
    let (text, encoding) = encoding::decode(bytes).map_err(|problem| ProblemList::of(*problem))?;
    let Parsed {
        value: mut document,
        mut problems,
        exact,
        memory,
    } = parse(&text, limits)?;
    if !exact {
        // A refused number has no value, so that rules about it would be reported as broken.
        return Err(problems);
    }
    let Ok(inserts) = defaults::fill(
        schema,
        &mut document,
        limits.max_memory.saturating_sub(memory),
    ) else {
        let message =
            "With its defaults filled in, the document is too large. Split it into several files.";
        problems.push(Problem::with_message(
            "",
            "too many values left out",
            "fewer values",
            message,
        ));
        return Err(problems);
    };
    problems.append(explain::problems(schema, &document));
    if !problems.is_empty() {
        return Err(problems);
    }
    let prepared = splice::splice(&text, &document, &inserts);
    let defaults = inserts.iter().map(defaults::Insert::pointer).collect();
    Ok(Accepted {
        encoding,
        document,
        defaults,
        prepared,
    })
}

#[cfg(test)]
mod tests;
