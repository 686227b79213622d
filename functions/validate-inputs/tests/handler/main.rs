//! From a dropped file to a verdict.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "A test that cannot go on fails, in its helpers too."
)]

mod refresh;
mod tables;
mod versions;

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex},
};

use dropcast_aws::{CallError, s3::Object};
use dropcast_domain::{model::ModelName, run::Run, status::Status, upload::Upload};
use dropcast_store::{Models as _, RunCompletion as _, Runs as _, memory::MemoryStore};
use dropcast_test_support::{
    samples::{MODEL, now, run_of, step, upload, version_spec},
    unavailable,
};
use lambda_runtime::Diagnostic;
use serde_json::{Value, json};
use validate_inputs::{Deps, Files, Outcome, handle};

/// The one dropped file, and what was kept of it.
#[derive(Debug, Clone, Default)]
struct FakeFiles {
    dropped: Option<Vec<u8>>,
    /// How large the dropped file says it is, where that is not how large it is.
    declared: Option<u64>,
    metadata: HashMap<String, String>,
    unavailable: bool,
    kept: Arc<Mutex<BTreeMap<String, Vec<u8>>>>,
}

impl Files for FakeFiles {
    async fn open(&self, _upload: &Upload) -> Result<Option<Object>, CallError> {
        if self.unavailable {
            return Err(unavailable("s3:GetObject"));
        }
        Ok(self.dropped.clone().map(|content| {
            let bytes = self.declared.unwrap_or(content.len() as u64);
            Object::new(bytes, self.metadata.clone(), content)
        }))
    }

    async fn keep(&self, key: &str, _media_type: &str, content: Vec<u8>) -> Result<(), CallError> {
        self.kept.lock().unwrap().insert(key.to_owned(), content);
        Ok(())
    }

    async fn keep_file(
        &self,
        key: &str,
        media_type: &str,
        from: &std::path::Path,
    ) -> Result<(), CallError> {
        self.keep(key, media_type, std::fs::read(from).unwrap())
            .await
    }
}

type World = Deps<MemoryStore, FakeFiles>;

/// A deployment with one model, and a file that was dropped into it.
async fn dropped(folder: &str, file: &str, content: &[u8]) -> (World, Run) {
    let world = Deps {
        store: MemoryStore::default(),
        files: FakeFiles {
            dropped: Some(content.to_vec()),
            ..FakeFiles::default()
        },
        now,
    };
    world.store.register(&version_spec(MODEL)).await.unwrap();
    let run = run_of(upload(folder, file));
    world.store.create_if_absent(&run).await.unwrap();
    (world, run)
}

async fn validate(world: &World, run: &Run) -> Outcome {
    let event = serde_json::from_value(json!({ "runId": run.id })).unwrap();
    handle(world, event).await.unwrap()
}

async fn record(world: &World, run: &Run) -> Run {
    world.store.get(&run.id).await.unwrap().unwrap()
}

fn kept(world: &World, key: &str) -> Option<Vec<u8>> {
    world.files.kept.lock().unwrap().get(key).cloned()
}

fn problems(world: &World, run: &Run) -> Value {
    let problems = kept(world, &run.keys().problems()).expect("problems.json is written");
    let problems = serde_json::from_slice(&problems).unwrap();
    let schema =
        serde_json::from_str(include_str!("../../../../schemas/problems.schema.json")).unwrap();
    jsonschema::validate(&schema, &problems).unwrap();
    problems
}

/// Drops a file, sees it rejected, and gives the code, the sentence and the problems.
async fn rejected(folder: &str, file: &str, content: &[u8]) -> (String, String, Value) {
    let (world, run) = dropped(folder, file, content).await;
    let outcome = serde_json::to_value(validate(&world, &run).await).unwrap();
    assert_eq!(outcome["outcome"], "rejected", "{outcome}");
    let message = outcome["message"].as_str().unwrap().to_owned();
    assert!(
        message.ends_with(['.', '?']) && message.len() < 500,
        "{message}"
    );
    let problems = problems(&world, &run);
    let record = record(&world, &run).await;
    assert_eq!(record.status(), Status::Validating, "finish-run ends it");
    assert_eq!(record.input, None);
    let listed = problems["problems"].as_array().unwrap().len() as u64;
    assert_eq!(
        record.problem_count,
        Some(listed + problems["more"].as_u64().unwrap())
    );
    (
        outcome["code"].as_str().unwrap().to_owned(),
        message,
        problems,
    )
}

