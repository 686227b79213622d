//! What a run published.

use serde::{Deserialize, Serialize};

use crate::{
    model::OutputKind,
    run_id::{JobId, RunId},
};

/// One published output.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Output {
    /// The path below the model's output folder.
    pub path: String,
    /// The manifest's title for it.
    pub title: String,
    /// What it is.
    pub kind: OutputKind,
    /// Size in bytes.
    pub bytes: u64,
    /// SHA-256 of the content in hex, where the job's runner recorded it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// The media type to serve it with.
    pub media_type: String,
    /// Its key in the results bucket.
    pub key: String,
}

/// Where one attempt of one job writes: `runs/<run>/outputs/<job>/<attempt>/`.
pub fn attempt_prefix(run: &RunId, job: &JobId, attempt: u32) -> String {
    format!("runs/{run}/outputs/{job}/{attempt}/")
}

/// Where the job's runner lists what it wrote, one JSON object a line, sorted
/// by path: beside the attempt's folder, so that no output can be named so.
pub fn listing_key(run: &RunId, job: &JobId, attempt: u32) -> String {
    format!("runs/{run}/outputs/{job}/{attempt}.files.jsonl")
}

/// Where the published outputs are listed.
pub fn manifest_key(run: &RunId) -> String {
    format!("runs/{run}/manifest.json")
}

/// Where a rejected input's problems are kept.
pub fn problems_key(run: &RunId) -> String {
    format!("runs/{run}/problems.json")
}

/// The name of the copy of a rejected table in which its faults are marked.
pub const MARKED_FILE: &str = "marked.xlsx";

/// The media type of that copy, and of every workbook.
pub const WORKBOOK: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

/// Where that copy is kept.
pub fn marked_key(run: &RunId) -> String {
    format!("runs/{run}/{MARKED_FILE}")
}

/// Where the accepted input is kept as it was.
pub fn input_key(run: &RunId, file: &str) -> String {
    format!("runs/{run}/input/{file}")
}

/// Where the input is kept as the model reads it: UTF-8, defaults filled in.
pub fn prepared_key(run: &RunId, file: &str) -> String {
    format!("runs/{run}/prepared/{file}")
}

/// Where a table is kept as the model reads it: one clean CSV, whatever the file was.
pub fn prepared_table_key(run: &RunId, file: &str) -> String {
    let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
    format!("runs/{run}/prepared/{stem}.csv")
}

/// The prefix below which one model keeps files between runs.
pub fn cache_prefix(model: &str) -> String {
    format!("cache/{model}/")
}
