//! The one job of a run.

#![expect(
    clippy::unwrap_used,
    reason = "A test that cannot go on fails, in its helpers too."
)]

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use dropcast_aws::CallError;
use dropcast_domain::{
    cancellation::Cancellation,
    failure::{ErrorCode, Failure},
    ids::{JobId, RunId},
    job::JobEnd,
    model::{JobSpec, RefreshSpec},
    run::{Acceptance, Run},
    status::Status,
};
use dropcast_store::{
    Cancellations as _, Jobs as _, Models as _, RunCompletion as _, Runs as _, TaskTokens as _,
    Validation as _, ValidationOutcome, memory::MemoryStore,
};
use dropcast_test_support::{
    executions::FakeExecutions,
    samples::{
        self, MODEL, acceptance, at, attempt, job, metadata, new_run, now, step, version_spec,
    },
    unavailable,
};
use lambda_runtime::Diagnostic;
use serde_json::json;
use submit_job::{Deps, JobQueue, JobRequest, Submit, handle};

const TOKEN: &str = "the-task-token";

/// A Batch queue.
#[derive(Debug, Clone)]
struct FakeQueue {
    state: Arc<Mutex<QueueState>>,
    /// What is in the table when a job is submitted.
    store: MemoryStore,
}

#[derive(Debug, Default)]
struct QueueState {
    jobs: BTreeMap<JobId, JobRequest>,
    stopped: Vec<JobId>,
    gone: bool,
    /// Takes the next job, and fails to say so.
    loses_answer: bool,
    /// Whether a token was kept when a job was submitted, job by job.
    token_was_kept: Vec<bool>,
    /// The job of another invocation that was faster.
    faster: Option<JobId>,
    /// The request that is recorded while a job is submitted.
    cancelled: Option<Cancellation>,
}

impl JobQueue for FakeQueue {
    async fn find(&self, run: &RunId, _terms: &JobSpec) -> Result<Option<JobId>, CallError> {
        let state = self.state.lock().unwrap();
        let found = state.jobs.iter().find(|(_, request)| request.name == *run);
        Ok(found.map(|(job, _)| job.clone()))
    }

    async fn is_active(&self, _definition: &str) -> Result<bool, CallError> {
        Ok(!self.state.lock().unwrap().gone)
    }

    async fn submit(&self, request: JobRequest) -> Result<JobId, CallError> {
        let kept = self
            .store
            .task_token(&request.name)
            .await
            .unwrap()
            .is_some();
        let faster = self.state.lock().unwrap().faster.clone();
        if let Some(faster) = faster {
            self.store.assign_job(&request.name, &faster).await.unwrap();
        }
        let cancelled = self.state.lock().unwrap().cancelled.clone();
        if let Some(cancellation) = cancelled {
            let run = &request.name;
            let recorded = self.store.request_cancellation(run, &cancellation).await;
            recorded.unwrap();
        }
        let mut state = self.state.lock().unwrap();
        state.token_was_kept.push(kept);
        let job: JobId = format!("job-{}", state.jobs.len() + 1).parse().unwrap();
        state.jobs.insert(job.clone(), request);
        if std::mem::take(&mut state.loses_answer) {
            return Err(unavailable("batch:SubmitJob"));
        }
        Ok(job)
    }

    async fn stop(&self, job: &JobId, _reason: &str) -> Result<(), CallError> {
        self.state.lock().unwrap().stopped.push(job.clone());
        Ok(())
    }
}

type World = Deps<MemoryStore, FakeQueue, FakeExecutions>;

/// A run whose input was accepted.
async fn world() -> (World, Run) {
    let store = MemoryStore::default();
    let world = Deps {
        queue: FakeQueue {
            state: Arc::default(),
            store: store.clone(),
        },
        executions: FakeExecutions::default(),
        results_bucket: "corp-results".into(),
        now,
        store,
    };
    world.store.register(&version_spec(MODEL)).await.unwrap();
    let run = new_run("plan.json");
    world.store.create_if_absent(&run).await.unwrap();
    let outcome = ValidationOutcome::Accepted(acceptance(&run.id));
    world
        .store
        .record_validation(&run.id, &metadata(&[]), &outcome)
        .await
        .unwrap();
    (world, run)
}

