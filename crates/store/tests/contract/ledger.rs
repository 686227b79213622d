//! What is kept beside a run's way: its job, token, outputs and mails; models; what people look up.

use dropcast_domain::{
    cancellation::Cancellation,
    failure::{ErrorCode, Failure},
    ids::{JobId, RunId, Version},
    job::JobEnd,
    mail::{MailKind, MailTopic},
    model::RefreshSpec,
    output::Output,
    run::{MAX_HEADLINE_OUTPUTS, RepairNote},
    status::Status,
    upload::Upload,
};
use dropcast_store::{CLAIM_SECONDS, Claim, MailKey};
use dropcast_test_support::samples::{
    MODEL, at, attempt, job, new_run, output, run_of, step, upload, version_spec,
};
use jiff::Timestamp;

use crate::{Store, runs::begun};

/// Names a job; returns the one that counts.
async fn assigned(store: &impl Store, run: &RunId, job: &JobId) -> JobId {
    store.assign_job(run, job).await.unwrap().job.unwrap()
}

pub(crate) async fn invariant_3_the_first_job_that_is_named_counts(store: &impl Store) {
    let run = begun(store).await;
    let other: JobId = "another-job".parse().unwrap();
    assert_eq!(assigned(store, &run.id, &job()).await, job());
    assert_eq!(assigned(store, &run.id, &other).await, job());
    assert_eq!(assigned(store, &run.id, &job()).await, job());
    let kept = store.get(&run.id).await.unwrap().unwrap();
    assert_eq!(kept.job, Some(job()));
}

pub(crate) async fn invariant_3_of_many_jobs_named_at_once_one_counts(store: &impl Store) {
    let run = begun(store).await;
    let jobs: Vec<JobId> = (0..8)
        .map(|number| format!("job-{number}").parse().unwrap())
        .collect();
    let answers = futures::future::join_all(jobs.iter().map(|job| assigned(store, &run.id, job)));
    let answers: Vec<JobId> = answers.await;
    let counts = store.get(&run.id).await.unwrap().unwrap().job.unwrap();
    assert!(
        answers.iter().all(|answer| *answer == counts),
        "{answers:?}"
    );
}

pub(crate) async fn a_job_ends_once(store: &impl Store) {
    let run = begun(store).await;
    let end = JobEnd {
        attempts: 2,
        at: at(100),
        failure: Some(Failure::new(ErrorCode::HostLost, "The machine went away.")),
        log_stream: None,
    };
    let again = JobEnd {
        attempts: 3,
        at: at(90),
        failure: None,
        log_stream: None,
    };
    store.record_job_end(&run.id, &end).await.unwrap();
    store.record_job_end(&run.id, &again).await.unwrap();
    let kept = store.get(&run.id).await.unwrap().unwrap();
    assert_eq!(kept.job_end, Some(end));
}

pub(crate) async fn the_first_kept_log_stays(store: &impl Store) {
    let run = begun(store).await;
    assert!(store.log(&run.id).await.unwrap().is_empty());
    let lines: Vec<String> = (0..40).map(|n| format!("line {n}: é “x”")).collect();
    store.put_log(&run.id, &lines).await.unwrap();
    store.put_log(&run.id, &["other".into()]).await.unwrap();
    assert_eq!(store.log(&run.id).await.unwrap(), lines);
}

pub(crate) async fn a_newer_token_stays_when_the_older_one_is_deleted(store: &impl Store) {
    let run = begun(store).await;
    assert_eq!(store.task_token(&run.id).await.unwrap(), None);
    assert!(
        store
            .put_task_token(&run.id, "older", attempt(0))
            .await
            .unwrap()
    );
    assert_eq!(store.task_token(&run.id).await.unwrap().unwrap(), "older");
    assert!(
        store
            .put_task_token(&run.id, "newer", attempt(1))
            .await
            .unwrap()
    );
    // The SDK may repeat a call; an attempt that was given up may still be running.
    assert!(
        store
            .put_task_token(&run.id, "newer", attempt(1))
            .await
            .unwrap()
    );
    assert!(
        !store
            .put_task_token(&run.id, "older", attempt(0))
            .await
            .unwrap()
    );
    store.delete_task_token(&run.id, "older").await.unwrap();
    assert_eq!(store.task_token(&run.id).await.unwrap().unwrap(), "newer");
    store.delete_task_token(&run.id, "newer").await.unwrap();
    assert_eq!(store.task_token(&run.id).await.unwrap(), None);
    store.delete_task_token(&run.id, "newer").await.unwrap();
}

