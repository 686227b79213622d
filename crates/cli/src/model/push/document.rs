//! What `dropcast model push` says.

use std::fmt::Write as _;

use dropcast_domain::run_id::Version;
use dropcast_model_folder::Packed;
use serde::Serialize;

use super::Ended;
use crate::{screen::Paint, words};

/// `model push`: `schemas/cli/pushed.schema.json`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Pushed {
    /// The stack.
    pub(super) stack: String,
    /// The model's name.
    pub(super) model: String,
    /// What is built.
    pub(super) source: SourceView,
    /// The commit, if Git knows one.
    pub(super) commit: Option<String>,
    /// The CodeBuild project.
    pub(super) project: String,
    /// The build's own id.
    pub(super) build_id: String,
    /// `started`, `registered` or `failed`.
    pub(super) status: &'static str,
    /// The version.
    pub(super) version: Option<u32>,
    /// Whether the version is new, or the newest one again.
    pub(super) new: Option<bool>,
    /// The version that runs when a file pins none.
    pub(super) default_version: Option<u32>,
    /// The phase that failed.
    pub(super) phase: Option<String>,
    /// Why it failed.
    pub(super) message: Option<String>,
    /// The last lines of a failed build.
    pub(super) lines: Vec<String>,
    /// How long all took.
    pub(super) seconds: f64,
}

/// The zip file of a folder.
#[derive(Debug, Serialize)]
pub(super) struct SourceView {
    bucket: String,
    key: String,
    sha256: String,
    bytes: u64,
    files: usize,
}

impl SourceView {
    /// A zip file and where it is.
    pub(super) fn of(bucket: &str, key: &str, packed: &Packed) -> Self {
        Self {
            bucket: bucket.to_owned(),
            key: key.to_owned(),
            sha256: packed.sha256.clone(),
            bytes: packed.bytes,
            files: packed.items,
        }
    }
}

impl Pushed {
    /// Takes in how it ended. `next` is the number that the model's next version was to have
    /// before.
    pub(super) fn end(&mut self, end: Ended, next: Option<Version>) {
        match end {
            Ended::Registered(version) => {
                self.status = "registered";
                self.version = Some(version.number());
                self.new = Some(next.is_none_or(|next| version.number() >= next.number()));
            }
            Ended::Failed {
                phase,
                message,
                lines,
            } => {
                self.status = "failed";
                self.phase = Some(phase);
                self.message = Some(message);
                self.lines = lines;
            }
        }
    }
}

/// The same as text; `command` is how a command for this stack begins.
pub(super) fn text(document: &Pushed, command: &str, paint: Paint) -> String {
    let model = &document.model;
    let Some(version) = document.version else {
        if document.status == "failed" {
            return failed(document, paint);
        }
        return format!(
            "The build {} of {} has started.\n{}\n",
            document.build_id,
            paint.bold(model),
            paint.dim(&format!(
                "See what became of it with `{command} model builds {model}`."
            ))
        );
    };
    let done = if document.new == Some(true) {
        format!("is version {version} now")
    } else {
        format!("has not changed since version {version}")
    };
    let mut text = format!("{} {done}.\n", paint.bold(model));
    if let Some(default) = document.default_version
        && default != version
    {
        let _ = writeln!(
            text,
            "Files that pin no version run version {default}, the model's default.\n{}",
            paint.dim(&format!(
                "Try it with `{command} submit FILE -m {model} --version {version}`, and make it the default with `{command} model promote {model} {version}`."
            ))
        );
    } else {
        let _ = writeln!(
            text,
            "{}",
            paint.dim(&format!(
                "Drop a file for it with `{command} submit FILE -m {model}`."
            ))
        );
    }
    text
}

fn failed(document: &Pushed, paint: Paint) -> String {
    let phase = document.phase.as_deref().unwrap_or_default();
    let message = document.message.as_deref().unwrap_or_default();
    let mut text = format!(
        "The build of {} {} in {phase}: {}\n",
        paint.bold(&document.model),
        paint.bad("failed"),
        words::printable(message)
    );
    if !document.lines.is_empty() {
        text.push('\n');
        text += &words::lines(
            document
                .lines
                .iter()
                .map(|line| format!("  {}", words::printable(line))),
        );
    }
    text
}
