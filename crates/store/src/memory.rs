//! The ports in memory, for tests of code that uses a store.
//!
//! The rules are the domain's own ([`Run::advance`], [`Run::assign_job`] and so
//! on), so this store defines what the table must do; one set of contract tests checks
//! both.

mod registry;

use std::{
    collections::BTreeMap,
    future::poll_fn,
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::Poll,
};

use dropcast_domain::{
    cancellation::Cancellation,
    failure::Failure,
    ids::{JobId, RunId, Version},
    job::JobEnd,
    mail::MailTopic,
    model::ModelName,
    output::Output,
    registry::{Build, BuildId, Defaults, Model, RegisteredVersion},
    run::{MAX_HEADLINE_OUTPUTS, RepairNote, Run, UploadMetadata},
    status::{Progress, Status, Transition},
    task::TaskAttempt,
};
use jiff::Timestamp;

use crate::{
    CLAIM_SECONDS, Cancellations, Claim, DueMails, History, Jobs, MailKey, Mails, Outputs,
    Refreshes, Repairs, RunCompletion, Runs, StoreError, TaskTokens, Validation, ValidationOutcome,
    ports::StoreResult,
};

/// Runs and models in memory; clones share them.
#[derive(Debug, Clone, Default)]
pub struct MemoryStore {
    table: Arc<Mutex<Table>>,
}

