//! From delivered uploads to runs.

#![expect(
    clippy::unwrap_used,
    reason = "A test that cannot go on fails, in its helpers too."
)]

use dropcast_domain::{
    ids::RunId,
    run::Run,
    status::{Progress, Status, Transition},
};
use dropcast_store::{History as _, RunCompletion as _, Runs as _, memory::MemoryStore};
use dropcast_test_support::{
    events::{failed, object_created, sqs},
    executions::FakeExecutions,
};
use jiff::SignedDuration;
use serde_json::{Value, json};
use start_run::{Deps, handle};
use tokio::task::yield_now;

const KEY: &str = "inputs/revenue-forecast/plan.json";

fn deps() -> Deps<MemoryStore, FakeExecutions> {
    Deps {
        store: MemoryStore::default(),
        executions: FakeExecutions::default(),
        retention_days: 90,
    }
}

async fn runs(deps: &Deps<MemoryStore, FakeExecutions>) -> Vec<Run> {
    deps.store.open_runs(1_000).await.unwrap()
}

/// Delivers one event and gives the run that came of it.
async fn run_of(event: &Value) -> Run {
    let deps = deps();
    let answer = handle(&deps, sqs([event])).await.unwrap();
    assert!(failed(&answer).is_empty());
    let runs = runs(&deps).await;
    assert_eq!(runs.len(), 1);
    assert_eq!(deps.executions.started(), [runs[0].id.clone()]);
    runs[0].clone()
}

#[tokio::test]
async fn an_upload_becomes_a_run_that_is_kept_as_long_as_the_deployment_says() {
    let run = run_of(&object_created(KEY, "v1")).await;
    assert_eq!(run.id, RunId::derive("corp-inputs", KEY, "v1"));
    assert_eq!(run.status(), Status::Received);
    assert_eq!(run.title, "plan.json");
    assert_eq!(run.request.model, "revenue-forecast");
    assert_eq!(run.upload.bucket, "corp-inputs");
    assert_eq!(run.upload.bytes, 512);
    assert_eq!(
        run.expires_at.duration_since(run.upload.at),
        SignedDuration::from_hours(90 * 24)
    );
}

#[tokio::test]
async fn invariant_1_one_upload_is_one_run_however_often_and_in_whatever_order_it_arrives() {
    let uploads = [
        object_created(KEY, "v1"),
        object_created(KEY, "v2"),
        object_created("inputs/revenue-forecast/other.json", "v1"),
    ];
    let mut outcomes = Vec::new();
    for order in [
        [0, 1, 2],
        [0, 2, 1],
        [1, 0, 2],
        [1, 2, 0],
        [2, 0, 1],
        [2, 1, 0],
    ] {
        let deps = deps();
        // Three deliveries in one batch, and each upload twice more by itself.
        let batch = order.iter().cycle().take(9).map(|number| &uploads[*number]);
        let answer = handle(&deps, sqs(batch)).await.unwrap();
        assert!(failed(&answer).is_empty());
        for number in order.iter().chain(&order) {
            handle(&deps, sqs([&uploads[*number]])).await.unwrap();
        }
        let runs = runs(&deps).await;
        assert_eq!(runs.len(), 3);
        assert_eq!(deps.executions.started().len(), 3);
        for run in &runs {
            assert_eq!(deps.store.timeline(&run.id).await.unwrap().len(), 1);
        }
        let mut records: Vec<String> = runs
            .iter()
            .map(|run| serde_json::to_string(run).unwrap())
            .collect();
        records.sort();
        outcomes.push(records);
    }
    outcomes.dedup();
    assert_eq!(outcomes.len(), 1, "the order does not show");
}

#[tokio::test]
async fn invariant_1_an_upload_reported_twice_with_two_times_is_one_run() {
    let (deps, first) = (deps(), object_created(KEY, "v1"));
    let mut again = first.clone();
    again["time"] = json!("2026-03-02T17:45:12Z");
    assert_ne!(first["time"], again["time"]);
    for event in [&first, &again] {
        let answer = handle(&deps, sqs([event])).await.unwrap();
        assert!(failed(&answer).is_empty());
    }
    let runs = runs(&deps).await;
    assert_eq!(runs.len(), 1);
    assert_eq!(deps.executions.started(), [runs[0].id.clone()]);
    let standing = serde_json::to_value(runs[0].upload.at).unwrap();
    assert_eq!(standing, first["time"], "the first to come stays");
    assert_eq!(deps.store.timeline(&runs[0].id).await.unwrap().len(), 1);
}

