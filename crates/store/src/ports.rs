//! The ports: what callers can do with a store.

use std::future::Future;

use dropcast_domain::{
    cancellation::Cancellation,
    failure::Failure,
    ids::{JobId, RunId, Version},
    job::JobEnd,
    mail::{MailKind, MailTopic},
    model::ModelName,
    output::Output,
    registry::{
        AuditStamp, Build, BuildId, DefaultEntry, Defaults, EndedBuild, Model, PromotionError,
        RegisteredVersion, Retirement, VersionSpec,
    },
    run::{Acceptance, RepairNote, Run, UploadMetadata},
    status::Transition,
    task::TaskAttempt,
};
use jiff::Timestamp;

use crate::StoreError;

/// The result of a store operation.
pub type StoreResult<T> = Result<T, StoreError>;

/// Runs and their progress.
pub trait Runs: Send + Sync {
    /// Writes the record of a new run unless there is one; returns the existing one.
    fn create_if_absent(&self, run: &Run) -> impl Future<Output = StoreResult<Run>> + Send;

    /// The record, read consistently.
    fn get(&self, run: &RunId) -> impl Future<Output = StoreResult<Option<Run>>> + Send;

    /// Adds a step to the timeline, and moves the record if it leads forward;
    /// says whether it moved. A terminal status is not taken: [`RunCompletion::finish`] writes it.
    fn advance(
        &self,
        run: &RunId,
        step: Transition,
    ) -> impl Future<Output = StoreResult<bool>> + Send;
}

/// The result of validation.
pub trait Validation: Send + Sync {
    /// Records the upload's metadata and what validation decided.
    fn record_validation(
        &self,
        run: &RunId,
        metadata: &UploadMetadata,
        outcome: &ValidationOutcome,
    ) -> impl Future<Output = StoreResult<()>> + Send;
}

/// What validation decided.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    clippy::large_enum_variant,
    reason = "An invocation holds one outcome."
)]
pub enum ValidationOutcome {
    /// It may run.
    Accepted(Acceptance),
    /// It may not.
    Rejected {
        /// How many problems the input has.
        problem_count: u64,
        /// The version whose rules were applied, where there was one.
        version: Option<Version>,
        /// Whether a copy of the input with its problems marked is stored.
        marked: bool,
    },
}

/// The run's one job.
pub trait Jobs: Send + Sync {
    /// Records the run's job unless one is recorded or the run is over; returns the record, with the
    /// job that counts if there is one (invariant 3).
    fn assign_job(&self, run: &RunId, job: &JobId)
    -> impl Future<Output = StoreResult<Run>> + Send;

    /// Records how the job ended, unless that is recorded already.
    fn record_job_end(
        &self,
        run: &RunId,
        end: &JobEnd,
    ) -> impl Future<Output = StoreResult<()>> + Send;

    /// Stores the last lines that a failed job logged.
    fn put_log(
        &self,
        run: &RunId,
        lines: &[String],
    ) -> impl Future<Output = StoreResult<()>> + Send;
}

/// The execution's task token: the only way to resume it (invariant 7).
pub trait TaskTokens: Send + Sync {
    /// Stores the token of an attempt unless a later attempt's token is stored; returns whether it
    /// was. An attempt that its caller gave up on may still be running after the next one began.
    fn put_task_token(
        &self,
        run: &RunId,
        token: &str,
        attempt: TaskAttempt,
    ) -> impl Future<Output = StoreResult<bool>> + Send;

    /// The token, unless it was used.
    fn task_token(&self, run: &RunId) -> impl Future<Output = StoreResult<Option<String>>> + Send;

    /// Deletes this token after it was used. A newer one stays.
    fn delete_task_token(
        &self,
        run: &RunId,
        token: &str,
    ) -> impl Future<Output = StoreResult<()>> + Send;
}

/// The outputs of a run.
pub trait Outputs: Send + Sync {
    /// Puts the declared outputs on the record, and how many objects the manifest lists.
    fn publish(
        &self,
        run: &RunId,
        outputs: &[Output],
        count: u64,
    ) -> impl Future<Output = StoreResult<()>> + Send;
}

