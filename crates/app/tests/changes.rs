//! Promoting, rolling back and retiring, over the store in memory.

#![expect(
    clippy::unwrap_used,
    reason = "A test that cannot go on fails, in its helpers too."
)]

use dropcast_app::{
    models::{list_builds, show_model},
    uploads::{UploadRequest, find_run_of_upload, prepare_refresh, prepare_upload},
    versions::{ChangeError, ResolveError, list_versions, promote, retire, roll_back},
};
use dropcast_domain::{
    ids::Version,
    model::ModelName,
    registry::{AuditStamp, Build, BuildCode, BuildEnd, BuildFailure, BuildPhase, PromotionError},
};
use dropcast_store::{Builds as _, Models as _, Runs as _, memory::MemoryStore};
use dropcast_test_support::samples::{MODEL, at, run_of, upload, version_spec};

fn version(number: u32) -> Version {
    number.to_string().parse().unwrap()
}

fn stamp(milliseconds: i64) -> AuditStamp<'static> {
    AuditStamp {
        by: None,
        at: at(milliseconds),
    }
}

async fn store(versions: u32) -> (MemoryStore, ModelName) {
    let store = MemoryStore::default();
    for _ in 0..versions {
        store.register(&version_spec(MODEL)).await.unwrap();
    }
    (store, MODEL.parse().unwrap())
}

#[tokio::test]
async fn a_change_of_the_default_names_the_one_before() {
    let (store, name) = store(2).await;
    let promoted = promote(&store, &name, version(2), stamp(1_000)).await;
    let change = promoted.unwrap().unwrap();
    assert_eq!(
        (change.previous, change.entry.version),
        (version(1), version(2))
    );
    let rolled_back = roll_back(&store, &name, stamp(2_000)).await;
    let change = rolled_back.unwrap().unwrap();
    assert_eq!(
        (change.previous, change.entry.version),
        (version(2), version(1))
    );
}

#[tokio::test]
async fn a_refused_change_comes_with_the_reason() {
    let (store, name) = store(2).await;
    let promoted = promote(&store, &name, version(1), stamp(1_000)).await;
    let ChangeError::Refused(refusal) = promoted.unwrap().unwrap_err() else {
        panic!("it is the default already");
    };
    assert_eq!(refusal.reason, PromotionError::IsDefault(version(1)));
    assert_eq!(refusal.model.newest(), version(2));
    assert_eq!(refusal.defaults.entries.len(), 1);
    let unknown = "churn".parse().unwrap();
    for error in [
        promote(&store, &unknown, version(1), stamp(1_000))
            .await
            .unwrap()
            .unwrap_err(),
        roll_back(&store, &unknown, stamp(1_000))
            .await
            .unwrap()
            .unwrap_err(),
        retire(&store, &unknown, version(1), stamp(1_000))
            .await
            .unwrap()
            .unwrap_err(),
    ] {
        assert_eq!(error.to_string(), "There is no model called “churn”.");
    }
}

#[tokio::test]
async fn a_version_with_open_runs_is_not_retired_and_a_default_never() {
    let (store, name) = store(3).await;
    let run = run_of(upload("revenue-forecast@2", "plan.json"));
    store.create_if_absent(&run).await.unwrap();
    let refused = retire(&store, &name, version(2), stamp(1_000)).await;
    assert_eq!(
        refused.unwrap().unwrap_err(),
        ChangeError::OpenRuns {
            version: version(2),
            runs: vec![run.id],
        }
    );
    let refused = retire(&store, &name, version(1), stamp(1_000)).await;
    let ChangeError::Refused(refusal) = refused.unwrap().unwrap_err() else {
        panic!("it is the default");
    };
    assert_eq!(refusal.reason, PromotionError::IsDefault(version(1)));
    let retired = retire(&store, &name, version(3), stamp(1_000)).await;
    assert_eq!(retired.unwrap().unwrap().version, version(3));
    // It is listed all the same.
    let listed = list_versions(&store, &name, 10).await.unwrap().unwrap();
    assert_eq!(listed.versions.len(), 3);
    assert!(listed.defaults.retirement(version(3)).is_some());
}