#[tokio::test]
async fn an_accepted_file_is_kept_as_it_was_and_as_the_model_reads_it() {
    let content = b"\xef\xbb\xbf{ \"lines\": [\"Hardware\"] }\n";
    let (world, run) = dropped(MODEL, "plan.json", content).await;
    let outcome = serde_json::to_value(validate(&world, &run).await).unwrap();
    let wait = version_spec(MODEL).manifest.job.wait_seconds();
    assert_eq!(
        outcome,
        json!({ "outcome": "accepted", "waitSeconds": wait })
    );
    let record = record(&world, &run).await;
    assert_eq!(record.current, step(0, Status::Validating, 500));
    assert_eq!(record.version.unwrap().number(), 1);
    let input = record.input.unwrap();
    assert_eq!(input.key, run.keys().input("plan.json"));
    assert_eq!(input.prepared_key, run.keys().prepared("plan.json"));
    assert_eq!(input.defaults, ["/horizon_months"]);
    assert_eq!(kept(&world, &input.key).unwrap(), content);
    let prepared: Value =
        serde_json::from_slice(&kept(&world, &input.prepared_key).unwrap()).unwrap();
    assert_eq!(
        prepared,
        json!({ "lines": ["Hardware"], "horizon_months": 12 })
    );
    assert_eq!(kept(&world, &run.keys().problems()), None);
}

