//! The newcomer's first minute. Installs the example model's Python packages the first time.
//!
//! Needs `make setup` and the binaries of `cargo build --workspace`.

mod support;

use support::{assert_fits, json, text};

#[test]
fn the_demo_shows_everything_and_leaves_nothing_running() {
    let state = tempfile::tempdir().unwrap();
    let answer = json(state.path(), &["demo"]);
    assert_eq!(answer.code, 0, "{answer:?}");
    assert_fits("demo", &answer.document);
    let demo = &answer.document;
    assert_eq!(demo["startedStack"], true);
    assert_eq!(demo["accepted"]["run"]["status"], "succeeded");
    assert_eq!(demo["rejected"]["run"]["status"], "rejected");
    assert_eq!(demo["downloads"].as_array().unwrap().len(), 3);
    assert!(state.path().join("demo/forecast.csv").is_file());
    let (code, shown) = text(state.path(), &["local", "status"]);
    assert_eq!(code, 4, "{shown}");
}
