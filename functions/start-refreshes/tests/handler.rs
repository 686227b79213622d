//! From schedules to refreshes.

#![expect(
    clippy::unwrap_used,
    reason = "A test that cannot go on fails, in its helpers too."
)]

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use dropcast_aws::CallError;
use dropcast_domain::{model::RefreshSpec, registry::VersionSpec};
use dropcast_store::{Models as _, Refreshes as _, memory::MemoryStore};
use dropcast_test_support::{samples::version_spec, unavailable};
use jiff::Timestamp;
use serde::de::IgnoredAny;
use start_refreshes::{Deps, Requests, Started, handle};

#[derive(Debug, Clone, Default)]
struct FakeBucket {
    objects: Arc<Mutex<BTreeMap<String, String>>>,
    /// Fails for keys that hold this.
    unavailable: Option<&'static str>,
}

impl Requests for FakeBucket {
    async fn put(&self, key: &str, content: String) -> Result<bool, CallError> {
        if self
            .unavailable
            .is_some_and(|unavailable| key.contains(unavailable))
        {
            return Err(unavailable("s3:PutObject"));
        }
        let mut objects = self.objects.lock().unwrap();
        let there = objects.contains_key(key);
        objects.entry(key.to_owned()).or_insert(content);
        Ok(!there)
    }
}

type World = Deps<MemoryStore, FakeBucket>;

fn morning() -> Timestamp {
    "2026-03-02T06:02:00Z".parse().unwrap()
}

fn next_morning() -> Timestamp {
    "2026-03-03T06:00:00Z".parse().unwrap()
}

/// A model built on the first of March whose data is refreshed at six.
fn refreshed(model: &str) -> VersionSpec {
    let mut spec = version_spec(model);
    spec.built_at = "2026-03-01T12:00:00Z".parse().unwrap();
    spec.manifest.refresh = Some(RefreshSpec {
        command: vec!["python".into(), "refresh.py".into()],
        schedule: Some("0 6 * * *".parse().unwrap()),
    });
    spec
}

async fn world(specs: &[VersionSpec]) -> World {
    let world = Deps {
        store: MemoryStore::default(),
        requests: FakeBucket::default(),
        now: morning,
    };
    for spec in specs {
        world.store.register(spec).await.unwrap();
    }
    world
}

fn uploaded(world: &World) -> Vec<String> {
    world
        .requests
        .objects
        .lock()
        .unwrap()
        .keys()
        .cloned()
        .collect()
}

async fn due(world: &World) -> usize {
    handle(world, IgnoredAny).await.unwrap().due
}

#[tokio::test]
async fn a_due_refresh_is_started_once() {
    let mut world = world(&[refreshed("m")]).await;
    let started = handle(&world, IgnoredAny).await.unwrap();
    assert_eq!(started, Started { models: 1, due: 1 });
    assert_eq!(uploaded(&world), ["refresh/m/20260302T060000Z.json"]);
    assert_eq!(due(&world).await, 0);
    world.now = next_morning;
    assert_eq!(due(&world).await, 1);
    assert_eq!(uploaded(&world).len(), 2);
    let key = &uploaded(&world)[0];
    let content = world.requests.objects.lock().unwrap()[key].clone();
    assert_eq!(
        content,
        r#"{"due":"2026-03-02T06:00:00Z","schedule":"0 6 * * *"}"#
    );
}

#[tokio::test]
async fn a_refresh_that_was_started_and_not_recorded_is_not_started_again() {
    let world = world(&[refreshed("m")]).await;
    // The previous invocation was stopped between the two.
    let key = "refresh/m/20260302T060000Z.json".to_owned();
    let put = (key, "theirs".to_owned());
    world.requests.objects.lock().unwrap().extend([put]);
    assert_eq!(due(&world).await, 1);
    assert_eq!(due(&world).await, 0);
    assert_eq!(
        world
            .requests
            .objects
            .lock()
            .unwrap()
            .values()
            .next()
            .unwrap(),
        "theirs"
    );
}

#[tokio::test]
async fn due_times_before_the_version_was_built_do_not_count() {
    let mut spec = refreshed("m");
    spec.built_at = morning();
    let world = world(&[spec]).await;
    assert_eq!(due(&world).await, 0);
    assert!(uploaded(&world).is_empty());
}

#[tokio::test]
async fn a_model_without_a_schedule_is_not_refreshed() {
    let mut on_demand = refreshed("on-demand");
    on_demand.manifest.refresh.as_mut().unwrap().schedule = None;
    let world = world(&[version_spec("plain"), on_demand]).await;
    let started = handle(&world, IgnoredAny).await.unwrap();
    assert_eq!(started, Started { models: 2, due: 0 });
}

#[tokio::test]
async fn the_schedule_is_the_default_versions() {
    // The first version is the default one; the second has a schedule and is not.
    let world = world(&[version_spec("m"), refreshed("m")]).await;
    assert_eq!(due(&world).await, 0);
}

#[tokio::test]
async fn an_error_with_one_model_does_not_delay_others_and_is_retried() {
    let mut world = world(&[refreshed("a"), refreshed("b"), refreshed("c")]).await;
    world.requests.unavailable = Some("/b/");
    let error = handle(&world, IgnoredAny).await.unwrap_err();
    let error = lambda_runtime::Diagnostic::from(error);
    assert_eq!(error.error_type, "Transient");
    assert!(
        error.error_message.starts_with(
            "schedules that could not be checked: 1; the first is that of the model b"
        ),
        "{}",
        error.error_message
    );
    assert_eq!(uploaded(&world).len(), 2);
    let name = "b".parse().unwrap();
    assert_eq!(world.store.last_refresh(&name).await.unwrap(), None);
    world.requests.unavailable = None;
    assert_eq!(due(&world).await, 1);
    assert_eq!(uploaded(&world).len(), 3);
}