fn submit(run: &Run, token: &str) -> Submit {
    submit_attempt(run, token, 0)
}

/// The input of an attempt after so many retries.
fn submit_attempt(run: &Run, token: &str, retry_count: u32) -> Submit {
    let submit = json!({ "runId": run.id, "taskToken": token, "attempt": attempt(retry_count) });
    serde_json::from_value(submit).unwrap()
}

fn jobs(world: &World) -> BTreeMap<JobId, JobRequest> {
    world.queue.state.lock().unwrap().jobs.clone()
}

async fn record(world: &World, run: &Run) -> Run {
    world.store.get(&run.id).await.unwrap().unwrap()
}

#[tokio::test]
async fn the_job_has_the_runs_name_and_the_locations_of_its_files() {
    let (world, run) = world().await;
    let answer = handle(&world, submit(&run, TOKEN)).await.unwrap();
    let jobs = jobs(&world);
    let request = &jobs[&answer.job_id.clone().unwrap()];
    assert_eq!(request.name, run.id);
    assert_eq!(request.definition, version_spec(MODEL).job_definition);
    assert_eq!(request.command, None, "the definition's own");
    let environment: BTreeMap<_, _> = request.environment.iter().cloned().collect();
    let id = &run.id;
    let expected = [
        ("DROPCAST_RUN_ID", id.to_string()),
        ("DROPCAST_RUN_KIND", "run".to_owned()),
        ("DROPCAST_MODEL", MODEL.to_owned()),
        ("DROPCAST_VERSION", "1".to_owned()),
        (
            "DROPCAST_INPUT_URI",
            format!("s3://corp-results/runs/{MODEL}/{id}/prepared/plan.json"),
        ),
        (
            "DROPCAST_ORIGINAL_URI",
            format!("s3://corp-results/runs/{MODEL}/{id}/input/plan.json"),
        ),
        (
            "DROPCAST_OUTPUT_URI",
            format!("s3://corp-results/runs/{MODEL}/{id}/outputs/"),
        ),
        (
            "DROPCAST_CACHE_URI",
            format!("s3://corp-results/cache/{MODEL}/"),
        ),
    ];
    assert_eq!(
        environment,
        expected
            .map(|(name, value)| (name.to_owned(), value))
            .into()
    );
    let schema = include_str!("../../../schemas/job-context.schema.json");
    let schema = serde_json::from_str(schema).unwrap();
    jsonschema::validate(&schema, &json!(environment)).unwrap();
    let record = record(&world, &run).await;
    assert_eq!(record.job, answer.job_id);
    assert_eq!(record.current, step(0, Status::Submitted, 500));
}

#[tokio::test]
async fn a_refresh_gets_its_own_command_and_no_input() {
    let (world, _) = world().await;
    let mut spec = version_spec(MODEL);
    spec.manifest.refresh = Some(RefreshSpec {
        command: vec!["python".into(), "refresh.py".into()],
        schedule: None,
    });
    let version = world.store.register(&spec).await.unwrap().version;
    let mut upload = samples::upload(MODEL, "now.json");
    upload.key = format!("refresh/{MODEL}/now.json");
    let run = samples::run_of(upload);
    world.store.create_if_absent(&run).await.unwrap();
    let outcome = ValidationOutcome::Accepted(Acceptance {
        version,
        input: None,
    });
    let metadata = metadata(&[]);
    world
        .store
        .record_validation(&run.id, &metadata, &outcome)
        .await
        .unwrap();
    let answer = handle(&world, submit(&run, TOKEN)).await.unwrap();
    let jobs = jobs(&world);
    let request = &jobs[&answer.job_id.clone().unwrap()];
    assert_eq!(
        request.command.as_deref().unwrap(),
        ["dropcast-job", "--", "python", "refresh.py"]
    );
    let environment: BTreeMap<_, _> = request.environment.iter().cloned().collect();
    assert_eq!(environment["DROPCAST_RUN_KIND"], "refresh");
    assert!(!environment.contains_key("DROPCAST_INPUT_URI"));
    assert!(!environment.contains_key("DROPCAST_ORIGINAL_URI"));
    let schema = include_str!("../../../schemas/job-context.schema.json");
    let schema = serde_json::from_str(schema).unwrap();
    jsonschema::validate(&schema, &json!(environment)).unwrap();
}

