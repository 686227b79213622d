//! Recorded JSON.

use serde_json::Value;

use crate::repository;

/// `fixtures/<name>.json` of this crate: the shape as AWS sends it, with values of our own.
pub fn fixture(name: &str) -> Value {
    let path = repository().join(format!("crates/test-support/fixtures/{name}.json"));
    let text = std::fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
