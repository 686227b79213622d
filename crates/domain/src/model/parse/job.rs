//! `[job]` and `[refresh]`: what runs, with what, and when.

use std::collections::BTreeMap;

use super::super::{
    JobSpec, RefreshSpec, Schedule, SecretRef, Vcpus,
    bounds::{
        MAX_ATTEMPTS, MAX_COMMAND, MAX_MEMORY_MIB, MAX_SECRETS, MAX_TIMEOUT_MINUTES,
        MIN_MEMORY_MIB, default_attempts, default_memory_mib, default_timeout_minutes,
        default_vcpus,
    },
    read::{ManifestProblems, Section},
    secret::unfit_variable,
};
use crate::text::quoted;

/// Reads `[job]`.
pub(super) fn job(section: &Section<'_>, problems: &mut ManifestProblems<'_>) -> Option<JobSpec> {
    section.refuse_unknown_keys(
        &[
            "command",
            "vcpus",
            "memory_mib",
            "timeout_minutes",
            "attempts",
            "secrets",
        ],
        problems,
    );
    let command = command(section, "[\"python\", \"main.py\"]", problems);
    let vcpus = vcpus(section, problems);
    let memory_mib = section.number(
        "memory_mib",
        MIN_MEMORY_MIB..=MAX_MEMORY_MIB,
        default_memory_mib().into(),
        problems,
    );
    let timeout_minutes = small(
        section,
        "timeout_minutes",
        MAX_TIMEOUT_MINUTES,
        default_timeout_minutes().into(),
        problems,
    );
    let attempts = small(
        section,
        "attempts",
        MAX_ATTEMPTS,
        default_attempts().into(),
        problems,
    );
    let secrets = match section.optional_section("secrets", problems) {
        Some(section) => secrets(&section, problems),
        None => Some(BTreeMap::new()),
    };
    Some(JobSpec {
        command: command?,
        vcpus: vcpus?,
        memory_mib: u32::try_from(memory_mib?).ok()?,
        timeout_minutes: timeout_minutes?,
        attempts: attempts?,
        secrets: secrets?,
    })
}

/// Reads `[refresh]`.
pub(super) fn refresh(
    section: &Section<'_>,
    problems: &mut ManifestProblems<'_>,
) -> Option<RefreshSpec> {
    section.refuse_unknown_keys(&["command", "schedule"], problems);
    let command = command(section, "[\"python\", \"refresh.py\"]", problems);
    let schedule = match section.optional_text("schedule", problems) {
        Some(item) => match item.value.parse::<Schedule>() {
            Ok(schedule) => Some(Some(schedule)),
            Err(error) => {
                problems.note(&item.at, &item.key, error.to_string());
                None
            }
        },
        None => Some(None),
    };
    Some(RefreshSpec {
        command: command?,
        schedule: schedule?,
    })
}

/// Reads `[job.secrets]`: variables and the secrets that they hold.
fn secrets(
    section: &Section<'_>,
    problems: &mut ManifestProblems<'_>,
) -> Option<BTreeMap<String, SecretRef>> {
    let entries = section.entries(problems);
    if entries.len() > MAX_SECRETS {
        let message =
            format!("are more than {MAX_SECRETS}; keep several values in one JSON secret");
        problems.note(section.at(), "job.secrets", message);
    }
    let mut secrets = BTreeMap::new();
    let mut whole = true;
    for (variable, item) in entries {
        let Some(item) = item else {
            whole = false;
            continue;
        };
        if let Some(message) = unfit_variable(variable) {
            problems.note(&item.at, &item.key, message);
            continue;
        }
        match item.value.parse::<SecretRef>() {
            Ok(secret) if secret.ends_like_an_arn() => {
                problems.note(
                    &item.at,
                    &item.key,
                    format!(
                        "is {}, which ends in a hyphen and six letters or digits like the ARN of a secret, so Secrets Manager would not find it; rename the secret, for example to {}",
                        quoted(item.value),
                        quoted(&item.value.replace('-', "_"))
                    ),
                );
            }
            Ok(secret) => drop(secrets.insert(variable.to_owned(), secret)),
            Err(error) => {
                problems.note(
                    &item.at,
                    &item.key,
                    format!("is {}; {error}", quoted(item.value)),
                );
            }
        }
    }
    whole.then_some(secrets)
}