/// Requests to cancel runs.
pub trait Cancellations: Send + Sync {
    /// Records a request unless there is one or it is too late; returns the record, which says.
    fn request_cancellation(
        &self,
        run: &RunId,
        request: &Cancellation,
    ) -> impl Future<Output = StoreResult<Run>> + Send;
}

/// The end of a run.
pub trait RunCompletion: Send + Sync {
    /// Writes the terminal status unless the run has one; returns the record, which may have the
    /// status of an earlier call.
    fn finish(
        &self,
        run: &RunId,
        end: Transition,
        failure: Option<&Failure>,
    ) -> impl Future<Output = StoreResult<Run>> + Send;
}

/// That runs were repaired.
pub trait Repairs: Send + Sync {
    /// Notes a repair on the record of an open run. A run that has ended keeps its record.
    fn note_repair(
        &self,
        run: &RunId,
        note: &RepairNote,
    ) -> impl Future<Output = StoreResult<()>> + Send;
}

/// Which runs somebody still has to be mailed about.
///
/// The note is written before the run's end, so that repair-runs finds a mail that is not sent.
pub trait DueMails: Send + Sync {
    /// Notes that mails about a run will be due once it has ended.
    fn expect_mails(
        &self,
        run: &Run,
        at: Timestamp,
    ) -> impl Future<Output = StoreResult<()>> + Send;

    /// Notes that everybody was mailed about a run, or that nobody has to be.
    fn settle_mails(&self, run: &RunId) -> impl Future<Output = StoreResult<()>> + Send;

    /// The runs that somebody still has to be mailed about, those that have been due for longest
    /// first.
    fn due_mails(&self, limit: u16) -> impl Future<Output = StoreResult<Vec<RunId>>> + Send;
}

/// Which mails were sent.
pub trait Mails: Send + Sync {
    /// Claims one mail for sending, unless it was sent or the claim of another is still valid.
    fn claim(
        &self,
        mail: &MailKey,
        now: Timestamp,
    ) -> impl Future<Output = StoreResult<Claim>> + Send;

    /// Records that SES has it.
    fn mark_sent(
        &self,
        mail: &MailKey,
        message_id: &str,
        now: Timestamp,
    ) -> impl Future<Output = StoreResult<()>> + Send;

    /// Releases a claim after SES refused, so that the next try need not wait until it expires.
    fn release_claim(&self, mail: &MailKey) -> impl Future<Output = StoreResult<()>> + Send;
}

/// One mail: what it is about, what it says, and to whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailKey {
    /// The run or the build.
    pub topic: MailTopic,
    /// What the mail says.
    pub kind: MailKind,
    /// The recipient's address.
    pub recipient: String,
}

/// Whether a mail may be sent now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claim {
    /// Yes, for the first time.
    Granted,
    /// Yes, but an earlier claim expired without a record of the result: the mail may go out a
    /// second time. Callers count these.
    Expired,
    /// No: another invocation is sending it.
    Held,
    /// No: it was sent.
    Sent,
}

/// How long a claim is valid, in seconds. Longer than the
/// notify function may run (30 s), shorter than its queue's visibility timeout.
pub const CLAIM_SECONDS: i64 = 60;

/// Registered models.
pub trait Models: Send + Sync {
    /// A model.
    fn model(&self, name: &ModelName) -> impl Future<Output = StoreResult<Option<Model>>> + Send;

    /// One version of a model.
    fn version(
        &self,
        name: &ModelName,
        version: Version,
    ) -> impl Future<Output = StoreResult<Option<RegisteredVersion>>> + Send;

    /// Writes a version under the model's next number. The first version becomes the default.
    fn register(
        &self,
        spec: &VersionSpec,
    ) -> impl Future<Output = StoreResult<RegisteredVersion>> + Send;
}

/// A model's newest version.
pub async fn newest_version(
    store: &impl Models,
    name: &ModelName,
) -> StoreResult<Option<RegisteredVersion>> {
    match store.model(name).await? {
        Some(model) => store.version(name, model.newest()).await,
        None => Ok(None),
    }
}

/// The results of builds.
pub trait Builds: Send + Sync {
    /// The record of a build.
    fn build(&self, build: &BuildId) -> impl Future<Output = StoreResult<Option<Build>>> + Send;

