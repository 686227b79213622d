//! Which version runs, over the store in memory.

#![expect(
    clippy::unwrap_used,
    reason = "A test that cannot go on fails, in its helpers too."
)]

use dropcast_app::{
    refreshes::find_due_refresh,
    versions::{ResolveError, resolve_refresh, resolve_version},
};
use dropcast_domain::{
    failure::ErrorCode,
    ids::Version,
    model::RefreshSpec,
    registry::{AuditStamp, RegisteredVersion},
    upload::Request,
};
use dropcast_store::{Models as _, Promotion as _, memory::MemoryStore};
use dropcast_test_support::samples::{MODEL, at, upload, version_spec};

type Resolved = Result<RegisteredVersion, ResolveError>;

fn version(number: u32) -> Version {
    number.to_string().parse().unwrap()
}

fn stamp(milliseconds: i64) -> AuditStamp<'static> {
    AuditStamp {
        by: None,
        at: at(milliseconds),
    }
}

/// A model whose versions are 1 to 3: the second has been the default since minute 1, and the first
/// has been retired since minute 2.
async fn store() -> MemoryStore {
    let store = MemoryStore::default();
    for _ in 0..3 {
        store.register(&version_spec(MODEL)).await.unwrap();
    }
    let name = MODEL.parse().unwrap();
    let promoted = store.promote(&name, version(2), stamp(60_000)).await;
    promoted.unwrap().unwrap();
    let retired = store.retire(&name, version(1), stamp(120_000)).await;
    retired.unwrap().unwrap();
    store
}

/// What runs on a file in this folder: for validation, which knows the object's key, and for the
/// command line, which knows what was typed.
async fn resolve(store: &MemoryStore, folder: &str, milliseconds: i64) -> Resolved {
    let uploaded_at = at(milliseconds);
    let of_key = upload(folder, "plan.json").request();
    let resolved = resolve_version(store, &of_key, uploaded_at).await.unwrap();
    let (name, pinned) = match folder.split_once('@') {
        Some((name, version)) => (name, Some(version.parse())),
        None => (folder, None),
    };
    if let (Ok(name), Ok(pinned)) = (name.parse(), pinned.transpose()) {
        let typed = Request::new(&name, pinned);
        assert_eq!(
            resolve_version(store, &typed, uploaded_at).await.unwrap(),
            resolved,
            "{folder}: the two callers get the same answer"
        );
    }
    resolved
}

async fn refused(folder: &str) -> (ErrorCode, String) {
    let error = resolve(&store().await, folder, 180_000).await.unwrap_err();
    (error.code(), error.to_string())
}

#[tokio::test]
async fn a_pinned_version_runs_even_if_another_is_the_default() {
    let resolved = resolve(&store().await, "revenue-forecast@3", 0).await;
    assert_eq!(resolved.unwrap().version, version(3));
}

#[tokio::test]
async fn a_retired_version_is_refused_where_it_is_pinned() {
    assert_eq!(
        refused("revenue-forecast@1").await,
        (
            ErrorCode::VersionRetired,
            "Version 1 of the model revenue-forecast was retired and can no longer run.".to_owned()
        )
    );
    let error = resolve(&store().await, "revenue-forecast@1", 0).await;
    assert_eq!(error.unwrap_err().version(), Some(version(1)));
}

#[tokio::test]
async fn what_pins_nothing_runs_the_default_of_its_upload_unless_that_is_retired() {
    let store = store().await;
    for milliseconds in [-86_400_000, 5_000, 59_000, 60_000, 180_000] {
        let resolved = resolve(&store, MODEL, milliseconds).await.unwrap();
        assert_eq!(resolved.version, version(2), "{milliseconds}");
    }
    let name = MODEL.parse().unwrap();
    let promoted = store.promote(&name, version(3), stamp(200_000)).await;
    promoted.unwrap().unwrap();
    for (milliseconds, expected) in [(180_000, 2), (199_001, 2), (200_000, 3), (900_000, 3)] {
        let resolved = resolve(&store, MODEL, milliseconds).await.unwrap();
        assert_eq!(resolved.version, version(expected), "{milliseconds}");
    }
}

