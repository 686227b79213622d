//! The functions, invoked with the events that they get on AWS.
//!
//! `start-run`, `submit-job`, `track-job`, `finish-run`, `announce-run` and `notify` are the real
//! handlers. `validate-inputs` and `index-outputs` read and write files in S3, which is not
//! simulated: the calls of the table that they make are simulated instead, in their order.

use std::{future::Future, pin::Pin};

use dropcast_app::{
    repair::{RepairDeps, repair_runs},
    runs::cancel_run,
    versions,
};
use dropcast_domain::{
    cancellation::Cancellation,
    ids::{JobId, RunId},
    run::Run,
    status::{Progress, Status, Transition},
};
use dropcast_lambda_kit::error::HandlerError;
use dropcast_store::{Outputs as _, Runs as _, StoreError, Validation as _, ValidationOutcome};
use dropcast_test_support::samples;
use lambda_runtime::Diagnostic;
use serde_json::{Value, json};

use crate::{
    batch::JOB_QUEUE,
    clock,
    services::Services,
    table::Table,
    world::{Shared, lock},
};

/// Who is mailed about every run.
pub(crate) const RECIPIENT: &str = "planner@corp.example";

/// An error as its caller sees it: its name and its text.
pub(crate) type TaskError = (String, String);

/// What an invocation answers.
pub(crate) enum Answer {
    /// A batch of a queue: the ids of the messages to deliver again.
    Messages(Vec<String>),
    /// A batch of the stream: the change to begin again with.
    Changes(Option<u64>),
    /// A pass of the repair.
    Repaired,
    /// Whether a request to cancel a run was answered, rather than with an error.
    Cancelled(bool),
    /// A task.
    Task(Result<Value, TaskError>),
}

/// An invocation under way.
pub(crate) type Invocation = Pin<Box<dyn Future<Output = Answer> + Send>>;

/// The functions that SQS invokes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Consumer {
    StartRun,
    TrackJob,
    Notify,
}

impl Consumer {
    pub(crate) const ALL: [Self; 3] = [Self::StartRun, Self::TrackJob, Self::Notify];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::StartRun => "start-run",
            Self::TrackJob => "track-job",
            Self::Notify => "notify",
        }
    }

    /// The function's timeout, in seconds.
    pub(crate) fn timeout_seconds(self) -> i64 {
        match self {
            Self::StartRun => 15,
            Self::TrackJob => 20,
            Self::Notify => 30,
        }
    }
}

/// The functions over one world.
#[derive(Clone)]
pub(crate) struct Functions {
    pub(crate) table: Table,
    pub(crate) world: Shared,
}

impl Functions {
    fn services(&self) -> Services {
        Services(self.world.clone())
    }

    /// Invokes a function with messages of its queue.
    pub(crate) fn consume(&self, consumer: Consumer, event: &Value) -> Invocation {
        let event = serde_json::from_value(event.clone()).unwrap();
        let (store, services) = (self.table.clone(), self.services());
        let functions = self.clone();
        Box::pin(async move {
            let answer = match consumer {
                Consumer::StartRun => {
                    let deps = start_run::Deps {
                        store,
                        executions: services,
                        retention_days: 90,
                    };
                    start_run::handle(&deps, event).await
                }
                Consumer::TrackJob => track_job::handle_events(&functions.track_job(), event).await,
                Consumer::Notify => {
                    let deps = notify::Deps {
                        store,
                        files: services.clone(),
                        keys: services.clone(),
                        mailer: services,
                        now: clock::now,
                        config: notify_config(),
                    };
                    notify::handle(&deps, event).await
                }
            };
            let Ok(answer) = answer;
            let failures = answer.batch_item_failures.into_iter();
            Answer::Messages(failures.map(|failure| failure.item_identifier).collect())
        })
    }

    /// Invokes announce-run with a batch of the table's changes.
    pub(crate) fn announce(&self, event: &Value) -> Invocation {
        let changes = serde_json::from_value(event.clone()).unwrap();
        let deps = announce_run::Deps {
            events: self.services(),
            dead_letters: self.services(),
        };
        Box::pin(async move {
            let Ok(failed) = announce_run::handle(&deps, changes).await;
            let failed = serde_json::to_value(failed).unwrap();
            let first = failed["batchItemFailures"][0]["itemIdentifier"].as_str();
            Answer::Changes(first.map(|number| number.parse().unwrap()))
        })
    }

    /// Invokes repair-runs.
    pub(crate) fn repair(&self) -> Invocation {
        let deps = RepairDeps {
            store: self.table.clone(),
            executions: self.services(),
            jobs: self.services(),
            uploads: self.services(),
            events: self.services(),
            retention_days: 90,
        };
        let world = self.world.clone();
        Box::pin(async move {
            let report = repair_runs(&deps, clock::now()).await;
            let mut world = lock(&world);
            for (run, reason) in report.repaired {
                world.trace.note(|| format!("repaired: {run}: {reason}"));
            }
            Answer::Repaired
        })
    }

    /// Cancels a run, as somebody's command does.
    pub(crate) fn cancel(&self, run: RunId) -> Invocation {
        let (store, services) = (self.table.clone(), self.services());
        Box::pin(async move {
            let request = Cancellation::new("ana", Some("wrong file"), clock::now());
            let outcome = cancel_run(&store, &services, &run, &request).await;
            Answer::Cancelled(outcome.is_ok())
        })
    }

