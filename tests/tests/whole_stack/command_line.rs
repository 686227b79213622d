//! The `dropcast` command against the running stack: what it prints fits its schema, and its exit
//! codes are those that `dropcast --help` names.

use anyhow::{Context as _, Result, ensure};
use dropcast_tests::{Stack, programs};
use serde_json::Value;
use tokio::process::Command;

use crate::{checks::fits, world::scenarios};

scenarios![
    a_submitted_file_is_followed_to_its_end,
    a_submitted_file_that_fails_or_is_rejected_has_its_exit_code,
    lists_and_mails_fit_their_schemas,
    what_cannot_be_done_is_said_with_its_exit_code,
];

/// What the command answered.
#[derive(Debug)]
pub(crate) struct Answer {
    code: i32,
    pub(crate) document: Value,
}

impl Answer {
    pub(crate) fn is(&self, code: i32, schema: &str) -> Result<()> {
        ensure!(self.code == code, "not {code}: {self:#?}");
        fits(&format!("cli/{schema}.schema.json"), &self.document)
    }
}

/// Runs `dropcast --json` against the stack.
pub(crate) async fn dropcast(stack: &Stack, arguments: &[&str]) -> Result<Answer> {
    let output = Command::new(programs::program("dropcast")?)
        .arg("--json")
        .arg("--state-dir")
        .arg(&stack.connection().state)
        .args(arguments)
        .env_remove("DROPCAST_STACK")
        .output()
        .await?;
    let text = String::from_utf8(output.stdout)?;
    let document = serde_json::from_str(&text).with_context(|| {
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        format!("{arguments:?} printed {text:?} and {errors}")
    })?;
    Ok(Answer {
        code: output.status.code().context("an exit code")?,
        document,
    })
}

/// A file to submit, in the stack's folder.
pub(crate) fn file(stack: &Stack, name: &str, content: &str) -> Result<String> {
    let path = stack.connection().state.join(name);
    std::fs::write(&path, content)?;
    Ok(path.display().to_string())
}

async fn a_submitted_file_is_followed_to_its_end(stack: &Stack) -> Result<()> {
    let model = stack.model("echo").await?;
    let plan = file(stack, "cli plan é.json", "[1, 2]")?;
    let answer = dropcast(
        stack,
        &[
            "submit",
            &plan,
            "--model",
            &model,
            "--title",
            "Plan für Ü <b>",
            "--notify",
            "ana@corp.example",
            "--wait",
        ],
    )
    .await?;
    answer.is(0, "submitted")?;
    let run = &answer.document["run"];
    assert_eq!(run["status"], "succeeded");
    assert_eq!(run["title"], "Plan für Ü <b>");
    let id = run["id"].as_str().context("the run's id")?;
    let url = run["outputs"][0]["url"].as_str().context("a link")?;
    let opened = stack.open(url).await?;
    assert_eq!((opened.status, opened.text().as_str()), (200, "[1, 2]"));

    let shown = dropcast(stack, &["show", id]).await?;
    shown.is(0, "run")?;
    assert_eq!(shown.document["timeline"].as_array().map(Vec::len), Some(8));
    let waited = dropcast(stack, &["wait", id]).await?;
    waited.is(0, "run")?;
    stack.mail(&id.parse()?).await?;
    let mails = dropcast(stack, &["mail", "--run", id]).await?;
    mails.is(0, "mails")?;
    let mail = &mails.document["mails"][0];
    assert_eq!(mail["to"][0], "ana@corp.example");
    assert_eq!(mail["runId"], id);
    assert_eq!(mail["links"].as_array().map(Vec::len), Some(3));
    Ok(())
}

async fn a_submitted_file_that_fails_or_is_rejected_has_its_exit_code(stack: &Stack) -> Result<()> {
    let (fails, strict) = (stack.model("fails").await?, stack.model("strict").await?);
    let plan = file(stack, "cli-rejected.json", "{\"horizon_months\": 0}")?;
    let submit = async |model| {
        let arguments = ["submit", &plan, "--model", model, "--wait"];
        dropcast(stack, &arguments).await
    };
    let (failed, rejected) = tokio::try_join!(submit(&fails), submit(&strict))?;
    failed.is(1, "submitted")?;
    let run = &failed.document["run"];
    assert_eq!(run["failure"]["code"], "JobFailed");
    assert_eq!(run["log"].as_array().map(Vec::len), Some(40));
    rejected.is(3, "submitted")?;
    let run = &rejected.document["run"];
    assert_eq!(run["failure"]["code"], "InputRejected");
    assert_eq!(run["problems"][0]["at"], "/horizon_months");
    Ok(())
}

async fn lists_and_mails_fit_their_schemas(stack: &Stack) -> Result<()> {
    let model = stack.model("noop").await?;
    let plan = file(stack, "cli-list.json", "1")?;
    let arguments = ["submit", &plan, "--model", &model, "--wait"];
    dropcast(stack, &arguments).await?.is(0, "submitted")?;
    for (arguments, schema) in [
        (vec!["runs"], "runs"),
        (vec!["runs", "--open"], "runs"),
        (vec!["runs", "--model", &model, "--limit", "1"], "runs"),
        (vec!["runs", "--model", "no such <model>"], "runs"),
        (vec!["model", "list"], "models"),
        (vec!["model", "show", &model], "model"),
        (vec!["mail"], "mails"),
        (vec!["mail", "--last"], "mails"),
        (vec!["local", "status"], "local"),
    ] {
        dropcast(stack, &arguments)
            .await?
            .is(0, schema)
            .with_context(|| format!("{arguments:?}"))?;
    }
    Ok(())
}

async fn what_cannot_be_done_is_said_with_its_exit_code(stack: &Stack) -> Result<()> {
    stack.model("noop").await?;
    stack.model("slow").await?;
    let plan = file(stack, "cli-errors.json", "1")?;
    let elsewhere = file(stack, "cli-no-stack", "")?;
    for (code, arguments) in [
        (2, vec!["submit", &plan, "--model", "noop", "--notify", "x"]),
        (4, vec!["runs", "--state-dir", &elsewhere]),
        (6, vec!["submit", &plan, "--model", "nop"]),
        (
            6,
            vec!["submit", &plan, "--model", "noop", "--version", "9"],
        ),
        (6, vec!["submit", "/no/such/file", "--model", "noop"]),
        (6, vec!["show", "mfrggzdfmztwq2lknnwg23tpoa"]),
        (6, vec!["wait", "mfrggzdfmztwq2lknnwg23tpoa"]),
        (6, vec!["model", "show", "nop"]),
        (6, vec!["model", "register", "/no/such/folder"]),
        (
            5,
            vec![
                "submit",
                &plan,
                "--model",
                "slow",
                "--wait",
                "--timeout",
                "1s",
            ],
        ),
    ] {
        // A later --state-dir replaces the one before it.
        let refused = dropcast(stack, &arguments).await?;
        refused
            .is(code, "error")
            .with_context(|| format!("{arguments:?}"))?;
    }
    Ok(())
}