#[tokio::test]
async fn invariant_1_without_versions_the_sequencer_distinguishes_uploads() {
    let deps = deps();
    let unversioned = |sequencer: &str| {
        let mut event = object_created(KEY, "null");
        event["detail"]["object"]["sequencer"] = json!(sequencer);
        event
    };
    let events = [unversioned("01"), unversioned("02"), unversioned("01")];
    let answer = handle(&deps, sqs(&events)).await.unwrap();
    assert!(failed(&answer).is_empty());
    assert_eq!(runs(&deps).await.len(), 2);
    // With neither, two uploads would be one run: it is left to the dead letters.
    let mut event = object_created(KEY, "null");
    let object = event["detail"]["object"].as_object_mut().unwrap();
    object.remove("sequencer");
    assert_eq!(
        failed(&handle(&deps, sqs([&event])).await.unwrap()),
        ["message-0"]
    );
    assert_eq!(runs(&deps).await.len(), 2);
}

/// Handles one delivery after so many turns of the others; says whether it is done with.
async fn deliver_later(
    deps: &Deps<MemoryStore, FakeExecutions>,
    event: &Value,
    turns: usize,
) -> bool {
    for _ in 0..turns {
        yield_now().await;
    }
    failed(&handle(deps, sqs([event])).await.unwrap()).is_empty()
}

/// The run moves on as soon as its execution has begun.
async fn moves_on(deps: &Deps<MemoryStore, FakeExecutions>) {
    let id = loop {
        match deps.executions.started().first() {
            Some(id) => break id.clone(),
            None => yield_now().await,
        }
    };
    let step = Transition {
        progress: Progress::first(Status::Validating),
        at: "2026-03-02T09:30:01Z".parse().unwrap(),
    };
    assert!(deps.store.advance(&id, step).await.unwrap());
}

#[tokio::test]
async fn invariant_1_deliveries_at_the_same_time_make_one_run_that_none_of_them_sets_back() {
    let event = object_created(KEY, "v1");
    for (second, third) in (0..8).flat_map(|second| (0..8).map(move |third| (second, third))) {
        let deps = deps();
        let (one, two, three, ()) = tokio::join!(
            deliver_later(&deps, &event, 0),
            deliver_later(&deps, &event, second),
            deliver_later(&deps, &event, third),
            moves_on(&deps),
        );
        assert!(one && two && three);
        let runs = runs(&deps).await;
        assert_eq!(runs.len(), 1);
        assert_eq!(runs[0].status(), Status::Validating, "{second} {third}");
        let timeline = deps.store.timeline(&runs[0].id).await.unwrap();
        assert_eq!(timeline.len(), 2);
        assert_eq!(deps.executions.started(), [runs[0].id.clone()]);
    }
}

#[tokio::test]
async fn a_record_without_an_execution_gets_one_with_the_next_delivery() {
    let (deps, event) = (deps(), object_created(KEY, "v1"));
    deps.executions.set_unavailable(true);
    let answer = handle(&deps, sqs([&event])).await.unwrap();
    assert_eq!(failed(&answer), ["message-0"]);
    assert_eq!(runs(&deps).await.len(), 1, "the upload is not lost");
    deps.executions.set_unavailable(false);
    let answer = handle(&deps, sqs([&event])).await.unwrap();
    assert!(failed(&answer).is_empty());
    assert_eq!(runs(&deps).await.len(), 1);
    assert_eq!(deps.executions.started().len(), 1);
}