#[tokio::test]
async fn an_unknown_model_comes_with_the_known_ones() {
    let error = resolve(&store().await, "revenue-forcast", 0).await;
    let ResolveError::UnknownModel(unknown) = error.unwrap_err() else {
        panic!("the model is unknown");
    };
    assert_eq!(unknown.suggestion(), Some(MODEL));
    assert_eq!(unknown.registered, [MODEL.parse().unwrap()]);
    assert_eq!(
        unknown.to_string(),
        "There is no model called “revenue-forcast”."
    );
    let (code, message) = refused("<b>Modell\u{202e}é").await;
    assert_eq!(code, ErrorCode::ModelUnknown);
    assert_eq!(message, "There is no model called “<b>Modell é”.");
}

#[tokio::test]
async fn a_key_that_names_no_model_is_refused() {
    let request = Request {
        model: String::new(),
        version: None,
    };
    let resolved = resolve_version(&store().await, &request, at(0)).await;
    let error = resolved.unwrap().unwrap_err();
    assert_eq!(error.code(), ErrorCode::ModelUnknown);
    assert!(error.to_string().contains("directly under inputs/"));
}

#[tokio::test]
async fn an_unknown_version_comes_with_the_newest() {
    assert_eq!(
        refused("revenue-forecast@9").await,
        (
            ErrorCode::VersionUnknown,
            "The model revenue-forecast has no version 9; the newest is 3.".to_owned()
        )
    );
}

#[tokio::test]
async fn what_is_no_version_number_is_refused_on_one_line() {
    let (code, message) = refused("revenue-forecast@latest\nor so").await;
    assert_eq!(code, ErrorCode::VersionUnknown);
    assert!(
        message.starts_with("“latest or so” is not a version"),
        "{message}"
    );
    assert!(message.ends_with('.'), "{message}");
}

#[tokio::test]
async fn only_a_version_with_a_refresh_command_is_refreshed() {
    let store = store().await;
    let mut spec = version_spec(MODEL);
    spec.manifest.refresh = Some(RefreshSpec {
        command: vec!["python".into(), "refresh.py".into()],
        schedule: None,
    });
    store.register(&spec).await.unwrap();
    let name = MODEL.parse().unwrap();
    let refresh = async |pinned| {
        let request = Request::new(&name, pinned);
        resolve_refresh(&store, &request, at(180_000))
            .await
            .unwrap()
    };
    let resolved = refresh(Some(version(4))).await;
    assert_eq!(resolved.unwrap().version, version(4));
    let error = refresh(None).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::InputRejected);
    assert_eq!(error.version(), Some(version(2)));
    assert_eq!(
        error.to_string(),
        "Version 2 of revenue-forecast cannot be refreshed: its manifest has no [refresh] section."
    );
    let retired = refresh(Some(version(1))).await.unwrap_err();
    assert_eq!(retired.code(), ErrorCode::VersionRetired);
}

#[tokio::test]
async fn a_due_refresh_is_that_of_the_version_that_its_run_resolves_to() {
    let store = MemoryStore::default();
    let mut scheduled = version_spec(MODEL);
    scheduled.built_at = at(0);
    for schedule in ["0 6 * * *", "0 * * * *"] {
        scheduled.manifest.refresh = Some(RefreshSpec {
            command: vec!["python".into(), "refresh.py".into()],
            schedule: Some(schedule.parse().unwrap()),
        });
        store.register(&scheduled).await.unwrap();
    }
    let name = MODEL.parse().unwrap();
    for default in [1, 2] {
        if default == 2 {
            let promoted = store.promote(&name, version(2), stamp(60_000)).await;
            promoted.unwrap().unwrap();
        }
        let now = at(86_400_000);
        let model = store.model(&name).await.unwrap().unwrap();
        let due = find_due_refresh(&store, &model, now).await.unwrap();
        let resolved = resolve_refresh(&store, &Request::new(&name, None), now).await;
        let resolved = resolved.unwrap().unwrap();
        assert_eq!(resolved.version, version(default));
        assert_eq!(
            due.map(|refresh| refresh.schedule),
            resolved.spec.manifest.refresh.unwrap().schedule
        );
    }
}
