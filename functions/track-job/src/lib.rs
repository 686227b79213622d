//! Moves a run forward as its job moves, and resumes its execution at the end.
//!
//! What an event means is decided in [`dropcast_domain::job::decide`]; here it
//! is done.

mod config;
mod error;
mod event;
mod jobs;

use std::convert::Infallible;

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent};
use dropcast_aws::executions::ResumeExecutions;
use dropcast_domain::{
    ids::{JobId, RunId},
    job::{Effect, JobEnd, decide},
};
use dropcast_lambda_kit::{
    batch::{self, Envelope},
    error::{Class, FunctionError as _},
    telemetry,
};
use dropcast_store::{Jobs, Runs, TaskTokens};

pub use config::Config;
pub use error::Error;
pub use event::JobStateChange;
pub use jobs::{AwsJobs, JobTrace};

#[derive(Debug)]
pub struct Deps<S, X, J> {
    pub store: S,
    pub executions: X,
    pub jobs: J,
    /// The queues whose jobs are ours.
    pub job_queues: Vec<String>,
}

/// Handles a batch of `Batch Job State Change` events.
pub async fn handle<S, X, J>(
    deps: &Deps<S, X, J>,
    event: SqsEvent,
) -> Result<SqsBatchResponse, Infallible>
where
    S: Runs + Jobs + TaskTokens,
    X: ResumeExecutions,
    J: JobTrace,
{
    Ok(batch::each(event, |event: Envelope<JobStateChange>| track(deps, event)).await)
}

async fn track<S, X, J>(deps: &Deps<S, X, J>, event: Envelope<JobStateChange>) -> Result<(), Error>
where
    S: Runs + Jobs + TaskTokens,
    X: ResumeExecutions,
    J: JobTrace,
{
    // Others may use the queue too: a job is ours if its name is the id of a run that has a record.
    let Some(run_id) = event.detail.run_of(&deps.job_queues) else {
        tracing::info!("not a job of this deployment");
        return Ok(());
    };
    let change = event.detail.changed_at(event.time)?;
    // A second time if another job was assigned between the read and the write.
    for _ in 0..2 {
        let Some(run) = deps.store.get(&run_id).await? else {
            tracing::warn!(run.id = %run_id, "a job is named after a run that does not exist");
            return Ok(());
        };
        if perform(deps, &run_id, &change.job, decide(&run, &change)).await? {
            return Ok(());
        }
    }
    Ok(())
}

/// Performs the effects; false if the run turns out to have another job.
async fn perform<S, X, J>(
    deps: &Deps<S, X, J>,
    run: &RunId,
    job: &JobId,
    effects: Vec<Effect>,
) -> Result<bool, Error>
where
    S: Runs + Jobs + TaskTokens,
    X: ResumeExecutions,
    J: JobTrace,
{
    for effect in effects {
        match effect {
            Effect::AssignJob(job) => {
                if deps.store.assign_job(run, &job).await? != job {
                    return Ok(false);
                }
            }
            Effect::Advance(step) => {
                deps.store.advance(run, step).await?;
            }
            Effect::KeepLog(stream) => {
                let lines = match deps.jobs.last_lines(&stream).await {
                    Err(error) if error.class() == Class::Permanent => {
                        // The run must end even if its job's log cannot be read.
                        telemetry::log_failure(&error, "the failed job's log cannot be read");
                        Vec::new()
                    }
                    lines => lines?,
                };
                if !lines.is_empty() {
                    deps.store.put_log(run, &lines).await?;
                }
            }
            Effect::RecordJobEnd(end) => deps.store.record_job_end(run, &end).await?,
            Effect::Resume(end) => resume(deps, run, job, &end).await?,
            Effect::Terminate(job, reason) => deps.jobs.stop(&job, reason).await?,
        }
    }
    tracing::info!(run.id = %run, batch.job_id = %job, "the run's status follows its job");
    Ok(true)
}

/// Resumes the execution unless its token was used.
async fn resume<S: TaskTokens, X: ResumeExecutions, J>(
    deps: &Deps<S, X, J>,
    run: &RunId,
    job: &JobId,
    end: &JobEnd,
) -> Result<(), Error> {
    let Some(token) = deps.store.task_token(run).await? else {
        return Ok(());
    };
    deps.executions.resume(&token, job, end).await?;
    deps.store.delete_task_token(run, &token).await?;
    Ok(())
}
