//! From delivered Batch events to the run's record and its resumed execution.

#![expect(
    clippy::unwrap_used,
    reason = "A test that cannot go on fails, in its helpers too."
)]

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
};

use dropcast_aws::{
    CallError,
    ports::{JobLogs, StopJobs},
};
use dropcast_domain::{
    failure::ErrorCode,
    ids::{JobId, RunId},
    job::JobEnd,
    run::Run,
    status::Status,
};
use dropcast_store::{
    History as _, Jobs as _, RunCompletion as _, Runs as _, TaskTokens as _, memory::MemoryStore,
};
use dropcast_test_support::{
    events::{JOB_QUEUE, failed, job_failed, job_with_a_retry, sqs},
    executions::FakeExecutions,
    samples::{JOB, attempt, job, new_run, step},
    unavailable,
};
use serde_json::{Value, json};
use track_job::{Deps, handle_events};

const TOKEN: &str = "the-task-token";
const LARGE_JOB_QUEUE: &str = "arn:aws:batch:eu-west-1:000000000000:job-queue/large";

/// Batch and the logs of its jobs.
#[derive(Debug, Clone, Default)]
struct FakeJobs(Arc<Mutex<JobsState>>);

#[derive(Debug, Default)]
struct JobsState {
    logs: BTreeMap<String, Vec<String>>,
    stopped: BTreeSet<JobId>,
    unavailable: bool,
    denied: bool,
}

impl JobLogs for FakeJobs {
    async fn last_lines(&self, stream: &str) -> Result<Vec<String>, CallError> {
        let state = self.0.lock().unwrap();
        if state.unavailable {
            return Err(unavailable("logs:GetLogEvents"));
        }
        if state.denied {
            return Err(CallError {
                transient: false,
                ..unavailable("logs:GetLogEvents")
            });
        }
        Ok(state.logs.get(stream).cloned().unwrap_or_default())
    }
}

impl StopJobs for FakeJobs {
    async fn stop(&self, job: &JobId, _reason: &str) -> Result<(), CallError> {
        self.0.lock().unwrap().stopped.insert(job.clone());
        Ok(())
    }
}

type World = Deps<MemoryStore, FakeExecutions, FakeJobs>;

fn world() -> World {
    Deps {
        store: MemoryStore::default(),
        executions: FakeExecutions::default(),
        jobs: FakeJobs::default(),
        job_queues: vec![JOB_QUEUE.to_owned(), LARGE_JOB_QUEUE.to_owned()],
    }
}

/// A run whose job was submitted and whose execution waits.
async fn waiting(world: &World) -> Run {
    let run = new_run("plan.json");
    world.store.create_if_absent(&run).await.unwrap();
    world
        .store
        .put_task_token(&run.id, TOKEN, attempt(0))
        .await
        .unwrap();
    world
        .store
        .advance(&run.id, step(0, Status::Submitted, 900))
        .await
        .unwrap();
    run
}

async fn deliver<'a>(world: &World, events: impl IntoIterator<Item = &'a Value>) {
    let answer = handle_events(world, sqs(events)).await.unwrap();
    assert!(failed(&answer).is_empty(), "{answer:?}");
}

/// All that can be seen of a run.
async fn seen(world: &World, run: &RunId) -> String {
    let record = world.store.get(run).await.unwrap().unwrap();
    let record = serde_json::to_string(&record).unwrap();
    let timeline = world.store.timeline(run).await.unwrap();
    let log = world.store.log(run).await.unwrap();
    let token = world.store.task_token(run).await.unwrap();
    let (resumed, stopped) = (world.executions.resumed(), stopped(world));
    format!("{record} {timeline:?} {log:?} {token:?} {resumed:?} {stopped:?}")
}

fn stopped(world: &World) -> Vec<String> {
    let state = world.jobs.0.lock().unwrap();
    state.stopped.iter().map(JobId::to_string).collect()
}

fn resumed(world: &World) -> (JobId, JobEnd) {
    let resumed = world.executions.resumed();
    assert_eq!(resumed.len(), 1);
    resumed[TOKEN].clone()
}

#[tokio::test]
async fn a_run_follows_its_job_through_a_retry_to_its_success() {
    let world = world();
    let run = waiting(&world).await;
    let mut way = Vec::new();
    for event in &job_with_a_retry(run.id.as_str()) {
        deliver(&world, [event]).await;
        let run = world.store.get(&run.id).await.unwrap().unwrap();
        way.push((run.current.progress.attempts, run.status()));
    }
    assert_eq!(
        way,
        [
            (0, Status::Waiting),
            (0, Status::Starting),
            (0, Status::Running),
            (1, Status::Waiting),
            (1, Status::Running),
            (1, Status::Running),
        ]
    );
    let (job, end) = resumed(&world);
    assert_eq!(job.as_str(), JOB);
    assert_eq!((end.attempts, end.failure), (2, None));
    assert_eq!(
        world.store.task_token(&run.id).await.unwrap(),
        None,
        "spent"
    );
    assert_eq!(world.store.timeline(&run.id).await.unwrap().len(), 7);
}

