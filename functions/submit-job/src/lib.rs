//! Submits the one Batch job of a run.
//!
//! `SubmitJob` has no client token, so a retried submit could start two jobs.
//! The order here makes that rare and harmless: the token is stored first, then the run's job is
//! searched by its name, and only then is one submitted; the record names the first one, and any
//! other is stopped.

mod config;
mod error;
mod event;
mod queue;

pub use config::Config;
use dropcast_aws::ports::ResumeExecutions;
use dropcast_domain::{
    job::{JobContext, stop_reason},
    keys::cache_prefix,
    model::{ModelName, job_command},
    registry::RegisteredVersion,
    run::Run,
    status::{Progress, Status, Transition},
    upload::RunKind,
};
use dropcast_lambda_kit::error::HandlerError;
use dropcast_store::{Jobs, Models, Runs, StoreError, TaskTokens};
pub use error::Error;
pub use event::{Submit, Submitted};
use jiff::Timestamp;
pub use queue::{BatchQueue, JobQueue, JobRequest, Queues};

#[derive(Debug)]
pub struct Deps<S, Q, X> {
    pub store: S,
    /// The Batch queue.
    pub queue: Q,
    /// The state machine, to resume an execution whose job ended already.
    pub executions: X,
    pub results_bucket: String,
    pub now: fn() -> Timestamp,
}

/// Makes sure that the run has its one job, whose end will resume the execution.
pub async fn handle<S, Q, X>(
    deps: &Deps<S, Q, X>,
    submit: Submit,
) -> Result<Submitted, HandlerError>
where
    S: Runs + Jobs + TaskTokens + Models,
    Q: JobQueue,
    X: ResumeExecutions,
{
    Ok(provide_job(deps, submit).await?)
}

async fn provide_job<S, Q, X>(deps: &Deps<S, Q, X>, submit: Submit) -> Result<Submitted, Error>
where
    S: Runs + Jobs + TaskTokens + Models,
    Q: JobQueue,
    X: ResumeExecutions,
{
    let Submit {
        run_id,
        task_token,
        attempt,
    } = submit;
    let newest = deps
        .store
        .put_task_token(&run_id, &task_token, attempt)
        .await?;
    if !newest {
        // The state machine gave up on this attempt; the later one provides the job.
        tracing::warn!(run.id = %run_id, "a later attempt at this task has begun");
        return Ok(Submitted { job_id: None });
    }
    // Read after the token is stored: either this sees the job's end, or track-job, which records
    // the end, sees the token.
    let run = deps
        .store
        .get(&run_id)
        .await?
        .ok_or_else(|| StoreError::NoSuchRun(run_id.clone()))?;
    if let (Some(job), Some(end)) = (&run.job, &run.job_end) {
        deps.executions.resume(&task_token, job, end).await?;
        deps.store.delete_task_token(&run_id, &task_token).await?;
        return Ok(Submitted {
            job_id: Some(job.clone()),
        });
    }
    // Before the job is submitted: its first event may come before this function ends.
    let submitted_at = (deps.now)();
    if run.is_over() {
        return Err(Error::Over);
    }
    let job = if let Some(job) = &run.job {
        job.clone()
    } else {
        let version = registered(&deps.store, &run).await?;
        let terms = &version.spec.manifest.job;
        if let Some(job) = deps.queue.find(&run_id, terms).await? {
            job
        } else if let Some(request) = &run.cancellation {
            return Err(Error::Cancelled(request.sentence()));
        } else {
            let request = request(deps, &run, version).await?;
            deps.queue.submit(request).await?
        }
    };
    let assigned = deps.store.assign_job(&run_id, &job).await?;
    let Some(counts) = assigned.job else {
        // It ended while this attempt was slow, or after it was given up on.
        deps.queue.stop(&job, stop_reason::RUN_ENDED).await?;
        return Err(Error::Over);
    };
    if counts != job {
        deps.queue.stop(&job, stop_reason::OTHER_JOB).await?;
    }
    // The request was recorded before the record named a job that could be stopped.
    if assigned.cancellation.is_some() {
        deps.queue.stop(&counts, stop_reason::CANCELLED).await?;
    }
    // Batch sends no event for the first SUBMITTED.
    let submitted = Transition {
        progress: Progress::first(Status::Submitted),
        at: submitted_at,
    };
    deps.store.advance(&run_id, submitted).await?;
    tracing::info!(run.id = %run_id, batch.job_id = %counts, "the run's job is recorded");
    Ok(Submitted {
        job_id: Some(counts),
    })
}

async fn request<S, Q: JobQueue, X>(
    deps: &Deps<S, Q, X>,
    run: &Run,
    version: RegisteredVersion,
) -> Result<JobRequest, Error> {
    let definition = &version.spec.job_definition;
    if !deps.queue.is_active(definition).await? {
        return Err(Error::DefinitionGone {
            model: version.model,
            version: version.version,
        });
    }
    let manifest = version.spec.manifest;
    let bucket = &deps.results_bucket;
    let uri = |key: &str| format!("s3://{bucket}/{key}");
    let (command, input) = match run.kind {
        RunKind::Run => (None, Some(run.input.as_ref().ok_or(Error::NotAccepted)?)),
        RunKind::Refresh => {
            let refresh = manifest.refresh.as_ref().ok_or(Error::NotAccepted)?;
            (Some(job_command(&refresh.command)), None)
        }
    };
    let context = JobContext {
        run: run.id.clone(),
        kind: run.kind,
        input: input.map(|input| uri(&input.prepared_key)),
        original: input.map(|input| uri(&input.key)),
        outputs: uri(&run.keys().outputs()),
        cache: uri(&cache_prefix(&version.model)),
        model: version.model,
        version: version.version.to_string(),
    };
    Ok(JobRequest {
        name: run.id.clone(),
        definition: definition.clone(),
        command,
        environment: context.variables(),
        terms: manifest.job,
    })
}

async fn registered<S: Models>(store: &S, run: &Run) -> Result<RegisteredVersion, Error> {
    let version = run.version.ok_or(Error::NotAccepted)?;
    let model: ModelName = run.request.model.parse().map_err(|_| Error::NotAccepted)?;
    let found = store.version(&model, version).await?;
    found.ok_or(Error::DefinitionGone { model, version })
}
