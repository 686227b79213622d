//! The documents of `--json`. Their schemas are in `schemas/cli/`; a shape that
//! stands there is not changed, only added to.

mod versions;

use dropcast_domain::{
    failure::Failure,
    model::Manifest,
    output::Output,
    problem::{Problem, ProblemList},
    registry::{self, RegisteredVersion},
    run::Run,
    status::{Status, Transition},
    upload::RunKind,
};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

pub use versions::{
    BuildFailureView, BuildView, Builds, DefaultView, Promoted, Retired, RetiredView,
    VersionSummary, Versions,
};

use crate::reading::ReadingView;

/// One run, as lists show it.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RunSummary {
    /// The run's id.
    pub id: String,
    /// `run`, or `refresh` of the model's data.
    pub kind: &'static str,
    /// What people call it.
    pub title: String,
    /// Where it stands.
    pub status: Status,
    /// Whether it is over.
    pub over: bool,
    /// The model, as the dropped file's key names it.
    pub model: String,
    /// The version that runs, once it is settled.
    pub version: Option<u32>,
    /// When the file was dropped.
    pub uploaded_at: Timestamp,
    /// When the run last changed.
    pub changed_at: Timestamp,
    /// Seconds from the drop to the end, or to now.
    pub elapsed_seconds: f64,
    /// Attempts of its job that have finished.
    pub attempts: u32,
    /// Why it did not succeed.
    pub failure: Option<FailureView>,
}

/// Why a run did not succeed.
#[derive(Debug, Clone, Serialize)]
pub struct FailureView {
    /// The stable code.
    pub code: &'static str,
    /// What happened.
    pub message: String,
    /// What to do.
    pub advice: &'static str,
}

impl FailureView {
    fn of(failure: &Failure, kind: RunKind) -> Self {
        Self {
            code: failure.code.as_str(),
            message: failure.message.clone(),
            advice: failure.code.advice_on(kind),
        }
    }
}

impl RunSummary {
    /// The summary of a record, at a time.
    pub fn of(run: &Run, now: Timestamp) -> Self {
        Self {
            id: run.id.to_string(),
            kind: run.kind.as_str(),
            title: run.title.clone(),
            status: run.status(),
            over: run.is_over(),
            model: run.request.model.clone(),
            version: run.version.map(dropcast_domain::run_id::Version::number),
            uploaded_at: run.upload.at,
            changed_at: run.current.at,
            // Clocks of S3 and ours may differ by a little.
            elapsed_seconds: seconds(run.elapsed(now)).max(0.0),
            attempts: run.current.progress.attempts,
            failure: run
                .failure
                .as_ref()
                .map(|failure| FailureView::of(failure, run.kind)),
        }
    }
}

/// `runs`: `schemas/cli/runs.schema.json`.
#[derive(Debug, Serialize)]
pub struct Runs {
    /// The stack.
    pub stack: String,
    /// The newest first.
    pub runs: Vec<RunSummary>,
}

/// `show` and `wait`: `schemas/cli/run.schema.json`.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RunDetail {
    /// The stack.
    pub stack: String,
    /// What lists show.
    #[serde(flatten)]
    pub summary: RunSummary,
    /// The dropped file.
    pub file: FileView,
    /// How it was read, if it is an accepted table.
    pub reading: Option<ReadingView>,
    /// Whom the uploader asked to be mailed.
    pub notify: Vec<String>,
    /// Entries of the uploader's list that are no addresses.
    pub notify_unusable: Vec<String>,
    /// Addresses of the uploader's list beyond those that one upload may name.
    pub notify_left_out: Vec<String>,
    /// The Batch job.
    pub job: Option<String>,
    /// Every step, in order.
    pub timeline: Vec<Step>,
    /// What is wrong with a rejected input, at most a hundred.
    pub problems: Vec<Problem>,
    /// How many more problems there are.
    pub more_problems: u64,
    /// A link to the copy of a rejected table in which its faults are marked.
    pub marked_copy: Option<String>,
    /// The declared outputs, at most fifty.
    pub outputs: Vec<OutputView>,
    /// How many files the run published in all.
    pub output_count: u64,
    /// When the links to the outputs stop working at the latest.
    pub links_until: Option<Timestamp>,
    /// The last lines of a failed job.
    pub log: Vec<String>,
}

/// A dropped file.
#[derive(Debug, Clone, Serialize)]
pub struct FileView {
    /// Its name.
    pub name: String,
    /// Its bucket.
    pub bucket: String,
    /// Its key.
    pub key: String,
    /// Size in bytes.
    pub bytes: u64,
}

/// One step of a timeline.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Step {
    /// Where the run stood from then on.
    pub status: Status,
    /// Attempts of its job that had finished.
    pub attempts: u32,
    /// When.
    pub at: Timestamp,
    /// Seconds since the drop.
    pub after_seconds: f64,
}

impl Step {
    /// A step of a run whose file was dropped at a time.
    pub fn of(step: &Transition, dropped: Timestamp) -> Self {
        Self {
            status: step.progress.status,
            attempts: step.progress.attempts,
            at: step.at,
            after_seconds: seconds(step.at.duration_since(dropped)),
        }
    }
}

/// One published output.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OutputView {
    /// Its path below the model's output folder.
    pub path: String,
    /// What people call it.
    pub title: String,
    /// table, chart, document or data.
    pub kind: &'static str,
    /// Size in bytes.
    pub bytes: u64,
    /// SHA-256 of its content, where it was recorded.
    pub sha256: Option<String>,
    /// Its media type.
    pub media_type: String,
    /// Its bucket.
    pub bucket: String,
    /// Its key.
    pub key: String,
    /// A link that needs no login.
    pub url: String,
}