#[tokio::test]
async fn invariant_2_every_order_of_six_events_with_a_retry_gives_the_same_record() {
    let id = new_run("plan.json").id;
    let history = job_with_a_retry(id.as_str());
    let mut outcomes = BTreeSet::new();
    for order in permutations(history.len()) {
        let world = world();
        waiting(&world).await;
        deliver(&world, order.iter().map(|number| &history[*number])).await;
        outcomes.insert(seen(&world, &id).await);
    }
    assert_eq!(outcomes.len(), 1, "{outcomes:#?}");
}

#[tokio::test]
async fn invariant_2_tripled_events_in_any_order_give_the_same_record_and_one_resumption() {
    let id = new_run("plan.json").id;
    let history = job_with_a_retry(id.as_str());
    let in_order = {
        let world = world();
        waiting(&world).await;
        deliver(&world, &history).await;
        seen(&world, &id).await
    };
    let mut random = 0x2545_F491_4F6C_DD1D_u64;
    for _ in 0..500 {
        let mut tripled: Vec<usize> = (0..3 * history.len()).map(|n| n % history.len()).collect();
        for at in (1..tripled.len()).rev() {
            // Xorshift: the same shuffles in every run of the test.
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            tripled.swap(at, usize::try_from(random % (at as u64 + 1)).unwrap());
        }
        let world = world();
        waiting(&world).await;
        for batch in tripled.chunks(5) {
            deliver(&world, batch.iter().map(|number| &history[*number])).await;
        }
        assert_eq!(seen(&world, &id).await, in_order, "{tripled:?}");
    }
}

fn permutations(of: usize) -> Vec<Vec<usize>> {
    let mut all = vec![Vec::new()];
    for number in 0..of {
        all = all
            .into_iter()
            .flat_map(|order| {
                (0..=order.len()).map(move |place| {
                    let mut longer = order.clone();
                    longer.insert(place, number);
                    longer
                })
            })
            .collect();
    }
    all
}

#[tokio::test]
async fn a_failed_job_keeps_its_last_lines_and_its_reason() {
    let world = world();
    let run = waiting(&world).await;
    let lines = vec![
        "reading".to_owned(),
        "Traceback: no line “Cloud”".to_owned(),
    ];
    {
        let mut state = world.jobs.0.lock().unwrap();
        state
            .logs
            .insert("revenue-forecast/default/bb02".into(), lines.clone());
        state.logs.insert(
            "revenue-forecast/default/aa01".into(),
            vec!["the first attempt".into()],
        );
    }
    deliver(&world, [&job_failed(run.id.as_str())]).await;
    assert_eq!(world.store.log(&run.id).await.unwrap(), lines);
    let (_, end) = resumed(&world);
    let failure = end.failure.unwrap();
    assert_eq!(failure.code, ErrorCode::JobFailed);
    assert!(failure.message.contains("exit code 3"), "{failure}");
    let record = world.store.get(&run.id).await.unwrap().unwrap();
    assert_eq!(record.job_end.unwrap().failure, Some(failure));
    assert!(
        !record.current.progress.status.is_terminal(),
        "finish-run ends it"
    );
}

#[tokio::test]
async fn a_job_without_a_log_stream_fails_without_a_log() {
    let world = world();
    let run = waiting(&world).await;
    let mut event = job_failed(run.id.as_str());
    event["detail"]["attempts"] = json!([]);
    event["detail"]["statusReason"] =
        json!("MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT - too large");
    event["detail"].as_object_mut().unwrap().remove("startedAt");
    deliver(&world, [&event]).await;
    let (_, end) = resumed(&world);
    assert_eq!(end.failure.unwrap().code, ErrorCode::CapacityUnavailable);
    assert!(world.store.log(&run.id).await.unwrap().is_empty());
}

#[tokio::test]
async fn logs_that_cannot_be_read_now_are_read_with_the_next_delivery() {
    let world = world();
    let run = waiting(&world).await;
    let event = job_failed(run.id.as_str());
    world.jobs.0.lock().unwrap().unavailable = true;
    let answer = handle_events(&world, sqs([&event])).await.unwrap();
    assert_eq!(failed(&answer), ["message-0"]);
    assert!(world.executions.resumed().is_empty());
    {
        let mut state = world.jobs.0.lock().unwrap();
        state.unavailable = false;
        state
            .logs
            .insert("revenue-forecast/default/bb02".into(), vec!["line".into()]);
    }
    deliver(&world, [&event]).await;
    assert_eq!(world.store.log(&run.id).await.unwrap(), ["line"]);
    assert_eq!(resumed(&world).1.attempts, 2);
}

#[tokio::test]
async fn a_run_ends_even_if_its_log_cannot_be_read() {
    let world = world();
    let run = waiting(&world).await;
    world.jobs.0.lock().unwrap().denied = true;
    deliver(&world, [&job_failed(run.id.as_str())]).await;
    assert!(world.store.log(&run.id).await.unwrap().is_empty());
    assert_eq!(resumed(&world).1.attempts, 2);
}

