//! Refreshes: what asks for one is not read.

use dropcast_domain::{
    ids::Version,
    model::RefreshSpec,
    run::Run,
    upload::{RunKind, Upload},
};
use dropcast_store::{Models as _, Runs as _};
use dropcast_test_support::samples::{MODEL, run_of, upload, version_spec};
use serde_json::json;

use crate::{World, dropped, problems, record, validate};

/// A deployment whose model has two versions, the second of which can be refreshed; and a
/// refresh of one of them.
async fn refresh(folder: &str, content: &[u8]) -> (World, Run) {
    let (world, _) = dropped(MODEL, "plan.json", content).await;
    let mut second = version_spec(MODEL);
    second.manifest.refresh = Some(RefreshSpec {
        command: vec!["python".into(), "refresh.py".into()],
        schedule: None,
    });
    world.store.register(&second).await.unwrap();
    let run = run_of(Upload {
        key: format!("refresh/{folder}/now.txt"),
        ..upload(folder, "")
    });
    world.store.create_if_absent(&run).await.unwrap();
    (world, run)
}

#[tokio::test]
async fn the_content_of_the_object_that_starts_a_refresh_is_ignored() {
    for content in [&b"\xff not JSON"[..], b"", &vec![b'x'; 20_000]] {
        let (world, run) = refresh("revenue-forecast@2", content).await;
        let outcome = serde_json::to_value(validate(&world, &run).await).unwrap();
        assert_eq!(outcome["outcome"], "accepted", "{outcome}");
        let record = record(&world, &run).await;
        assert_eq!(record.kind, RunKind::Refresh);
        assert_eq!(record.version, Some(Version::FIRST.next()));
        assert_eq!(record.input, None);
        assert_eq!(record.title, "Refresh of revenue-forecast");
    }
}

#[tokio::test]
async fn a_refresh_runs_after_its_object_was_deleted() {
    let (mut world, run) = refresh("revenue-forecast@2", b"{}").await;
    world.files.dropped = None;
    let outcome = serde_json::to_value(validate(&world, &run).await).unwrap();
    assert_eq!(outcome["outcome"], "accepted", "{outcome}");
}

#[tokio::test]
async fn a_version_without_a_refresh_is_rejected_with_a_sentence() {
    let (world, run) = refresh(MODEL, b"{}").await;
    let outcome = serde_json::to_value(validate(&world, &run).await).unwrap();
    assert_eq!(
        outcome,
        json!({
            "outcome": "rejected",
            "code": "InputRejected",
            "message": "Version 1 of revenue-forecast cannot be refreshed: its manifest has no [refresh] section.",
        })
    );
    assert_eq!(record(&world, &run).await.version, Some(Version::FIRST));
    assert_eq!(problems(&world, &run)["problems"], json!([]));
    for (folder, code) in [
        ("no-such", "ModelUnknown"),
        ("revenue-forecast@9", "VersionUnknown"),
    ] {
        let (world, run) = refresh(folder, b"{}").await;
        let outcome = serde_json::to_value(validate(&world, &run).await).unwrap();
        assert_eq!(outcome["code"], code);
    }
}
