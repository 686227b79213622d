//! What many scenarios check.

use std::fs;

use anyhow::{Context as _, Result, ensure};
use dropcast_domain::{failure::ErrorCode, status::Status};
use dropcast_local_stack::Mail;
use dropcast_tests::{Dropped, Ended, OPERATOR, SENDER, Stack, programs};
use serde_json::Value;

/// A text with every run of spaces and line breaks as one space: mails are wrapped.
pub(crate) fn flat(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// SHA-256 in hex.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    use sha2::Digest as _;
    hex::encode(sha2::Sha256::digest(bytes))
}

/// A run succeeded.
pub(crate) fn succeeded(ended: &Ended) -> Result<()> {
    let run = &ended.run;
    ensure!(
        run.status() == Status::Succeeded,
        "{} has {}: {}",
        run.id,
        run.status(),
        ended.failure()
    );
    ensure!(ended.execution == "SUCCEEDED", "{}", ended.execution);
    Ok(())
}

/// A run ended with a status and a code, in a plain sentence with these words, and Dropcast itself
/// is whole.
pub(crate) fn ended_with(
    ended: &Ended,
    status: Status,
    code: ErrorCode,
    says: &[&str],
) -> Result<()> {
    let run = &ended.run;
    ensure!(
        run.status() == status && run.failure.as_ref().is_some_and(|it| it.code == code),
        "{} should have {status} with {code}, and has {}: {}",
        run.id,
        run.status(),
        ended.failure()
    );
    let message = run.failure.as_ref().map_or("", |it| it.message.as_str());
    is_a_sentence(message)?;
    for words in says {
        ensure!(message.contains(words), "“{message}” lacks “{words}”");
    }
    // A failure of Dropcast itself, or one that its operator must fix, raises an alarm.
    let expected = if code == ErrorCode::Internal {
        "FAILED"
    } else {
        "SUCCEEDED"
    };
    ensure!(
        ended.execution == expected,
        "the execution of a run with {code} has {}",
        ended.execution
    );
    Ok(())
}

/// A text is one or more plain sentences on one line.
pub(crate) fn is_a_sentence(text: &str) -> Result<()> {
    let first = text.chars().next().unwrap_or_default();
    ensure!(
        (first.is_uppercase() || first == '“')
            && text.ends_with(['.', '!', '?'])
            && !text.chars().any(char::is_control)
            && !text.contains("Error {")
            && text.chars().count() <= 1_000,
        "this is no plain sentence: {text:?}"
    );
    Ok(())
}

/// Exactly one run was started under the key of a file.
pub(crate) async fn is_the_only_run(stack: &Stack, dropped: &Dropped) -> Result<()> {
    let runs = stack.runs_of_key(&dropped.upload).await?;
    let ids: Vec<_> = runs.iter().map(|run| run.id.as_str()).collect();
    ensure!(
        ids == [dropped.run.as_str()],
        "the runs under {:?} are {ids:?}",
        dropped.upload.key
    );
    Ok(())
}

/// A mail says that a run failed or was rejected: to whom, what happened and what to do.
pub(crate) fn reports_failure(mail: &Mail, ended: &Ended, recipient: &str) -> Result<()> {
    let failure = ended.run.failure.as_ref().context("the run's failure")?;
    let label = match ended.run.status() {
        Status::Rejected => "Not accepted: ",
        _ => "Failed: ",
    };
    let subject = format!("{label}{}", ended.run.title);
    ensure!(
        mail.subject.starts_with(&subject),
        "the subject {:?} does not begin with {subject:?}",
        mail.subject
    );
    ensure!(mail.to == [recipient], "it went to {:?}", mail.to);
    ensure!(mail.from == SENDER, "it came from {}", mail.from);
    let (text, html) = (flat(&mail.text), flat(&mail.html));
    let advice = failure.code.advice();
    for words in [failure.code.as_str(), ended.run.id.as_str()] {
        ensure!(text.contains(words), "no {words} in {text}");
        ensure!(html.contains(words), "no {words} in {html}");
    }
    ensure!(text.contains(&flat(advice)), "no “{advice}” in {text}");
    if ended.run.problem_count.unwrap_or_default() == 0 {
        let message = flat(&failure.message);
        ensure!(text.contains(&message), "no “{message}” in {text}");
    }
    let to_operator = text.contains("You receive this mail as the operator");
    ensure!(
        to_operator == (recipient == OPERATOR),
        "whether it tells the operator so: {text}"
    );
    Ok(())
}

/// A document is what a schema of `schemas/` says.
pub(crate) fn fits(schema: &str, document: &Value) -> Result<()> {
    let folder = programs::repository().join("schemas");
    let read = |name: &str| -> Result<Value> {
        let text = fs::read_to_string(folder.join(name)).with_context(|| name.to_owned())?;
        Ok(serde_json::from_str(&text)?)
    };
    let mut registry = jsonschema::Registry::new();
    // Those of the commands name each other.
    for entry in fs::read_dir(folder.join("cli"))? {
        let name = format!("cli/{}", entry?.file_name().to_string_lossy());
        let other = read(&name)?;
        let id = other["$id"].as_str().context("a schema's $id")?.to_owned();
        registry = registry.add(id, jsonschema::Resource::from_contents(other))?;
    }
    let registry = registry.prepare()?;
    let validator = jsonschema::options()
        .with_registry(&registry)
        .should_validate_formats(true)
        .build(&read(schema)?)
        .map_err(|error| anyhow::anyhow!("{schema}: {error}"))?;
    let problems: Vec<String> = validator
        .iter_errors(document)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    ensure!(
        problems.is_empty(),
        "this does not fit {schema}: {}\n{document:#}",
        problems.join("; ")
    );
    Ok(())
}
