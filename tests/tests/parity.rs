//! Facts that are stated in several files are the same in each.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "A test that cannot go on fails, in its helpers too."
)]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

use dropcast_domain::{
    failure::ErrorCode,
    status::{Status, Status::*},
};
use dropcast_lambda_kit::{
    config::{ConfigError, Settings},
    error::Class,
};
use dropcast_test_support::repository;
use dropcast_tests::programs::templates;
use saphyr::{LoadableYamlNode as _, Yaml};
use serde_json::Value;

fn text(path: &str) -> String {
    fs::read_to_string(repository().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn state_machine() -> Value {
    serde_json::from_str(&text("state-machines/run.asl.json")).unwrap()
}

fn codes() -> BTreeSet<String> {
    ErrorCode::ALL.map(|code| code.to_string()).into()
}

/// Every text in single or double quotes that is one word in camel case, and every text that is such a word.
fn words_of(value: &Value, words: &mut BTreeSet<String>) {
    match value {
        Value::String(text) => {
            words.extend(text.split('\'').skip(1).step_by(2).map(ToOwned::to_owned));
            words.insert(text.clone());
        }
        Value::Array(values) => values.iter().for_each(|value| words_of(value, words)),
        Value::Object(values) => values.values().for_each(|value| words_of(value, words)),
        _ => {}
    }
}

#[test]
fn the_state_machine_knows_every_error_code() {
    let machine = state_machine();
    let states = &machine["States"];
    // The list that a caught error is looked up in, and the one code that is set aside before it.
    let mut listed = BTreeSet::new();
    words_of(&states["WhatWentWrong"]["Choices"], &mut listed);
    listed.retain(|word| word.parse::<ErrorCode>().is_ok());
    let mut expected = codes();
    // Ours is whatever is not in the list.
    expected.remove(ErrorCode::Internal.as_str());
    assert_eq!(listed, expected);
    assert_eq!(
        states["DropcastBroke"]["Output"]["code"],
        ErrorCode::Internal.as_str()
    );
    assert_eq!(
        states["WaitedTooLong"]["Output"]["code"],
        ErrorCode::TimedOut.as_str()
    );
}

#[test]
fn the_state_machine_uses_only_existing_error_codes() {
    let machine = state_machine();
    for (name, state) in machine["States"].as_object().unwrap() {
        let mut words = BTreeSet::new();
        words_of(&state["Choices"], &mut words);
        for condition in state["Choices"].as_array().into_iter().flatten() {
            let text = condition["Condition"].as_str().unwrap();
            if !text.contains("input.Error") && !text.contains("input.code") {
                continue;
            }
            for word in text.split('\'').skip(1).step_by(2) {
                assert!(word.parse::<ErrorCode>().is_ok(), "{name}: {word}");
            }
        }
        let code = &state["Output"]["code"];
        if let Some(code) = code.as_str().filter(|code| !code.starts_with("{%")) {
            assert!(code.parse::<ErrorCode>().is_ok(), "{name}: {code}");
        }
    }
}

#[test]
fn the_state_machine_writes_terminal_statuses_alone() {
    let mut words = BTreeSet::new();
    words_of(&state_machine(), &mut words);
    let named: BTreeSet<&str> = words
        .iter()
        .filter_map(|word| word.parse::<Status>().ok())
        .map(Status::as_str)
        .collect();
    let terminal = [Succeeded, Failed, Rejected, Cancelled].map(Status::as_str);
    assert_eq!(named, terminal.into());
}

#[test]
fn every_state_that_calls_a_function_tries_again_by_the_functions_error_names() {
    let machine = state_machine();
    for (name, state) in machine["States"].as_object().unwrap() {
        if state["Type"] != "Task" {
            continue;
        }
        let retried: BTreeSet<&str> = state["Retry"]
            .as_array()
            .unwrap()
            .iter()
            .flat_map(|retry| retry["ErrorEquals"].as_array().unwrap())
            .map(|error| error.as_str().unwrap())
            .collect();
        for class in [Class::Transient, Class::Conflict] {
            assert!(retried.contains(class.name()), "{name}: {}", class.name());
        }
        // Trying again changes nothing about any of these.
        assert!(!retried.contains("States.ALL"), "{name}");
        for code in ErrorCode::ALL {
            assert!(!retried.contains(code.as_str()), "{name}: {code}");
        }
        let caught = state["Catch"].as_array().unwrap().last().unwrap();
        assert_eq!(caught["ErrorEquals"][0], "States.ALL", "{name}");
    }
    assert_eq!(Class::Permanent.name(), ErrorCode::Internal.as_str());
}

/// What a function says is missing when nothing is set.
fn keys<T>(read: impl Fn(Settings) -> Result<T, ConfigError>) -> BTreeSet<String> {
    let message = match read(Settings::from_pairs([])) {
        Ok(_) => return BTreeSet::new(),
        Err(unusable) => unusable.to_string(),
    };
    let (_, faults) = message.split_once(": ").unwrap();
    faults
        .split("; ")
        .map(|fault| fault.strip_suffix(" is not set").unwrap().to_owned())
        .collect()
}

#[test]
fn every_functions_settings_are_its_environment_in_the_templates() {
    let read: BTreeMap<String, BTreeSet<String>> = [
        ("announce-run", keys(announce_run::Config::read)),
        ("finish-run", keys(finish_run::Config::read)),
        ("index-outputs", keys(index_outputs::Config::read)),
        ("notify", keys(notify::Config::read)),
        ("open-link", keys(open_link::Config::read)),
        ("register-version", keys(register_version::Config::read)),
        ("repair-runs", keys(repair_runs::Config::read)),
        ("start-refreshes", keys(start_refreshes::Config::read)),
        ("start-run", keys(start_run::Config::read)),
        ("submit-job", keys(submit_job::Config::read)),
        ("track-job", keys(track_job::Config::read)),
        ("validate-inputs", keys(validate_inputs::Config::read)),
    ]
    .map(|(function, keys)| (function.to_owned(), keys))
    .into();

    let folders: BTreeSet<String> = fs::read_dir(repository().join("functions"))
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.path().join("Cargo.toml").exists())
        .map(|entry| entry.file_name().into_string().unwrap())
        .collect();
    assert_eq!(read.keys().cloned().collect::<BTreeSet<_>>(), folders);

    let variables = |place: &Yaml| -> BTreeSet<String> {
        let variables = place
            .as_mapping_get("Environment")
            .and_then(|environment| environment.as_mapping_get("Variables"))
            .and_then(Yaml::as_mapping);
        variables
            .into_iter()
            .flat_map(|variables| variables.keys())
            .map(|key| key.as_str().unwrap().to_owned())
            .collect()
    };
    let mut given = BTreeMap::new();
    for path in templates().unwrap() {
        let template = text(&path);
        let documents = Yaml::load_from_str(&template).unwrap();
        let template = &documents[0];
        if let Some(globals) = template.as_mapping_get("Globals") {
            assert!(variables(&globals["Function"]).is_empty(), "{path}");
        }
        for resource in template["Resources"].as_mapping().unwrap().values() {
            if resource["Type"].as_str() == Some("AWS::Serverless::Function") {
                let binary = &resource["Metadata"]["BuildProperties"]["Binary"];
                let binary = binary.as_str().unwrap().to_owned();
                assert_eq!(
                    resource["Properties"]["CodeUri"].as_str().unwrap(),
                    format!("../../functions/{binary}/")
                );
                let twice = given.insert(binary, variables(&resource["Properties"]));
                assert_eq!(twice, None, "{path}");
            }
        }
    }
    assert_eq!(read, given);
}

#[test]
fn the_root_template_nests_every_other_and_has_no_other_resources() {
    let root = text("template.yaml");
    let documents = Yaml::load_from_str(&root).unwrap();
    let nested = documents[0]["Resources"].as_mapping().unwrap().values();
    let nested: BTreeSet<&str> = nested
        .map(|resource| {
            assert_eq!(
                resource["Type"].as_str(),
                Some("AWS::CloudFormation::Stack")
            );
            resource["Properties"]["TemplateURL"].as_str().unwrap()
        })
        .collect();
    let paths = templates().unwrap();
    let others = paths.iter().map(String::as_str);
    let others = others.filter(|path| *path != "template.yaml");
    assert_eq!(nested, others.collect());
}

/// CloudFormation shows this sentence, and not the limits, to a person who typed a wrong value.
#[test]
fn a_parameter_with_limits_says_them() {
    let root = text("template.yaml");
    let documents = Yaml::load_from_str(&root).unwrap();
    let mut numbers = 0;
    for (name, parameter) in documents[0]["Parameters"].as_mapping().unwrap() {
        let member = |member| parameter.as_mapping_get(member);
        let says = member("ConstraintDescription").map(|says| says.as_str().unwrap());
        let limits = ["MinValue", "MaxValue"].map(|limit| member(limit).and_then(Yaml::as_integer));
        let is_number = parameter["Type"].as_str() == Some("Number");
        assert!(!is_number || limits.iter().all(Option::is_some), "{name:?}");
        if is_number || member("AllowedPattern").is_some() {
            assert!(says.is_some(), "{name:?}");
        }
        for limit in limits.into_iter().flatten() {
            numbers += 1;
            let words: Vec<&str> = says.unwrap().split(' ').collect();
            assert!(
                words.contains(&limit.to_string().as_str()),
                "{name:?}: {words:?}"
            );
        }
    }
    assert!(numbers > 0);
}

/// Logical ids are what people and tests look a resource up by, whichever stack it is in.
#[test]
fn no_two_resources_share_a_logical_id() {
    let mut known = BTreeMap::new();
    for path in templates().unwrap() {
        let template = text(&path);
        let documents = Yaml::load_from_str(&template).unwrap();
        for name in documents[0]["Resources"].as_mapping().unwrap().keys() {
            let other = known.insert(name.as_str().unwrap().to_owned(), path.clone());
            assert_eq!(other, None, "{name:?} of {path}");
        }
    }
}