#[derive(Debug, Default)]
struct Table {
    runs: BTreeMap<RunId, Kept>,
    mails: BTreeMap<(MailTopic, &'static str, String), Mail>,
    models: BTreeMap<ModelName, Model>,
    versions: BTreeMap<(ModelName, Version), RegisteredVersion>,
    defaults: BTreeMap<ModelName, Defaults>,
    builds: BTreeMap<BuildId, Build>,
    refreshes: BTreeMap<ModelName, Timestamp>,
}

/// A run's record and what belongs to it.
#[derive(Debug)]
struct Kept {
    run: Run,
    timeline: BTreeMap<u64, Transition>,
    log: Vec<String>,
    token: Option<(String, TaskAttempt)>,
    mails_due_since: Option<Timestamp>,
}

impl Kept {
    fn note(&mut self, step: Transition) {
        let order = step.progress.order();
        let seen = self.timeline.entry(order).or_insert(step);
        if step.at < seen.at {
            *seen = step;
        }
    }
}

#[derive(Debug, Clone, Copy)]
enum Mail {
    HeldUntil(i64),
    Released,
    Sent,
}

/// Lets other tasks have a turn: ready when it is polled for the second time. A future that is
/// dropped here ends between two calls.
pub async fn yield_once() {
    let mut yielded = false;
    poll_fn(|context| {
        if mem::replace(&mut yielded, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

impl MemoryStore {
    /// The table, after other tasks had a turn: a call over a network takes time too, and without
    /// that no test could show a race.
    async fn table(&self) -> MutexGuard<'_, Table> {
        yield_once().await;
        // A test that failed while it held the lock left nothing half-done behind.
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn with<T>(&self, run: &RunId, change: impl FnOnce(&mut Kept) -> T) -> StoreResult<T> {
        match self.table().await.runs.get_mut(run) {
            Some(kept) => Ok(change(kept)),
            None => Err(StoreError::NoSuchRun(run.clone())),
        }
    }
}

impl Runs for MemoryStore {
    async fn create_if_absent(&self, run: &Run) -> StoreResult<Run> {
        let mut table = self.table().await;
        let kept = table.runs.entry(run.id.clone()).or_insert_with(|| Kept {
            run: run.clone(),
            timeline: BTreeMap::new(),
            log: Vec::new(),
            token: None,
            mails_due_since: None,
        });
        kept.note(Transition {
            progress: Progress::first(Status::Received),
            at: run.upload.at,
        });
        Ok(kept.run.clone())
    }

    async fn get(&self, run: &RunId) -> StoreResult<Option<Run>> {
        Ok(self
            .table()
            .await
            .runs
            .get(run)
            .map(|kept| kept.run.clone()))
    }

    async fn advance(&self, run: &RunId, step: Transition) -> StoreResult<bool> {
        if step.progress.status.is_terminal() {
            return Ok(false);
        }
        self.with(run, |kept| {
            kept.note(step);
            kept.run.advance(step)
        })
        .await
    }
}

impl Validation for MemoryStore {
    async fn record_validation(
        &self,
        run: &RunId,
        metadata: &UploadMetadata,
        outcome: &ValidationOutcome,
    ) -> StoreResult<()> {
        self.with(run, |Kept { run, .. }| {
            if run.is_over() {
                return;
            }
            run.title.clone_from(&metadata.title);
            run.notify.clone_from(&metadata.notify);
            run.notify_unusable.clone_from(&metadata.notify_unusable);
            run.notify_left_out.clone_from(&metadata.notify_left_out);
            match outcome {
                ValidationOutcome::Accepted(acceptance) => {
                    run.version = Some(acceptance.version);
                    run.input.clone_from(&acceptance.input);
                }
                ValidationOutcome::Rejected {
                    problem_count,
                    version,
                    marked,
                } => {
                    run.problem_count = Some(*problem_count);
                    run.marked |= marked;
                    run.version = version.or(run.version);
                }
            }
        })
        .await
    }
}

impl Jobs for MemoryStore {
    async fn assign_job(&self, run: &RunId, job: &JobId) -> StoreResult<Run> {
        self.with(run, |Kept { run, .. }| {
            run.assign_job(job.clone());
            run.clone()
        })
        .await
    }

    async fn record_job_end(&self, run: &RunId, end: &JobEnd) -> StoreResult<()> {
        self.with(run, |kept| kept.run.record_job_end(end.clone()))
            .await
    }

    async fn put_log(&self, run: &RunId, lines: &[String]) -> StoreResult<()> {
        self.with(run, |kept| {
            if kept.log.is_empty() {
                kept.log = lines.to_vec();
            }
        })
        .await
    }
}

impl TaskTokens for MemoryStore {
    async fn put_task_token(
        &self,
        run: &RunId,
        token: &str,
        attempt: TaskAttempt,
    ) -> StoreResult<bool> {
        self.with(run, |kept| {
            let newest = kept.token.as_ref().is_none_or(|(_, held)| *held <= attempt);
            if newest {
                kept.token = Some((token.to_owned(), attempt));
            }
            newest
        })
        .await
    }

    async fn task_token(&self, run: &RunId) -> StoreResult<Option<String>> {
        Ok(self
            .table()
            .await
            .runs
            .get(run)
            .and_then(|kept| kept.token.as_ref())
            .map(|(token, _)| token.clone()))
    }

    async fn delete_task_token(&self, run: &RunId, token: &str) -> StoreResult<()> {
        self.with(run, |kept| {
            kept.token.take_if(|(held, _)| held == token);
        })
        .await
    }
}

impl Outputs for MemoryStore {
    async fn publish(&self, run: &RunId, outputs: &[Output], count: u64) -> StoreResult<()> {
        self.with(run, |Kept { run, .. }| {
            if !run.is_over() {
                run.outputs = outputs.iter().take(MAX_HEADLINE_OUTPUTS).cloned().collect();
                run.output_count = Some(count);
            }
        })
        .await
    }
}

impl Cancellations for MemoryStore {
    async fn request_cancellation(&self, run: &RunId, request: &Cancellation) -> StoreResult<Run> {
        self.with(run, |Kept { run, .. }| {
            run.request_cancellation(request);
            run.clone()
        })
        .await
    }
}

impl RunCompletion for MemoryStore {
    async fn finish(
        &self,
        run: &RunId,
        end: Transition,
        failure: Option<&Failure>,
    ) -> StoreResult<Run> {
        self.with(run, |kept| {
            if !kept.run.is_over() {
                kept.run.current = end;
                kept.run.failure = failure.cloned();
            }
            kept.note(kept.run.current);
            kept.run.clone()
        })
        .await
    }
}

impl Repairs for MemoryStore {
    async fn note_repair(&self, run: &RunId, note: &RepairNote) -> StoreResult<()> {
        self.with(run, |Kept { run, .. }| {
            if !run.is_over() {
                run.repaired = Some(note.clone());
            }
        })
        .await
    }
}

impl DueMails for MemoryStore {
    async fn expect_mails(&self, run: &Run, at: Timestamp) -> StoreResult<()> {
        self.with(&run.id, |kept| kept.mails_due_since = Some(at))
            .await
    }

    async fn settle_mails(&self, run: &RunId) -> StoreResult<()> {
        self.with(run, |kept| kept.mails_due_since = None).await
    }

    async fn due_mails(&self, limit: u16) -> StoreResult<Vec<RunId>> {
        let table = self.table().await;
        let mut due: Vec<(Timestamp, RunId)> = table
            .runs
            .values()
            .filter_map(|kept| Some((kept.mails_due_since?, kept.run.id.clone())))
            .collect();
        due.sort();
        due.truncate(usize::from(limit));
        Ok(due.into_iter().map(|(_, run)| run).collect())
    }
}

impl Mails for MemoryStore {
    async fn claim(&self, mail: &MailKey, now: Timestamp) -> StoreResult<Claim> {
        let mut table = self.table().await;
        if let MailTopic::Run(run) = &mail.topic
            && !table.runs.contains_key(run)
        {
            return Err(StoreError::NoSuchRun(run.clone()));
        }
        let claim = match table.mails.get(&slot(mail)) {
            Some(Mail::Sent) => return Ok(Claim::Sent),
            Some(Mail::HeldUntil(until)) if *until > now.as_second() => return Ok(Claim::Held),
            Some(Mail::HeldUntil(_)) => Claim::Expired,
            Some(Mail::Released) | None => Claim::Granted,
        };
        let held = Mail::HeldUntil(now.as_second() + CLAIM_SECONDS);
        table.mails.insert(slot(mail), held);
        Ok(claim)
    }

    async fn mark_sent(
        &self,
        mail: &MailKey,
        _message_id: &str,
        _now: Timestamp,
    ) -> StoreResult<()> {
        if let Some(claim) = self.table().await.mails.get_mut(&slot(mail)) {
            *claim = Mail::Sent;
        }
        Ok(())
    }

    async fn release_claim(&self, mail: &MailKey) -> StoreResult<()> {
        if let Some(claim @ Mail::HeldUntil(_)) = self.table().await.mails.get_mut(&slot(mail)) {
            *claim = Mail::Released;
        }
        Ok(())
    }
}

fn slot(mail: &MailKey) -> (MailTopic, &'static str, String) {
    let name = mail.topic.mail_name(mail.kind);
    (mail.topic.clone(), name, mail.recipient.clone())
}

impl Refreshes for MemoryStore {
    async fn last_refresh(&self, model: &ModelName) -> StoreResult<Option<Timestamp>> {
        Ok(self.table().await.refreshes.get(model).copied())
    }

    async fn record_refresh(&self, model: &ModelName, due: Timestamp) -> StoreResult<()> {
        let mut table = self.table().await;
        let last = table.refreshes.entry(model.clone()).or_insert(due);
        *last = due.max(*last);
        Ok(())
    }
}

impl History for MemoryStore {
    async fn runs_of(&self, model: &str, limit: u16) -> StoreResult<Vec<Run>> {
        let table = self.table().await;
        let mut runs: Vec<Run> = table
            .runs
            .values()
            .map(|kept| &kept.run)
            .filter(|run| run.request.model == model)
            .cloned()
            .collect();
        runs.sort_by(|one, other| (other.upload.at, &other.id).cmp(&(one.upload.at, &one.id)));
        runs.truncate(usize::from(limit));
        Ok(runs)
    }

    async fn open_runs(&self, limit: u16) -> StoreResult<Vec<Run>> {
        let table = self.table().await;
        let mut open: Vec<Run> = table
            .runs
            .values()
            .map(|kept| kept.run.clone())
            .filter(|run| !run.is_over())
            .collect();
        open.sort_by_key(|run| run.current.at);
        open.truncate(usize::from(limit));
        Ok(open)
    }

    async fn open_runs_of(&self, model: &str, limit: u16) -> StoreResult<Vec<Run>> {
        let mut open = self.open_runs(u16::MAX).await?;
        open.retain(|run| run.request.model == model);
        open.truncate(usize::from(limit));
        Ok(open)
    }

    async fn timeline(&self, run: &RunId) -> StoreResult<Vec<Transition>> {
        let table = self.table().await;
        let steps = table.runs.get(run).map(|kept| &kept.timeline);
        Ok(steps
            .into_iter()
            .flat_map(BTreeMap::values)
            .copied()
            .collect())
    }

    async fn log(&self, run: &RunId) -> StoreResult<Vec<String>> {
        let table = self.table().await;
        Ok(table
            .runs
            .get(run)
            .map(|kept| kept.log.clone())
            .unwrap_or_default())
    }

    async fn versions(&self, name: &ModelName, limit: u16) -> StoreResult<Vec<RegisteredVersion>> {
        let table = self.table().await;
        let of_model = table.versions.values().rev();
        Ok(of_model
            .filter(|version| version.model == *name)
            .take(usize::from(limit))
            .cloned()
            .collect())
    }

    async fn builds_of(&self, name: &ModelName, limit: u16) -> StoreResult<Vec<Build>> {
        let table = self.table().await;
        let of_model = |build: &&Build| build.model.as_ref() == Some(name);
        let mut builds: Vec<Build> = table.builds.values().filter(of_model).cloned().collect();
        builds.sort_by(|one, other| (other.at, &other.build_id).cmp(&(one.at, &one.build_id)));
        builds.truncate(usize::from(limit));
        Ok(builds)
    }

    async fn models(&self) -> StoreResult<Vec<Model>> {
        Ok(self.table().await.models.values().cloned().collect())
    }
}
