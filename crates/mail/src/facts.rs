//! The facts and notes at the end of a mail.

use dropcast_domain::{
    failure::ErrorCode, mail::MailKind, recipient::MAX_RECIPIENTS, text, upload::RunKind,
};

use crate::{
    Fact,
    compose::{RunMail, last_lines},
    lengths::{NAME_LENGTH, TITLE_LENGTH},
};

/// The most addresses that a note names.
const MAX_ADDRESSES: usize = 10;

impl RunMail<'_> {
    /// The model's title, or its name if it is not registered; empty if the upload names none.
    pub(crate) fn model(&self) -> String {
        text::one_line(
            self.input
                .model_title
                .unwrap_or(&self.input.run.request.model),
            TITLE_LENGTH,
        )
    }

    /// The run in facts, the ones that people look for first.
    pub(crate) fn facts(&self) -> Vec<Fact> {
        let run = self.input.run;
        let mut facts = Vec::new();
        let mut add = |label, value: String| {
            if !value.is_empty() {
                facts.push(Fact { label, value });
            }
        };
        add("Model", self.versioned_model());
        if run.kind == RunKind::Run {
            add(
                "File",
                format!(
                    "{}, {}",
                    text::one_line(&run.upload.file_name(), NAME_LENGTH),
                    text::size(run.upload.bytes)
                ),
            );
            add("Uploaded", text::moment(run.upload.at));
        } else {
            add("Requested", text::moment(run.upload.at));
        }
        if self.kind != MailKind::Rejected {
            add("Duration", text::duration(run.elapsed(self.input.now)));
            let attempts = run.current.progress.attempts;
            if attempts > 1 {
                add("Attempts", format!("{attempts} (retried after a failure)"));
            }
        }
        if self.kind == MailKind::Succeeded
            && let Some(until) = self
                .input
                .links_until
                .filter(|_| !self.input.links.is_empty())
        {
            add("Links valid until", text::day(until));
        }
        add(
            "Error code",
            self.code
                .filter(|code| *code != ErrorCode::Cancelled)
                .map(|code| code.as_str().to_owned())
                .unwrap_or_default(),
        );
        add("Run", run.id.to_string());
        facts
    }

    /// The model with the version that ran, or else the requested one.
    pub(crate) fn versioned_model(&self) -> String {
        let (run, model) = (self.input.run, self.model());
        let requested = run
            .request
            .version
            .as_deref()
            .map(|version| text::one_line(version, 20))
            .unwrap_or_default();
        match (model.as_str(), run.version) {
            ("", _) => String::new(),
            (_, Some(version)) => format!("{model}, version {}", version.number()),
            (_, None) if !requested.is_empty() => format!("{model}, version {requested}"),
            (_, None) => model,
        }
    }

    /// What else the reader must know.
    pub(crate) fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        let (total, listed) = (
            self.input.run.output_count.unwrap_or(0),
            self.outputs().len() as u64,
        );
        if self.kind == MailKind::Succeeded && total > listed {
            let files = text::count(total, "file", "files");
            let rest = text::grouped(total - listed);
            notes.push(match listed {
            0 => format!("The run wrote {files}. They are kept with the run."),
            _ => format!("The run wrote {files}. This mail lists {}; the other {rest} are kept with the run.", text::grouped(listed)),
        });
        }
        if self.kind == MailKind::Failed
            && self.code == Some(ErrorCode::JobFailed)
            && last_lines(self.input.log).is_empty()
        {
            notes.push("The model wrote no log lines.".to_owned());
        }
        notes.extend(notes_on_recipients(
            "run",
            self.input.operator_only,
            self.input.refused,
        ));
        if let Some(list) = listed_addresses(&self.input.run.notify_unusable) {
            notes.push(format!(
                "Not notified, because the address is not valid: {list}."
            ));
        }
        if let Some(list) = listed_addresses(&self.input.run.notify_left_out) {
            notes.push(format!(
            "Not notified, because an upload may name at most {MAX_RECIPIENTS} addresses: {list}. To reach more people, use a group address."
        ));
        }
        notes
    }
}

/// Why the reader receives the mail, and who does not.
pub(crate) fn notes_on_recipients(
    about: &str,
    operator_only: bool,
    refused: &[String],
) -> Vec<String> {
    let operator = operator_only.then(|| {
        format!("You receive this mail as the operator, because nobody else could be notified of this {about}.")
    });
    let refused = listed_addresses(refused).map(|list| {
        format!("Not notified, because this deployment does not send mail to their domain: {list}.")
    });
    operator.into_iter().chain(refused).collect()
}

fn listed_addresses(addresses: &[String]) -> Option<String> {
    let shown: Vec<_> = addresses
        .iter()
        .map(|address| text::one_line(address, 80))
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
