//! What crosses a border has the shape that its schema says.

#![expect(
    clippy::unwrap_used,
    reason = "A test that cannot go on fails, in its helpers too."
)]

use std::{collections::BTreeSet, fs};

use dropcast_domain::{
    event::{Announcement, BuildFinished, RunStatusChanged},
    failure::{ErrorCode, Failure},
    job::JobEnd,
    model::{InputFormat, Locale, TableEncoding},
    registry::{BuildCode, BuildEnd, BuildFailure, BuildPhase, EndedBuild, Requester, VersionFile},
    run::{MAX_HEADLINE_OUTPUTS, Run},
    status::Status,
    table::{FilledColumn, ReadingRemarks, TableReading},
    upload::Upload,
};
use dropcast_test_support::{
    repository,
    samples::{MODEL, acceptance, at, job, metadata, new_run, output, run_of, step, upload},
};
use serde_json::{Value, json};

fn schema(name: &str) -> Value {
    let path = repository().join(format!("schemas/{name}.schema.json"));
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

/// A place in a schema, through its references.
fn place_in<'a>(schema: &'a Value, place: &str) -> &'a Value {
    place.split('/').skip(1).fold(schema, |at, part| {
        let own = at.get(part);
        let referred = at["$ref"].as_str();
        let referred = referred.map(|reference| reference.trim_start_matches('#'));
        own.or_else(|| schema.pointer(referred?)?.get(part))
            .unwrap()
    })
}

struct Schema(jsonschema::Validator);

impl Schema {
    fn of(name: &str) -> Self {
        let validator = jsonschema::options()
            .should_validate_formats(true)
            .build(&schema(name));
        Self(validator.unwrap())
    }

    fn accepts(&self, value: &Value) {
        let faults: Vec<String> = self
            .0
            .iter_errors(value)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert!(faults.is_empty(), "{faults:#?}\n{value:#}");
    }

    fn refuses(&self, value: &Value) {
        assert!(!self.0.is_valid(value), "{value:#}");
    }
}

/// A reading that fills every field to its bound.
fn table() -> TableReading {
    let long = "é\u{202e}".repeat(1_000);
    TableReading {
        format: InputFormat::Csv,
        sheet: Some(long.clone()),
        rows: 1_000_000,
        column_count: 10_000,
        columns: vec![long.clone(); 10_000],
        delimiter: Some('\t'),
        encoding: Some(TableEncoding::Utf16Le),
        locale: Some(Locale::PtBr),
        defaults: vec![
            FilledColumn {
                column: long,
                cells: 7
            };
            10_000
        ],
        remarks: ReadingRemarks {
            unread_sheets: vec!["é".repeat(1_000); 1_000],
            short_rows: 1_000,
            sample: Some("é".repeat(1_000)),
        },
    }
    .for_record()
}

/// Runs at every stage, with everything that a record can hold.
fn runs() -> Vec<Run> {
    let begun = new_run("plan.json");
    let sparse = run_of(Upload {
        version_id: None,
        sequencer: None,
        key: "inputs/é + %".into(),
        ..upload(MODEL, "")
    });
    let pinned = run_of(upload("No Model é@latest", &"x".repeat(900)));
    let mut validated = begun.clone();
    let metadata = metadata(&["ana@corp.example", "bo@corp.example"]);
    validated.advance(step(0, Status::Validating, 10));
    validated.title = metadata.title;
    validated.notify = metadata.notify;
    validated.notify_unusable = metadata.notify_unusable;
    validated.notify_left_out = metadata.notify_left_out;
    let mut rejected = validated.clone();
    rejected.problem_count = Some(12);
    rejected.marked = true;
    rejected.failure = Some(Failure::new(
        ErrorCode::InputRejected,
        "The file has 12 problems.",
    ));
    rejected.advance(step(0, Status::Rejected, 20));
    let mut accepted = validated;
    let acceptance = acceptance(&begun.id);
    let mut input = acceptance.input.unwrap();
    input.table = Some(table());
    accepted.version = Some(acceptance.version);
    accepted.input = Some(input);
    accepted.assign_job(job());
    accepted.advance(step(1, Status::Waiting, 40));
    let mut failed = accepted.clone();
    let failure = Failure::new(ErrorCode::JobFailed, "é".repeat(5_000));
    failed.record_job_end(JobEnd {
        attempts: 2,
        at: at(50),
        failure: Some(failure.clone()),
        log_stream: None,
    });
    failed.failure = Some(failure);
    failed.advance(step(2, Status::Failed, 60));
    let mut succeeded = accepted.clone();
    succeeded.record_job_end(JobEnd {
        attempts: 1,
        at: at(50),
        failure: None,
        log_stream: None,
    });
    succeeded.outputs = (0..MAX_HEADLINE_OUTPUTS)
        .map(|number| output(&begun.id, &format!("{number}.csv")))
        .collect();
    succeeded.output_count = Some(100_000);
    succeeded.advance(step(1, Status::Succeeded, 60));
    let refresh = run_of(Upload {
        key: format!("refresh/{MODEL}/20260302T060000Z.json"),
        ..upload(MODEL, "")
    });
    vec![
        begun, sparse, pinned, rejected, accepted, failed, succeeded, refresh,
    ]
}

