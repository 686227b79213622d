//! What a pass of the repair does, over the store in memory and stand-ins for AWS.

#![expect(
    clippy::unwrap_used,
    reason = "A test that cannot go on fails, in its helpers too."
)]

use std::sync::{Arc, Mutex};

use dropcast_app::repair::{RepairDeps, RepairReport, repair_runs};
use dropcast_aws::{
    CallError,
    ports::{
        DescribeExecutions, DescribeJobs, JobLogs, NotPublished, PublishEvents, RecentUploads,
        ResumeExecutions, StartExecutions, StopJobs,
    },
};
use dropcast_domain::{
    event::Announcement,
    failure::ErrorCode,
    ids::{JobId, RunId},
    job::{Attempt, JobChange, JobEnd, JobStatus},
    repair::{ExecutionOutput, ExecutionState},
    run::Run,
    status::{Status, TerminalStatus},
    upload::Upload,
};
use dropcast_store::{
    DueMails as _, Jobs as _, RunCompletion as _, Runs as _, TaskTokens as _, memory::MemoryStore,
};
use dropcast_test_support::{
    samples::{at, attempt, job, new_run, step},
    unavailable,
};
use jiff::Timestamp;

const TOKEN: &str = "the-task-token";

/// Ten minutes after the upload: whatever was missed is due.
fn later() -> Timestamp {
    at(600_000)
}

/// AWS as the pass finds it, and what the pass asked of it.
#[derive(Debug, Clone, Default)]
struct World(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    execution: Option<ExecutionState>,
    jobs: Vec<JobChange>,
    unfinished: Vec<(JobId, RunId)>,
    uploads: Vec<Upload>,
    batch_is_down: bool,
    started: Vec<RunId>,
    resumed: Vec<(String, JobEnd)>,
    stopped: Vec<JobId>,
    published: Vec<Announcement>,
}

impl StartExecutions for World {
    async fn start(&self, run: &RunId) -> Result<(), CallError> {
        self.0.lock().unwrap().started.push(run.clone());
        Ok(())
    }
}

impl DescribeExecutions for World {
    async fn state(&self, _: &RunId) -> Result<ExecutionState, CallError> {
        let execution = self.0.lock().unwrap().execution.clone();
        Ok(execution.unwrap_or(ExecutionState::Running))
    }
}

impl ResumeExecutions for World {
    async fn resume(&self, token: &str, _: &JobId, end: &JobEnd) -> Result<bool, CallError> {
        let mut state = self.0.lock().unwrap();
        state.resumed.push((token.to_owned(), end.clone()));
        Ok(true)
    }
}

impl DescribeJobs for World {
    async fn describe(&self, jobs: &[JobId]) -> Result<Vec<JobChange>, CallError> {
        let state = self.0.lock().unwrap();
        if state.batch_is_down {
            return Err(unavailable("batch:DescribeJobs"));
        }
        let known = state.jobs.iter();
        Ok(known
            .filter(|change| jobs.contains(&change.job))
            .cloned()
            .collect())
    }

    async fn unfinished(&self) -> Result<Vec<(JobId, RunId)>, CallError> {
        Ok(self.0.lock().unwrap().unfinished.clone())
    }
}

impl JobLogs for World {
    async fn last_lines(&self, _: &str) -> Result<Vec<String>, CallError> {
        Ok(vec!["last line".to_owned()])
    }
}

impl StopJobs for World {
    async fn stop(&self, job: &JobId, _: &str) -> Result<(), CallError> {
        self.0.lock().unwrap().stopped.push(job.clone());
        Ok(())
    }
}

impl RecentUploads for World {
    async fn uploaded(&self, from: Timestamp, until: Timestamp) -> Result<Vec<Upload>, CallError> {
        let state = self.0.lock().unwrap();
        let uploads = state.uploads.iter();
        Ok(uploads
            .filter(|upload| upload.at >= from && upload.at < until)
            .cloned()
            .collect())
    }
}

impl PublishEvents for World {
    async fn publish(&self, events: &[Announcement]) -> Result<Vec<NotPublished>, CallError> {
        self.0.lock().unwrap().published.extend_from_slice(events);
        Ok(Vec::new())
    }
}

