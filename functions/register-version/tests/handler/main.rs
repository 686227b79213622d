//! From `CodeBuild`'s events to versions and records of failure.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "A test that cannot go on fails, in its helpers too."
)]

mod world;

use dropcast_domain::{
    ids::Version,
    model::ModelName,
    registry::{
        AuditStamp, BuildCode, BuildEnd, BuildFailure, BuildId, BuildPhase, BuildReport,
        BuildState, DefaultKind, MAX_VERSION_FILE, Requester,
    },
};
use dropcast_store::{History as _, Models as _, Promotion as _};
use dropcast_test_support::events::{
    BUILD_PROJECT, build_ended, build_failed, build_id, failed, sqs,
};
use jiff::Timestamp;
use register_version::handle;
use serde_json::{Value, json};
use world::{ENDED_AT, MANIFEST, TestServices as _, World, version_file, world};

fn model() -> ModelName {
    "revenue-forecast".parse().unwrap()
}

/// Handles the events of one delivery, none of which may be delivered again.
async fn told<'a>(world: &World, events: impl IntoIterator<Item = &'a Value>) {
    let answer = handle(world, sqs(events)).await.unwrap();
    assert!(failed(&answer).is_empty(), "{:?}", failed(&answer));
}

/// A build of this number that succeeded and wrote this.
async fn built(world: &World, number: u32, file: &Value) {
    world.put_version_file(number, file.to_string().as_bytes());
    told(world, [&build_ended(number, "SUCCEEDED")]).await;
}

async fn version_of(world: &World, number: u32) -> u32 {
    match world.record(number).await.unwrap().end {
        BuildEnd::Registered { version } => version.number(),
        BuildEnd::Failed(failure) => panic!("{failure:?}"),
    }
}

async fn failure_of(world: &World, number: u32) -> BuildFailure {
    match world.record(number).await.unwrap().end {
        BuildEnd::Registered { version } => panic!("version {version}"),
        BuildEnd::Failed(failure) => failure,
    }
}

#[tokio::test]
async fn the_first_build_is_version_1_and_the_default_and_the_second_is_not() {
    let world = world();
    built(&world, 1, &version_file(1, 1)).await;
    built(&world, 2, &version_file(2, 2)).await;
    assert_eq!(
        (version_of(&world, 1).await, version_of(&world, 2).await),
        (1, 2)
    );
    let kept = world.store.model(&model()).await.unwrap().unwrap();
    assert_eq!(kept.default_version, Version::FIRST);
    let defaults = world.store.defaults(&model()).await.unwrap();
    assert_eq!(defaults.entries[0].kind, DefaultKind::Registered);
    assert_eq!(
        defaults.entries[0].by.as_deref(),
        Some("arn:aws:iam::111122223333:user/ana")
    );
    let first = world.store.version(&model(), Version::FIRST).await.unwrap();
    let first = first.unwrap().spec;
    assert_eq!(first.commit.as_deref(), Some("0a1b2c3"));
    assert!(first.job_definition.ends_with(":1"));
    let definitions = world.definitions.registered.lock().unwrap();
    assert_eq!(definitions[0].image, first.image);
    assert!(definitions[0].role.ends_with("s-job-revenue-forecast"));
    assert_eq!(definitions[0].job, first.manifest.job);
}

