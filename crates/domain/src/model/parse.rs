//! From the text of `model.toml` to a [`Manifest`], or to everything that is wrong with it.

mod input;

use std::fmt;

use toml::de::DeTable;

use super::{
    JobSpec, Manifest, ModelName, NotifySpec, OutputKind, OutputSpec,
    outputs::check_pattern,
    read::{Findings, Section},
};
use crate::{
    problem::{nearest, quoted},
    recipient::{MOST_RECIPIENTS, is_address},
};

/// The longest title in characters: it becomes a mail's subject.
const LONGEST_TITLE: usize = 100;
/// The longest description in characters.
const LONGEST_DESCRIPTION: usize = 1_000;
/// Above the largest EC2 instance types on sale for batch work.
const MOST_VCPUS: u64 = 256;
/// Below it no interpreter starts.
const LEAST_MEMORY_MIB: u64 = 64;
/// One TiB.
const MOST_MEMORY_MIB: u64 = 1024 * 1024;
/// A day; the state machine waits as long as all attempts together.
const LONGEST_TIMEOUT_MINUTES: u64 = 24 * 60;
/// AWS Batch takes 1 to 10 (`RetryStrategy.attempts`).
const MOST_ATTEMPTS: u64 = 10;
/// Container overrides of AWS Batch hold 8,192 bytes, the environment included.
const LONGEST_COMMAND: usize = 6_144;
/// A finished run is written as at most 30 items.
const MOST_OUTPUTS: usize = 20;

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
        let mut findings = Findings::new(text);
        let (table, errors) = DeTable::parse_recoverable(text);
        for error in &errors {
            let at = error.span().unwrap_or(0..0);
            findings.note(&at, "", format!("This is not TOML: {}", error.message()));
        }
        let manifest = errors
            .is_empty()
            .then(|| manifest(&Section::root(&table), &mut findings))
            .flatten();
        let problems = findings.into_problems();
        match manifest {
            Some(manifest) if problems.is_empty() => Ok(manifest),
            _ => Err(ManifestErrors {
                file: file.to_owned(),
                problems,
            }),
        }
    }
}

fn manifest(root: &Section<'_>, findings: &mut Findings<'_>) -> Option<Manifest> {
    root.refuse_unknown_keys(
        &[
            "name",
            "title",
            "description",
            "input",
            "job",
            "outputs",
            "notify",
        ],
        findings,
    );
    let name = name(root, findings);
    let title = title(root, findings);
    let description = description(root, findings);
    let input = root
        .section("input", findings)
        .and_then(|section| input::input(&section, findings));
    let job = root
        .section("job", findings)
        .and_then(|section| job(&section, findings));
    let outputs = outputs(root, findings);
    let notify = match root.optional_section("notify", findings) {
        Some(section) => notify(&section, findings),
        None => Some(NotifySpec::default()),
    };
    Some(Manifest {
        name: name?,
        title: title?,
        description: description?,
        input: input?,
        job: job?,
        outputs: outputs?,
        notify: notify?,
    })
}

fn name(root: &Section<'_>, findings: &mut Findings<'_>) -> Option<ModelName> {
    let item = root.text("name", "revenue-forecast", findings)?;
    item.value
        .parse()
        .map_err(|error| {
            findings.note(
                &item.at,
                &item.key,
                format!("is {}: {error}", quoted(item.value)),
            );
        })
        .ok()
}

fn title(section: &Section<'_>, findings: &mut Findings<'_>) -> Option<String> {
    let item = section.text("title", "Revenue forecast", findings)?;
    let count = item.value.chars().count();
    if item.value.trim().is_empty() {
        findings.note(
            &item.at,
            &item.key,
            "is empty; say in a few words what it is",
        );
    } else if count > LONGEST_TITLE {
        findings.note(
            &item.at,
            &item.key,
            format!("has {count} characters; at most {LONGEST_TITLE} are allowed"),
        );
    } else if item.value.chars().any(char::is_control) {
        findings.note(
            &item.at,
            &item.key,
            "holds a line break or another control character; write one line",
        );
    } else {
        return Some(item.value.to_owned());
    }
    None
}

fn description(root: &Section<'_>, findings: &mut Findings<'_>) -> Option<String> {
    let Some(item) = root.optional_text("description", findings) else {
        return Some(String::new());
    };
    let count = item.value.chars().count();
    if count > LONGEST_DESCRIPTION {
        let message = format!("has {count} characters; at most {LONGEST_DESCRIPTION} are allowed");
        findings.note(&item.at, &item.key, message);
        return None;
    }
    Some(item.value.to_owned())
}

fn job(section: &Section<'_>, findings: &mut Findings<'_>) -> Option<JobSpec> {
    section.refuse_unknown_keys(
        &[
            "command",
            "vcpus",
            "memory_mib",
            "timeout_minutes",
            "attempts",
        ],
        findings,
    );
    let command = command(section, findings);
    let vcpus = small(section, "vcpus", MOST_VCPUS, 1, findings);
    let memory_mib = section.number(
        "memory_mib",
        LEAST_MEMORY_MIB..=MOST_MEMORY_MIB,
        2_048,
        findings,
    );
    let timeout_minutes = small(
        section,
        "timeout_minutes",
        LONGEST_TIMEOUT_MINUTES,
        60,
        findings,
    );
    let attempts = small(section, "attempts", MOST_ATTEMPTS, 2, findings);
    Some(JobSpec {
        command: command?,
        vcpus: vcpus?,
        memory_mib: u32::try_from(memory_mib?).ok()?,
        timeout_minutes: timeout_minutes?,
        attempts: attempts?,
    })
}

