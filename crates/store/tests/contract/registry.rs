//! Builds, and which version is the default.

use dropcast_domain::{
    ids::Version,
    registry::{
        AuditStamp, Build, BuildCode, BuildEnd, BuildFailure, BuildId, BuildPhase, DefaultKind,
        EndedBuild, PromotionError, Requester, VersionSpec,
    },
    status::Status,
    upload::Upload,
};
use dropcast_test_support::samples::{MODEL, at, run_of, step, upload, version_spec};

use crate::Store;

const ANA: &str = "arn:aws:iam::111122223333:user/ana";

fn act(milliseconds: i64) -> AuditStamp<'static> {
    AuditStamp {
        by: Some(ANA),
        at: at(milliseconds),
    }
}

fn id(number: u32) -> BuildId {
    format!("5f1c3a2e-7f0d-4f6a-9c55-{number:012}")
        .parse()
        .unwrap()
}

fn ended(number: u32) -> EndedBuild {
    EndedBuild {
        build_id: id(number),
        requester: Requester {
            model: Some(MODEL.to_owned()),
            by: Some(ANA.to_owned()),
            notify: vec!["ana@corp.example".to_owned()],
            commit: Some("0a1b2c".to_owned()),
        },
        at: at(i64::from(number)),
    }
}

fn content(number: u32) -> VersionSpec {
    VersionSpec {
        image: format!("local/{MODEL}@sha256:{number:064x}"),
        ..version_spec(MODEL)
    }
}

fn version(number: u32) -> Version {
    number.to_string().parse().unwrap()
}

fn version_of(build: &Build) -> u32 {
    match build.end {
        BuildEnd::Registered { version } => version.number(),
        BuildEnd::Failed(_) => panic!("{build:?}"),
    }
}

/// A model with this many versions, the first of which is the default.
async fn registered(store: &impl Store, versions: u32) {
    for number in 1..=versions {
        let build = store
            .register_build(&ended(number), &content(number), None)
            .await
            .unwrap();
        assert_eq!(version_of(&build), number);
    }
}

pub(crate) async fn a_build_is_one_version_however_often_its_event_is_delivered(
    store: &impl Store,
) {
    let build = ended(1);
    let made = content(1);
    let told = (0..5).map(|_| store.register_build(&build, &made, None));
    for answer in futures::future::join_all(told).await {
        let answer = answer.unwrap();
        assert_eq!(version_of(&answer), 1);
        assert_eq!(Some(answer), store.build(&id(1)).await.unwrap());
    }
    let name = MODEL.parse().unwrap();
    assert_eq!(store.versions(&name, 10).await.unwrap().len(), 1);
    let kept = store.build(&id(1)).await.unwrap().unwrap();
    assert_eq!(kept.requested_by.as_deref(), Some(ANA));
    assert_eq!(kept.model, Some(name));
}

pub(crate) async fn two_pushes_at_once_get_two_numbers(store: &impl Store) {
    let pushes = (1..=4).map(|number| async move {
        store
            .register_build(&ended(number), &content(number), None)
            .await
    });
    let mut numbers: Vec<u32> = futures::future::join_all(pushes)
        .await
        .into_iter()
        .map(|build| version_of(&build.unwrap()))
        .collect();
    numbers.sort_unstable();
    assert_eq!(numbers, [1, 2, 3, 4]);
    let name = MODEL.parse().unwrap();
    let defaults = store.defaults(&name).await.unwrap();
    assert_eq!(defaults.entries.len(), 1);
    let model = store.model(&name).await.unwrap().unwrap();
    assert_eq!(
        (model.default_version, model.newest()),
        (version(1), version(4))
    );
}

pub(crate) async fn a_build_of_the_very_same_is_the_newest_version(store: &impl Store) {
    registered(store, 2).await;
    // Somebody else registered version 2 while this one looked at version 1.
    let again = store
        .register_build(&ended(3), &content(2), Some(version(1)))
        .await
        .unwrap();
    assert_eq!(version_of(&again), 2);
    // What version 1 was made of is no longer the newest.
    let back = store
        .register_build(&ended(4), &content(1), Some(version(1)))
        .await
        .unwrap();
    assert_eq!(version_of(&back), 3);
    // Who saw that the newest version is the same, and wants another, gets it.
    let anew = store
        .register_build(&ended(5), &content(1), Some(version(3)))
        .await
        .unwrap();
    assert_eq!(version_of(&anew), 4);
}

