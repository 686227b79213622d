//! Runs, from their first record to their end.

use dropcast_domain::{
    failure::{ErrorCode, Failure},
    ids::Version,
    job::JobEnd,
    run::{Acceptance, Run},
    status::{Status, Transition},
    upload::{RunKind, Upload},
};
use dropcast_store::{StoreError, ValidationOutcome};
use dropcast_test_support::samples::{
    MODEL, acceptance, at, attempt, job, metadata, new_run, now, output, run_of, step, upload,
};
use jiff::{SignedDuration, Timestamp};

use crate::Store;

pub(crate) async fn creating_a_run_twice_returns_the_existing_record(store: &impl Store) {
    let run = new_run("a.json");
    assert_eq!(store.create_if_absent(&run).await.unwrap(), run);
    store
        .advance(&run.id, step(0, Status::Validating, 10))
        .await
        .unwrap();
    let again = Run {
        expires_at: run.expires_at + SignedDuration::from_hours(24),
        ..run.clone()
    };
    let existing = store.create_if_absent(&again).await.unwrap();
    assert_eq!(existing.status(), Status::Validating);
    assert_eq!(existing.expires_at, run.expires_at);
    assert_eq!(store.get(&run.id).await.unwrap().unwrap(), existing);
    assert_eq!(
        store.timeline(&run.id).await.unwrap(),
        [
            step(0, Status::Received, 0),
            step(0, Status::Validating, 10)
        ]
    );
}

pub(crate) async fn invariant_1_an_upload_reported_twice_with_two_times_is_one_run(
    store: &impl Store,
) {
    let run = new_run("a.json");
    assert_eq!(store.create_if_absent(&run).await.unwrap(), run);
    let again = run_of(Upload {
        at: at(60_000),
        ..run.upload.clone()
    });
    assert_eq!(store.create_if_absent(&again).await.unwrap(), run);
    assert_eq!(
        store.runs_of(MODEL, 10).await.unwrap(),
        std::slice::from_ref(&run)
    );
    assert_eq!(
        store.timeline(&run.id).await.unwrap(),
        [step(0, Status::Received, 0)]
    );
}

pub(crate) async fn an_unknown_run_is_no_record_and_no_change(store: &impl Store) {
    let unknown = new_run("never dropped.json").id;
    assert!(store.get(&unknown).await.unwrap().is_none());
    assert!(store.timeline(&unknown).await.unwrap().is_empty());
    assert!(store.log(&unknown).await.unwrap().is_empty());
    assert!(store.task_token(&unknown).await.unwrap().is_none());
    let outcome = ValidationOutcome::Accepted(acceptance(&unknown));
    let end = JobEnd {
        attempts: 1,
        at: now(),
        failure: None,
        log_stream: None,
    };
    let refusals = [
        store
            .advance(&unknown, step(0, Status::Running, 1))
            .await
            .err(),
        store
            .record_validation(&unknown, &metadata(&[]), &outcome)
            .await
            .err(),
        store.assign_job(&unknown, &job()).await.err(),
        store.record_job_end(&unknown, &end).await.err(),
        store.put_log(&unknown, &["line".into()]).await.err(),
        store
            .put_task_token(&unknown, "token", attempt(0))
            .await
            .err(),
        store.publish(&unknown, &[], 0).await.err(),
        store
            .finish(&unknown, step(0, Status::Failed, 1), None)
            .await
            .err(),
    ];
    for (number, refusal) in refusals.into_iter().enumerate() {
        assert!(
            matches!(&refusal, Some(StoreError::NoSuchRun(run)) if *run == unknown),
            "{number}: {refusal:?}"
        );
    }
    assert!(store.get(&unknown).await.unwrap().is_none());
    assert!(store.timeline(&unknown).await.unwrap().is_empty());
}

pub(crate) async fn a_step_forward_moves_and_a_step_back_does_not(store: &impl Store) {
    let run = begun(store).await;
    let running = step(0, Status::Running, 30);
    assert!(store.advance(&run.id, running).await.unwrap());
    assert!(
        !store
            .advance(&run.id, step(0, Status::Waiting, 40))
            .await
            .unwrap()
    );
    assert!(!store.advance(&run.id, running).await.unwrap());
    assert_eq!(current(store, &run).await, running);
    // The late report is a part of the timeline all the same.
    assert_eq!(
        store.timeline(&run.id).await.unwrap(),
        [
            step(0, Status::Received, 0),
            step(0, Status::Waiting, 40),
            running
        ]
    );
}

