//! The record of one run and how it changes.

use std::borrow::Cow;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    cancellation::{Cancellation, is_too_late},
    failure::Failure,
    ids::{JobId, RunId, Version},
    job::JobEnd,
    model::OutputKind,
    output::{MARKED_FILE, Output, WORKBOOK},
    recipient::{ADDRESS_BYTES, MAX_LEFT_OUT, MAX_RECIPIENTS, MAX_UNUSABLE},
    status::{Progress, Status, Transition},
    table::TableReading,
    title::TITLE_LENGTH,
    upload::{Request, RunKind, Upload},
};

/// The maximum number of outputs in the record, and so in a mail; the manifest in the results
/// bucket lists all of them. DynamoDB items are limited to 400 kB.
pub const MAX_HEADLINE_OUTPUTS: usize = 50;

/// The record of one run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(
    title = "Run record",
    description = "What Dropcast keeps about one run: item RUN of partition RUN#<id> in the runs table. The item has, besides these, its keys, those of the two indexes, and the attributes order, changed_ns and ttl."
)]
pub struct Run {
    /// The run's id.
    pub id: RunId,
    /// What the run does; absent for a run of the model on a file. A refresh of the model's data has no
    /// input.
    #[serde(default, skip_serializing_if = "RunKind::is_run")]
    #[schemars(extend("default" = RunKind::Run))]
    pub kind: RunKind,
    /// What the run is called, one line: the upload's title, or the file's name.
    #[schemars(length(max = TITLE_LENGTH))]
    pub title: String,
    /// The file that started the run: below inputs/, or below refresh/ for a refresh.
    pub upload: Upload,
    /// The model and version that the object's key names.
    pub request: Request,
    /// The version that runs: the pinned version, or the default at the time of the upload.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<Version>,
    /// The addresses that the uploader asked to be mailed, in the order given.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = MAX_RECIPIENTS), inner(length(max = ADDRESS_BYTES)))]
    pub notify: Vec<String>,
    /// Entries of that list that are not mail addresses.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = MAX_UNUSABLE))]
    pub notify_unusable: Vec<String>,
    /// Addresses of that list beyond the first 20, which are not notified.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = MAX_LEFT_OUT), inner(length(max = ADDRESS_BYTES)))]
    pub notify_left_out: Vec<String>,
    /// The current status, and since when the run has it.
    pub current: Transition,
    /// The input, once it was accepted. Refreshes have no input.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input: Option<AcceptedInput>,
    /// The number of problems of a rejected input.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem_count: Option<u64>,
    /// Whether a copy of a rejected table is kept in which its faulty cells are marked.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub marked: bool,
    /// The one job whose outputs count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job: Option<JobId>,
    /// How that job ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job_end: Option<JobEnd>,
    /// The request to cancel the run, if there was one. The run may have succeeded or failed before
    /// its job could be stopped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cancellation: Option<Cancellation>,
    /// Why the run did not succeed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
    /// The declared outputs that were published, at most 50; manifest.json lists them all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = MAX_HEADLINE_OUTPUTS))]
    pub outputs: Vec<Output>,
    /// The number of published files, declared or not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_count: Option<u64>,
    /// Increasing this number revokes all links that were mailed before.
    #[serde(default)]
    pub links_epoch: u32,
    /// The latest repair, if something that concerns the run had been missed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repaired: Option<RepairNote>,
    /// When the record expires.
    pub expires_at: Timestamp,
}

/// A note that a run was repaired.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RepairNote {
    /// When it was repaired.
    pub at: Timestamp,
    /// Why it was repaired, in a sentence.
    pub reason: String,
}

/// An input that was accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AcceptedInput {
    /// The key of the original file in the results bucket.
    pub key: String,
    /// The key of the file that the model reads, in the results bucket.
    pub prepared_key: String,
    /// JSON Pointers to the values that were filled in from the schema's defaults, at most 100.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 100), inner(length(max = 500)))]
    pub defaults: Vec<String>,
    /// How the table was read; absent for JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub table: Option<TableReading>,
}