    /// Invokes the function of a task.
    pub(crate) fn task(&self, function: &str, payload: Value) -> Invocation {
        let functions = self.clone();
        let function = function.to_owned();
        Box::pin(async move {
            Answer::Task(match function.as_str() {
                "${ValidateInputsArn}" => functions.validate(payload).await,
                "${SubmitJobArn}" => functions.submit(payload).await,
                "${TrackJobArn}" => functions.ask(payload).await,
                "${IndexOutputsArn}" => functions.index(payload).await,
                "${FinishRunArn}" => functions.finish(payload).await,
                other => panic!("functions.rs does not know {other}"),
            })
        })
    }

    async fn submit(&self, payload: Value) -> Result<Value, TaskError> {
        let deps = submit_job::Deps {
            store: self.table.clone(),
            queue: self.services(),
            executions: self.services(),
            results_bucket: "results".to_owned(),
            now: clock::now,
        };
        let submit = serde_json::from_value(payload).unwrap();
        let answer = submit_job::handle(&deps, submit).await;
        answer.map(|answer| json!(answer)).map_err(task_error)
    }

    async fn ask(&self, payload: Value) -> Result<Value, TaskError> {
        let request = serde_json::from_value(payload).unwrap();
        let answer = track_job::job_end(&self.track_job(), request).await;
        answer.map(|answer| json!(answer)).map_err(task_error)
    }

    fn track_job(&self) -> track_job::Deps<Table, Services, Services> {
        track_job::Deps {
            store: self.table.clone(),
            executions: self.services(),
            jobs: self.services(),
            job_queues: vec![JOB_QUEUE.to_owned()],
        }
    }

    async fn finish(&self, payload: Value) -> Result<Value, TaskError> {
        let deps = finish_run::Deps {
            store: self.table.clone(),
            jobs: self.services(),
            now: clock::now,
        };
        let finish = serde_json::from_value(payload).unwrap();
        let answer = finish_run::handle(&deps, finish).await;
        answer.map(|answer| json!(answer)).map_err(task_error)
    }

    async fn validate(&self, payload: Value) -> Result<Value, TaskError> {
        let run = run_of(&payload);
        self.validate_run(&run).await.map_err(store_error)
    }

    async fn validate_run(&self, id: &RunId) -> Result<Value, StoreError> {
        let run = self.existing(id).await?;
        self.table
            .advance(id, reached(0, Status::Validating))
            .await?;
        let metadata = samples::metadata(&[RECIPIENT]);
        // The same file is rejected each time that it is read.
        let outcome = if run.upload.key.contains("faulty") {
            ValidationOutcome::Rejected {
                problem_count: 1,
                version: None,
                marked: false,
            }
        } else {
            let version =
                versions::resolve_version(&self.table, &run.request, run.upload.at).await?;
            let mut acceptance = samples::acceptance(id);
            acceptance.version = version.unwrap().version;
            ValidationOutcome::Accepted(acceptance)
        };
        self.table
            .record_validation(id, &metadata, &outcome)
            .await?;
        Ok(match outcome {
            ValidationOutcome::Accepted(_) => {
                let job = samples::version_spec(samples::MODEL).manifest.job;
                json!({ "outcome": "accepted", "waitSeconds": job.wait_seconds() })
            }
            ValidationOutcome::Rejected { .. } => {
                json!({ "outcome": "rejected", "code": "InputRejected", "message": "One problem." })
            }
        })
    }

    async fn index(&self, payload: Value) -> Result<Value, TaskError> {
        let job: JobId = serde_json::from_value(payload["jobId"].clone()).unwrap();
        let attempt: u32 = serde_json::from_value(payload["attempt"].clone()).unwrap();
        self.index_run(&run_of(&payload), &job, attempt).await
    }

    async fn index_run(&self, id: &RunId, job: &JobId, attempt: u32) -> Result<Value, TaskError> {
        let run = self.existing(id).await.map_err(store_error)?;
        let collecting = reached(attempt, Status::Collecting);
        self.table
            .advance(id, collecting)
            .await
            .map_err(store_error)?;
        if run.job.as_ref() != Some(job) {
            return Err(("Internal".to_owned(), "the run has another job".to_owned()));
        }
        lock(&self.world).published(id, job);
        let outputs = [samples::output(id, "forecast.csv")];
        let published = self.table.publish(id, &outputs, 1).await;
        published.map_err(store_error)?;
        Ok(json!({ "outcome": "indexed", "count": 1 }))
    }

    async fn existing(&self, id: &RunId) -> Result<Run, StoreError> {
        let run = self.table.get(id).await?;
        run.ok_or_else(|| StoreError::NoSuchRun(id.clone()))
    }
}

fn run_of(payload: &Value) -> RunId {
    serde_json::from_value(payload["runId"].clone()).unwrap()
}

fn reached(attempts: u32, status: Status) -> Transition {
    Transition {
        progress: Progress { attempts, status },
        at: clock::now(),
    }
}

fn store_error(error: StoreError) -> TaskError {
    task_error(error.into())
}

/// An error as Lambda hands it to Step Functions.
fn task_error(error: HandlerError) -> TaskError {
    let Diagnostic {
        error_type,
        error_message,
    } = error.into();
    let cause = json!({ "errorType": error_type, "errorMessage": error_message });
    (error_type, cause.to_string())
}

fn notify_config() -> notify::Config {
    notify::Config {
        runs_table: "runs".to_owned(),
        results_bucket: "results".to_owned(),
        link_secret_arn: "secret".to_owned(),
        link_base_url: "https://links.corp.example".to_owned(),
        link_lifetime_days: 30,
        sender_address: "forecasts@corp.example".to_owned(),
        operator_address: "operator@corp.example".to_owned(),
        allowed_recipient_domains: vec!["corp.example".to_owned()],
    }
}