#[tokio::test]
async fn the_token_is_kept_before_the_job_is_submitted() {
    let (world, run) = world().await;
    handle(&world, submit(&run, TOKEN)).await.unwrap();
    assert_eq!(world.queue.state.lock().unwrap().token_was_kept, [true]);
    assert_eq!(
        world.store.task_token(&run.id).await.unwrap().unwrap(),
        TOKEN
    );
}

#[tokio::test]
async fn invariant_7_the_token_is_in_no_jobs_environment_and_no_answer() {
    let (world, run) = world().await;
    let answer = handle(&world, submit(&run, TOKEN)).await.unwrap();
    assert!(!format!("{:?}", jobs(&world)).contains(TOKEN));
    assert!(!serde_json::to_string(&answer).unwrap().contains(TOKEN));
}

#[tokio::test]
async fn a_job_whose_submission_got_no_answer_is_found_and_not_submitted_again() {
    let (world, run) = world().await;
    world.queue.state.lock().unwrap().loses_answer = true;
    let error = handle(&world, submit(&run, "older")).await.unwrap_err();
    assert_eq!(Diagnostic::from(error).error_type, "Transient");
    assert_eq!(record(&world, &run).await.job, None);
    let answer = handle(&world, submit_attempt(&run, "newer", 1))
        .await
        .unwrap();
    assert_eq!(jobs(&world).len(), 1);
    assert_eq!(record(&world, &run).await.job, answer.job_id);
    assert_eq!(
        world.store.task_token(&run.id).await.unwrap().unwrap(),
        "newer"
    );
}

#[tokio::test]
async fn a_second_invocation_submits_nothing() {
    let (world, run) = world().await;
    let first = handle(&world, submit(&run, TOKEN)).await.unwrap();
    let second = handle(&world, submit(&run, TOKEN)).await.unwrap();
    assert_eq!(first.job_id, second.job_id);
    assert_eq!(jobs(&world).len(), 1);
    assert!(world.queue.state.lock().unwrap().stopped.is_empty());
}

#[tokio::test]
async fn invariant_3_a_job_that_lost_the_race_is_stopped() {
    let (world, run) = world().await;
    world.queue.state.lock().unwrap().faster = Some(job());
    let answer = handle(&world, submit(&run, TOKEN)).await.unwrap();
    assert_eq!(answer.job_id, Some(job()));
    let slower: JobId = "job-1".parse().unwrap();
    assert_eq!(world.queue.state.lock().unwrap().stopped, [slower]);
    assert_eq!(record(&world, &run).await.job, Some(job()));
}

#[tokio::test]
async fn a_job_that_has_ended_already_resumes_the_execution_at_once() {
    let failure = Failure::new(ErrorCode::HostLost, "The machine went away.");
    for failure in [None, Some(failure)] {
        let (world, run) = world().await;
        let end = JobEnd {
            attempts: 1,
            at: at(300),
            failure,
            log_stream: None,
        };
        world.store.assign_job(&run.id, &job()).await.unwrap();
        world.store.record_job_end(&run.id, &end).await.unwrap();
        let answer = handle(&world, submit(&run, TOKEN)).await.unwrap();
        assert_eq!(answer.job_id, Some(job()));
        assert!(jobs(&world).is_empty());
        let expected = BTreeMap::from([(TOKEN.to_owned(), (job(), end))]);
        assert_eq!(world.executions.resumed(), expected);
        assert_eq!(
            world.store.task_token(&run.id).await.unwrap(),
            None,
            "spent"
        );
    }
}