#[test]
fn every_record_has_the_shape_of_its_schema() {
    let schema = Schema::of("run-record");
    for run in runs() {
        schema.accepts(&serde_json::to_value(&run).unwrap());
    }
}

#[test]
fn a_record_holds_no_task_token() {
    let schema = Schema::of("run-record");
    let mut record = serde_json::to_value(new_run("plan.json")).unwrap();
    record["taskToken"] = json!("secret");
    schema.refuses(&record);
}

#[test]
fn every_event_has_the_shape_of_its_schema() {
    let schema = Schema::of("run-status-changed");
    let runs = runs();
    let mut statuses = BTreeSet::new();
    for run in &runs {
        for before in [None, Some(&runs[0])] {
            let Some(event) = RunStatusChanged::between(before, run) else {
                continue;
            };
            schema.accepts(&serde_json::to_value(&event).unwrap());
        }
        for status in Status::ALL {
            let mut run = run.clone();
            run.current = step(3, status, 100);
            let event = RunStatusChanged::between(runs.first(), &run).unwrap();
            schema.accepts(&serde_json::to_value(&event).unwrap());
            statuses.insert(event.status.as_str());
        }
        for code in ErrorCode::ALL {
            let mut run = run.clone();
            run.current = step(4, Status::Failed, 100);
            run.failure = Some(Failure::new(code, code.advice()));
            let event = RunStatusChanged::between(None, &run).unwrap();
            schema.accepts(&serde_json::to_value(&event).unwrap());
        }
    }
    assert_eq!(statuses.len(), Status::ALL.len());
}

#[test]
fn an_event_has_no_room_for_an_address_an_input_or_a_token() {
    let schema = Schema::of("run-status-changed");
    let event = RunStatusChanged::between(None, &runs()[6]).unwrap();
    let event = serde_json::to_value(event).unwrap();
    schema.accepts(&event);
    for key in [
        "notify",
        "recipients",
        "input",
        "upload",
        "taskToken",
        "outputs",
    ] {
        let mut more = event.clone();
        more[key] = json!("x");
        schema.refuses(&more);
    }
    let mut more = event.clone();
    more["error"] = json!({ "code": "Internal", "message": "It broke.", "log": ["line"] });
    schema.refuses(&more);
    for run in runs() {
        let event = RunStatusChanged::between(None, &run).unwrap();
        let text = serde_json::to_string(&event).unwrap();
        for secret in ["@corp.example", &run.upload.key, "prepared"] {
            assert!(!text.contains(secret), "{text}");
        }
    }
}

#[test]
fn every_schema_is_a_schema_and_describes_each_of_its_properties() {
    let folder = repository().join("schemas");
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        let schema: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        jsonschema::meta::validate(&schema).unwrap();
        assert_eq!(
            schema["$schema"],
            "https://json-schema.org/draft/2020-12/schema",
            "{}",
            path.display()
        );
        let mut nameless = Vec::new();
        described(&schema, &schema, "", &mut nameless);
        assert!(nameless.is_empty(), "{}: {nameless:?}", path.display());
    }
}

fn described(root: &Value, schema: &Value, place: &str, nameless: &mut Vec<String>) {
    let Some(keywords) = schema.as_object() else {
        return;
    };
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        let place = format!("{place}/{name}");
        let referred = property["$ref"]
            .as_str()
            .and_then(|reference| root.pointer(reference.trim_start_matches('#')));
        let has = |schema: &Value| schema["description"].is_string();
        if !has(property) && !referred.is_some_and(has) {
            nameless.push(place.clone());
        }
        described(root, property, &place, nameless);
    }
    if let Some(items) = keywords.get("items") {
        described(root, items, &format!("{place}/*"), nameless);
    }
    for (name, schema) in schema["$defs"].as_object().into_iter().flatten() {
        described(root, schema, &format!("{place}/$defs/{name}"), nameless);
    }
}