/// A whole number from 1.
fn small(
    section: &Section<'_>,
    name: &str,
    most: u64,
    default: u64,
    findings: &mut Findings<'_>,
) -> Option<u32> {
    section
        .number(name, 1..=most, default, findings)
        .and_then(|number| u32::try_from(number).ok())
}

fn command(section: &Section<'_>, findings: &mut Findings<'_>) -> Option<Vec<String>> {
    const EXAMPLE: &str = "write for example command = [\"python\", \"main.py\"]";
    if !section.holds("command") {
        findings.note(
            section.at(),
            &section.key("command"),
            format!("is missing; {EXAMPLE}"),
        );
        return None;
    }
    let list = section.texts("command", findings)?;
    let bytes: usize = list.value.iter().map(|item| item.value.len() + 1).sum();
    if list
        .value
        .first()
        .is_none_or(|program| program.value.is_empty())
    {
        findings.note(&list.at, &list.key, format!("names no program; {EXAMPLE}"));
    } else if let Some(item) = list.value.iter().find(|item| item.value.contains('\0')) {
        findings.note(
            &item.at,
            &item.key,
            "holds a NUL character, which no program can be given",
        );
    } else if bytes > LONGEST_COMMAND {
        let message = format!(
            "has {bytes} bytes; at most {LONGEST_COMMAND} are allowed, so put it into a script"
        );
        findings.note(&list.at, &list.key, message);
    } else {
        return Some(
            list.value
                .iter()
                .map(|item| item.value.to_owned())
                .collect(),
        );
    }
    None
}

fn outputs(root: &Section<'_>, findings: &mut Findings<'_>) -> Option<Vec<OutputSpec>> {
    let sections = root.sections("outputs", findings);
    if let Some(section) = sections.get(MOST_OUTPUTS) {
        let message = format!(
            "are more than {MOST_OUTPUTS}; declare a pattern such as charts/*.png for several files"
        );
        findings.note(section.at(), "outputs", message);
    }
    let mut outputs: Vec<OutputSpec> = Vec::new();
    let mut whole = true;
    for section in &sections {
        let Some(output) = output(section, findings) else {
            whole = false;
            continue;
        };
        if outputs.iter().any(|earlier| earlier.path == output.path) {
            let message = format!(
                "is {}, which is declared above already",
                quoted(&output.path)
            );
            findings.note(section.at(), &section.key("path"), message);
        }
        outputs.push(output);
    }
    whole.then_some(outputs)
}

fn output(section: &Section<'_>, findings: &mut Findings<'_>) -> Option<OutputSpec> {
    section.refuse_unknown_keys(&["path", "title", "kind", "required"], findings);
    let path = section
        .text("path", "forecast.csv", findings)
        .and_then(|item| match check_pattern(item.value) {
            Ok(()) => Some(item.value.to_owned()),
            Err(fault) => {
                findings.note(&item.at, &item.key, fault.to_string());
                None
            }
        });
    let title = title(section, findings);
    let kind = section.text("kind", "table", findings).and_then(|item| {
        let kind = OutputKind::ALL
            .into_iter()
            .find(|kind| kind.as_str() == item.value);
        if kind.is_none() {
            let advice = match nearest(item.value, OutputKind::ALL.map(OutputKind::as_str)) {
                Some(meant) => format!("did you mean \"{meant}\"?"),
                None => "write \"table\", \"chart\", \"document\" or \"data\"".to_owned(),
            };
            findings.note(
                &item.at,
                &item.key,
                format!("is {}; {advice}", quoted(item.value)),
            );
        }
        kind
    });
    let required = section.flag("required", true, findings);
    Some(OutputSpec {
        path: path?,
        title: title?,
        kind: kind?,
        required: required?,
    })
}

fn notify(section: &Section<'_>, findings: &mut Findings<'_>) -> Option<NotifySpec> {
    section.refuse_unknown_keys(&["recipients"], findings);
    if !section.holds("recipients") {
        return Some(NotifySpec::default());
    }
    let list = section.texts("recipients", findings)?;
    if list.value.len() > MOST_RECIPIENTS {
        let message = format!("are more than {MOST_RECIPIENTS}; use a group address");
        findings.note(&list.at, &list.key, message);
    }
    let mut recipients: Vec<String> = Vec::new();
    for item in &list.value {
        if !is_address(item.value) {
            let message = format!(
                "is {}, which is no mail address such as ana@corp.example",
                quoted(item.value)
            );
            findings.note(&item.at, &item.key, message);
        } else if recipients.iter().any(|earlier| earlier == item.value) {
            findings.note(
                &item.at,
                &item.key,
                format!("is {}, which is named above already", quoted(item.value)),
            );
        } else {
            recipients.push(item.value.to_owned());
        }
    }
    Some(NotifySpec { recipients })
}

#[cfg(test)]
#[path = "parse_tests.rs"]
mod tests;
