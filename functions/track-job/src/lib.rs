//! Moves a run forward as its job moves, and resumes its execution at the end.
//!
//! What an event means is decided in [`dropcast_domain::job::decide`]; here it
//! is done.

mod config;
mod error;
mod event;

use std::convert::Infallible;

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent};
pub use config::Config;
use dropcast_app::jobs::{follow_job, load_job_end};
use dropcast_aws::ports::{DescribeJobs, JobLogs, ResumeExecutions, StopJobs};
use dropcast_lambda_kit::{
    batch::{self, Envelope},
    error::HandlerError,
};
use dropcast_store::{Jobs, Runs, TaskTokens};
pub use error::Error;
pub use event::{Invocation, JobEndRequest, JobOutcome, JobStateChange, Response};

#[derive(Debug)]
pub struct Deps<S, X, J> {
    pub store: S,
    pub executions: X,
    pub jobs: J,
    /// The queues whose jobs are ours.
    pub job_queues: Vec<String>,
}

/// Handles a batch of events, or a request of the state machine.
pub async fn handle<S, X, J>(
    deps: &Deps<S, X, J>,
    invocation: Invocation,
) -> Result<Response, HandlerError>
where
    S: Runs + Jobs + TaskTokens,
    X: ResumeExecutions,
    J: DescribeJobs + JobLogs + StopJobs,
{
    match invocation {
        Invocation::JobEnd(request) => job_end(deps, request).await.map(Response::JobEnd),
        Invocation::Events(event) => {
            let Ok(answer) = handle_events(deps, event).await;
            Ok(Response::Events(answer))
        }
    }
}

/// Handles a batch of `Batch Job State Change` events.
pub async fn handle_events<S, X, J>(
    deps: &Deps<S, X, J>,
    event: SqsEvent,
) -> Result<SqsBatchResponse, Infallible>
where
    S: Runs + Jobs + TaskTokens,
    X: ResumeExecutions,
    J: JobLogs + StopJobs,
{
    Ok(batch::each(event, |event: Envelope<JobStateChange>| track(deps, event)).await)
}

/// Returns how a run's job ended; asks Batch if no event has reported it.
pub async fn job_end<S, X, J>(
    deps: &Deps<S, X, J>,
    request: JobEndRequest,
) -> Result<JobOutcome, HandlerError>
where
    S: Runs + Jobs + TaskTokens,
    X: ResumeExecutions,
    J: DescribeJobs + JobLogs + StopJobs,
{
    let Deps {
        store,
        executions,
        jobs,
        ..
    } = deps;
    let ended = load_job_end(store, executions, jobs, &request.run_id).await;
    Ok(ended.map_err(Error::from)?.into())
}

async fn track<S, X, J>(deps: &Deps<S, X, J>, event: Envelope<JobStateChange>) -> Result<(), Error>
where
    S: Runs + Jobs + TaskTokens,
    X: ResumeExecutions,
    J: JobLogs + StopJobs,
{
    // Others may use the queue too: a job is ours if its name is the id of a run that has a record.
    let Some(run_id) = event.detail.run_of(&deps.job_queues) else {
        tracing::info!("not a job of this deployment");
        return Ok(());
    };
    let change = event.detail.changed_at(event.time)?;
    let known = follow_job(&deps.store, &deps.executions, &deps.jobs, &run_id, &change).await?;
    if known {
        tracing::info!(run.id = %run_id, batch.job_id = %change.job, "the run's status follows its job");
    } else {
        tracing::warn!(run.id = %run_id, "a job is named after a run that does not exist");
    }
    Ok(())
}