#[tokio::test]
async fn an_upload_is_prepared_only_where_a_version_can_run_on_it() {
    let (store, name) = store(2).await;
    let retired = retire(&store, &name, version(2), stamp(1_000)).await;
    retired.unwrap().unwrap();
    let notify = ["ana@corp.example".to_owned(), "bo@corp.example".to_owned()];
    let mut request = UploadRequest {
        model: &name,
        version: None,
        file_name: "a/b.json",
        notify: &notify,
        title: Some("Plán Q3"),
    };
    let prepared = prepare_upload(&store, &request, at(2_000), "0a1b2c").await;
    let prepared = prepared.unwrap().unwrap();
    assert_eq!(
        prepared.key,
        "inputs/revenue-forecast/20260302T093002-0a1b2c/a_b.json"
    );
    assert_eq!(
        prepared.metadata,
        [
            ("notify", "ana@corp.example,bo@corp.example".to_owned()),
            ("title", "=?UTF-8?B?UGzDoW4gUTM=?=".to_owned()),
        ]
    );
    assert_eq!(prepared.version.version, version(1));

    request.version = Some(version(2));
    let refused = prepare_upload(&store, &request, at(2_000), "0a1b2c").await;
    assert!(matches!(
        refused.unwrap().unwrap_err(),
        ResolveError::Retired { .. }
    ));
    let refused = prepare_refresh(&store, &name, None, at(2_000), "0a1b2c").await;
    assert!(matches!(
        refused.unwrap().unwrap_err(),
        ResolveError::NotRefreshable { .. }
    ));
}

#[tokio::test]
async fn an_uploads_run_is_found_by_its_bucket_key_and_version() {
    let (store, _) = store(1).await;
    let run = run_of(upload(MODEL, "plan.json"));
    store.create_if_absent(&run).await.unwrap();
    let upload = &run.upload;
    for version_id in [None, upload.version_id.as_deref()] {
        let find = async |bucket: &str, key: &str| {
            let found = find_run_of_upload(&store, MODEL, bucket, key, version_id).await;
            found.unwrap().map(|run| run.id)
        };
        assert_eq!(
            find(&upload.bucket, &upload.key).await,
            Some(run.id.clone())
        );
        assert_eq!(find(&upload.bucket, "inputs/other.json").await, None);
        assert_eq!(find("elsewhere", &upload.key).await, None);
    }
    let (bucket, key) = (&upload.bucket, &upload.key);
    let of_another = find_run_of_upload(&store, MODEL, bucket, key, Some("another")).await;
    assert_eq!(of_another.unwrap(), None);
}

#[tokio::test]
async fn a_model_is_shown_with_its_default_even_if_that_is_not_among_the_newest() {
    let (store, name) = store(3).await;
    let shown = show_model(&store, &name, 2).await.unwrap().unwrap();
    let listed: Vec<Version> = shown.versions.iter().map(|one| one.version).collect();
    assert_eq!(listed, [version(3), version(2)]);
    assert_eq!(shown.default.unwrap().version, version(1));
    let promoted = promote(&store, &name, version(3), stamp(1_000)).await;
    promoted.unwrap().unwrap();
    let shown = show_model(&store, &name, 2).await.unwrap().unwrap();
    assert_eq!(shown.default.unwrap().version, version(3));
}

#[tokio::test]
async fn a_model_has_builds_before_it_is_registered() {
    let (store, name) = store(1).await;
    let listed = list_builds(&store, &name, 10).await.unwrap();
    assert_eq!(listed, Ok(Vec::new()));
    let new: ModelName = "churn".parse().unwrap();
    let unknown = list_builds(&store, &new, 10).await.unwrap().unwrap_err();
    assert_eq!(unknown.name, "churn");
    let failure = BuildFailure::new(BuildCode::BuildFailed, BuildPhase::Build, "It failed.");
    let build = Build {
        build_id: "01234567-89ab-cdef-0123-456789abcdef".parse().unwrap(),
        model: Some(new.clone()),
        end: BuildEnd::Failed(failure),
        commit: None,
        requested_by: None,
        notify: Vec::new(),
        at: at(0),
    };
    store.create_build_if_absent(&build).await.unwrap();
    let listed = list_builds(&store, &new, 10).await.unwrap();
    assert_eq!(listed, Ok(vec![build]));
}
