//! What `--json` prints without a stack, and the schemas themselves.

mod support;

use support::{assert_fits, dropcast, json, json_of, schemas, text};

#[test]
fn every_schema_is_a_schema_and_names_its_file() {
    for (file, schema) in schemas() {
        assert!(jsonschema::meta::is_valid(&schema), "{file}");
        assert_eq!(
            schema["$id"],
            format!("https://dropcast.example/schemas/cli/{file}")
        );
        assert!(schema["description"].is_string(), "{file}");
    }
}

#[test]
fn without_a_stack_every_command_says_how_to_start_one() {
    let state = tempfile::tempdir().unwrap();
    let run = "mfrggzdfmztwq2lknnwg23tpoa";
    for args in [
        &["runs"][..],
        &["show", run],
        &["wait", run],
        &["model", "list"],
        &["model", "versions", "m"],
        &["model", "builds", "m"],
        &["model", "promote", "m", "2"],
        &["model", "rollback", "m"],
        &["model", "retire", "m", "2"],
        &["mail"],
        &["submit", "template.yaml", "-m", "m"],
        &["validate", "template.yaml", "-m", "m"],
    ] {
        let answer = json(state.path(), args);
        assert_eq!(answer.code, 4, "{args:?}");
        assert_fits("error", &answer.document);
        let advice = answer.document["error"]["advice"].as_str().unwrap();
        assert!(advice.contains("dropcast local up"), "{args:?}: {advice}");
        assert_eq!(answer.stderr, "", "{args:?}");
        let (code, shown) = text(state.path(), args);
        assert_eq!(code, 4);
        assert!(shown.contains("dropcast local up"), "{shown}");
        assert!(!shown.contains('\u{1b}'), "colours in a pipe: {shown}");
    }
}

#[test]
fn the_status_of_a_stack_that_is_not_there_is_a_document_too() {
    let state = tempfile::tempdir().unwrap();
    let answer = json(state.path(), &["local", "status"]);
    assert_eq!(answer.code, 4);
    assert_fits("local", &answer.document);
    let answer = json(state.path(), &["local", "down"]);
    assert_eq!(answer.code, 0, "nothing to stop is no failure");
    assert_fits("local", &answer.document);
}

#[test]
fn a_command_line_that_makes_no_sense_ends_with_2() {
    let state = tempfile::tempdir().unwrap();
    assert_eq!(text(state.path(), &["shwo"]).0, 2);
    assert_eq!(text(state.path(), &["show", "20260301"]).0, 2);
    let (code, shown) = text(state.path(), &["--stack", "dropcast", "mail"]);
    assert_eq!(code, 2);
    assert!(shown.contains("recipients' mailboxes"), "{shown}");
}

#[test]
fn a_ca_bundle_that_cannot_be_read_ends_with_2() {
    let state = tempfile::tempdir().unwrap();
    let mut program = dropcast(state.path());
    program.env("AWS_CA_BUNDLE", "/nowhere/bundle.pem");
    let answer = json_of(program, &["--stack", "dropcast", "runs"]);
    assert_eq!(answer.code, 2, "{answer:?}");
    assert_fits("error", &answer.document);
    let message = answer.document["error"]["message"].as_str().unwrap();
    assert!(
        message.starts_with("AWS_CA_BUNDLE is set to /nowhere/bundle.pem, which cannot be read"),
        "{message}"
    );
}

#[test]
fn completions_are_scripts() {
    let state = tempfile::tempdir().unwrap();
    for shell in ["bash", "zsh", "fish"] {
        let (code, script) = text(state.path(), &["completions", shell]);
        assert_eq!(code, 0);
        assert!(script.contains("submit"), "{shell}");
    }
}
