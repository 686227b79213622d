//! What a change of a job does to its run.

use dropcast_aws::{
    CallError,
    ports::{DescribeJobs, JobLogs, ResumeExecutions, StopJobs},
};
use dropcast_domain::{
    ids::{JobId, RunId},
    job::{Effect, JobChange, JobEnd, decide},
};
use dropcast_store::{Jobs, Runs, StoreError, TaskTokens};
use thiserror::Error;

/// Why a run could not follow its job.
#[derive(Debug, Error)]
pub enum FollowJobError {
    /// The runs table refused a call or could not be reached.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A call of AWS Batch, CloudWatch Logs or Step Functions failed.
    #[error(transparent)]
    Call(#[from] CallError),
}

/// Applies a change of a job to the run that it is named after; returns whether there is such a
/// run. Repeating it changes nothing.
pub async fn follow_job<S, X, J>(
    store: &S,
    executions: &X,
    jobs: &J,
    run_id: &RunId,
    change: &JobChange,
) -> Result<bool, FollowJobError>
where
    S: Runs + Jobs + TaskTokens,
    X: ResumeExecutions,
    J: JobLogs + StopJobs,
{
    // Once more if the record changed since it was read, until this job was to be named.
    for _ in 0..2 {
        let Some(run) = store.get(run_id).await? else {
            return Ok(false);
        };
        let effects = decide(&run, change);
        if perform(store, executions, jobs, run_id, &change.job, effects).await? {
            return Ok(true);
        }
    }
    Ok(true)
}

/// Does what was decided; false when the run turns out to have another job, or to be cancelled.
async fn perform<S, X, J>(
    store: &S,
    executions: &X,
    jobs: &J,
    run: &RunId,
    job: &JobId,
    effects: Vec<Effect>,
) -> Result<bool, FollowJobError>
where
    S: Runs + Jobs + TaskTokens,
    X: ResumeExecutions,
    J: JobLogs + StopJobs,
{
    for effect in effects {
        match effect {
            Effect::AssignJob(job) => {
                let assigned = store.assign_job(run, &job).await?;
                // The run was cancelled before the record named a job that could be stopped.
                if assigned.job != Some(job) || assigned.cancellation.is_some() {
                    return Ok(false);
                }
            }
            Effect::Advance(step) => {
                store.advance(run, step).await?;
            }
            Effect::KeepLog(stream) => {
                let lines = match jobs.last_lines(&stream).await {
                    Err(error) if !error.transient => {
                        // The run must end even where nobody may read its job's log.
                        tracing::error!(%error, cause = ?error.source, "the failed job's log cannot be read");
                        Vec::new()
                    }
                    lines => lines?,
                };
                if !lines.is_empty() {
                    store.put_log(run, &lines).await?;
                }
            }
            Effect::RecordJobEnd(end) => store.record_job_end(run, &end).await?,
            Effect::Resume(end) => resume_execution(store, executions, run, job, &end).await?,
            Effect::Terminate(job, reason) => jobs.stop(&job, reason).await?,
        }
    }
    Ok(true)
}

/// How the job of a run ended, if it did. Batch is asked about a job whose end is not recorded.
pub async fn load_job_end<S, X, J>(
    store: &S,
    executions: &X,
    jobs: &J,
    run_id: &RunId,
) -> Result<Option<(JobId, JobEnd)>, FollowJobError>
where
    S: Runs + Jobs + TaskTokens,
    X: ResumeExecutions,
    J: DescribeJobs + JobLogs + StopJobs,
{
    let missing = || StoreError::NoSuchRun(run_id.clone());
    let run = store.get(run_id).await?.ok_or_else(missing)?;
    let Some(job) = run.job else {
        return Ok(None);
    };
    if let Some(end) = run.job_end {
        return Ok(Some((job, end)));
    }
    for change in jobs.describe(std::slice::from_ref(&job)).await? {
        follow_job(store, executions, jobs, run_id, &change).await?;
    }
    let run = store.get(run_id).await?.ok_or_else(missing)?;
    Ok(run.job_end.map(|end| (job, end)))
}

/// Resumes the run's execution with the end of its job, unless it was resumed before.
pub(crate) async fn resume_execution<S: TaskTokens, X: ResumeExecutions>(
    store: &S,
    executions: &X,
    run: &RunId,
    job: &JobId,
    end: &JobEnd,
) -> Result<(), FollowJobError> {
    // A refused token may be one that a newer one replaced a moment ago.
    for _ in 0..2 {
        let Some(token) = store.task_token(run).await? else {
            return Ok(());
        };
        let resumed = executions.resume(&token, job, end).await?;
        store.delete_task_token(run, &token).await?;
        if resumed {
            return Ok(());
        }
    }
    Ok(())
}
