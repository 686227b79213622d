//! Which version a file gets.

use dropcast_domain::{ids::Version, registry::AuditStamp, run::Run, upload::Upload};
use dropcast_store::{Models as _, Promotion as _, Runs as _};
use dropcast_test_support::samples::{MODEL, at, run_of, upload, version_spec};
use serde_json::json;

use crate::{World, dropped, record, validate};

const PLAN: &[u8] = b"{\"lines\": []}";

fn version(number: u32) -> Version {
    number.to_string().parse().unwrap()
}

fn act(milliseconds: i64) -> AuditStamp<'static> {
    AuditStamp {
        by: None,
        at: at(milliseconds),
    }
}

/// Two versions, of which the first is the default, and a file that was dropped at this time.
async fn uploaded(folder: &str, milliseconds: i64) -> (World, Run) {
    let (world, _) = dropped(MODEL, "other.json", PLAN).await;
    world.store.register(&version_spec(MODEL)).await.unwrap();
    let run = run_of(Upload {
        at: at(milliseconds),
        ..upload(folder, "plan.json")
    });
    world.store.create_if_absent(&run).await.unwrap();
    (world, run)
}

async fn promoted(world: &World, number: u32, milliseconds: i64) {
    let name = MODEL.parse().unwrap();
    let promoted = world
        .store
        .promote(&name, version(number), act(milliseconds));
    promoted.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_file_gets_what_was_the_default_when_it_was_uploaded() {
    for (uploaded_at, expected) in [(5_001, 1), (59_999, 1), (60_001, 2), (60_000, 2)] {
        let (world, run) = uploaded(MODEL, uploaded_at).await;
        promoted(&world, 2, 60_000).await;
        validate(&world, &run).await;
        let version = record(&world, &run).await.version.unwrap();
        assert_eq!(version.number(), expected, "{uploaded_at}");
        // It keeps it, whatever is promoted before it is validated again.
        let name = MODEL.parse().unwrap();
        let back = world.store.roll_back(&name, act(90_000)).await.unwrap();
        assert!(back.is_ok());
        validate(&world, &run).await;
        assert_eq!(record(&world, &run).await.version, Some(version));
    }
}

#[tokio::test]
async fn a_file_from_before_the_model_gets_its_default() {
    let (world, run) = uploaded(MODEL, -86_400_000).await;
    promoted(&world, 2, 60_000).await;
    validate(&world, &run).await;
    assert_eq!(record(&world, &run).await.version, Some(version(2)));
}

#[tokio::test]
async fn a_retired_version_is_refused_where_it_is_pinned_and_passed_over_where_it_is_not() {
    let name = MODEL.parse().unwrap();
    for (folder, expected) in [
        (MODEL, None),
        ("revenue-forecast@1", Some("VersionRetired")),
    ] {
        let (world, run) = uploaded(folder, 5_001).await;
        promoted(&world, 2, 60_000).await;
        let retired = world.store.retire(&name, version(1), act(70_000)).await;
        retired.unwrap().unwrap();
        let outcome = serde_json::to_value(validate(&world, &run).await).unwrap();
        let record = record(&world, &run).await;
        match expected {
            None => assert_eq!(record.version, Some(version(2))),
            Some(code) => {
                assert_eq!(outcome["code"], json!(code));
                let message = outcome["message"].as_str().unwrap();
                assert!(message.contains("Version 1 of the model"), "{message}");
                assert_eq!(record.problem_count, Some(0));
            }
        }
    }
}
