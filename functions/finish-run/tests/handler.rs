//! The one end of a run.

#![expect(
    clippy::unwrap_used,
    reason = "A test that cannot go on fails, in its helpers too."
)]

use std::sync::{Arc, Mutex};

use dropcast_aws::{CallError, ports::StopJobs};
use dropcast_domain::{
    failure::ErrorCode,
    ids::{JobId, RunId},
    job::JobEnd,
    run::Run,
    status::Status,
};
use dropcast_store::{History as _, Jobs as _, Runs as _, memory::MemoryStore};
use dropcast_test_support::{
    samples::{at, job, new_run, now, step},
    unavailable,
};
use finish_run::{Deps, FinishRequest, handle};
use lambda_runtime::Diagnostic;
use serde_json::{Value, json};

#[derive(Debug, Clone, Default)]
struct FakeJobs {
    stopped: Arc<Mutex<Vec<JobId>>>,
    unavailable: bool,
}

impl StopJobs for FakeJobs {
    async fn stop(&self, job: &JobId, _reason: &str) -> Result<(), CallError> {
        if self.unavailable {
            return Err(unavailable("batch:TerminateJob"));
        }
        self.stopped.lock().unwrap().push(job.clone());
        Ok(())
    }
}

type World = Deps<MemoryStore, FakeJobs>;

async fn world() -> (World, Run) {
    let world = Deps {
        store: MemoryStore::default(),
        jobs: FakeJobs::default(),
        now,
    };
    let run = new_run("plan.json");
    world.store.create_if_absent(&run).await.unwrap();
    (world, run)
}

fn finish(run: &RunId, rest: Value) -> FinishRequest {
    let mut event = rest;
    event["runId"] = json!(run);
    serde_json::from_value(event).unwrap()
}

#[tokio::test]
async fn a_success_ends_the_run_with_the_attempts_that_it_took() {
    let (world, run) = world().await;
    world.store.assign_job(&run.id, &job()).await.unwrap();
    let end = JobEnd {
        attempts: 2,
        at: at(400),
        failure: None,
        log_stream: None,
    };
    world.store.record_job_end(&run.id, &end).await.unwrap();
    let answer = handle(&world, finish(&run.id, json!({ "status": "succeeded" })))
        .await
        .unwrap();
    assert_eq!(
        serde_json::to_value(&answer).unwrap(),
        json!({ "runId": run.id, "status": "succeeded" })
    );
    let record = world.store.get(&run.id).await.unwrap().unwrap();
    assert_eq!(record.current, step(2, Status::Succeeded, 500));
    assert_eq!(record.failure, None);
    assert!(world.jobs.stopped.lock().unwrap().is_empty());
}

#[tokio::test]
async fn every_way_to_end_keeps_its_code_and_sentence() {
    for (status, code, expected) in [
        ("failed", "JobFailed", Status::Failed),
        ("rejected", "InputRejected", Status::Rejected),
        ("cancelled", "Cancelled", Status::Cancelled),
        ("failed", "Internal", Status::Failed),
    ] {
        let (world, run) = world().await;
        let event = json!({ "status": status, "code": code, "message": "It went wrong." });
        handle(&world, finish(&run.id, event)).await.unwrap();
        let record = world.store.get(&run.id).await.unwrap().unwrap();
        assert_eq!(record.status(), expected);
        let failure = record.failure.unwrap();
        assert_eq!(failure.code.as_str(), code);
        assert_eq!(failure.message, "It went wrong.");
        assert_eq!(world.store.timeline(&run.id).await.unwrap().len(), 2);
    }
}

#[tokio::test]
async fn a_code_without_a_sentence_gets_its_meaning() {
    let (world, run) = world().await;
    handle(
        &world,
        finish(&run.id, json!({ "status": "failed", "code": "TimedOut" })),
    )
    .await
    .unwrap();
    let record = world.store.get(&run.id).await.unwrap().unwrap();
    assert_eq!(
        record.failure.unwrap().message,
        ErrorCode::TimedOut.sentence()
    );
}

#[tokio::test]
async fn invariant_2_a_terminal_status_absorbs_a_later_end() {
    let (world, run) = world().await;
    handle(&world, finish(&run.id, json!({ "status": "succeeded" })))
        .await
        .unwrap();
    let first = world.store.get(&run.id).await.unwrap();
    let late = json!({ "status": "failed", "code": "Internal", "message": "Late." });
    let answer = handle(&world, finish(&run.id, late)).await.unwrap();
    assert_eq!(answer.status, Status::Succeeded);
    assert_eq!(world.store.get(&run.id).await.unwrap(), first);
}

#[tokio::test]
async fn a_job_that_outlives_its_run_is_stopped() {
    let (world, run) = world().await;
    world.store.assign_job(&run.id, &job()).await.unwrap();
    let event = json!({ "status": "failed", "code": "TimedOut", "message": "Too long." });
    handle(&world, finish(&run.id, event)).await.unwrap();
    assert_eq!(*world.jobs.stopped.lock().unwrap(), [job()]);
}

#[tokio::test]
async fn a_job_that_could_not_be_stopped_is_stopped_by_the_retry() {
    let (mut world, run) = world().await;
    world.store.assign_job(&run.id, &job()).await.unwrap();
    world.jobs.unavailable = true;
    let event = || finish(&run.id, json!({ "status": "failed", "code": "TimedOut" }));
    let error = handle(&world, event()).await.unwrap_err();
    assert_eq!(Diagnostic::from(error).error_type, "Transient");
    let record = world.store.get(&run.id).await.unwrap().unwrap();
    assert!(record.is_over(), "the run is over all the same");
    world.jobs.unavailable = false;
    handle(&world, event()).await.unwrap();
    assert_eq!(*world.jobs.stopped.lock().unwrap(), [job()]);
}

#[tokio::test]
async fn a_run_without_a_record_is_our_own_failure() {
    let (world, _) = world().await;
    let unknown = new_run("other.json").id;
    let error = handle(&world, finish(&unknown, json!({ "status": "succeeded" })))
        .await
        .unwrap_err();
    assert_eq!(Diagnostic::from(error).error_type, "Internal");
}

#[test]
fn no_status_but_a_terminal_one_is_taken() {
    let run = new_run("plan.json").id;
    for status in Status::ALL {
        let event = json!({ "runId": run, "status": status });
        let taken = serde_json::from_value::<FinishRequest>(event).is_ok();
        assert_eq!(taken, status.is_terminal(), "{status}");
    }
}