#[tokio::test]
async fn a_late_delivery_starts_nothing_once_the_run_is_over() {
    let (deps, event) = (deps(), object_created(KEY, "v1"));
    deps.executions.set_unavailable(true);
    handle(&deps, sqs([&event])).await.unwrap();
    deps.executions.set_unavailable(false);
    let run = runs(&deps).await[0].clone();
    let end = Transition {
        progress: Progress::first(Status::Failed),
        at: run.upload.at,
    };
    deps.store.finish(&run.id, end, None).await.unwrap();
    let answer = handle(&deps, sqs([&event])).await.unwrap();
    assert!(failed(&answer).is_empty());
    assert!(deps.executions.started().is_empty());
}

#[tokio::test]
async fn a_folder_is_no_upload() {
    let deps = deps();
    let folders = ["inputs/revenue-forecast/", "inputs/", "inputs/a b/é/"]
        .map(|key| object_created(key, "v1"));
    let answer = handle(&deps, sqs(&folders)).await.unwrap();
    assert!(failed(&answer).is_empty());
    assert!(runs(&deps).await.is_empty());
    assert!(deps.executions.started().is_empty());
}

#[tokio::test]
async fn keys_are_taken_raw() {
    for (file, title) in [
        ("a + b % 25 é.json", "a + b % 25 é.json"),
        ("100%25+1.json", "100%25+1.json"),
        ("Plán Q3 “final”.json", "Plán Q3 “final”.json"),
        ("..", "input"),
    ] {
        let key = format!("inputs/revenue-forecast/{file}");
        let run = run_of(&object_created(&key, "v1")).await;
        assert_eq!(run.upload.key, key);
        assert_eq!(run.title, title);
        assert_eq!(run.request.model, "revenue-forecast");
    }
}

#[tokio::test]
async fn a_key_of_1024_bytes_becomes_a_run_like_any_other() {
    let start = "inputs/revenue-forecast/";
    for filler in ["a", "é"] {
        let name = filler.repeat((1_024 - start.len() - 5) / filler.len());
        let key = format!("{start}{name}.json");
        assert!((1_023..=1_024).contains(&key.len()));
        let run = run_of(&object_created(&key, "v1")).await;
        assert_eq!(run.upload.key, key);
        let file = run.upload.file_name();
        assert_eq!(file.rsplit_once('.').unwrap().1, "json");
    }
}

#[tokio::test]
async fn a_file_outside_any_models_folder_becomes_a_run_too() {
    // What is wrong with it is said by validate-inputs, in the record and in a mail.
    for (key, model) in [
        ("inputs/plan.json", ""),
        ("inputs/No Model/é/x", "No Model"),
    ] {
        let run = run_of(&object_created(key, "v1")).await;
        assert_eq!(run.request.model, model);
    }
}

#[tokio::test]
async fn without_versions_the_sequencer_distinguishes_uploads() {
    let deps = deps();
    let mut events = Vec::new();
    for (version, sequencer) in [
        (Value::Null, "01"),
        (json!("null"), "02"),
        (json!(""), "03"),
    ] {
        let mut event = object_created(KEY, "v1");
        event["detail"]["object"]["version-id"] = version;
        event["detail"]["object"]["sequencer"] = json!(sequencer);
        events.push(event);
    }
    let mut absent = events[0].clone();
    absent["detail"]["object"]
        .as_object_mut()
        .unwrap()
        .remove("version-id");
    events.push(absent);
    let answer = handle(&deps, sqs(&events)).await.unwrap();
    assert!(failed(&answer).is_empty());
    // The last has the first one's sequencer, and is it.
    assert_eq!(runs(&deps).await.len(), 3);
}

#[tokio::test]
async fn what_is_no_upload_event_is_set_aside_and_the_others_are_handled() {
    let deps = deps();
    let strangers = [
        json!({ "Service": "Amazon S3", "Event": "s3:TestEvent" }),
        object_created(KEY, "v1"),
        json!("text"),
        json!({ "time": "2026-03-02T09:30:00Z", "detail": { "bucket": {} } }),
    ];
    let answer = handle(&deps, sqs(&strangers)).await.unwrap();
    assert_eq!(failed(&answer), ["message-0", "message-2", "message-3"]);
    assert_eq!(runs(&deps).await.len(), 1);
}