#[tokio::test]
async fn the_same_event_five_times_is_one_version() {
    let world = world();
    world.put_version_file(1, version_file(1, 1).to_string().as_bytes());
    let event = build_ended(1, "SUCCEEDED");
    told(&world, [&event; 3]).await;
    let (one, other) = futures::future::join(told(&world, [&event]), told(&world, [&event])).await;
    assert_eq!((one, other), ((), ()));
    assert_eq!(world.store.versions(&model(), 10).await.unwrap().len(), 1);
    assert_eq!(world.definitions.registered.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn two_pushes_at_once_get_two_numbers() {
    let world = world();
    for number in [1, 2] {
        world.put_version_file(number, version_file(number, number).to_string().as_bytes());
    }
    let events = [1, 2].map(|number| build_ended(number, "SUCCEEDED"));
    futures::future::join(told(&world, [&events[0]]), told(&world, [&events[1]])).await;
    let mut numbers = [version_of(&world, 1).await, version_of(&world, 2).await];
    numbers.sort_unstable();
    assert_eq!(numbers, [1, 2]);
}

#[tokio::test]
async fn a_build_of_the_very_same_is_the_same_version_unless_its_definition_is_gone() {
    let world = world();
    built(&world, 1, &version_file(1, 1)).await;
    built(&world, 2, &version_file(2, 1)).await;
    assert_eq!(version_of(&world, 2).await, 1);
    // As on another platform, or where somebody deregistered it: Batch names another one.
    world.definitions.registered.lock().unwrap()[0].image = "gone".into();
    built(&world, 3, &version_file(3, 1)).await;
    assert_eq!(version_of(&world, 3).await, 2);
}

#[tokio::test]
async fn a_build_of_what_was_retired_is_a_new_version() {
    let world = world();
    for number in [1, 2] {
        built(&world, number, &version_file(number, number)).await;
    }
    let stamp = AuditStamp {
        by: None,
        at: Timestamp::UNIX_EPOCH,
    };
    let newest = Version::FIRST.next();
    let retired = world.store.retire(&model(), newest, stamp).await.unwrap();
    assert!(retired.is_ok());
    built(&world, 3, &version_file(3, 2)).await;
    assert_eq!(version_of(&world, 3).await, 3);
}

#[tokio::test]
async fn what_a_build_wrote_badly_is_a_record_and_no_version() {
    let changed = |pointer: &str, value: Value| {
        let mut file = version_file(1, 1);
        file[pointer] = value;
        file.to_string().into_bytes()
    };
    let manifest = |from: &str, to: &str| changed("manifest", json!(MANIFEST.replace(from, to)));
    let too_large = vec![b' '; usize::try_from(MAX_VERSION_FILE).unwrap() + 1];
    for (content, words) in [
        (None, "version.json is missing"),
        (Some(too_large), "is larger than"),
        (Some(b"{".to_vec()), "could not be parsed"),
        (Some(b"null".to_vec()), "could not be parsed"),
        (
            Some(changed("buildId", json!(build_id(9)))),
            "belongs to another build",
        ),
        (
            Some(changed("image", json!("local/m:latest"))),
            "is not in the repository local",
        ),
        (
            Some(changed(
                "image",
                json!(format!("evil/m@sha256:{}", "0".repeat(64))),
            )),
            "is not in the repository local",
        ),
        (Some(manifest("title", "titel")), "model.toml:2: titel"),
        (
            Some(manifest("revenue-forecast", "Revenue")),
            "a letter from a to z",
        ),
        (
            Some(manifest("revenue-forecast", &"r".repeat(200))),
            "63 characters",
        ),
        (
            Some(manifest("revenue-forecast", "other")),
            "The build is for the model “revenue-forecast”",
        ),
        (Some(manifest("2048", "512")), "The nearest size"),
        (
            Some(changed("inputSchema", json!("{\"type\": 7}"))),
            "input.schema.json: ",
        ),
        (
            Some(manifest(
                "[job]",
                "[[outputs]]\npath = \"../../etc\"\ntitle = \"E\"\nkind = \"data\"\n[job]",
            )),
            "outputs[0].path",
        ),
    ] {
        let world = world();
        if let Some(content) = content {
            world.put_version_file(1, &content);
        }
        told(&world, [&build_ended(1, "SUCCEEDED")]).await;
        let failure = failure_of(&world, 1).await;
        assert_eq!(
            (failure.code, failure.phase),
            (BuildCode::VersionRefused, BuildPhase::Register)
        );
        assert!(
            failure.message.contains(words),
            "{words}: {}",
            failure.message
        );
        assert!(world.store.models().await.unwrap().is_empty(), "{words}");
        assert!(world.definitions.registered.lock().unwrap().is_empty());
    }
}

#[tokio::test]
async fn the_failure_quotes_the_reason_of_batch() {
    let world = world();
    *world.definitions.refusal.lock().unwrap() = Some("memory must be a number.".into());
    built(&world, 1, &version_file(1, 1)).await;
    let failure = failure_of(&world, 1).await;
    assert!(
        failure.message.ends_with("memory must be a number."),
        "{}",
        failure.message
    );
}

#[tokio::test]
async fn a_build_that_failed_in_any_phase_is_kept_with_its_last_lines() {
    for phase in [
        "PROVISIONING",
        "DOWNLOAD_SOURCE",
        "INSTALL",
        "PRE_BUILD",
        "BUILD",
        "POST_BUILD",
        "UPLOAD_ARTIFACTS",
        "FINALIZING",
        "BRAND_NEW",
    ] {
        let world = world();
        told(&world, [&build_failed(1, phase, "exit status 1")]).await;
        let record = world.record(1).await.unwrap();
        assert_eq!(record.model, Some(model()));
        assert_eq!(record.notify, ["ana@corp.example"]);
        let failure = failure_of(&world, 1).await;
        assert_eq!(failure.phase, BuildPhase::from_codebuild(phase));
        assert!(
            failure.message.contains("exit status 1"),
            "{}",
            failure.message
        );
        assert_eq!(failure.lines.len(), 40);
        assert_eq!(failure.lines[39], "line 59");
    }
}

#[tokio::test]
async fn a_failure_is_recorded_without_a_readable_log() {
    let mut world = world();
    world.project.no_log = true;
    for (number, status, code) in [
        (1, "FAILED", BuildCode::BuildFailed),
        (2, "FAULT", BuildCode::BuildBroke),
        (3, "STOPPED", BuildCode::BuildStopped),
        (4, "TIMED_OUT", BuildCode::BuildTimedOut),
    ] {
        told(&world, [&build_ended(number, status)]).await;
        let failure = failure_of(&world, number).await;
        assert_eq!(failure.code, code);
        assert!(failure.lines.is_empty());
    }
}

#[tokio::test]
async fn builds_of_other_projects_and_running_builds_are_ignored() {
    let world = world();
    world.put_version_file(1, version_file(1, 1).to_string().as_bytes());
    let mut others = build_ended(1, "SUCCEEDED");
    others["detail"]["project-name"] = json!("another");
    let events = [
        others,
        build_ended(1, "IN_PROGRESS"),
        build_ended(1, "DREAMING"),
    ];
    told(&world, &events).await;
    assert_eq!(world.record(1).await, None);
}

#[tokio::test]
async fn an_event_with_only_what_is_needed_does() {
    let world = world();
    world.put_version_file(1, version_file(1, 1).to_string().as_bytes());
    let mut event = build_ended(1, "SUCCEEDED");
    event["detail"]
        .as_object_mut()
        .unwrap()
        .remove("additional-information");
    told(&world, [&event]).await;
    assert_eq!(version_of(&world, 1).await, 1);
    assert_eq!(world.record(1).await.unwrap().model, Some(model()));
}

#[tokio::test]
async fn a_message_that_is_no_event_of_a_build_goes_to_the_dead_letters() {
    let world = world();
    let mut nameless = build_ended(1, "SUCCEEDED");
    nameless["detail"]["build-id"] = json!("junk");
    let other =
        json!({ "detail-type": "Something Else", "time": "2026-03-02T09:30:00Z", "detail": {} });
    let events = [nameless, other, build_failed(2, "BUILD", "")];
    let answer = handle(&world, sqs(&events)).await.unwrap();
    assert_eq!(failed(&answer), ["message-0", "message-1"]);
    assert!(world.record(2).await.is_some());
}

fn tick() -> Value {
    json!({ "detail-type": "Reconcile Builds" })
}

/// A build as `CodeBuild` lists it, which ended so many seconds after [`ENDED_AT`].
fn report(number: u32, state: &str, second: i64) -> BuildReport {
    BuildReport {
        build: build_id(number).parse::<BuildId>().unwrap(),
        project: BUILD_PROJECT.into(),
        state: BuildState::from_name(state),
        phases: Vec::new(),
        log_stream: Some(build_id(number)),
        requester: Requester::default(),
        at: Timestamp::from_second(ENDED_AT + second).unwrap(),
    }
}

#[tokio::test]
async fn a_build_whose_event_never_came_is_found_by_comparing() {
    let world = world();
    built(&world, 1, &version_file(1, 1)).await;
    for number in [2, 3] {
        world.put_version_file(number, version_file(number, number).to_string().as_bytes());
    }
    *world.project.newest.lock().unwrap() = vec![
        report(5, "IN_PROGRESS", 50),
        report(4, "FAILED", 40),
        report(3, "SUCCEEDED", 30),
        report(2, "SUCCEEDED", 20),
        report(1, "SUCCEEDED", 10),
    ];
    told(&world, [&tick(), &tick()]).await;
    assert_eq!(
        (version_of(&world, 2).await, version_of(&world, 3).await),
        (2, 3)
    );
    assert_eq!(failure_of(&world, 4).await.code, BuildCode::BuildFailed);
    assert_eq!(world.record(5).await, None);
    assert_eq!(world.store.versions(&model(), 10).await.unwrap().len(), 3);
}

#[tokio::test]
async fn builds_that_ended_48_hours_ago_are_not_reconciled() {
    let world = world();
    let newest = world.project.newest.lock();
    *newest.unwrap() = vec![report(2, "SUCCEEDED", 0), report(1, "SUCCEEDED", -172_800)];
    told(&world, [&tick()]).await;
    assert_eq!(failure_of(&world, 2).await.code, BuildCode::VersionRefused);
    assert_eq!(world.record(1).await, None);
}

#[tokio::test]
async fn a_build_without_permission_is_reported_after_an_hour() {
    let mut world = world();
    world.put_version_file(1, version_file(1, 1).to_string().as_bytes());
    *world.project.newest.lock().unwrap() = vec![report(1, "SUCCEEDED", 0)];
    *world.roles.denied.lock().unwrap() = true;
    told(&world, [&tick()]).await;
    assert_eq!(world.record(1).await, None);
    world.now = || Timestamp::from_second(ENDED_AT + 3_601).unwrap();
    told(&world, [&tick()]).await;
    let failure = failure_of(&world, 1).await;
    assert_eq!(failure.code, BuildCode::NotRegistered);
    assert!(
        failure.message.contains("iam:PutRolePolicy"),
        "{}",
        failure.message
    );
}

#[tokio::test]
async fn an_unregistrable_build_is_reported_after_47_hours() {
    let mut world = world();
    world.put_version_file(1, version_file(1, 1).to_string().as_bytes());
    *world.project.newest.lock().unwrap() = vec![report(1, "SUCCEEDED", 0)];
    *world.roles.unavailable.lock().unwrap() = true;
    world.now = || Timestamp::from_second(ENDED_AT + 3_601).unwrap();
    let answer = handle(&world, sqs([&tick()])).await.unwrap();
    assert_eq!(failed(&answer).len(), 1, "it is done again");
    assert_eq!(world.record(1).await, None);
    world.now = || Timestamp::from_second(ENDED_AT + 47 * 3_600 + 1).unwrap();
    told(&world, [&tick()]).await;
    assert_eq!(failure_of(&world, 1).await.code, BuildCode::NotRegistered);
}

#[tokio::test]
async fn a_twin_of_its_definition_does_not_make_the_same_folder_a_new_version() {
    let world = world();
    built(&world, 1, &version_file(1, 1)).await;
    world.definitions.duplicate_the_first();
    built(&world, 2, &version_file(2, 1)).await;
    assert_eq!(version_of(&world, 2).await, 1);
}
