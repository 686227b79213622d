//! The facts and notes at the end of a mail.

use super::{Fact, Known, MailKind, NAME_LENGTH, TITLE_LENGTH, words};
use crate::{failure::ErrorCode, recipient::MAX_RECIPIENTS, upload::RunKind};

/// The most addresses that a note names.
const MAX_ADDRESSES: usize = 10;

/// The model as people call it; empty when the upload names none.
pub(super) fn model(known: &Known) -> String {
    words::one_line(
        known.model_title.unwrap_or(&known.run.request.model),
        TITLE_LENGTH,
    )
}

/// The run in facts, the ones that people look for first.
pub(super) fn facts(kind: MailKind, known: &Known, code: Option<ErrorCode>) -> Vec<Fact> {
    let run = known.run;
    let mut facts = Vec::new();
    let mut add = |label, value: String| {
        if !value.is_empty() {
            facts.push(Fact { label, value });
        }
    };
    add("Model", versioned(known));
    if run.kind == RunKind::Run {
        add(
            "File",
            format!(
                "{}, {}",
                words::one_line(&run.upload.file_name(), NAME_LENGTH),
                words::size(run.upload.bytes)
            ),
        );
        add("Uploaded", words::moment(run.upload.at));
    } else {
        add("Asked for", words::moment(run.upload.at));
    }
    if kind != MailKind::Rejected {
        add("Took", words::duration(run.elapsed(known.now)));
        let attempts = run.current.progress.attempts;
        if attempts > 1 {
            add(
                "Attempts",
                format!("{attempts} (it was tried again after a failure)"),
            );
        }
    }
    if kind == MailKind::Succeeded
        && let Some(until) = known.links_until.filter(|_| !known.links.is_empty())
    {
        add("Links work until", words::day(until));
    }
    add(
        "Error code",
        code.map(|code| code.as_str().to_owned())
            .unwrap_or_default(),
    );
    add("Run", run.id.to_string());
    facts
}

/// The model with the version that ran, or else the one asked for.
pub(super) fn versioned(known: &Known) -> String {
    let (run, model) = (known.run, model(known));
    let asked = run
        .request
        .version
        .as_deref()
        .map(|version| words::one_line(version, 20))
        .unwrap_or_default();
    match (model.as_str(), run.version) {
        ("", _) => String::new(),
        (_, Some(version)) => format!("{model}, version {}", version.number()),
        (_, None) if !asked.is_empty() => format!("{model}, version {asked}"),
        (_, None) => model,
    }
}

/// What else the reader must know.
pub(super) fn notes(
    kind: MailKind,
    known: &Known,
    code: Option<ErrorCode>,
    outputs: usize,
) -> Vec<String> {
    let mut notes = Vec::new();
    let (total, listed) = (known.run.output_count.unwrap_or(0), outputs as u64);
    if kind == MailKind::Succeeded && total > listed {
        let files = words::count(total, "file", "files");
        let rest = words::grouped(total - listed);
        notes.push(match listed {
            0 => format!("The run wrote {files}. They are kept with the run."),
            _ => format!("The run wrote {files}. This mail lists {}; the other {rest} are kept with the run.", words::grouped(listed)),
        });
    }
    if kind == MailKind::Failed
        && code == Some(ErrorCode::JobFailed)
        && super::last_lines(known.log).is_empty()
    {
        notes.push("The model left no last lines to show.".to_owned());
    }
    notes.extend(who_else("run", known.operator_only, known.refused));
    if let Some(list) = listed_addresses(&known.run.notify_unusable) {
        notes.push(format!(
            "Not mailed, because this is no e-mail address: {list}."
        ));
    }
    if let Some(list) = listed_addresses(&known.run.notify_left_out) {
        notes.push(format!(
            "Not mailed, because an upload may name {MAX_RECIPIENTS} addresses at most: {list}. For more people, name the address of a group."
        ));
    }
    notes
}

/// Why the reader is mailed, and who is not.
pub(super) fn who_else(about: &str, operator_only: bool, refused: &[String]) -> Vec<String> {
    let operator = operator_only.then(|| {
        format!("You receive this mail as the operator, because nobody else could be mailed about this {about}.")
    });
    let refused = listed_addresses(refused)
        .map(|list| format!("Not mailed, because mail may not go to their domain: {list}."));
    operator.into_iter().chain(refused).collect()
}

fn listed_addresses(addresses: &[String]) -> Option<String> {
    let shown: Vec<_> = addresses
        .iter()
        .map(|address| words::one_line(address, 80))
        .filter(|address| !address.is_empty())
        .collect();
    let more = shown.len().saturating_sub(MAX_ADDRESSES);
    let list = shown
        .into_iter()
        .take(MAX_ADDRESSES)
        .collect::<Vec<_>>()
        .join(", ");
    match (list.is_empty(), more) {
        (true, _) => None,
        (false, 0) => Some(list),
        (false, more) => Some(format!("{list} and {more} more")),
    }
}
