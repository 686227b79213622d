//! The document of `dropcast model push` and its text.

use std::fmt::Write as _;

use dropcast_api_types::{PushStatus, Pushed, SourceView};
use dropcast_domain::ids::Version;
use dropcast_model_folder::Packed;

use super::PushOutcome;
use crate::{messages, screen::Style};

/// The zip file of a folder and its location.
pub(super) fn to_source_view(bucket: &str, key: &str, packed: &Packed) -> SourceView {
    SourceView {
        bucket: bucket.to_owned(),
        key: key.to_owned(),
        sha256: packed.sha256.clone(),
        bytes: packed.bytes,
        files: packed.items,
    }
}

/// Records the outcome of a build. `next` is the number of the model's next version before the push.
pub(super) fn record_outcome(document: &mut Pushed, outcome: PushOutcome, next: Option<Version>) {
    match outcome {
        PushOutcome::Registered(version) => {
            document.status = PushStatus::Registered;
            document.version = Some(version);
            document.new = Some(next.is_none_or(|next| version >= next));
        }
        PushOutcome::Failed {
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

/// Renders the document as text. `command` is the beginning of commands for this stack.
pub(super) fn render(document: &Pushed, command: &str, style: Style) -> String {
    let model = &document.model;
    let Some(version) = document.version else {
        if document.status == PushStatus::Failed {
            return render_failure(document, style);
        }
        return format!(
            "The build {} of {} has started.\n{}\n",
            document.build_id,
            style.bold(model.as_str()),
            style.dim(&format!(
                "Show its result later with `{command} model builds {model}`."
            ))
        );
    };
    let done = if document.new == Some(true) {
        format!("is registered as version {version}")
    } else {
        format!("has not changed since version {version}")
    };
    let mut text = format!("{} {done}.\n", style.bold(model.as_str()));
    if let Some(default) = document.default_version
        && default != version
    {
        let _ = writeln!(
            text,
            "Files that pin no version run version {default}, the model's default.\n{}",
            style.dim(&format!(
                "Try it with `{command} submit FILE -m {model} --version {version}`, and make it the default with `{command} model promote {model} {version}`."
            ))
        );
    } else {
        let _ = writeln!(
            text,
            "{}",
            style.dim(&format!(
                "Submit a file to it with `{command} submit FILE -m {model}`."
            ))
        );
    }
    text
}

fn render_failure(document: &Pushed, style: Style) -> String {
    let phase = document.phase.as_deref().unwrap_or_default();
    let message = document.message.as_deref().unwrap_or_default();
    let mut text = format!(
        "The build of {} {} in {phase}: {}\n",
        style.bold(document.model.as_str()),
        style.failure("failed"),
        messages::sanitize(message)
    );
    if !document.lines.is_empty() {
        text.push('\n');
        text += &messages::join_lines(
            document
                .lines
                .iter()
                .map(|line| format!("  {}", messages::sanitize(line))),
        );
    }
    text
}