#[test]
fn every_schema_lists_the_locales_encodings_and_formats_that_there_are() {
    let manifest = schema("model-manifest");
    let record = schema("run-record");
    let listed = |schema: &Value, place: &str| place_in(schema, place).clone();
    let locales = json!(Locale::ALL);
    assert_eq!(locales, json!(Locale::ALL.map(Locale::as_str)));
    let encodings = json!(TableEncoding::ALL);
    assert_eq!(
        encodings,
        json!(TableEncoding::ALL.map(TableEncoding::as_str))
    );
    let table = "/properties/input/properties/table/properties";
    assert_eq!(
        listed(&manifest, "/properties/input/properties/accepts/items/enum"),
        json!(InputFormat::ALL)
    );
    assert_eq!(listed(&manifest, &format!("{table}/locale/enum")), locales);
    assert_eq!(
        listed(&manifest, &format!("{table}/encoding/enum")),
        encodings
    );
    let table = "/properties/input/properties/table/properties";
    assert_eq!(listed(&record, &format!("{table}/locale/enum")), locales);
    assert_eq!(
        listed(&record, &format!("{table}/encoding/enum")),
        encodings
    );
    let tables = InputFormat::ALL
        .into_iter()
        .filter(|format| format.is_table());
    assert_eq!(
        listed(&record, &format!("{table}/format/enum")),
        json!(tables.collect::<Vec<_>>())
    );
}

fn build_id() -> dropcast_domain::registry::BuildId {
    "5f1c3a2e-7f0d-4f6a-9c55-0b7c8a4f1d20".parse().unwrap()
}

#[test]
fn every_event_of_a_build_has_the_shape_of_its_schema() {
    let schema = Schema::of("build-finished");
    let ended = |model: Option<&str>| EndedBuild {
        build_id: build_id(),
        requester: Requester {
            model: model.map(ToOwned::to_owned),
            by: Some("arn:aws:iam::111122223333:user/ana".into()),
            notify: vec!["ana@corp.example".into()],
            commit: Some("0a1b2c3".into()),
        },
        at: at(0),
    };
    let event = |model, end| {
        let event = Announcement::Build(BuildFinished::from(&ended(model).record(end)));
        let value = serde_json::to_value(event).unwrap();
        assert!(!value.to_string().contains("corp.example"), "{value}");
        value
    };
    let registered = BuildEnd::Registered {
        version: "999999".parse().unwrap(),
    };
    schema.accepts(&event(Some(MODEL), registered.clone()));
    let mut codes = BTreeSet::new();
    for code in BuildCode::ALL {
        for phase in BuildPhase::ALL {
            let failure = BuildFailure::new(code, phase, &"é".repeat(5_000));
            for model in [None, Some(MODEL), Some("No Model")] {
                schema.accepts(&event(model, BuildEnd::Failed(failure.clone())));
            }
        }
        codes.insert(code.to_string());
    }
    let listed = self::schema("build-finished");
    let listed = place_in(&listed, "/properties/error/properties/code/enum");
    let listed: BTreeSet<String> = serde_json::from_value(listed.clone()).unwrap();
    assert_eq!(listed, codes);
    let mut wrong = event(Some(MODEL), registered);
    wrong["error"] = json!({ "code": "BuildFailed", "message": "It failed." });
    schema.refuses(&wrong);
}

#[test]
fn what_a_build_writes_has_the_shape_of_its_schema() {
    let schema = Schema::of("version");
    let mut file = VersionFile {
        build_id: build_id(),
        image: format!("local/m@sha256:{}", "0a".repeat(32)),
        commit: None,
        built_at: at(0),
        manifest: "name = \"m\"".into(),
        input_schema: "{}".into(),
        row_schema: None,
    };
    schema.accepts(&serde_json::to_value(&file).unwrap());
    file.commit = Some("0a1b2c3".into());
    file.row_schema = Some("{}".into());
    let value = serde_json::to_value(&file).unwrap();
    schema.accepts(&value);
    for (name, wrong) in [
        ("buildId", json!("p:1")),
        ("image", json!("local/m:latest")),
        ("manifest", json!({})),
        ("builtAt", json!("yesterday")),
    ] {
        let mut value = value.clone();
        value[name] = wrong;
        schema.refuses(&value);
    }
}
