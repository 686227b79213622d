//! Runs.

use dropcast_domain::{
    cancellation::Cancellation,
    failure::{ErrorCode, Failure},
    ids::{JobId, RunId, Version},
    model::OutputKind,
    output::Output,
    problem::{MAX_PROBLEMS, Problem, ProblemList},
    run::{MAX_HEADLINE_OUTPUTS, Run},
    status::{Status, Transition},
    upload::RunKind,
};
use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::Serialize;

use crate::{ReadingView, patterns};

/// The most lines of a failed job's log that a document shows.
const MAX_LOG_LINES: usize = 40;

/// One run, as lists show it.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RunSummary {
    /// The run's id.
    pub id: RunId,
    /// A run of the model on a file, or a refresh of the model's data.
    pub kind: RunKind,
    /// The title that people see, in one line.
    pub title: String,
    /// The run's status.
    pub status: Status,
    /// Whether the run is over.
    pub over: bool,
    /// The model, as the uploaded file's key names it.
    pub model: String,
    /// The version that runs, once it is settled.
    pub version: Option<Version>,
    /// When the file was uploaded.
    pub uploaded_at: Timestamp,
    /// When the run last changed.
    pub changed_at: Timestamp,
    /// Seconds from the upload to the run's end, or to now.
    #[schemars(range(min = 0))]
    pub elapsed_seconds: f64,
    /// Attempts of its job that have finished.
    pub attempts: u32,
    /// Why it did not succeed; null unless it failed, was rejected or was cancelled.
    pub failure: Option<FailureView>,
}

/// Why a run did not succeed.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "RunFailure")]
pub struct FailureView {
    /// The stable code; docs/ERRORS.md explains each.
    pub code: ErrorCode,
    /// What happened, in a sentence.
    pub message: String,
    /// What to do, in a sentence.
    pub advice: &'static str,
}

impl FailureView {
    fn of(failure: &Failure, kind: RunKind) -> Self {
        Self {
            code: failure.code,
            message: failure.message.clone(),
            advice: failure.code.advice_on(kind),
        }
    }
}

