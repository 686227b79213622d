//! The table: the in-memory store, whose calls may be refused, lose their answer or take effect
//! twice, and whose changes reach the stream.

use std::{
    future::Future,
    pin::pin,
    task::{Context, Poll, Waker},
};

use dropcast_domain::{
    cancellation::Cancellation,
    failure::Failure,
    ids::{JobId, RunId, Version},
    job::JobEnd,
    model::ModelName,
    output::Output,
    registry::{
        AuditStamp, Build, BuildId, DefaultEntry, Defaults, EndedBuild, Model, PromotionError,
        RegisteredVersion, Retirement, VersionSpec,
    },
    run::{RepairNote, Run, UploadMetadata},
    status::Transition,
    task::TaskAttempt,
};
use dropcast_store::{
    Builds, Cancellations, Claim, DueMails, History, Jobs, MailKey, Mails, Models, Outputs,
    Promotion, Repairs, RunCompletion, Runs, StoreError, StoreResult, TaskTokens, Validation,
    ValidationOutcome,
    memory::{MemoryStore, yield_once},
};
use jiff::Timestamp;

use crate::world::{Shared, lock};

/// The table, as the functions' ports reach it.
#[derive(Clone)]
pub(crate) struct Table {
    pub(crate) store: MemoryStore,
    pub(crate) world: Shared,
}

/// Runs a future of the in-memory store, which never waits for anybody.
pub(crate) fn at_once<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
    }
}

impl Table {
    /// One call: nothing comes between its effect and the stream's record of it.
    async fn call<T, F: Future<Output = StoreResult<T>>>(
        &self,
        method: &'static str,
        run: Option<&RunId>,
        apply: impl Fn() -> F,
    ) -> StoreResult<T> {
        yield_once().await;
        let (times, answered) = lock(&self.world).fate_of_store_call(method);
        let mut answer = None;
        for _ in 0..times {
            let applied = at_once(apply());
            self.record_change(run);
            self.record_due_mails();
            answer = Some(applied);
        }
        match answer {
            Some(answer) if answered => answer,
            _ => Err(StoreError::Call {
                operation: method,
                transient: true,
                source: "simulated".into(),
            }),
        }
    }

    fn record_due_mails(&self) {
        let due = at_once(self.store.due_mails(u16::MAX));
        lock(&self.world).due_mails = due.unwrap_or_default();
    }

    fn record_change(&self, run: Option<&RunId>) {
        if let Some(run) = run
            && let Ok(Some(after)) = at_once(self.store.get(run))
        {
            lock(&self.world).changed(&after);
        }
    }
}

/// Implements a port by calls of the in-memory store; `run` names the argument that changes.
macro_rules! port {
    ($port:ident { $(fn $method:ident($($arg:ident: $type:ty),*) -> $answer:ty, changes $run:expr;)* }) => {
        impl $port for Table {
            $(async fn $method(&self, $($arg: $type),*) -> StoreResult<$answer> {
                self.call(stringify!($method), $run, || self.store.$method($($arg),*)).await
            })*
        }
    };
}

port!(Runs {
    fn create_if_absent(run: &Run) -> Run, changes Some(&run.id);
    fn get(run: &RunId) -> Option<Run>, changes None;
    fn advance(run: &RunId, step: Transition) -> bool, changes Some(run);
});
port!(Validation {
    fn record_validation(run: &RunId, metadata: &UploadMetadata, outcome: &ValidationOutcome) -> (), changes Some(run);
});
port!(Jobs {
    fn assign_job(run: &RunId, job: &JobId) -> Run, changes Some(run);
    fn record_job_end(run: &RunId, end: &JobEnd) -> (), changes Some(run);
    fn put_log(run: &RunId, lines: &[String]) -> (), changes None;
});
port!(TaskTokens {
    fn put_task_token(run: &RunId, token: &str, attempt: TaskAttempt) -> bool, changes None;
    fn task_token(run: &RunId) -> Option<String>, changes None;
    fn delete_task_token(run: &RunId, token: &str) -> (), changes None;
});
port!(Outputs {
    fn publish(run: &RunId, outputs: &[Output], count: u64) -> (), changes Some(run);
});
port!(RunCompletion {
    fn finish(run: &RunId, end: Transition, failure: Option<&Failure>) -> Run, changes Some(run);
});
port!(Cancellations {
    fn request_cancellation(run: &RunId, request: &Cancellation) -> Run, changes Some(run);
});
port!(Repairs {
    fn note_repair(run: &RunId, note: &RepairNote) -> (), changes Some(run);
});
port!(DueMails {
    fn expect_mails(run: &Run, at: Timestamp) -> (), changes None;
    fn settle_mails(run: &RunId) -> (), changes None;
    fn due_mails(limit: u16) -> Vec<RunId>, changes None;
});
port!(Mails {
    fn claim(mail: &MailKey, now: Timestamp) -> Claim, changes None;
    fn mark_sent(mail: &MailKey, message_id: &str, now: Timestamp) -> (), changes None;
    fn release_claim(mail: &MailKey) -> (), changes None;
});
port!(Models {
    fn model(name: &ModelName) -> Option<Model>, changes None;
    fn version(name: &ModelName, version: Version) -> Option<RegisteredVersion>, changes None;
    fn register(spec: &VersionSpec) -> RegisteredVersion, changes None;
});
port!(Builds {
    fn build(build: &BuildId) -> Option<Build>, changes None;
    fn create_build_if_absent(build: &Build) -> Build, changes None;
    fn register_build(build: &EndedBuild, spec: &VersionSpec, seen: Option<Version>) -> Build, changes None;
});
port!(Promotion {
    fn defaults(name: &ModelName) -> Defaults, changes None;
    fn default_at(name: &ModelName, moment: Timestamp) -> Option<Version>, changes None;
    fn retirement(name: &ModelName, version: Version) -> Option<Retirement>, changes None;
    fn promote(name: &ModelName, version: Version, stamp: AuditStamp<'_>) -> Result<DefaultEntry, PromotionError>, changes None;
    fn roll_back(name: &ModelName, stamp: AuditStamp<'_>) -> Result<DefaultEntry, PromotionError>, changes None;
    fn retire(name: &ModelName, version: Version, stamp: AuditStamp<'_>) -> Result<Retirement, PromotionError>, changes None;
});
port!(History {
    fn runs_of(model: &str, limit: u16) -> Vec<Run>, changes None;
    fn open_runs(limit: u16) -> Vec<Run>, changes None;
    fn open_runs_of(model: &str, limit: u16) -> Vec<Run>, changes None;
    fn timeline(run: &RunId) -> Vec<Transition>, changes None;
    fn log(run: &RunId) -> Vec<String>, changes None;
    fn versions(name: &ModelName, limit: u16) -> Vec<RegisteredVersion>, changes None;
    fn builds_of(name: &ModelName, limit: u16) -> Vec<Build>, changes None;
    fn models() -> Vec<Model>, changes None;
});