#[tokio::test]
async fn an_execution_that_could_not_be_resumed_is_resumed_with_the_next_delivery() {
    let world = world();
    let run = waiting(&world).await;
    let history = job_with_a_retry(run.id.as_str());
    world.executions.set_unavailable(true);
    let answer = handle_events(&world, sqs([&history[5]])).await.unwrap();
    assert_eq!(failed(&answer), ["message-0"]);
    assert_eq!(
        world.store.task_token(&run.id).await.unwrap().unwrap(),
        TOKEN
    );
    world.executions.set_unavailable(false);
    deliver(&world, [&history[5]]).await;
    assert_eq!(resumed(&world).1.attempts, 2);
}

#[tokio::test]
async fn an_end_before_the_token_is_kept_for_submit_job() {
    let world = world();
    let run = new_run("plan.json");
    world.store.create_if_absent(&run).await.unwrap();
    deliver(&world, [&job_with_a_retry(run.id.as_str())[5]]).await;
    assert!(world.executions.resumed().is_empty());
    let record = world.store.get(&run.id).await.unwrap().unwrap();
    assert_eq!(record.job, Some(job()));
    assert_eq!(record.job_end.unwrap().attempts, 2);
}

#[tokio::test]
async fn jobs_that_are_not_ours_change_nothing() {
    let world = world();
    let run = waiting(&world).await;
    let before = seen(&world, &run.id).await;
    let mut other_queue = job_with_a_retry(run.id.as_str());
    for event in &mut other_queue {
        event["detail"]["jobQueue"] =
            json!("arn:aws:batch:eu-west-1:111122223333:job-queue/others");
    }
    let other_names = ["nightly-report", "", "NBSWY3DPO5XXE3DENBSWY3DPOE"];
    let other_names = other_names.map(|name| job_with_a_retry(name)[2].clone());
    // Named like a run, and there is none.
    let ghost = job_with_a_retry("mfrggzdfmztwq2lknnwg23tpoa")[2].clone();
    deliver(
        &world,
        other_queue.iter().chain(&other_names).chain([&ghost]),
    )
    .await;
    assert_eq!(seen(&world, &run.id).await, before);
    assert!(stopped(&world).is_empty());
}

#[tokio::test]
async fn an_unknown_status_and_unknown_fields_change_nothing() {
    let world = world();
    let run = waiting(&world).await;
    let before = seen(&world, &run.id).await;
    let mut event = job_with_a_retry(run.id.as_str())[2].clone();
    event["detail"]["status"] = json!("HIBERNATING");
    event["detail"]["hibernation"] = json!({ "since": 1, "depth": [null, {}] });
    deliver(&world, [&event]).await;
    assert_eq!(seen(&world, &run.id).await, before);
    event["detail"]["status"] = json!("RUNNING");
    deliver(&world, [&event]).await;
    let record = world.store.get(&run.id).await.unwrap().unwrap();
    assert_eq!(record.status(), Status::Running);
}

#[tokio::test]
async fn invariant_3_a_second_job_of_the_run_is_terminated_and_ignored() {
    let world = world();
    let run = waiting(&world).await;
    let first: JobId = "the-first-job".parse().unwrap();
    world.store.assign_job(&run.id, &first).await.unwrap();
    let before = world.store.get(&run.id).await.unwrap().unwrap();
    let history = job_with_a_retry(run.id.as_str());
    deliver(&world, [&history[2]]).await;
    assert_eq!(stopped(&world), [JOB]);
    deliver(&world, [&history[5]]).await;
    assert!(world.executions.resumed().is_empty());
    assert_eq!(world.store.get(&run.id).await.unwrap().unwrap(), before);
    assert_eq!(world.store.timeline(&run.id).await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_job_that_runs_on_after_its_run_is_over_is_terminated() {
    let world = world();
    let run = waiting(&world).await;
    let history = job_with_a_retry(run.id.as_str());
    deliver(&world, &history[..2]).await;
    let end = step(0, Status::Failed, 100_000);
    let over = world.store.finish(&run.id, end, None).await.unwrap();
    deliver(&world, [&history[2], &history[5]]).await;
    assert_eq!(stopped(&world), [JOB]);
    assert_eq!(world.store.get(&run.id).await.unwrap().unwrap(), over);
    assert!(world.executions.resumed().is_empty());
}

#[tokio::test]
async fn what_is_no_job_event_is_set_aside_and_the_others_are_handled() {
    let world = world();
    let run = waiting(&world).await;
    let mut nameless = job_with_a_retry(run.id.as_str())[2].clone();
    nameless["detail"]["jobId"] = json!("../../etc");
    let events = [
        json!({ "detail-type": "Batch Job Queue Blocked" }),
        job_with_a_retry(run.id.as_str())[2].clone(),
        nameless,
    ];
    let answer = handle_events(&world, sqs(&events)).await.unwrap();
    assert_eq!(failed(&answer), ["message-0", "message-2"]);
    let record = world.store.get(&run.id).await.unwrap().unwrap();
    assert_eq!(record.status(), Status::Running);
}
