//! Runs the real program and holds what it prints against its schemas.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test ends at the first surprise"
)]
#![allow(dead_code, reason = "each test program uses its part of this")]

use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

use dropcast_test_support::repository;
use jsonschema::{Registry, Resource};
use serde_json::Value;

/// Every schema of `schemas/cli/` with its file's name.
pub(crate) fn schemas() -> Vec<(String, Value)> {
    let mut found: Vec<(String, Value)> = fs::read_dir(repository().join("schemas/cli"))
        .unwrap()
        .map(|entry| {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            let text = fs::read_to_string(&path).unwrap();
            (name, serde_json::from_str(&text).unwrap())
        })
        .collect();
    found.sort_by(|a, b| a.0.cmp(&b.0));
    found
}

/// Fails unless a document is what its schema says.
pub(crate) fn assert_fits(schema: &str, document: &Value) {
    let all = schemas();
    let resources = all.iter().map(|(_, schema)| {
        let id = schema["$id"].as_str().unwrap().to_owned();
        (id, Resource::from_contents(schema.clone()))
    });
    let registry = Registry::new()
        .extend(resources)
        .unwrap()
        .prepare()
        .unwrap();
    let (_, schema) = all
        .iter()
        .find(|(name, _)| name == &format!("{schema}.schema.json"))
        .unwrap();
    let validator = jsonschema::options()
        .with_registry(&registry)
        .should_validate_formats(true)
        .build(schema)
        .unwrap();
    let problems: Vec<String> = validator
        .iter_errors(document)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(problems.is_empty(), "{}\n{document:#}", problems.join("\n"));
}

/// The program with a state folder of its own; nothing of the shell's AWS settings gets in.
pub(crate) fn dropcast(state: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dropcast"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("AWS_") {
            command.env_remove(name);
        }
    }
    command
        .current_dir(repository())
        .env("DROPCAST_STATE_DIR", state)
        .env_remove("DROPCAST_STACK")
        .env_remove("RUST_LOG")
        // No program here may look for credentials.
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("AWS_CONFIG_FILE", "/dev/null")
        .env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null");
    command
}

/// What the program answered.
#[derive(Debug)]
pub(crate) struct Answer {
    /// The exit code.
    pub(crate) code: i32,
    /// The one document on stdout.
    pub(crate) document: Value,
    /// What stood on stderr.
    pub(crate) stderr: String,
}

/// Runs the program with `--json`.
pub(crate) fn json(state: &Path, args: &[&str]) -> Answer {
    json_of(dropcast(state), args)
}

/// Runs a prepared program with `--json`.
pub(crate) fn json_of(mut program: Command, args: &[&str]) -> Answer {
    let output = program.arg("--json").args(args).output().unwrap();
    let stderr = String::from_utf8(output.stderr.clone()).unwrap();
    Answer {
        code: output.status.code().unwrap(),
        document: serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|error| panic!("{args:?}: {error}\n{}\n{stderr}", shown(&output))),
        stderr,
    }
}

/// Runs the program for people.
pub(crate) fn text(state: &Path, args: &[&str]) -> (i32, String) {
    let output = dropcast(state).args(args).output().unwrap();
    (output.status.code().unwrap(), shown(&output))
}

fn shown(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}