pub(crate) async fn at_most_fifty_outputs_stand_on_the_record(store: &impl Store) {
    let run = begun(store).await;
    let outputs: Vec<Output> = (0..60)
        .map(|number| output(&run.id, &format!("{number:02}.csv")))
        .collect();
    store.publish(&run.id, &outputs, 100_000).await.unwrap();
    let kept = store.get(&run.id).await.unwrap().unwrap();
    assert_eq!(kept.outputs, outputs[..MAX_HEADLINE_OUTPUTS]);
    assert_eq!(kept.output_count, Some(100_000));
    store.publish(&run.id, &outputs[..2], 2).await.unwrap();
    let kept = store.get(&run.id).await.unwrap().unwrap();
    assert_eq!(kept.outputs, outputs[..2]);
}

fn mail(run: &dropcast_domain::run::Run) -> MailKey {
    MailKey {
        topic: MailTopic::Run(run.id.clone()),
        kind: MailKind::Succeeded,
        recipient: "ana@corp.example".into(),
    }
}

fn seconds(seconds: i64) -> Timestamp {
    at(1_000 * seconds)
}

pub(crate) async fn a_mail_is_claimed_sent_and_never_claimed_again(store: &impl Store) {
    let mail = mail(&begun(store).await);
    assert_eq!(
        store.claim(&mail, seconds(0)).await.unwrap(),
        Claim::Granted
    );
    assert_eq!(store.claim(&mail, seconds(1)).await.unwrap(), Claim::Held);
    store
        .mark_sent(&mail, "message-1", seconds(2))
        .await
        .unwrap();
    for later in [3, CLAIM_SECONDS + 3, 1_000_000] {
        assert_eq!(
            store.claim(&mail, seconds(later)).await.unwrap(),
            Claim::Sent
        );
    }
    store.release_claim(&mail).await.unwrap();
    assert_eq!(store.claim(&mail, seconds(4)).await.unwrap(), Claim::Sent);
}

pub(crate) async fn an_expired_claim_is_reported_as_such(store: &impl Store) {
    let mail = mail(&begun(store).await);
    assert_eq!(
        store.claim(&mail, seconds(0)).await.unwrap(),
        Claim::Granted
    );
    let just_before = seconds(CLAIM_SECONDS - 1);
    assert_eq!(store.claim(&mail, just_before).await.unwrap(), Claim::Held);
    let then = seconds(CLAIM_SECONDS);
    assert_eq!(store.claim(&mail, then).await.unwrap(), Claim::Expired);
    assert_eq!(store.claim(&mail, then).await.unwrap(), Claim::Held);
}

pub(crate) async fn a_released_claim_can_be_taken_at_once_and_is_not_reported_as_expired(
    store: &impl Store,
) {
    let mail = mail(&begun(store).await);
    store.claim(&mail, seconds(0)).await.unwrap();
    store.release_claim(&mail).await.unwrap();
    assert_eq!(
        store.claim(&mail, seconds(0)).await.unwrap(),
        Claim::Granted
    );
    assert_eq!(store.claim(&mail, seconds(1)).await.unwrap(), Claim::Held);
}

pub(crate) async fn of_many_claims_at_once_one_is_granted(store: &impl Store) {
    let mail = mail(&begun(store).await);
    let claims = futures::future::join_all((0..8).map(|_| store.claim(&mail, seconds(0)))).await;
    let granted = claims
        .into_iter()
        .filter(|claim| matches!(claim, Ok(Claim::Granted)))
        .count();
    assert_eq!(granted, 1);
}

pub(crate) async fn mails_of_another_kind_or_recipient_have_claims_of_their_own(
    store: &impl Store,
) {
    let mail = mail(&begun(store).await);
    let another_kind = MailKey {
        kind: MailKind::Failed,
        ..mail.clone()
    };
    let another_recipient = MailKey {
        recipient: "bo@corp.example".into(),
        ..mail.clone()
    };
    let another_topic = MailKey {
        topic: MailTopic::Build("5f1c3a2e-7f0d-4f6a-9c55-0b7c8a4f1d20".parse().unwrap()),
        ..mail.clone()
    };
    for mail in [mail, another_kind, another_recipient, another_topic] {
        assert_eq!(
            store.claim(&mail, seconds(0)).await.unwrap(),
            Claim::Granted
        );
    }
}

