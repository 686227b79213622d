//! Starting, ending and showing runs, over the store in memory.

#![expect(
    clippy::unwrap_used,
    reason = "A test that cannot go on fails, in its helpers too."
)]

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use dropcast_app::runs::{
    CancelOutcome, CancelRunError, FinishRunError, RunEnd, ShowRunError, StartRunError, cancel_run,
    finish_run, show_run, start_run,
};
use dropcast_aws::{
    CallError,
    ports::{ResultFiles, StopJobs},
};
use dropcast_domain::{
    cancellation::Cancellation,
    failure::ErrorCode,
    ids::JobId,
    job::JobEnd,
    output::Output,
    problem::{Problem, ProblemList},
    run::Run,
    status::{NotTerminal, Status, TerminalStatus},
};
use dropcast_store::{
    DueMails as _, History as _, Jobs as _, Outputs as _, Runs as _, StoreError, Validation as _,
    ValidationOutcome, memory::MemoryStore,
};
use dropcast_test_support::{
    executions::FakeExecutions,
    samples::{MODEL, at, job, metadata, new_run, output, upload},
    unavailable,
};
use jiff::SignedDuration;

const LIFETIME: Duration = Duration::from_hours(1);

#[derive(Debug, Clone, Default)]
struct FakeJobs(Arc<Mutex<Vec<JobId>>>);

impl StopJobs for FakeJobs {
    async fn stop(&self, job: &JobId, _reason: &str) -> Result<(), CallError> {
        self.0.lock().unwrap().push(job.clone());
        Ok(())
    }
}

/// A results bucket with these objects; without a map, S3 is unavailable.
#[derive(Debug, Clone, Default)]
struct FakeResults(Option<BTreeMap<String, Vec<u8>>>);

impl ResultFiles for FakeResults {
    fn bucket(&self) -> &'static str {
        "results"
    }

    async fn read(&self, key: &str) -> Result<Option<Vec<u8>>, CallError> {
        let objects = self.0.as_ref().ok_or_else(|| unavailable("s3:GetObject"))?;
        Ok(objects.get(key).cloned())
    }

    async fn presign(&self, output: &Output, lifetime: Duration) -> Result<String, CallError> {
        let seconds = lifetime.as_secs();
        Ok(format!("https://results.example/{}?{seconds}", output.key))
    }
}

async fn created() -> (MemoryStore, Run) {
    let store = MemoryStore::default();
    let run = store.create_if_absent(&new_run("plan.json")).await;
    (store, run.unwrap())
}

fn end(status: Status, code: Option<ErrorCode>) -> RunEnd {
    RunEnd {
        status: status.try_into().unwrap(),
        code,
        message: None,
    }
}

/// Rejects the run for its input and ends it.
async fn reject(store: &MemoryStore, run: &Run) -> Run {
    let outcome = ValidationOutcome::Rejected {
        problem_count: 1,
        version: None,
        marked: true,
    };
    let metadata = metadata(&[]);
    let recorded = store.record_validation(&run.id, &metadata, &outcome);
    recorded.await.unwrap();
    let end = end(Status::Rejected, Some(ErrorCode::InputRejected));
    finish_run(store, &FakeJobs::default(), &run.id, end, at(500))
        .await
        .unwrap()
}

#[tokio::test]
async fn an_upload_is_started_once_and_a_folder_never() {
    let (store, executions) = (MemoryStore::default(), FakeExecutions::default());
    let file = upload(MODEL, "plan.json");
    for _ in 0..2 {
        let run = start_run(&store, &executions, file.clone(), 30).await;
        let run = run.unwrap().unwrap();
        assert_eq!(executions.started(), std::slice::from_ref(&run.id));
        assert_eq!(store.timeline(&run.id).await.unwrap().len(), 1);
        assert_eq!(
            run.expires_at.duration_since(file.at),
            SignedDuration::from_hours(30 * 24)
        );
    }
    let mut folder = file.clone();
    folder.key = "inputs/revenue-forecast/".to_owned();
    let started = start_run(&store, &executions, folder, 30).await.unwrap();
    assert_eq!(started, None);
    let mut unknown = file;
    (unknown.version_id, unknown.sequencer) = (None, None);
    let refused = start_run(&store, &executions, unknown, 30).await;
    assert!(matches!(refused, Err(StartRunError::NoGeneration)));
    assert_eq!(executions.started().len(), 1);
}

#[tokio::test]
async fn a_run_that_has_ended_is_not_started_again() {
    let (store, executions) = (MemoryStore::default(), FakeExecutions::default());
    let run = new_run("plan.json");
    store.create_if_absent(&run).await.unwrap();
    reject(&store, &run).await;
    let found = start_run(&store, &executions, run.upload.clone(), 30).await;
    assert_eq!(found.unwrap().unwrap().status(), Status::Rejected);
    assert_eq!(executions.started(), []);
}

#[tokio::test]
async fn the_first_end_of_a_run_counts_and_its_job_is_stopped() {
    let (store, run) = created().await;
    let jobs = FakeJobs::default();
    store.assign_job(&run.id, &job()).await.unwrap();
    let timed_out = end(Status::Failed, Some(ErrorCode::TimedOut));
    let ended = finish_run(&store, &jobs, &run.id, timed_out, at(500)).await;
    let ended = ended.unwrap();
    assert_eq!(ended.status(), Status::Failed);
    assert_eq!(
        ended.failure.unwrap().message,
        ErrorCode::TimedOut.sentence()
    );
    assert_eq!(*jobs.0.lock().unwrap(), [job()]);
    let late = end(Status::Succeeded, None);
    let ended = finish_run(&store, &jobs, &run.id, late, at(600)).await;
    assert_eq!(ended.unwrap().status(), Status::Failed);

    let unknown = new_run("other.json").id;
    let missing = finish_run(&store, &jobs, &unknown, end(Status::Succeeded, None), at(1)).await;
    assert!(matches!(
        missing,
        Err(FinishRunError::Store(StoreError::NoSuchRun(_)))
    ));
}