pub(crate) async fn of_two_reports_of_one_step_the_earlier_stays_to_the_nanosecond(
    store: &impl Store,
) {
    let nanoseconds = |n: i64| Transition {
        at: step(0, Status::Submitted, 10).at + SignedDuration::from_nanos(n),
        ..step(0, Status::Submitted, 10)
    };
    for order in [[5, 7, 3], [3, 5, 7], [7, 3, 5]] {
        let run = new_run(&format!("{order:?}.json"));
        store.create_if_absent(&run).await.unwrap();
        for n in order {
            store.advance(&run.id, nanoseconds(n)).await.unwrap();
        }
        assert_eq!(current(store, &run).await, nanoseconds(3), "{order:?}");
        assert_eq!(
            store.timeline(&run.id).await.unwrap(),
            [step(0, Status::Received, 0), nanoseconds(3)]
        );
    }
}

pub(crate) async fn a_retry_goes_back_to_waiting_yet_forward(store: &impl Store) {
    let run = begun(store).await;
    store
        .advance(&run.id, step(0, Status::Running, 30))
        .await
        .unwrap();
    let retried = step(1, Status::Waiting, 40);
    assert!(store.advance(&run.id, retried).await.unwrap());
    assert!(
        !store
            .advance(&run.id, step(0, Status::Collecting, 50))
            .await
            .unwrap()
    );
    assert_eq!(current(store, &run).await, retried);
    // Ten attempts sort after nine.
    store
        .advance(&run.id, step(10, Status::Waiting, 70))
        .await
        .unwrap();
    store
        .advance(&run.id, step(9, Status::Running, 60))
        .await
        .unwrap();
    let timeline = store.timeline(&run.id).await.unwrap();
    let order: Vec<u64> = timeline.iter().map(|step| step.progress.order()).collect();
    assert!(order.is_sorted(), "{order:?}");
    assert_eq!(timeline.len(), 6);
}

pub(crate) async fn invariant_2_a_terminal_status_absorbs_everything(store: &impl Store) {
    for end in [
        Status::Succeeded,
        Status::Failed,
        Status::Rejected,
        Status::Cancelled,
    ] {
        let run = new_run(&format!("{end}.json"));
        store.create_if_absent(&run).await.unwrap();
        let ended = store.finish(&run.id, step(0, end, 50), None).await.unwrap();
        assert!(
            !store
                .advance(&run.id, step(7, Status::Running, 60))
                .await
                .unwrap()
        );
        let outcome = ValidationOutcome::Accepted(acceptance(&run.id));
        store
            .record_validation(&run.id, &metadata(&["ana@corp.example"]), &outcome)
            .await
            .unwrap();
        store
            .publish(&run.id, &[output(&run.id, "late.csv")], 1)
            .await
            .unwrap();
        for other in [Status::Succeeded, Status::Failed] {
            let late = Failure::new(ErrorCode::Internal, "Late.");
            store
                .finish(&run.id, step(9, other, 70), Some(&late))
                .await
                .unwrap();
        }
        assert_eq!(store.get(&run.id).await.unwrap().unwrap(), ended);
    }
}

pub(crate) async fn invariant_2_any_order_of_steps_gives_the_same_record_and_timeline(
    store: &impl Store,
) {
    let steps = [
        step(0, Status::Submitted, 10),
        step(0, Status::Running, 20),
        step(1, Status::Waiting, 30),
        step(1, Status::Running, 40),
        step(1, Status::Running, 39),
    ];
    let mut outcomes = Vec::new();
    for first in 0..steps.len() {
        for backwards in [false, true] {
            let mut order = steps;
            order.rotate_left(first);
            if backwards {
                order.reverse();
            }
            let run = new_run(&format!("{first} {backwards}.json"));
            store.create_if_absent(&run).await.unwrap();
            for step in order.into_iter().chain(order) {
                store.advance(&run.id, step).await.unwrap();
            }
            outcomes.push((
                current(store, &run).await,
                store.timeline(&run.id).await.unwrap(),
            ));
        }
    }
    assert_eq!(outcomes[0].0, step(1, Status::Running, 39));
    assert_eq!(outcomes[0].1.len(), 5);
    for outcome in &outcomes {
        assert_eq!(outcome, &outcomes[0]);
    }
}

pub(crate) async fn a_terminal_status_is_not_a_step(store: &impl Store) {
    let run = begun(store).await;
    let end = step(0, Status::Succeeded, 50);
    assert!(!store.advance(&run.id, end).await.unwrap());
    assert_eq!(store.get(&run.id).await.unwrap().unwrap(), run);
    assert_eq!(store.timeline(&run.id).await.unwrap().len(), 1);
}