#[tokio::test]
async fn validating_again_after_a_lost_answer_gives_the_same() {
    let (world, run) = dropped(MODEL, "plan.json", br#"{"lines":[]}"#).await;
    let first = validate(&world, &run).await;
    let (before, files) = (
        record(&world, &run).await,
        world.files.kept.lock().unwrap().clone(),
    );
    assert_eq!(validate(&world, &run).await, first);
    assert_eq!(record(&world, &run).await, before);
    assert_eq!(*world.files.kept.lock().unwrap(), files);
}

#[tokio::test]
async fn a_pinned_version_is_the_one_that_runs() {
    let (world, run) = dropped(&format!("{MODEL}@2"), "plan.JSON", br#"{"lines":[]}"#).await;
    world.store.register(&version_spec(MODEL)).await.unwrap();
    assert!(matches!(
        validate(&world, &run).await,
        Outcome::Accepted { .. }
    ));
    assert_eq!(record(&world, &run).await.version.unwrap().number(), 2);
}

#[tokio::test]
async fn metadata_is_recorded_for_accepted_and_rejected_runs() {
    for content in [&br#"{"lines":[]}"#[..], b"junk"] {
        let (mut world, run) = dropped(MODEL, "plan.json", content).await;
        world.files.metadata = HashMap::from([
            (
                "title".into(),
                "Q3 <b>plan</b>\r\nBcc: eve@evil.example".into(),
            ),
            (
                "notify".into(),
                "ana@Corp.example, junk; bo@corp.example,ana@corp.example".into(),
            ),
        ]);
        validate(&world, &run).await;
        let record = record(&world, &run).await;
        assert_eq!(record.title, "Q3 <b>plan</b> Bcc: eve@evil.example");
        assert_eq!(record.notify, ["ana@corp.example", "bo@corp.example"]);
        assert_eq!(record.notify_unusable, ["junk"]);
    }
}

#[tokio::test]
async fn a_title_beyond_ascii_is_decoded_and_an_empty_one_leaves_the_files_name() {
    for (title, expected) in [
        ("=?UTF-8?B?UGzDoW4gUTM=?=", "Plán Q3"),
        ("=?UTF-8?B?!!!?=", "=?UTF-8?B?!!!?="),
        (" \r\n ", "plan.json"),
        ("", "plan.json"),
    ] {
        let (mut world, run) = dropped(MODEL, "plan.json", b"{}").await;
        world.files.metadata = HashMap::from([("title".into(), title.into())]);
        validate(&world, &run).await;
        assert_eq!(record(&world, &run).await.title, expected, "{title:?}");
    }
}

#[tokio::test]
async fn an_unknown_model_gets_the_nearest_name_as_a_suggestion() {
    let (code, message, _) = rejected("revenue-forcast", "plan.json", b"{}").await;
    assert_eq!(code, "ModelUnknown");
    assert!(
        message.contains("revenue-forcast") && message.contains("Did you mean “revenue-forecast”?"),
        "{message}"
    );
    for (folder, part) in [
        ("weather", "“weather”"),
        ("No Model + é %", "“No Model + é %”"),
        ("..", "“..”"),
    ] {
        let (code, message, _) = rejected(folder, "plan.json", b"{}").await;
        assert_eq!(code, "ModelUnknown", "{folder}");
        assert!(
            message.contains(part) && !message.contains("Did you mean"),
            "{message}"
        );
    }
    let (world, _) = dropped(MODEL, "plan.json", b"{}").await;
    let mut direct = upload(MODEL, "plan.json");
    direct.key = "inputs/plan.json".into();
    let run = run_of(direct);
    world.store.create_if_absent(&run).await.unwrap();
    let outcome = serde_json::to_value(validate(&world, &run).await).unwrap();
    assert_eq!(outcome["code"], "ModelUnknown");
    assert!(
        outcome["message"]
            .as_str()
            .unwrap()
            .contains("directly under inputs/"),
        "{outcome}"
    );
}

#[tokio::test]
async fn an_unknown_version_is_rejected() {
    for version in ["9", "0", "latest", "1.0", ""] {
        let (code, message, _) = rejected(&format!("{MODEL}@{version}"), "plan.json", b"{}").await;
        assert_eq!(code, "VersionUnknown", "{version}");
        assert!(message.contains(version), "{message}");
    }
}

#[tokio::test]
async fn a_version_is_written_in_one_way_only() {
    for version in ["01", "v1", "V1", "+1", " 1", "1 ", "000001", "１"] {
        let (code, message, _) = rejected(&format!("{MODEL}@{version}"), "plan.json", b"{}").await;
        assert_eq!(code, "VersionUnknown", "{version}");
        assert!(
            message.contains("in digits without a leading zero"),
            "{message}"
        );
    }
}

#[tokio::test]
async fn a_file_of_another_kind_is_refused_before_it_is_read() {
    for file in ["plan.csv", "plan", "plan.json.zip", "..", "json"] {
        let (code, message, problems) = rejected(MODEL, file, b"{}").await;
        assert_eq!(code, "InputRejected", "{file}");
        assert!(message.contains(".json"), "{message}");
        assert_eq!(problems["problems"].as_array().unwrap().len(), 1);
    }
}

#[tokio::test]
async fn a_file_that_is_too_large_is_refused_with_both_sizes() {
    let (code, message, problems) = rejected(MODEL, "plan.json", &vec![b' '; 10_001]).await;
    assert_eq!(code, "InputTooLarge");
    assert!(message.contains("10"), "{message}");
    assert_eq!(problems["problems"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn what_is_not_json_is_refused_in_plain_words() {
    let utf16: Vec<u8> = "{\"lines\":[1]}"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    let deep = "[".repeat(9_999);
    let files: [(&str, &[u8]); 9] = [
        ("empty", b""),
        ("blank", b" \n "),
        ("not JSON", b"lines: [Hardware]"),
        ("truncated", b"{\"lines\": [\"Hard"),
        ("two documents", b"{\"lines\":[]} {}"),
        ("invalid UTF-8", b"{\"lines\":[\"\xff\xfe\xfd\"]}"),
        ("UTF-16 that breaks a rule", &utf16),
        ("deep", deep.as_bytes()),
        ("beyond f64", b"{\"lines\":[], \"horizon_months\": 1e999}"),
    ];
    for (what, content) in files {
        let (code, _, problems) = rejected(MODEL, "plan.json", content).await;
        assert_eq!(code, "InputRejected", "{what}");
        assert!(
            !problems["problems"].as_array().unwrap().is_empty(),
            "{what}"
        );
    }
}

#[tokio::test]
async fn a_duplicate_key_is_rejected() {
    let (code, _, problems) = rejected(MODEL, "plan.json", br#"{"lines":[],"lines":["x"]}"#).await;
    assert_eq!(code, "InputRejected");
    assert!(problems.to_string().contains("lines"), "{problems}");
}

#[tokio::test]
async fn every_broken_rule_is_listed_at_its_place_up_to_a_hundred() {
    let content = br#"{"lines":["a", 2], "horizon_months": 99, "interval": 1}"#;
    let (code, message, problems) = rejected(MODEL, "plan.json", content).await;
    assert_eq!(
        (code.as_str(), message.as_str()),
        ("InputRejected", "The file has 3 problems.")
    );
    let mut pointers: Vec<&str> = problems["problems"]
        .as_array()
        .unwrap()
        .iter()
        .map(|problem| problem["at"].as_str().unwrap())
        .collect();
    pointers.sort_unstable();
    assert_eq!(pointers, ["/horizon_months", "/interval", "/lines/1"]);

    let many = json!({ "lines": (0..250).collect::<Vec<_>>() }).to_string();
    let (_, message, problems) = rejected(MODEL, "plan.json", many.as_bytes()).await;
    assert_eq!(message, "The file has 250 problems.");
    assert_eq!(problems["problems"].as_array().unwrap().len(), 100);
    assert_eq!(problems["more"], 150);
}

#[tokio::test]
async fn a_rejection_after_the_version_was_settled_names_it() {
    let (world, run) = dropped(MODEL, "plan.json", b"junk").await;
    validate(&world, &run).await;
    assert_eq!(record(&world, &run).await.version.unwrap().number(), 1);
}

#[tokio::test]
async fn a_file_that_was_deleted_meanwhile_is_said_to_be() {
    let (mut world, run) = dropped(MODEL, "plan.json", b"{}").await;
    world.files.dropped = None;
    let outcome = serde_json::to_value(validate(&world, &run).await).unwrap();
    assert_eq!(outcome["code"], "InputRejected");
    assert!(
        outcome["message"].as_str().unwrap().contains("deleted"),
        "{outcome}"
    );
    problems(&world, &run);
}

#[tokio::test]
async fn only_so_many_defaults_are_put_on_the_record() {
    let (world, run) = dropped("nested", "plan.json", b"").await;
    let mut nested = version_spec("nested");
    nested.manifest.input.max_bytes = 10_000_000;
    nested.input_schema = json!({
        "type": "object",
        "additionalProperties": { "type": "object", "properties": { "x": { "default": 1 } } }
    })
    .to_string();
    world.store.register(&nested).await.unwrap();
    let mut content = serde_json::Map::new();
    for number in 0..500 {
        content.insert(format!("{number}{}", "k".repeat(10_000)), json!({}));
    }
    content.insert("short".into(), json!({}));
    let mut world = world;
    world.files.dropped = Some(Value::from(content).to_string().into_bytes());
    assert!(matches!(
        validate(&world, &run).await,
        Outcome::Accepted { .. }
    ));
    let input = record(&world, &run).await.input.unwrap();
    assert!(serde_json::to_string(&input).unwrap().len() < 60_000);
    assert!(input.defaults.contains(&"/short/x".to_owned()));
}

#[tokio::test]
async fn validation_after_the_end_of_the_run_changes_nothing() {
    let (world, run) = dropped(MODEL, "plan.json", br#"{"lines":[]}"#).await;
    let over = world
        .store
        .finish(&run.id, step(0, Status::Failed, 100), None)
        .await
        .unwrap();
    validate(&world, &run).await;
    assert_eq!(record(&world, &run).await, over);
}

#[tokio::test]
async fn an_unavailable_bucket_and_an_unknown_run_are_errors_and_reject_nothing() {
    let (mut world, run) = dropped(MODEL, "plan.json", b"{}").await;
    world.files.unavailable = true;
    let event = |run: &Run| serde_json::from_value(json!({ "runId": run.id })).unwrap();
    let error = Diagnostic::from(handle(&world, event(&run)).await.unwrap_err());
    assert_eq!(error.error_type, "Transient");
    let unknown = run_of(upload(MODEL, "never dropped.json"));
    let error = Diagnostic::from(handle(&world, event(&unknown)).await.unwrap_err());
    assert_eq!(error.error_type, "Internal");
    let name: ModelName = MODEL.parse().unwrap();
    assert!(world.store.model(&name).await.unwrap().is_some());
}