fn vcpus(section: &Section<'_>, problems: &mut ManifestProblems<'_>) -> Option<Vcpus> {
    let Some(item) = section.numeral("vcpus", problems)? else {
        return Some(default_vcpus());
    };
    item.value
        .parse()
        .map_err(|error| {
            problems.note(&item.at, &item.key, format!("is out of range; {error}"));
        })
        .ok()
}

/// A whole number from 1.
fn small(
    section: &Section<'_>,
    name: &str,
    most: u64,
    default: u64,
    problems: &mut ManifestProblems<'_>,
) -> Option<u32> {
    section
        .number(name, 1..=most, default, problems)
        .and_then(|number| u32::try_from(number).ok())
}

fn command(
    section: &Section<'_>,
    example: &str,
    problems: &mut ManifestProblems<'_>,
) -> Option<Vec<String>> {
    let example = format!("write for example command = {example}");
    if !section.holds("command") {
        problems.note(
            section.at(),
            &section.key("command"),
            format!("is missing; {example}"),
        );
        return None;
    }
    let list = section.texts("command", problems)?;
    let bytes: usize = list.value.iter().map(|item| item.value.len() + 1).sum();
    if list
        .value
        .first()
        .is_none_or(|program| program.value.is_empty())
    {
        problems.note(
            &list.at,
            &list.key,
            format!("does not name a program; {example}"),
        );
    } else if let Some(item) = list.value.iter().find(|item| item.value.contains('\0')) {
        problems.note(
            &item.at,
            &item.key,
            "contains a NUL character, which cannot be passed to a program",
        );
    } else if bytes > MAX_COMMAND {
        let message =
            format!("has {bytes} bytes; at most {MAX_COMMAND} are allowed, so move it to a script");
        problems.note(&list.at, &list.key, message);
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::model::{Manifest, parse::tests::GOOD};

    #[test]
    fn problems_of_refreshes_and_secrets_say_what_to_write() {
        let text = format!(
            "{GOOD}\n[refresh]\ncomand = [\"a\"]\nschedule = \"0 25 * * *\"\n[job.secrets]\nAWS_REGION = \"a\"\nDB = \"a/b\"\nX = 1\n"
        );
        let errors = Manifest::parse("model.toml", &text).unwrap_err();
        let mut found: Vec<_> = errors
            .problems
            .into_iter()
            .map(|problem| (problem.line, problem.key, problem.message))
            .collect();
        found.sort();
        let expected = [
            (
                17,
                "refresh.command",
                "is missing; write for example command = [\"python\", \"refresh.py\"]",
            ),
            (18, "refresh.comand", "is not a known key; did you mean command?"),
            (
                19,
                "refresh.schedule",
                "has \"25\" for the hour; write 0 to 23, *, lists such as 1,15, ranges such as 1-5 or steps such as */2",
            ),
            (
                21,
                "job.secrets.AWS_REGION",
                "begins with AWS_, which is reserved; choose a different name for the variable",
            ),
            (
                22,
                "job.secrets.DB",
                "is \"a/b\"; a secret is named by letters, digits and _+=.@- such as \"history-database\", and one value of a JSON secret as \"history-database:password\"",
            ),
            (
                23,
                "job.secrets.X",
                "is the number 1; write a string in quotes",
            ),
        ]
        .map(|(line, key, message)| (line, key.to_owned(), message.to_owned()));
        assert_eq!(found, expected);
    }

    #[test]
    fn a_refresh_and_secrets_are_kept_as_they_are_written() {
        let text = format!(
            "{GOOD}\n[refresh]\ncommand = [\"python\", \"refresh.py\"]\nschedule = \"0 6 * * 1-5\"\n[job.secrets]\nDB = \"db:url\"\n"
        )
        .replace("[job]", "[job]\nvcpus = 0.25\nmemory_mib = 512");
        let manifest = Manifest::parse("model.toml", &text).unwrap();
        let stored = serde_json::to_value(&manifest).unwrap();
        assert_eq!(
            stored["refresh"],
            json!({"command": ["python", "refresh.py"], "schedule": "0 6 * * 1-5"})
        );
        assert_eq!(stored["job"]["secrets"], json!({"DB": "db:url"}));
        assert_eq!(stored["job"]["vcpus"], json!(0.25));
        assert_eq!(
            serde_json::from_value::<Manifest>(stored).unwrap(),
            manifest
        );
    }
}