pub(crate) async fn a_failed_build_is_kept_once_and_is_no_version(store: &impl Store) {
    let failure = BuildFailure {
        lines: vec!["npm: é “x” not found".to_owned(); 40],
        ..BuildFailure::new(BuildCode::BuildFailed, BuildPhase::Install, "It failed.")
    };
    let record = ended(1).record(BuildEnd::Failed(failure));
    assert_eq!(store.build(&id(1)).await.unwrap(), None);
    assert_eq!(store.create_build_if_absent(&record).await.unwrap(), record);
    let other = ended(1).record(BuildEnd::Failed(BuildFailure::refused("Something else.")));
    assert_eq!(store.create_build_if_absent(&other).await.unwrap(), record);
    let registered = store
        .register_build(&ended(1), &content(1), None)
        .await
        .unwrap();
    assert_eq!(registered, record);
    assert!(
        store
            .model(&MODEL.parse().unwrap())
            .await
            .unwrap()
            .is_none()
    );
}

pub(crate) async fn a_models_builds_and_versions_come_newest_first(store: &impl Store) {
    registered(store, 3).await;
    let nobodys = EndedBuild {
        requester: Requester::default(),
        ..ended(9)
    };
    let failed = BuildEnd::Failed(BuildFailure::refused("No."));
    store
        .create_build_if_absent(&nobodys.record(failed.clone()))
        .await
        .unwrap();
    store
        .create_build_if_absent(&ended(4).record(failed))
        .await
        .unwrap();
    let name = MODEL.parse().unwrap();
    let builds = store.builds_of(&name, 10).await.unwrap();
    let ids: Vec<_> = builds.iter().map(|build| build.build_id.clone()).collect();
    assert_eq!(ids, [4, 3, 2, 1].map(id));
    assert_eq!(store.builds_of(&name, 1).await.unwrap().len(), 1);
    let versions = store.versions(&name, 2).await.unwrap();
    let numbers: Vec<u32> = versions.iter().map(|it| it.version.number()).collect();
    assert_eq!(numbers, [3, 2]);
    let other = "other-model".parse().unwrap();
    assert!(store.builds_of(&other, 10).await.unwrap().is_empty());
}

pub(crate) async fn a_promotion_is_kept_with_who_and_when(store: &impl Store) {
    registered(store, 2).await;
    let name = MODEL.parse().unwrap();
    let entry = store
        .promote(&name, version(2), act(1_000))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (entry.version, entry.kind),
        (version(2), DefaultKind::Promoted)
    );
    assert_eq!(entry.by.as_deref(), Some(ANA));
    let model = store.model(&name).await.unwrap().unwrap();
    assert_eq!(model.default_version, version(2));
    let defaults = store.defaults(&name).await.unwrap();
    assert_eq!(defaults.entries.len(), 2);
    assert_eq!(defaults.current(), Some(&entry));
    assert_eq!(defaults.entries[1].kind, DefaultKind::Registered);
    assert_eq!(entry.back, Some(defaults.entries[1].at));
    for (milliseconds, expected) in [(0, None), (1, Some(1)), (999, Some(1)), (1_000, Some(2))] {
        let found = store.default_at(&name, at(milliseconds)).await.unwrap();
        assert_eq!(found.map(Version::number), expected, "{milliseconds}");
    }
    // A version that comes later changes no default.
    registered_one(store, 3).await;
    let model = store.model(&name).await.unwrap().unwrap();
    assert_eq!(
        (model.default_version, model.newest()),
        (version(2), version(3))
    );
}

async fn registered_one(store: &impl Store, number: u32) {
    store
        .register_build(&ended(number), &content(number), None)
        .await
        .unwrap();
}

pub(crate) async fn rollbacks_go_back_one_by_one(store: &impl Store) {
    registered(store, 3).await;
    let name = MODEL.parse().unwrap();
    for number in [2, 3] {
        let stamp = act(i64::from(number) * 1_000);
        store
            .promote(&name, version(number), stamp)
            .await
            .unwrap()
            .unwrap();
    }
    for expected in [2, 1] {
        let entry = store.roll_back(&name, act(9_000)).await.unwrap().unwrap();
        assert_eq!(entry.version, version(expected));
        let model = store.model(&name).await.unwrap().unwrap();
        assert_eq!(model.default_version, version(expected));
    }
    assert_eq!(
        store.roll_back(&name, act(9_000)).await.unwrap(),
        Err(PromotionError::NoPreviousDefault(version(1)))
    );
    assert_eq!(store.defaults(&name).await.unwrap().entries.len(), 5);
}

