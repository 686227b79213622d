//! What `dropcast model push` says.

use std::fmt::Write as _;

use dropcast_api_types::{PushStatus, Pushed, SourceView};
use dropcast_domain::ids::Version;
use dropcast_model_folder::Packed;

use super::Ended;
use crate::{screen::Paint, words};

/// The zip file of a folder and where it is.
pub(super) fn source(bucket: &str, key: &str, packed: &Packed) -> SourceView {
    SourceView {
        bucket: bucket.to_owned(),
        key: key.to_owned(),
        sha256: packed.sha256.clone(),
        bytes: packed.bytes,
        files: packed.items,
    }
}

/// Takes in how a build ended. `next` is the number that the model's next version was to have
/// before.
pub(super) fn end(document: &mut Pushed, end: Ended, next: Option<Version>) {
    match end {
        Ended::Registered(version) => {
            document.status = PushStatus::Registered;
            document.version = Some(version);
            document.new = Some(next.is_none_or(|next| version >= next));
        }
        Ended::Failed {
            phase,
            message,
            lines,
        } => {
            document.status = PushStatus::Failed;
            document.phase = Some(phase);
            document.message = Some(message);
            document.lines = lines;
        }
    }
}

/// The same as text; `command` is how a command for this stack begins.
pub(super) fn text(document: &Pushed, command: &str, paint: Paint) -> String {
    let model = &document.model;
    let Some(version) = document.version else {
        if document.status == PushStatus::Failed {
            return failed(document, paint);
        }
        return format!(
            "The build {} of {} has started.\n{}\n",
            document.build_id,
            paint.bold(model.as_str()),
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
    let mut text = format!("{} {done}.\n", paint.bold(model.as_str()));
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
        paint.bold(document.model.as_str()),
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