impl RunSummary {
    /// The summary of a record, at a time.
    pub fn of(run: &Run, now: Timestamp) -> Self {
        Self {
            id: run.id.clone(),
            kind: run.kind,
            title: run.title.clone(),
            status: run.status(),
            over: run.is_over(),
            model: run.request.model.clone(),
            version: run.version,
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

/// What `dropcast runs --json` prints.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Runs {
    /// The stack: its CloudFormation name, or `local`.
    #[schemars(length(min = 1))]
    pub stack: String,
    /// The runs, the newest first.
    pub runs: Vec<RunSummary>,
}

/// What `dropcast show --json` and `dropcast wait --json` print.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(title = "Run")]
pub struct RunDetail {
    /// The stack: its CloudFormation name, or `local`.
    #[schemars(length(min = 1))]
    pub stack: String,
    /// The fields that lists show too.
    #[serde(flatten)]
    pub summary: RunSummary,
    /// The uploaded file.
    pub file: FileView,
    /// How the file was read, if it is an accepted table.
    pub reading: Option<ReadingView>,
    /// The addresses that the uploader asked to be mailed.
    pub notify: Vec<String>,
    /// Entries of the uploader's list that are not addresses.
    pub notify_unusable: Vec<String>,
    /// Addresses of the uploader's list beyond the first 20, which are not mailed.
    pub notify_left_out: Vec<String>,
    /// The AWS Batch job's id.
    pub job: Option<JobId>,
    /// The request to cancel the run, if there was one. The run may have ended before its job was
    /// stopped.
    pub cancellation: Option<Cancellation>,
    /// Every change of the run's status, oldest first.
    #[schemars(length(min = 1))]
    pub timeline: Vec<Step>,
    /// What is wrong with a rejected input, the first hundred.
    #[schemars(length(max = MAX_PROBLEMS))]
    pub problems: Vec<Problem>,
    /// How many more problems there are.
    pub more_problems: u64,
    /// A link to the copy of a rejected table in which its faulty cells are marked.
    #[schemars(extend("format" = "uri"))]
    pub marked_copy: Option<String>,
    /// The declared outputs, at most fifty.
    #[schemars(length(max = MAX_HEADLINE_OUTPUTS))]
    pub outputs: Vec<OutputView>,
    /// How many files the run published in all.
    pub output_count: u64,
    /// The key of the list of all of them, for the text.
    #[serde(skip)]
    pub manifest_key: String,
    /// When the links to the outputs stop working at the latest; null without outputs.
    pub links_until: Option<Timestamp>,
    /// The last lines of a failed job, the oldest first.
    #[schemars(length(max = MAX_LOG_LINES))]
    pub log: Vec<String>,
}

/// An uploaded file.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "UploadedFile")]
pub struct FileView {
    /// The file's name, without folders.
    pub name: String,
    /// The bucket that holds it.
    pub bucket: String,
    /// Its key, not URL-encoded.
    pub key: String,
    /// Size in bytes.
    pub bytes: u64,
}

/// One step of a timeline.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Step {
    /// The status that the run reached.
    pub status: Status,
    /// Attempts of its job that had finished.
    pub attempts: u32,
    /// When the step happened, RFC 3339, UTC.
    pub at: Timestamp,
    /// Seconds since the upload; a little below 0 when clocks differ.
    pub after_seconds: f64,
}

impl Step {
    /// A step of a run whose file was uploaded at a time.
    pub fn of(step: &Transition, uploaded: Timestamp) -> Self {
        Self {
            status: step.progress.status,
            attempts: step.progress.attempts,
            at: step.at,
            after_seconds: seconds(step.at.duration_since(uploaded)),
        }
    }
}

/// One published output.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "PublishedOutput")]
#[serde(rename_all = "camelCase")]
pub struct OutputView {
    /// Its path below the model's output folder.
    #[schemars(length(min = 1))]
    pub path: String,
    /// The title that people see, in one line.
    pub title: String,
    /// The kind of output, as the manifest declares it.
    pub kind: OutputKind,
    /// Size in bytes.
    pub bytes: u64,
    /// SHA-256 of its content in hex, where it was recorded.
    #[schemars(regex(pattern = patterns::SHA256))]
    pub sha256: Option<String>,
    /// Its media type.
    pub media_type: String,
    /// The bucket that holds it.
    pub bucket: String,
    /// Its key in the bucket, not URL-encoded.
    pub key: String,
    /// A link that downloads it without a login; good until `linksUntil` at the latest.
    #[schemars(regex(pattern = patterns::LINK))]
    pub url: String,
}

impl OutputView {
    /// An output with the link to it.
    pub fn of(output: &Output, bucket: &str, url: String) -> Self {
        Self {
            path: output.path.clone(),
            title: output.title.clone(),
            kind: output.kind,
            bytes: output.bytes,
            sha256: output.sha256.clone(),
            media_type: output.media_type.clone(),
            bucket: bucket.to_owned(),
            key: output.key.clone(),
            url,
        }
    }
}

/// What is known about a run in addition to its record.
#[derive(Debug, Default)]
pub struct RunDetailParts {
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
    pub fn of(stack: &str, run: &Run, parts: RunDetailParts, now: Timestamp) -> Self {
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
                .map(ReadingView::from),
            notify: run.notify.clone(),
            notify_unusable: run.notify_unusable.clone(),
            notify_left_out: run.notify_left_out.clone(),
            job: run.job.clone(),
            cancellation: run.cancellation.clone(),
            timeline: parts
                .timeline
                .iter()
                .map(|step| Step::of(step, run.upload.at))
                .collect(),
            problems: parts.problems.problems,
            more_problems: parts.problems.more,
            marked_copy: parts.marked_copy,
            output_count: run.output_count.unwrap_or(parts.outputs.len() as u64),
            outputs: parts.outputs,
            manifest_key: run.keys().manifest(),
            links_until: parts.links_until,
            log: parts.log,
        }
    }
}

/// What `dropcast cancel --json` prints.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CancelRequested {
    /// The stack: its CloudFormation name, or `local`.
    #[schemars(length(min = 1))]
    pub stack: String,
    /// Whether the run was already being cancelled.
    pub already_requested: bool,
    /// The request that counts, which is the first.
    pub cancellation: Cancellation,
    /// The run, which may not have ended yet.
    pub run: RunSummary,
}

/// What `dropcast submit --json` prints.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Submitted {
    /// The stack: its CloudFormation name, or `local`.
    #[schemars(length(min = 1))]
    pub stack: String,
    /// The bucket that the file was uploaded to.
    pub bucket: String,
    /// Its key there.
    #[schemars(regex(pattern = "^(inputs|refresh)/"))]
    pub key: String,
    /// The object's version, where the bucket keeps versions.
    pub version_id: Option<String>,
    /// The run that the file started: a summary, or with `--wait` all that `dropcast show` says; null
    /// while there is no record of it yet.
    pub run: Option<SubmittedRun>,
}

/// The run of a submitted file.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum SubmittedRun {
    /// The run when the command returned.
    Begun(Box<RunSummary>),
    /// The run after it ended.
    Over(Box<RunDetail>),
}

/// A length of time in seconds, to the millisecond.
#[expect(
    clippy::cast_precision_loss,
    reason = "milliseconds stay exact in an f64 for 285,000 years"
)]
pub fn seconds(length: SignedDuration) -> f64 {
    length.as_millis() as f64 / 1_000.0
}