pub(crate) async fn promotions_at_once_are_one_after_the_other(store: &impl Store) {
    registered(store, 4).await;
    let name = MODEL.parse().unwrap();
    let all = (2..=4).map(|number| store.promote(&name, version(number), act(1_000)));
    for answer in futures::future::join_all(all).await {
        answer.unwrap().unwrap();
    }
    let defaults = store.defaults(&name).await.unwrap();
    assert_eq!(defaults.entries.len(), 4);
    for pair in defaults.entries.windows(2) {
        assert_eq!(pair[0].back, Some(pair[1].at));
    }
    let model = store.model(&name).await.unwrap().unwrap();
    assert_eq!(model.default_version, defaults.entries[0].version);
}

pub(crate) async fn a_retired_version_stays_so_and_is_never_the_default(store: &impl Store) {
    registered(store, 3).await;
    let name = MODEL.parse().unwrap();
    assert_eq!(store.retirement(&name, version(2)).await.unwrap(), None);
    let retired = store
        .retire(&name, version(2), act(5_000))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(retired.by.as_deref(), Some(ANA));
    assert_eq!(
        store.retirement(&name, version(2)).await.unwrap(),
        Some(retired.clone())
    );
    assert_eq!(store.defaults(&name).await.unwrap().retired, [retired]);
    for unchanged in [
        store
            .retire(&name, version(2), act(6_000))
            .await
            .unwrap()
            .unwrap_err(),
        store
            .promote(&name, version(2), act(6_000))
            .await
            .unwrap()
            .unwrap_err(),
    ] {
        assert_eq!(unchanged, PromotionError::Retired(version(2)));
    }
    assert_eq!(
        store.retire(&name, version(1), act(6_000)).await.unwrap(),
        Err(PromotionError::IsDefault(version(1)))
    );
}

pub(crate) async fn of_a_promotion_and_a_retirement_at_once_one_takes_place(store: &impl Store) {
    registered(store, 2).await;
    let name = MODEL.parse().unwrap();
    let (promoted, retired) = futures::future::join(
        store.promote(&name, version(2), act(1_000)),
        store.retire(&name, version(2), act(1_000)),
    )
    .await;
    assert!(promoted.unwrap().is_ok() != retired.unwrap().is_ok());
}

pub(crate) async fn what_is_not_there_cannot_be_promoted_or_retired(store: &impl Store) {
    let name = MODEL.parse().unwrap();
    let none = PromotionError::NoSuchModel;
    assert_eq!(
        store.promote(&name, version(1), act(0)).await.unwrap(),
        Err(none.clone())
    );
    assert_eq!(
        store.roll_back(&name, act(0)).await.unwrap(),
        Err(none.clone())
    );
    assert_eq!(
        store.retire(&name, version(1), act(0)).await.unwrap(),
        Err(none)
    );
    registered(store, 1).await;
    let none = PromotionError::NoSuchVersion(version(2));
    assert_eq!(
        store.promote(&name, version(2), act(0)).await.unwrap(),
        Err(none.clone())
    );
    assert_eq!(
        store.retire(&name, version(2), act(0)).await.unwrap(),
        Err(none)
    );
    assert!(store.defaults(&name).await.unwrap().retired.is_empty());
}

pub(crate) async fn a_model_registered_without_a_build_has_its_first_default_too(
    store: &impl Store,
) {
    let name = MODEL.parse().unwrap();
    store.register(&version_spec(MODEL)).await.unwrap();
    store.register(&content(2)).await.unwrap();
    let defaults = store.defaults(&name).await.unwrap();
    assert_eq!(defaults.entries.len(), 1);
    assert_eq!(defaults.entries[0].kind, DefaultKind::Registered);
    assert_eq!(
        store.default_at(&name, at(0)).await.unwrap(),
        Some(version(1))
    );
}

pub(crate) async fn a_models_open_runs_are_its_own(store: &impl Store) {
    let run = |folder: &str, file| {
        run_of(Upload {
            ..upload(folder, file)
        })
    };
    let (mine, over, others) = (
        run(MODEL, "a.json"),
        run(MODEL, "b.json"),
        run("other", "c.json"),
    );
    for run in [&mine, &over, &others] {
        store.create_if_absent(run).await.unwrap();
    }
    store
        .finish(&over.id, step(0, Status::Failed, 100), None)
        .await
        .unwrap();
    assert_eq!(store.open_runs_of(MODEL, 10).await.unwrap(), [mine]);
    assert!(store.open_runs_of("none", 10).await.unwrap().is_empty());
}