#[tokio::test]
async fn a_version_whose_job_definition_is_gone_is_refused_by_its_name() {
    let (world, run) = world().await;
    world.queue.state.lock().unwrap().gone = true;
    let error = handle(&world, submit(&run, TOKEN)).await.unwrap_err();
    let error = Diagnostic::from(error);
    assert_eq!(error.error_type, "VersionUnknown");
    assert_eq!(
        error.error_message,
        "Version 1 of revenue-forecast can no longer run, because its job definition was deregistered."
    );
    assert!(jobs(&world).is_empty());
}

#[tokio::test]
async fn a_run_that_was_never_accepted_is_our_own_failure() {
    let (world, _) = world().await;
    let run = new_run("other.json");
    world.store.create_if_absent(&run).await.unwrap();
    let error = handle(&world, submit(&run, TOKEN)).await.unwrap_err();
    assert_eq!(Diagnostic::from(error).error_type, "Internal");
    let unknown = new_run("never dropped.json");
    let error = handle(&world, submit(&unknown, TOKEN)).await.unwrap_err();
    assert_eq!(Diagnostic::from(error).error_type, "Internal");
    assert!(jobs(&world).is_empty());
}

#[tokio::test]
async fn a_run_that_is_over_gets_no_job() {
    let (world, run) = world().await;
    let end = step(0, Status::Cancelled, 400);
    let over = world.store.finish(&run.id, end, None).await.unwrap();
    let _ = handle(&world, submit(&run, TOKEN)).await;
    assert!(jobs(&world).is_empty());
    assert_eq!(record(&world, &run).await, over);
}

fn cancellation() -> Cancellation {
    Cancellation::new("arn:aws:iam::1:user/ana", Some("wrong file"), at(300))
}

#[tokio::test]
async fn a_run_that_was_cancelled_before_gets_no_job() {
    let (world, run) = world().await;
    let request = cancellation();
    let recorded = world.store.request_cancellation(&run.id, &request).await;
    assert_eq!(recorded.unwrap().cancellation, Some(request.clone()));
    let error = handle(&world, submit(&run, TOKEN)).await.unwrap_err();
    let error = Diagnostic::from(error);
    assert_eq!(error.error_type, "Cancelled");
    assert_eq!(error.error_message, request.sentence());
    assert!(jobs(&world).is_empty());
}

#[tokio::test]
async fn the_job_of_a_run_that_is_cancelled_while_it_is_submitted_is_stopped() {
    let (world, run) = world().await;
    world.queue.state.lock().unwrap().cancelled = Some(cancellation());
    let job = handle(&world, submit(&run, TOKEN)).await.unwrap().job_id;
    assert_eq!(world.queue.state.lock().unwrap().stopped, [job.unwrap()]);
    // An attempt that crashed before it stopped the job is repeated.
    let again = handle(&world, submit_attempt(&run, "again", 1)).await;
    assert!(again.is_ok());
    assert_eq!(jobs(&world).len(), 1);
    assert_eq!(world.queue.state.lock().unwrap().stopped.len(), 2);
}

#[tokio::test]
async fn an_attempt_that_was_given_up_leaves_the_job_to_the_later_one() {
    let (world, run) = world().await;
    let later = handle(&world, submit_attempt(&run, "later", 1)).await;
    let given_up = handle(&world, submit_attempt(&run, "given up", 0)).await;
    assert_eq!(jobs(&world).len(), 1);
    assert!(jobs(&world).contains_key(&later.unwrap().job_id.unwrap()));
    assert_eq!(given_up.unwrap().job_id, None);
    let token = world.store.task_token(&run.id).await.unwrap();
    assert_eq!(token.as_deref(), Some("later"));
}