pub(crate) async fn versions_are_numbered_and_the_first_is_the_default(store: &impl Store) {
    let name = MODEL.parse().unwrap();
    assert!(store.model(&name).await.unwrap().is_none());
    assert!(
        store
            .version(&name, Version::FIRST)
            .await
            .unwrap()
            .is_none()
    );
    let first = store.register(&version_spec(MODEL)).await.unwrap();
    let mut better = version_spec(MODEL);
    better.manifest.title = "Better forecast".into();
    let second = store.register(&better).await.unwrap();
    let other = store.register(&version_spec("other-model")).await.unwrap();
    let numbers = [&first, &second, &other].map(|version| version.version.number());
    assert_eq!(numbers, [1, 2, 1]);
    for version in [&first, &second] {
        let kept = store.version(&name, version.version).await.unwrap();
        assert_eq!(kept.as_ref(), Some(version));
    }
    assert_eq!(second.spec, better);
    let model = store.model(&name).await.unwrap().unwrap();
    assert_eq!(model.default_version, Version::FIRST);
    assert_eq!(model.next_version, second.version.next());
    assert_eq!(model.title, "Better forecast");
    let names: Vec<String> = store
        .models()
        .await
        .unwrap()
        .into_iter()
        .map(|model| model.name.to_string())
        .collect();
    assert_eq!(names, ["other-model", MODEL]);
}

pub(crate) async fn concurrent_registrations_get_distinct_numbers(store: &impl Store) {
    let spec = version_spec(MODEL);
    let registered = futures::future::join_all((0..6).map(|_| store.register(&spec))).await;
    let mut numbers: Vec<u32> = registered
        .into_iter()
        .map(|version| version.unwrap().version.number())
        .collect();
    numbers.sort_unstable();
    assert_eq!(numbers, [1, 2, 3, 4, 5, 6]);
}

pub(crate) async fn a_models_runs_come_newest_first(store: &impl Store) {
    let mut expected = Vec::new();
    for day in [3, 1, 2] {
        let run = run_of(Upload {
            at: seconds(86_400 * day),
            version_id: Some(format!("v{day}")),
            ..upload(MODEL, "plan.json")
        });
        store.create_if_absent(&run).await.unwrap();
        expected.push(run);
    }
    // Another model's run, also one whose name no model may have.
    store
        .create_if_absent(&run_of(upload("é +%", "plan.json")))
        .await
        .unwrap();
    expected.sort_by_key(|run| std::cmp::Reverse(run.upload.at));
    assert_eq!(store.runs_of(MODEL, 10).await.unwrap(), expected);
    assert_eq!(store.runs_of(MODEL, 2).await.unwrap(), expected[..2]);
    assert_eq!(store.runs_of("é +%", 2).await.unwrap().len(), 1);
    assert!(store.runs_of("none", 2).await.unwrap().is_empty());
}

pub(crate) async fn open_runs_come_longest_unchanged_first(store: &impl Store) {
    let runs = ["a.json", "b.json", "c.json", "d.json"].map(new_run);
    for run in &runs {
        store.create_if_absent(run).await.unwrap();
    }
    let [a, b, c, d] = &runs;
    store
        .advance(&a.id, step(0, Status::Running, 3_000))
        .await
        .unwrap();
    store
        .advance(&b.id, step(0, Status::Running, 2_000))
        .await
        .unwrap();
    store
        .advance(&c.id, step(0, Status::Running, 2_500))
        .await
        .unwrap();
    store
        .finish(&d.id, step(0, Status::Failed, 100), None)
        .await
        .unwrap();
    let open: Vec<_> = store
        .open_runs(10)
        .await
        .unwrap()
        .into_iter()
        .map(|run| run.id)
        .collect();
    assert_eq!(open, [b, c, a].map(|run| run.id.clone()));
    assert_eq!(store.open_runs(1).await.unwrap().len(), 1);
}

/// DynamoDB has its own idea of numbers and of what is empty.
pub(crate) async fn everything_that_a_manifest_says_is_kept(store: &impl Store) {
    let mut spec = version_spec(MODEL);
    let manifest = &mut spec.manifest;
    manifest.refresh = Some(RefreshSpec {
        command: vec!["python".into(), "refresh.py".into()],
        schedule: Some("0 6 * * 1-5".parse().unwrap()),
    });
    let secret = "history-database:url".parse().unwrap();
    manifest.job.secrets = [("HISTORY_DATABASE_URL".to_owned(), secret)].into();
    for vcpus in ["0.25", "0.5", "1", "16"] {
        spec.manifest.job.vcpus = vcpus.parse().unwrap();
        let registered = store.register(&spec).await.unwrap();
        let kept = store.version(&registered.model, registered.version).await;
        assert_eq!(kept.unwrap().unwrap().spec, spec, "{vcpus}");
    }
}

