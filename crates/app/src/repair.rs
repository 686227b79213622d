//! Repairing runs whose events were lost. The rule is [`dropcast_domain::repair`].

use std::collections::{BTreeMap, BTreeSet};

use dropcast_aws::{
    CallError,
    ports::{
        DescribeExecutions, DescribeJobs, JobLogs, NotPublished, PublishEvents, RecentUploads,
        ResumeExecutions, StartExecutions, StopJobs,
    },
};
use dropcast_domain::{
    event::{Announcement, RunStatusChanged},
    ids::{JobId, RunId},
    job::{JobChange, JobEnd, stop_reason},
    mail::MailKind,
    repair::{ExecutionState, JobState, Repair, is_due, is_news, reason, repair},
    run::{RepairNote, Run},
    upload::Upload,
};
use dropcast_store::{
    DueMails, History, Jobs, Repairs, RunCompletion, Runs, StoreError, TaskTokens,
};
use jiff::{SignedDuration, Timestamp};
use thiserror::Error;

use crate::{
    jobs::{FollowJobError, follow_job, resume_execution},
    runs::{FinishRunError, RunEnd, StartRunError, finish_run, start_run},
};

/// How many open runs one pass looks at, those that have not changed for longest first.
const MAX_RUNS: u16 = 2_000;

/// How many executions one pass looks up of runs whose job is under way. Step Functions allows ten
/// to fifteen such calls per second, and most of those runs are well.
const MAX_HEALTHY_EXECUTIONS: usize = 200;

/// How far back uploads without a run are looked for.
const UPLOADS_SINCE: SignedDuration = SignedDuration::from_hours(24);

/// How old an upload is before it is missed.
const UPLOADS_UNTIL: SignedDuration = SignedDuration::from_mins(2);

/// How long a mail about a run's end may take before the end is published again.
const MAILS_WITHIN: SignedDuration = SignedDuration::from_mins(2);

/// How long a mail is tried for.
const MAILS_UNTIL: SignedDuration = SignedDuration::from_hours(48);

/// What a pass works with.
#[derive(Debug)]
pub struct RepairDeps<S, X, J, U, E> {
    /// The runs table.
    pub store: S,
    /// Step Functions.
    pub executions: X,
    /// Batch, and the jobs' logs.
    pub jobs: J,
    /// The inputs bucket.
    pub uploads: U,
    /// The event bus.
    pub events: E,
    /// How long a record is kept, in days.
    pub retention_days: u32,
}