/// A run whose job was submitted and whose execution waits, and its store.
async fn waiting() -> (MemoryStore, Run) {
    let store = MemoryStore::default();
    let run = new_run("plan.json");
    store.create_if_absent(&run).await.unwrap();
    store
        .put_task_token(&run.id, TOKEN, attempt(0))
        .await
        .unwrap();
    store.assign_job(&run.id, &job()).await.unwrap();
    store
        .advance(&run.id, step(0, Status::Submitted, 900))
        .await
        .unwrap();
    (store, run)
}

async fn pass(store: &MemoryStore, state: State, now: Timestamp) -> (World, RepairReport) {
    let world = World(Arc::new(Mutex::new(state)));
    let deps = RepairDeps {
        store: store.clone(),
        executions: world.clone(),
        jobs: world.clone(),
        uploads: world.clone(),
        events: world.clone(),
        retention_days: 90,
    };
    let report = repair_runs(&deps, now).await;
    (world, report)
}

fn ended(status: JobStatus, exit_code: i32) -> JobChange {
    JobChange {
        job: job(),
        status,
        status_reason: None,
        stopped_on_request: Some(false),
        attempts: vec![Attempt {
            finished: true,
            exit_code: Some(exit_code),
            ..Attempt::default()
        }],
        at: at(30_000),
    }
}

#[tokio::test]
async fn a_job_whose_end_was_missed_resumes_its_execution() {
    for (status, exit_code, code) in [
        (JobStatus::Succeeded, 0, None),
        (JobStatus::Failed, 1, Some(ErrorCode::JobFailed)),
    ] {
        let (store, run) = waiting().await;
        let state = State {
            jobs: vec![ended(status, exit_code)],
            ..State::default()
        };
        let (world, report) = pass(&store, state, later()).await;
        let resumed = world.0.lock().unwrap().resumed.clone();
        let [(token, end)] = resumed.as_slice() else {
            unreachable!("{resumed:?}");
        };
        assert_eq!(token, TOKEN);
        assert_eq!(end.failure.as_ref().map(|failure| failure.code), code);
        assert_eq!(report.repaired.len(), 1);
        let run = store.get(&run.id).await.unwrap().unwrap();
        assert_eq!(run.job_end.as_ref(), Some(end));
        assert_eq!(run.repaired.unwrap().at, later());
    }
}

#[tokio::test]
async fn a_run_without_an_execution_is_started() {
    let store = MemoryStore::default();
    let run = new_run("plan.json");
    store.create_if_absent(&run).await.unwrap();
    let state = State {
        execution: Some(ExecutionState::Absent),
        ..State::default()
    };
    let (world, _) = pass(&store, state, later()).await;
    assert_eq!(world.0.lock().unwrap().started, [run.id]);
}

#[tokio::test]
async fn a_run_whose_execution_ended_ends_too_and_its_job_is_stopped() {
    let output = ExecutionOutput {
        status: TerminalStatus::FAILED,
        code: Some(ErrorCode::OutputsMissing),
    };
    for (output, code) in [
        (Some(output), ErrorCode::OutputsMissing),
        (None, ErrorCode::Internal),
    ] {
        let (store, run) = waiting().await;
        let mut running = ended(JobStatus::Running, 0);
        running.attempts.clear();
        let state = State {
            execution: Some(ExecutionState::Ended(output)),
            jobs: vec![running],
            ..State::default()
        };
        let (world, _) = pass(&store, state, later()).await;
        let run = store.get(&run.id).await.unwrap().unwrap();
        assert_eq!(run.status(), Status::Failed);
        assert_eq!(run.failure.unwrap().code, code);
        assert_eq!(world.0.lock().unwrap().stopped, [job()]);
    }
}

#[tokio::test]
async fn a_job_that_batch_does_not_know_ends_its_run_as_lost() {
    let (store, _) = waiting().await;
    let (world, _) = pass(&store, State::default(), later()).await;
    let resumed = world.0.lock().unwrap().resumed.clone();
    assert_eq!(
        resumed[0].1.failure.as_ref().unwrap().code,
        ErrorCode::JobLost
    );
}

