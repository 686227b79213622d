//! From the text of `model.toml` to a [`Manifest`], or to everything that is wrong with it.

mod input;
mod job;

use std::fmt;

use toml::de::DeTable;

use super::{
    Manifest, ModelName, NotifySpec, OutputKind, OutputSpec,
    bounds::{MAX_DESCRIPTION, MAX_OUTPUTS, MAX_TITLE, default_required},
    outputs::check_pattern,
    read::{ManifestProblems, Section},
};
use crate::{
    problem::nearest,
    recipient::{MAX_RECIPIENTS, is_address},
    text::quoted,
};

/// One thing that is wrong with a manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManifestProblem {
    /// The line, from 1.
    pub line: usize,
    /// The key as it is written with its sections: `job.vcpus`, `outputs[0].path`; may be empty.
    pub key: String,
    /// What is wrong and what to do, as the end of a sentence that begins with the key.
    pub message: String,
}

/// Everything that is wrong with a manifest, in the order of its lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManifestErrors {
    /// The file's name as the caller gave it.
    pub file: String,
    /// At least one problem.
    pub problems: Vec<ManifestProblem>,
}

impl fmt::Display for ManifestErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.problems.iter().enumerate() {
            let separator = if index > 0 { "\n" } else { "" };
            write!(f, "{separator}{}:{}: ", self.file, problem.line)?;
            if !problem.key.is_empty() {
                write!(f, "{} ", problem.key)?;
            }
            let end = if problem.message.ends_with(['.', '?']) {
                ""
            } else {
                "."
            };
            write!(f, "{}{end}", problem.message)?;
        }
        Ok(())
    }
}

impl std::error::Error for ManifestErrors {}

impl Manifest {
    /// Reads a manifest; `file` only names it in problems.
    ///
    /// Every problem is reported together, except that broken TOML hides the rest.
    pub fn parse(file: &str, text: &str) -> Result<Self, ManifestErrors> {
        let mut problems = ManifestProblems::new(text);
        let (table, errors) = DeTable::parse_recoverable(text);
        for error in &errors {
            let at = error.span().unwrap_or(0..0);
            problems.note(&at, "", format!("This is not TOML: {}", error.message()));
        }
        let manifest = errors
            .is_empty()
            .then(|| manifest(&Section::root(&table), &mut problems))
            .flatten();
        let problems = problems.into_sorted();
        match manifest {
            Some(manifest) if problems.is_empty() => Ok(manifest),
            _ => Err(ManifestErrors {
                file: file.to_owned(),
                problems,
            }),
        }
    }
}

fn manifest(root: &Section<'_>, problems: &mut ManifestProblems<'_>) -> Option<Manifest> {
    root.refuse_unknown_keys(
        &[
            "name",
            "title",
            "description",
            "input",
            "job",
            "refresh",
            "outputs",
            "notify",
        ],
        problems,
    );
    let name = name(root, problems);
    let title = title(root, problems);
    let description = description(root, problems);
    let input = root
        .section("input", problems)
        .and_then(|section| input::input(&section, problems));
    let job = root
        .section("job", problems)
        .and_then(|section| job::job(&section, problems));
    let refresh = match root.optional_section("refresh", problems) {
        Some(section) => job::refresh(&section, problems).map(Some),
        None => Some(None),
    };
    let outputs = outputs(root, problems);
    let notify = match root.optional_section("notify", problems) {
        Some(section) => notify(&section, problems),
        None => Some(NotifySpec::default()),
    };
    Some(Manifest {
        name: name?,
        title: title?,
        description: description?,
        input: input?,
        job: job?,
        refresh: refresh?,
        outputs: outputs?,
        notify: notify?,
    })
}

fn name(root: &Section<'_>, problems: &mut ManifestProblems<'_>) -> Option<ModelName> {
    let item = root.text("name", "revenue-forecast", problems)?;
    item.value
        .parse()
        .map_err(|error| {
            problems.note(
                &item.at,
                &item.key,
                format!("is {}: {error}", quoted(item.value)),
            );
        })
        .ok()
}