pub(crate) async fn an_accepted_input_is_kept(store: &impl Store) {
    let run = begun(store).await;
    let acceptance = acceptance(&run.id);
    let metadata = metadata(&["ana@corp.example", "bo@corp.example"]);
    for _ in 0..2 {
        store
            .record_validation(
                &run.id,
                &metadata,
                &ValidationOutcome::Accepted(acceptance.clone()),
            )
            .await
            .unwrap();
    }
    let kept = store.get(&run.id).await.unwrap().unwrap();
    let expected = Run {
        title: metadata.title,
        notify: metadata.notify,
        notify_unusable: metadata.notify_unusable,
        notify_left_out: metadata.notify_left_out,
        version: Some(acceptance.version),
        input: acceptance.input,
        ..run
    };
    assert_eq!(kept, expected);
}

pub(crate) async fn an_accepted_refresh_has_no_input(store: &impl Store) {
    let run = run_of(Upload {
        key: format!("refresh/{MODEL}/now.json"),
        ..upload(MODEL, "")
    });
    store.create_if_absent(&run).await.unwrap();
    let acceptance = Acceptance {
        version: Version::FIRST,
        input: None,
    };
    store
        .record_validation(
            &run.id,
            &metadata(&[]),
            &ValidationOutcome::Accepted(acceptance),
        )
        .await
        .unwrap();
    let kept = store.get(&run.id).await.unwrap().unwrap();
    assert_eq!(kept.kind, RunKind::Refresh);
    assert_eq!((kept.version, kept.input), (Some(Version::FIRST), None));
}

pub(crate) async fn a_rejected_input_is_kept(store: &impl Store) {
    for version in [None, Some("3".parse().unwrap())] {
        let run = new_run(&format!("{version:?}.json"));
        store.create_if_absent(&run).await.unwrap();
        let outcome = ValidationOutcome::Rejected {
            problem_count: 1_234,
            version,
            marked: version.is_some(),
        };
        store
            .record_validation(&run.id, &metadata(&[]), &outcome)
            .await
            .unwrap();
        let kept = store.get(&run.id).await.unwrap().unwrap();
        assert_eq!(kept.problem_count, Some(1_234));
        assert_eq!(kept.version, version);
        assert_eq!(kept.marked, version.is_some());
        assert_eq!(kept.title, "Q3 plan");
        assert!(kept.notify.is_empty());
    }
}

pub(crate) async fn finishing_twice_keeps_the_first_end(store: &impl Store) {
    let run = begun(store).await;
    let failure = Failure::new(ErrorCode::JobFailed, "The model stopped.");
    let end = step(1, Status::Failed, 50);
    let first = store.finish(&run.id, end, Some(&failure)).await.unwrap();
    assert_eq!(first.current, end);
    assert_eq!(first.failure.as_ref(), Some(&failure));
    let second = store
        .finish(&run.id, step(1, Status::Succeeded, 40), None)
        .await
        .unwrap();
    assert_eq!(second, first);
    assert_eq!(
        store.timeline(&run.id).await.unwrap(),
        [step(0, Status::Received, 0), end]
    );
}

pub(crate) async fn a_finished_run_has_its_outcome(store: &impl Store) {
    let run = begun(store).await;
    let id = &run.id;
    store
        .record_validation(
            id,
            &metadata(&["ana@corp.example"]),
            &ValidationOutcome::Accepted(acceptance(id)),
        )
        .await
        .unwrap();
    store.assign_job(id, &job()).await.unwrap();
    let end = JobEnd {
        attempts: 1,
        at: now(),
        failure: None,
        log_stream: None,
    };
    store.record_job_end(id, &end).await.unwrap();
    store
        .publish(id, &[output(id, "forecast.csv")], 3)
        .await
        .unwrap();
    let ended = store
        .finish(id, step(1, Status::Succeeded, 900), None)
        .await
        .unwrap();
    let kept = store.get(id).await.unwrap().unwrap();
    assert_eq!(kept, ended);
    let expected = Run {
        title: "Q3 plan".into(),
        notify: vec!["ana@corp.example".into()],
        notify_unusable: vec!["junk".into()],
        notify_left_out: vec!["late@corp.example".into()],
        version: Some(acceptance(id).version),
        input: acceptance(id).input,
        job: Some(job()),
        job_end: Some(end),
        outputs: vec![output(id, "forecast.csv")],
        output_count: Some(3),
        current: step(1, Status::Succeeded, 900),
        ..run
    };
    assert_eq!(kept, expected);
    assert_eq!(
        kept.elapsed(Timestamp::MAX),
        SignedDuration::from_millis(900)
    );
}

pub(crate) async fn begun(store: &impl Store) -> Run {
    let run = new_run("plan.json");
    store.create_if_absent(&run).await.unwrap()
}

async fn current(store: &impl Store, run: &Run) -> Transition {
    store.get(&run.id).await.unwrap().unwrap().current
}