#[tokio::test]
async fn mails_are_due_about_an_end_that_somebody_is_mailed_about_and_no_other() {
    let refresh = "refresh/revenue-forecast/2026-12-01T06:00:00Z";
    for (key, status, due) in [
        (None, Status::Succeeded, true),
        (None, Status::Failed, true),
        (None, Status::Rejected, true),
        (None, Status::Cancelled, true),
        (Some(refresh), Status::Failed, true),
        (Some(refresh), Status::Succeeded, false),
    ] {
        let (store, mut run) = created().await;
        if let Some(key) = key {
            let mut upload = run.upload.clone();
            key.clone_into(&mut upload.key);
            run = Run::received(upload, run.expires_at);
            store.create_if_absent(&run).await.unwrap();
        }
        let jobs = FakeJobs::default();
        let ended = finish_run(&store, &jobs, &run.id, end(status, None), at(500)).await;
        assert_eq!(ended.unwrap().status(), status);
        assert_eq!(
            store.due_mails(9).await.unwrap().len(),
            usize::from(due),
            "{status}"
        );
    }
}

#[test]
fn only_a_status_in_which_a_run_has_ended_is_terminal() {
    for status in Status::ALL {
        let terminal: Result<TerminalStatus, NotTerminal> = status.try_into();
        assert_eq!(terminal.is_ok(), status.is_terminal(), "{status}");
    }
}

#[tokio::test]
async fn a_run_is_shown_with_its_timeline_and_a_link_to_each_output() {
    let (store, run) = created().await;
    let chart = output(&run.id, "forecast.png");
    let published = store
        .publish(&run.id, std::slice::from_ref(&chart), 7)
        .await;
    published.unwrap();
    let run = store.get(&run.id).await.unwrap().unwrap();
    // A run that was not rejected has no problems to read.
    let results = FakeResults(None);
    let shown = show_run(&store, &results, "local", &run, LIFETIME, at(9_000)).await;
    let shown = shown.unwrap();
    assert_eq!(shown.stack, "local");
    assert_eq!(shown.timeline.len(), 1);
    assert_eq!(shown.output_count, 7);
    assert_eq!(shown.outputs[0].bucket, "results");
    assert_eq!(
        shown.outputs[0].url,
        format!("https://results.example/{}?3600", chart.key)
    );
    assert_eq!(shown.links_until, Some(at(3_609_000)));
    assert_eq!(shown.marked_copy, None);
}

#[tokio::test]
async fn a_rejected_run_is_shown_with_its_problems_and_its_marked_copy() {
    let (store, run) = created().await;
    let run = reject(&store, &run).await;
    let list = ProblemList::of(Problem::new("Plan!C7", "\"ten\"", "a number"));
    let with = |content: Vec<u8>| FakeResults(Some([(run.keys().problems(), content)].into()));
    let results = with(serde_json::to_vec(&list).unwrap());
    let show = async |results: FakeResults| {
        show_run(&store, &results, "local", &run, LIFETIME, at(9_000)).await
    };
    let shown = show(results).await.unwrap();
    assert_eq!(shown.problems, list.problems);
    assert!(shown.marked_copy.unwrap().contains("marked.xlsx"));
    assert_eq!(shown.links_until, None, "it has no outputs");

    let without = show(FakeResults(Some(BTreeMap::new()))).await.unwrap();
    assert_eq!(without.problems, []);
    let invalid = show(with(b"{".to_vec())).await.unwrap_err();
    assert!(matches!(invalid, ShowRunError::InvalidProblems { .. }));
    let unreadable = show(FakeResults(None)).await.unwrap_err();
    assert_eq!(
        unreadable.to_string(),
        format!(
            "the problems in s3://results/{} could not be read",
            run.keys().problems()
        )
    );
}

#[tokio::test]
async fn a_run_is_cancelled_before_and_while_its_job_runs_and_not_after_it() {
    let (store, run) = created().await;
    let jobs = FakeJobs::default();
    let request = |by: &str| Cancellation::new(by, Some("wrong file"), at(300));
    let cancel = async |by: &str| cancel_run(&store, &jobs, &run.id, &request(by)).await;

    let first = cancel("ana").await.unwrap();
    let CancelOutcome::Requested(recorded) = first else {
        panic!("{first:?}");
    };
    assert_eq!(recorded.cancellation, Some(request("ana")));
    assert!(jobs.0.lock().unwrap().is_empty(), "there is no job yet");

    store.assign_job(&run.id, &job()).await.unwrap();
    let second = cancel("bo").await.unwrap();
    let CancelOutcome::AlreadyRequested(recorded) = second else {
        panic!("{second:?}");
    };
    assert_eq!(
        recorded.cancellation,
        Some(request("ana")),
        "the first counts"
    );
    assert_eq!(*jobs.0.lock().unwrap(), [job()]);

    let ended = JobEnd {
        attempts: 1,
        at: at(400),
        failure: None,
        log_stream: None,
    };
    store.record_job_end(&run.id, &ended).await.unwrap();
    let third = cancel("ana").await.unwrap();
    assert!(matches!(third, CancelOutcome::TooLate(_)), "{third:?}");

    let unknown = new_run("never uploaded.json").id;
    let refused = cancel_run(&store, &jobs, &unknown, &request("ana")).await;
    let Err(CancelRunError::Store(StoreError::NoSuchRun(named))) = refused else {
        panic!("{refused:?}");
    };
    assert_eq!(named, unknown);
}