/// What validation decided about an input that may run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acceptance {
    /// The version that will run.
    pub version: Version,
    /// The accepted input; a refresh has none.
    pub input: Option<AcceptedInput>,
}

/// The metadata of the uploaded object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UploadMetadata {
    /// The title, without characters that are unsafe to print.
    pub title: String,
    /// Addresses to notify.
    pub notify: Vec<String>,
    /// Entries that are not valid addresses.
    pub notify_unusable: Vec<String>,
    /// Addresses beyond the first [`MAX_RECIPIENTS`].
    pub notify_left_out: Vec<String>,
}

impl Run {
    /// The record of a new run, in status `received`.
    pub fn received(upload: Upload, expires_at: Timestamp) -> Self {
        let (kind, request) = (upload.kind(), upload.request());
        let title = match kind {
            RunKind::Run => upload.file_name(),
            RunKind::Refresh => format!("Refresh of {}", request.model),
        };
        Self {
            id: upload.run_id(),
            kind,
            title: crate::title::clean(&title),
            request,
            current: Transition {
                progress: Progress::first(Status::Received),
                at: upload.at,
            },
            upload,
            version: None,
            notify: Vec::new(),
            notify_unusable: Vec::new(),
            notify_left_out: Vec::new(),
            input: None,
            problem_count: None,
            marked: false,
            job: None,
            job_end: None,
            cancellation: None,
            failure: None,
            outputs: Vec::new(),
            output_count: None,
            links_epoch: 0,
            repaired: None,
            expires_at,
        }
    }

    /// The current status.
    pub fn status(&self) -> Status {
        self.current.progress.status
    }

    /// Whether the run has ended.
    pub fn is_over(&self) -> bool {
        self.status().is_terminal()
    }

    /// Takes a step if it leads forward; returns whether it did.
    pub fn advance(&mut self, step: Transition) -> bool {
        let moves = step.supersedes(&self.current);
        if moves {
            self.current = step;
        }
        moves
    }

    /// Sets the run's job unless it has one or is over.
    pub fn assign_job(&mut self, job: JobId) {
        if !self.is_over() {
            self.job.get_or_insert(job);
        }
    }

    /// Records a request to cancel the run, unless there is one or it is too late.
    pub fn request_cancellation(&mut self, request: &Cancellation) {
        if !is_too_late(self) {
            self.cancellation.get_or_insert_with(|| request.clone());
        }
    }

    /// Records how the job ended. Batch reports one end; a second report changes nothing.
    pub fn record_job_end(&mut self, end: JobEnd) {
        self.job_end.get_or_insert(end);
    }

    /// The progress that belongs to a status reached now: finished attempts never shrink.
    pub fn progress_to(&self, status: Status) -> Progress {
        let ended = self.job_end.as_ref().map_or(0, |end| end.attempts);
        Progress {
            attempts: self.current.progress.attempts.max(ended),
            status,
        }
    }

    /// What a mailed link may open: a published output, or the marked copy of a rejected table.
    /// Nothing else, whatever is in the bucket.
    pub fn opened(&self, path: &str) -> Option<Cow<'_, Output>> {
        let published = self.outputs.iter().find(|output| output.path == path);
        published.map(Cow::Borrowed).or_else(|| {
            (self.marked && path == MARKED_FILE).then(|| {
                Cow::Owned(Output {
                    path: MARKED_FILE.to_owned(),
                    title: "Marked copy".to_owned(),
                    kind: OutputKind::Table,
                    bytes: 0,
                    sha256: None,
                    media_type: WORKBOOK.to_owned(),
                    key: self.keys().marked(),
                    version_id: None,
                })
            })
        })
    }

    /// The run's duration up to `now`, or in total once it has ended.
    pub fn elapsed(&self, now: Timestamp) -> jiff::SignedDuration {
        let until = if self.is_over() { self.current.at } else { now };
        until.duration_since(self.upload.at)
    }
}