impl OutputView {
    /// An output with the link to it.
    pub fn of(output: &Output, bucket: &str, url: String) -> Self {
        Self {
            path: output.path.clone(),
            title: output.title.clone(),
            kind: output.kind.as_str(),
            bytes: output.bytes,
            sha256: output.sha256.clone(),
            media_type: output.media_type.clone(),
            bucket: bucket.to_owned(),
            key: output.key.clone(),
            url,
        }
    }
}

/// What else is known about a run beside its record.
#[derive(Debug, Default)]
pub struct Around {
    /// Every step.
    pub timeline: Vec<Transition>,
    /// The problems of a rejected input.
    pub problems: ProblemList,
    /// A link to the marked copy.
    pub marked_copy: Option<String>,
    /// The outputs with links.
    pub outputs: Vec<OutputView>,
    /// When the links stop working.
    pub links_until: Option<Timestamp>,
    /// The last lines of a failed job.
    pub log: Vec<String>,
}

impl RunDetail {
    /// All that is known about a run, at a time.
    pub fn of(stack: &str, run: &Run, around: Around, now: Timestamp) -> Self {
        Self {
            stack: stack.to_owned(),
            summary: RunSummary::of(run, now),
            file: FileView {
                name: run.upload.file_name(),
                bucket: run.upload.bucket.clone(),
                key: run.upload.key.clone(),
                bytes: run.upload.bytes,
            },
            reading: run
                .input
                .as_ref()
                .and_then(|input| input.table.as_ref())
                .map(ReadingView::of_table),
            notify: run.notify.clone(),
            notify_unusable: run.notify_unusable.clone(),
            notify_left_out: run.notify_left_out.clone(),
            job: run.job.as_ref().map(ToString::to_string),
            timeline: around
                .timeline
                .iter()
                .map(|step| Step::of(step, run.upload.at))
                .collect(),
            problems: around.problems.problems,
            more_problems: around.problems.more,
            marked_copy: around.marked_copy,
            output_count: run.output_count.unwrap_or(around.outputs.len() as u64),
            outputs: around.outputs,
            links_until: around.links_until,
            log: around.log,
        }
    }
}

/// `submit`: `schemas/cli/submitted.schema.json`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Submitted {
    /// The stack.
    pub stack: String,
    /// The bucket that the file was dropped in.
    pub bucket: String,
    /// Its key there.
    pub key: String,
    /// The object's version, where the bucket keeps versions.
    pub version_id: Option<String>,
    /// The run that it started; null while its record is not there yet. With
    /// `--wait` it is everything that `show` says.
    pub run: Option<SubmittedRun>,
}

/// The run of a submitted file.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum SubmittedRun {
    /// As it stood when the command came back.
    Begun(Box<RunSummary>),
    /// As it ended.
    Over(Box<RunDetail>),
}

/// `model list`: `schemas/cli/models.schema.json`.
#[derive(Debug, Serialize)]
pub struct Models {
    /// The stack.
    pub stack: String,
    /// By name.
    pub models: Vec<ModelSummary>,
}

/// One model.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ModelSummary {
    /// Its name.
    pub name: String,
    /// What people call it.
    pub title: String,
    /// The version that runs when a file pins none.
    pub default_version: u32,
    /// The newest version.
    pub latest_version: u32,
}

impl From<&registry::Model> for ModelSummary {
    fn from(model: &registry::Model) -> Self {
        Self {
            name: model.name.to_string(),
            title: model.title.clone(),
            default_version: model.default_version.number(),
            latest_version: model.newest().number(),
        }
    }
}

/// `model show`: `schemas/cli/model.schema.json`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ModelDetail {
    /// The stack.
    pub stack: String,
    /// What lists show.
    #[serde(flatten)]
    pub summary: ModelSummary,
    /// The newest first.
    pub versions: Vec<VersionView>,
}

/// `model register`: `schemas/cli/registered.schema.json`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Registered {
    /// The stack.
    pub stack: String,
    /// The model's name.
    pub model: String,
    /// Whether the version is new; a folder that has not changed keeps its version.
    pub new: bool,
    /// The version that runs when a file pins none.
    pub default_version: u32,
    /// The version that was registered.
    #[serde(flatten)]
    pub version: VersionView,
}

/// One version of a model.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct VersionView {
    /// The number.
    pub version: u32,
    /// When it was built.
    pub built_at: Timestamp,
    /// The image by digest.
    pub image: String,
    /// The Batch job definition, revision included.
    pub job_definition: String,
    /// The commit that it was built from.
    pub commit: Option<String>,
    /// What the data scientist declared.
    pub manifest: Manifest,
}

impl From<&RegisteredVersion> for VersionView {
    fn from(version: &RegisteredVersion) -> Self {
        Self {
            version: version.version.number(),
            built_at: version.spec.built_at,
            image: version.spec.image.clone(),
            job_definition: version.spec.job_definition.clone(),
            commit: version.spec.commit.clone(),
            manifest: version.spec.manifest.clone(),
        }
    }
}

/// A length of time in seconds, to the millisecond.
#[expect(
    clippy::cast_precision_loss,
    reason = "milliseconds stay exact in an f64 for 285,000 years"
)]
pub fn seconds(length: SignedDuration) -> f64 {
    length.as_millis() as f64 / 1_000.0
}