    /// Writes the record of a build unless there is one; returns the existing one.
    fn create_build_if_absent(
        &self,
        build: &Build,
    ) -> impl Future<Output = StoreResult<Build>> + Send;

    /// Writes a version under the model's next number, and the record of the build that made it:
    /// both or neither. The first version becomes the default.
    ///
    /// `seen` is the newest version that the caller has read. A version that came after it and was
    /// made from the same content is the build's too: two pushes of the same content are one version.
    /// Returns the build's record, which an earlier delivery may have written.
    fn register_build(
        &self,
        build: &EndedBuild,
        spec: &VersionSpec,
        seen: Option<Version>,
    ) -> impl Future<Output = StoreResult<Build>> + Send;
}

/// Which version is a model's default, and which are retired.
pub trait Promotion: Send + Sync {
    /// The whole history of the default, and every retired version.
    fn defaults(&self, name: &ModelName) -> impl Future<Output = StoreResult<Defaults>> + Send;

    /// The version that was the default at a moment, where that is known.
    fn default_at(
        &self,
        name: &ModelName,
        moment: Timestamp,
    ) -> impl Future<Output = StoreResult<Option<Version>>> + Send;

    /// Who retired a version and when, if it is retired.
    fn retirement(
        &self,
        name: &ModelName,
        version: Version,
    ) -> impl Future<Output = StoreResult<Option<Retirement>>> + Send;

    /// Makes a version the default.
    fn promote(
        &self,
        name: &ModelName,
        version: Version,
        stamp: AuditStamp<'_>,
    ) -> impl Future<Output = StoreResult<Result<DefaultEntry, PromotionError>>> + Send;

    /// Makes the previous default the default again.
    fn roll_back(
        &self,
        name: &ModelName,
        stamp: AuditStamp<'_>,
    ) -> impl Future<Output = StoreResult<Result<DefaultEntry, PromotionError>>> + Send;

    /// Retires a version. The caller must have checked that it has no open runs.
    fn retire(
        &self,
        name: &ModelName,
        version: Version,
        stamp: AuditStamp<'_>,
    ) -> impl Future<Output = StoreResult<Result<Retirement, PromotionError>>> + Send;
}

/// The scheduled refreshes that were started.
pub trait Refreshes: Send + Sync {
    /// The last due time of a model's schedule for which a refresh was started.
    fn last_refresh(
        &self,
        model: &ModelName,
    ) -> impl Future<Output = StoreResult<Option<Timestamp>>> + Send;

    /// Records a due time, unless a later one is recorded.
    fn record_refresh(
        &self,
        model: &ModelName,
        due: Timestamp,
    ) -> impl Future<Output = StoreResult<()>> + Send;
}

/// Lists of records, and what belongs to a run.
pub trait History: Send + Sync {
    /// A model's runs, the newest first.
    fn runs_of(
        &self,
        model: &str,
        limit: u16,
    ) -> impl Future<Output = StoreResult<Vec<Run>>> + Send;

    /// Runs that are not over, the longest unchanged first.
    fn open_runs(&self, limit: u16) -> impl Future<Output = StoreResult<Vec<Run>>> + Send;

    /// A model's runs that are not over, the longest unchanged first.
    fn open_runs_of(
        &self,
        model: &str,
        limit: u16,
    ) -> impl Future<Output = StoreResult<Vec<Run>>> + Send;

    /// Every step of a run, in its order.
    fn timeline(&self, run: &RunId) -> impl Future<Output = StoreResult<Vec<Transition>>> + Send;

    /// The stored log lines of a failed job.
    fn log(&self, run: &RunId) -> impl Future<Output = StoreResult<Vec<String>>> + Send;

    /// A model's versions, the newest first.
    fn versions(
        &self,
        name: &ModelName,
        limit: u16,
    ) -> impl Future<Output = StoreResult<Vec<RegisteredVersion>>> + Send;

    /// A model's finished builds, the newest first.
    fn builds_of(
        &self,
        name: &ModelName,
        limit: u16,
    ) -> impl Future<Output = StoreResult<Vec<Build>>> + Send;

    /// Every model.
    fn models(&self) -> impl Future<Output = StoreResult<Vec<Model>>> + Send;
}