fn title(section: &Section<'_>, problems: &mut ManifestProblems<'_>) -> Option<String> {
    let item = section.text("title", "Revenue forecast", problems)?;
    let count = item.value.chars().count();
    if item.value.trim().is_empty() {
        problems.note(
            &item.at,
            &item.key,
            "is empty; describe the item in a few words",
        );
    } else if count > MAX_TITLE {
        problems.note(
            &item.at,
            &item.key,
            format!("has {count} characters; at most {MAX_TITLE} are allowed"),
        );
    } else if item.value.chars().any(char::is_control) {
        problems.note(
            &item.at,
            &item.key,
            "contains a line break or another control character; write one line",
        );
    } else {
        return Some(item.value.to_owned());
    }
    None
}

fn description(root: &Section<'_>, problems: &mut ManifestProblems<'_>) -> Option<String> {
    let Some(item) = root.optional_text("description", problems) else {
        return Some(String::new());
    };
    let count = item.value.chars().count();
    if count > MAX_DESCRIPTION {
        let message = format!("has {count} characters; at most {MAX_DESCRIPTION} are allowed");
        problems.note(&item.at, &item.key, message);
        return None;
    }
    Some(item.value.to_owned())
}

fn outputs(root: &Section<'_>, problems: &mut ManifestProblems<'_>) -> Option<Vec<OutputSpec>> {
    let sections = root.sections("outputs", problems);
    if let Some(section) = sections.get(MAX_OUTPUTS) {
        let message = format!(
            "are more than {MAX_OUTPUTS}; declare a pattern such as charts/*.png for several files"
        );
        problems.note(section.at(), "outputs", message);
    }
    let mut outputs: Vec<OutputSpec> = Vec::new();
    let mut whole = true;
    for section in &sections {
        let Some(output) = output(section, problems) else {
            whole = false;
            continue;
        };
        if outputs.iter().any(|earlier| earlier.path == output.path) {
            let message = format!(
                "is {}, which is already declared above",
                quoted(&output.path)
            );
            problems.note(section.at(), &section.key("path"), message);
        }
        outputs.push(output);
    }
    whole.then_some(outputs)
}

fn output(section: &Section<'_>, problems: &mut ManifestProblems<'_>) -> Option<OutputSpec> {
    section.refuse_unknown_keys(&["path", "title", "kind", "required"], problems);
    let path = section
        .text("path", "forecast.csv", problems)
        .and_then(|item| match check_pattern(item.value) {
            Ok(()) => Some(item.value.to_owned()),
            Err(fault) => {
                problems.note(&item.at, &item.key, fault.to_string());
                None
            }
        });
    let title = title(section, problems);
    let kind = section.text("kind", "table", problems).and_then(|item| {
        let kind = OutputKind::from_name(item.value);
        if kind.is_none() {
            let advice = match nearest(item.value, OutputKind::ALL.map(OutputKind::as_str)) {
                Some(meant) => format!("did you mean \"{meant}\"?"),
                None => "write \"table\", \"chart\", \"document\" or \"data\"".to_owned(),
            };
            problems.note(
                &item.at,
                &item.key,
                format!("is {}; {advice}", quoted(item.value)),
            );
        }
        kind
    });
    let required = section.flag("required", default_required(), problems);
    Some(OutputSpec {
        path: path?,
        title: title?,
        kind: kind?,
        required: required?,
    })
}

fn notify(section: &Section<'_>, problems: &mut ManifestProblems<'_>) -> Option<NotifySpec> {
    section.refuse_unknown_keys(&["recipients"], problems);
    if !section.holds("recipients") {
        return Some(NotifySpec::default());
    }
    let list = section.texts("recipients", problems)?;
    if list.value.len() > MAX_RECIPIENTS {
        let message = format!("are more than {MAX_RECIPIENTS}; use a group address");
        problems.note(&list.at, &list.key, message);
    }
    let mut recipients: Vec<String> = Vec::new();
    for item in &list.value {
        if !is_address(item.value) {
            let message = format!(
                "is {}, which is not an e-mail address such as ana@corp.example",
                quoted(item.value)
            );
            problems.note(&item.at, &item.key, message);
        } else if recipients.iter().any(|earlier| earlier == item.value) {
            problems.note(
                &item.at,
                &item.key,
                format!("is {}, which is already listed above", quoted(item.value)),
            );
        } else {
            recipients.push(item.value.to_owned());
        }
    }
    Some(NotifySpec { recipients })
}

#[cfg(test)]
mod tests;