/// What a pass did.
#[derive(Debug, Default)]
pub struct RepairReport {
    /// How many open runs were looked at.
    pub examined: usize,
    /// The runs that were repaired, and why.
    pub repaired: Vec<(RunId, &'static str)>,
    /// The jobs that were stopped because no run waits for them.
    pub stopped: Vec<JobId>,
    /// What could not be repaired; the next pass tries again.
    pub failures: Vec<(Option<RunId>, RepairError)>,
}

impl RepairReport {
    /// Notes what came of repairing a run: why it was repaired, if there was anything to repair.
    fn note(&mut self, run: RunId, outcome: Result<Option<&'static str>, RepairError>) {
        match outcome {
            Ok(Some(reason)) => self.repaired.push((run, reason)),
            Ok(None) => {}
            Err(error) => self.failures.push((Some(run), error)),
        }
    }
}

/// Why something could not be repaired.
#[derive(Debug, Error)]
pub enum RepairError {
    /// The runs table refused a call or could not be reached.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A call of another service failed.
    #[error(transparent)]
    Call(#[from] CallError),
    /// The event bus refused an event.
    #[error(transparent)]
    NotPublished(#[from] NotPublished),
    /// A job could not be followed.
    #[error(transparent)]
    Follow(#[from] FollowJobError),
    /// A run could not be ended.
    #[error(transparent)]
    Finish(#[from] FinishRunError),
    /// A run could not be started.
    #[error(transparent)]
    Start(#[from] StartRunError),
}

/// Looks at every open run, every unfinished job and every recent upload once, and does what lost
/// events would have done. One that cannot be repaired does not keep the others from it.
pub async fn repair_runs<S, X, J, U, E>(
    deps: &RepairDeps<S, X, J, U, E>,
    now: Timestamp,
) -> RepairReport
where
    S: Runs + Jobs + TaskTokens + RunCompletion + Repairs + DueMails + History,
    X: StartExecutions + ResumeExecutions + DescribeExecutions,
    J: DescribeJobs + JobLogs + StopJobs,
    U: RecentUploads,
    E: PublishEvents,
{
    let mut report = RepairReport::default();
    if let Err(error) = repair_open_runs(deps, now, &mut report).await {
        report.failures.push((None, error));
    }
    if let Err(error) = stop_useless_jobs(deps, &mut report).await {
        report.failures.push((None, error));
    }
    if let Err(error) = announce_due_mails(deps, now, &mut report).await {
        report.failures.push((None, error));
    }
    // Last, because it reads a record for every upload of a day.
    if let Err(error) = start_missed_uploads(deps, now, &mut report).await {
        report.failures.push((None, error));
    }
    report
}

async fn repair_open_runs<S, X, J, U, E>(
    deps: &RepairDeps<S, X, J, U, E>,
    now: Timestamp,
    report: &mut RepairReport,
) -> Result<(), RepairError>
where
    S: Runs + Jobs + TaskTokens + RunCompletion + Repairs + DueMails + History,
    X: StartExecutions + ResumeExecutions + DescribeExecutions,
    J: DescribeJobs + JobLogs + StopJobs,
{
    let mut open = deps.store.open_runs(MAX_RUNS).await?;
    open.retain(|run| is_due(run, now));
    report.examined = open.len();
    let ids: Vec<JobId> = open
        .iter()
        .filter(|run| run.job_end.is_none())
        .filter_map(|run| run.job.clone())
        .collect();
    let described = deps.jobs.describe(&ids).await?;
    let mut described: BTreeMap<JobId, JobChange> = described
        .into_iter()
        .map(|change| (change.job.clone(), change))
        .collect();
    let mut healthy = 0;
    for run in open {
        let job = run.job.as_ref().filter(|_| run.job_end.is_none());
        let job = job.map(|id| match described.remove(id) {
            Some(change) => JobState::Known(change),
            None => JobState::Unknown,
        });
        let under_way = match &job {
            Some(JobState::Known(change)) => !is_news(&run, change),
            _ => false,
        };
        healthy += usize::from(under_way);
        if under_way && healthy > MAX_HEALTHY_EXECUTIONS {
            continue;
        }
        let outcome = repair_run(deps, &run, job.as_ref(), now).await;
        report.note(run.id, outcome);
    }
    Ok(())
}

/// Repairs one run; returns why, if there was anything to repair.
async fn repair_run<S, X, J, U, E>(
    deps: &RepairDeps<S, X, J, U, E>,
    run: &Run,
    job: Option<&JobState>,
    now: Timestamp,
) -> Result<Option<&'static str>, RepairError>
where
    S: Runs + Jobs + TaskTokens + RunCompletion + Repairs + DueMails,
    X: StartExecutions + ResumeExecutions + DescribeExecutions,
    J: JobLogs + StopJobs,
{
    let RepairDeps {
        store,
        executions,
        jobs,
        ..
    } = deps;
    let execution = executions.state(&run.id).await?;
    let waits = execution == ExecutionState::Running
        && run.job_end.is_some()
        && store.task_token(&run.id).await?.is_some();
    let Some(repair) = repair(run, &execution, job, waits, now) else {
        return Ok(None);
    };
    let reason = reason(&repair);
    let note = RepairNote {
        at: now,
        reason: reason.to_owned(),
    };
    store.note_repair(&run.id, &note).await?;
    match repair {
        Repair::StartExecution => executions.start(&run.id).await?,
        Repair::Follow(change) => {
            follow_job(store, executions, jobs, &run.id, &change).await?;
        }
        Repair::LoseJob(end) => {
            store.record_job_end(&run.id, &end).await?;
            resume(store, executions, run, &end).await?;
        }
        Repair::StopJob => {
            if let Some(job) = &run.job {
                jobs.stop(job, stop_reason::CANCELLED).await?;
            }
        }
        Repair::Resume(end) => resume(store, executions, run, &end).await?,
        Repair::Finish { status, code } => {
            let end = RunEnd {
                status,
                code,
                message: None,
            };
            finish_run(store, jobs, &run.id, end, now).await?;
        }
    }
    Ok(Some(reason))
}

async fn resume<S: TaskTokens, X: ResumeExecutions>(
    store: &S,
    executions: &X,
    run: &Run,
    end: &JobEnd,
) -> Result<(), RepairError> {
    if let Some(job) = &run.job {
        resume_execution(store, executions, &run.id, job, end).await?;
    }
    Ok(())
}

/// Stops jobs of runs that have another job, or that are over.
async fn stop_useless_jobs<S, X, J, U, E>(
    deps: &RepairDeps<S, X, J, U, E>,
    report: &mut RepairReport,
) -> Result<(), RepairError>
where
    S: Runs,
    J: DescribeJobs + StopJobs,
{
    for (job, run_id) in deps.jobs.unfinished().await? {
        // Others may use the queue too; a job without a record is not ours to stop.
        let Some(run) = deps.store.get(&run_id).await? else {
            continue;
        };
        // A run that names no job yet may be about to name this one.
        let reason = match &run.job {
            Some(named) if *named != job => stop_reason::OTHER_JOB,
            _ if run.is_over() => stop_reason::RUN_ENDED,
            _ => continue,
        };
        match deps.jobs.stop(&job, reason).await {
            Ok(()) => report.stopped.push(job),
            Err(error) => report.failures.push((Some(run_id), error.into())),
        }
    }
    Ok(())
}

/// Publishes the ends of runs again that somebody still has to be mailed about.
async fn announce_due_mails<S, X, J, U, E>(
    deps: &RepairDeps<S, X, J, U, E>,
    now: Timestamp,
    report: &mut RepairReport,
) -> Result<(), RepairError>
where
    S: Runs + DueMails,
    E: PublishEvents,
{
    for run_id in deps.store.due_mails(MAX_RUNS).await? {
        let outcome = announce_due_mail(deps, &run_id, now).await;
        report.note(run_id, outcome);
    }
    Ok(())
}

async fn announce_due_mail<S, X, J, U, E>(
    deps: &RepairDeps<S, X, J, U, E>,
    run_id: &RunId,
    now: Timestamp,
) -> Result<Option<&'static str>, RepairError>
where
    S: Runs + DueMails,
    E: PublishEvents,
{
    let run = deps.store.get(run_id).await?;
    if run.as_ref().is_some_and(|run| !run.is_over()) {
        return Ok(None);
    }
    let due = run.filter(|run| MailKind::of(run).is_some());
    let waited = |run: &Run| now.duration_since(run.current.at);
    let Some(run) = due.filter(|run| waited(run) <= MAILS_UNTIL) else {
        // Nobody is to be mailed (any more). If it were kept, it would be listed before
        // the mails that are due.
        tracing::warn!(run.id = %run_id, "the mails about the run's end are no longer tried");
        deps.store.settle_mails(run_id).await?;
        return Ok(None);
    };
    if waited(&run) < MAILS_WITHIN {
        return Ok(None);
    }
    let Some(event) = RunStatusChanged::between(None, &run) else {
        return Ok(None);
    };
    let refused = deps.events.publish(&[Announcement::Run(event)]).await?;
    match refused.into_iter().next() {
        Some(refused) => Err(refused.into()),
        None => Ok(Some("A mail about its end was still due.")),
    }
}

/// Starts the runs of uploads whose events were lost.
async fn start_missed_uploads<S, X, J, U, E>(
    deps: &RepairDeps<S, X, J, U, E>,
    now: Timestamp,
    report: &mut RepairReport,
) -> Result<(), RepairError>
where
    S: Runs,
    X: StartExecutions,
    U: RecentUploads,
{
    let from = now.saturating_sub(UPLOADS_SINCE).unwrap_or(Timestamp::MIN);
    let until = now.saturating_sub(UPLOADS_UNTIL).unwrap_or(now);
    let mut seen = BTreeSet::new();
    for upload in deps.uploads.uploaded(from, until).await? {
        let run_id = upload.run_id();
        if upload.is_folder() || !seen.insert(run_id.clone()) {
            continue;
        }
        let outcome = start_missed_upload(deps, upload).await;
        report.note(run_id, outcome);
    }
    Ok(())
}

async fn start_missed_upload<S, X, J, U, E>(
    deps: &RepairDeps<S, X, J, U, E>,
    upload: Upload,
) -> Result<Option<&'static str>, RepairError>
where
    S: Runs,
    X: StartExecutions,
{
    let RepairDeps {
        store,
        executions,
        retention_days,
        ..
    } = deps;
    if store.get(&upload.run_id()).await?.is_some() {
        return Ok(None);
    }
    start_run(store, executions, upload, *retention_days).await?;
    Ok(Some("The event of its upload had been lost."))
}