pub(crate) async fn of_the_refreshes_that_were_due_the_latest_is_remembered(store: &impl Store) {
    let name = MODEL.parse().unwrap();
    let other = "other-model".parse().unwrap();
    assert_eq!(store.last_refresh(&name).await.unwrap(), None);
    for (due, latest) in [
        (2_000, 2_000),
        (1_000, 2_000),
        (2_000, 2_000),
        (2_001, 2_001),
    ] {
        store.record_refresh(&name, at(due)).await.unwrap();
        let last = store.last_refresh(&name).await.unwrap();
        assert_eq!(last, Some(at(latest)));
    }
    assert_eq!(store.last_refresh(&other).await.unwrap(), None);
    // It is no version and no run.
    store.register(&version_spec(MODEL)).await.unwrap();
    assert_eq!(store.models().await.unwrap().len(), 1);
    assert!(store.runs_of(MODEL, 10).await.unwrap().is_empty());
}

pub(crate) async fn due_mails_are_listed_the_longest_due_first_until_they_are_settled(
    store: &impl Store,
) {
    let (first, second) = (new_run("first.json"), new_run("second.json"));
    for (run, due) in [(&second, 2_000), (&first, 1_000)] {
        store.create_if_absent(run).await.unwrap();
        store.expect_mails(run, at(due)).await.unwrap();
    }
    let due = store.due_mails(9).await.unwrap();
    assert_eq!(due, [first.id.clone(), second.id.clone()]);
    assert_eq!(
        store.due_mails(1).await.unwrap(),
        std::slice::from_ref(&first.id)
    );
    for _ in 0..2 {
        store.settle_mails(&first.id).await.unwrap();
    }
    assert_eq!(store.due_mails(9).await.unwrap(), [second.id]);
}

pub(crate) async fn the_first_request_to_cancel_counts_until_the_job_or_the_run_ends(
    store: &impl Store,
) {
    let request = |by: &str| Cancellation::new(by, Some("wrong file"), at(5_000));
    let recorded = async |run: &RunId, by: &str| {
        let record = store.request_cancellation(run, &request(by)).await.unwrap();
        assert_eq!(store.get(run).await.unwrap().as_ref(), Some(&record));
        record.cancellation.map(|request| request.by)
    };
    let run = begun(store).await;
    assert_eq!(recorded(&run.id, "ana").await.as_deref(), Some("ana"));
    assert_eq!(recorded(&run.id, "bo").await.as_deref(), Some("ana"));
    let named = store.assign_job(&run.id, &job()).await.unwrap();
    assert_eq!(
        named.cancellation,
        Some(request("ana")),
        "seen with the job"
    );

    let ended = new_run("ended.json");
    store.create_if_absent(&ended).await.unwrap();
    let end = JobEnd {
        attempts: 1,
        at: at(4_000),
        failure: None,
        log_stream: None,
    };
    store.record_job_end(&ended.id, &end).await.unwrap();
    assert_eq!(recorded(&ended.id, "ana").await, None);

    let over = new_run("over.json");
    store.create_if_absent(&over).await.unwrap();
    let end = step(0, Status::Failed, 4_000);
    store.finish(&over.id, end, None).await.unwrap();
    assert_eq!(recorded(&over.id, "ana").await, None);
    let named = store.assign_job(&over.id, &job()).await.unwrap();
    assert_eq!(named.job, None, "a run that is over gets no job");
}

pub(crate) async fn a_repair_is_noted_on_an_open_run_and_never_after_its_end(store: &impl Store) {
    let run = begun(store).await;
    let note = |reason: &str| RepairNote {
        at: at(5_000),
        reason: reason.to_owned(),
    };
    let noted = async || store.get(&run.id).await.unwrap().unwrap().repaired;
    assert_eq!(noted().await, None);
    for reason in ["first", "second"] {
        store.note_repair(&run.id, &note(reason)).await.unwrap();
        assert_eq!(noted().await, Some(note(reason)));
    }
    let end = step(0, Status::Failed, 6_000);
    store.finish(&run.id, end, None).await.unwrap();
    store.note_repair(&run.id, &note("late")).await.unwrap();
    assert_eq!(noted().await, Some(note("second")));
}