#[tokio::test]
async fn a_second_job_and_a_job_of_a_run_that_is_over_are_stopped_and_no_other() {
    let (store, run) = waiting().await;
    let over = new_run("over.json");
    store.create_if_absent(&over).await.unwrap();
    store
        .finish(&over.id, step(0, Status::Failed, 900), None)
        .await
        .unwrap();
    let unnamed = new_run("unnamed.json");
    store.create_if_absent(&unnamed).await.unwrap();
    let foreign = new_run("foreign.json");
    let id = |name: &str| name.parse::<JobId>().unwrap();
    let mut running = ended(JobStatus::Submitted, 0);
    running.attempts.clear();
    let state = State {
        jobs: vec![running],
        unfinished: vec![
            (job(), run.id.clone()),
            (id("second"), run.id),
            (id("of-ended"), over.id),
            (id("not-named-yet"), unnamed.id),
            (id("foreign"), foreign.id),
        ],
        ..State::default()
    };
    let (world, report) = pass(&store, state, later()).await;
    assert_eq!(
        world.0.lock().unwrap().stopped,
        [id("second"), id("of-ended")]
    );
    assert_eq!(report.stopped.len(), 2);
}

#[tokio::test]
async fn an_upload_without_a_run_is_taken_in_once() {
    let (store, run) = waiting().await;
    let missed = new_run("missed.json").upload;
    let state = State {
        jobs: vec![ended(JobStatus::Submitted, 0)],
        uploads: vec![run.upload, missed.clone(), missed.clone()],
        ..State::default()
    };
    let (world, _) = pass(&store, state, later()).await;
    assert_eq!(world.0.lock().unwrap().started, [missed.run_id()]);
    assert!(store.get(&missed.run_id()).await.unwrap().is_some());
}

#[tokio::test]
async fn an_end_that_nobody_was_mailed_about_is_published_again() {
    let store = MemoryStore::default();
    let run = new_run("plan.json");
    store.create_if_absent(&run).await.unwrap();
    store.expect_mails(&run, at(900)).await.unwrap();
    store
        .finish(&run.id, step(0, Status::Failed, 900), None)
        .await
        .unwrap();
    let (world, _) = pass(&store, State::default(), later()).await;
    assert_eq!(world.0.lock().unwrap().published.len(), 1);
    store.settle_mails(&run.id).await.unwrap();
    let (world, _) = pass(&store, State::default(), later()).await;
    assert!(world.0.lock().unwrap().published.is_empty());
}

#[tokio::test]
async fn a_successful_refresh_and_a_run_of_long_ago_are_not_published_again() {
    let refresh = "refresh/revenue-forecast/2026-12-01T06:00:00Z";
    for (key, status, now) in [
        (Some(refresh), Status::Succeeded, later()),
        (None, Status::Failed, at(173_000_000)),
    ] {
        let store = MemoryStore::default();
        let mut run = new_run("plan.json");
        if let Some(key) = key {
            let mut upload = run.upload.clone();
            key.clone_into(&mut upload.key);
            run = Run::received(upload, run.expires_at);
        }
        store.create_if_absent(&run).await.unwrap();
        store.expect_mails(&run, at(900)).await.unwrap();
        store
            .finish(&run.id, step(0, status, 900), None)
            .await
            .unwrap();
        let (world, report) = pass(&store, State::default(), now).await;
        assert!(world.0.lock().unwrap().published.is_empty(), "{status}");
        assert!(report.failures.is_empty());
        assert!(store.due_mails(9).await.unwrap().is_empty(), "{status}");
    }
}

#[tokio::test]
async fn what_is_well_or_changed_a_moment_ago_is_left_alone() {
    let (store, run) = waiting().await;
    let mut waits = ended(JobStatus::Submitted, 0);
    waits.attempts.clear();
    for (state, now) in [
        (
            State {
                jobs: vec![waits],
                ..State::default()
            },
            later(),
        ),
        (State::default(), at(30_000)),
    ] {
        let (_, report) = pass(&store, state, now).await;
        assert!(
            report.repaired.is_empty() && report.failures.is_empty(),
            "{report:?}"
        );
    }
    assert_eq!(store.get(&run.id).await.unwrap().unwrap().repaired, None);
}

#[tokio::test]
async fn an_outage_of_batch_does_not_keep_uploads_from_being_taken_in() {
    let (store, _) = waiting().await;
    let missed = new_run("missed.json").upload;
    let state = State {
        batch_is_down: true,
        uploads: vec![missed.clone()],
        ..State::default()
    };
    let (world, report) = pass(&store, state, later()).await;
    assert_eq!(world.0.lock().unwrap().started, [missed.run_id()]);
    assert_eq!(report.failures.len(), 1);
}
