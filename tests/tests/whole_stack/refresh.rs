//! Refreshes of a model's cache: on request and on schedule.

use anyhow::{Context as _, Result, ensure};
use dropcast_domain::{failure::ErrorCode, run::Run, status::Status, upload::RunKind};
use dropcast_store::{History as _, Refreshes as _};
use dropcast_tests::{Stack, Upload, until};
use serde_json::json;

use crate::{command_line::dropcast, world::scenarios};

scenarios![
    a_refresh_keeps_what_later_runs_read,
    a_refresh_that_fails_changes_nothing_and_is_mailed,
    a_model_without_a_refresh_cannot_be_refreshed,
    a_refresh_is_started_on_the_command_line,
    a_refresh_that_is_due_is_started_once,
];

/// What a run of the model finds kept.
async fn kept(stack: &Stack, model: &str, name: &str) -> Result<String> {
    let (_, ended) = stack.run(&Upload::new(model, name, "1")).await?;
    ensure!(ended.run.status() == Status::Succeeded, "{ended:?}");
    let output = ended.run.outputs.first().context("an output")?;
    let content = stack.result(&output.key).await?;
    Ok(String::from_utf8(content)?.trim().to_owned())
}

async fn a_refresh_keeps_what_later_runs_read(stack: &Stack) -> Result<()> {
    let model = stack.model("keeps").await?;
    assert_eq!(kept(stack, &model, "before.json").await?, "nothing");
    let (dropped, ended) = stack.run(&Upload::refresh(&model, "now.json")).await?;
    let run = &ended.run;
    ensure!(run.status() == Status::Succeeded, "{ended:?}");
    assert_eq!(run.kind, RunKind::Refresh);
    assert_eq!(run.title, "Refresh of keeps");
    assert!(run.input.is_none());
    // A refresh need not write the outputs that a run must write.
    assert_eq!((run.outputs.len(), run.output_count), (0, Some(0)));
    assert_eq!(
        kept(stack, &model, "after.json").await?,
        "kept by refresh 1"
    );
    let job = run.job.as_ref().context("a job")?;
    let job = stack.job(job.as_str()).await?;
    let container = job.container.context("a container")?;
    assert_eq!(
        container.command(),
        ["dropcast-job", "--", "sh", "refresh.sh"]
    );
    let mails = stack.mails_about(&dropped.run).await?;
    ensure!(mails.is_empty(), "a refresh sends no mail: {mails:?}");
    Ok(())
}

async fn a_refresh_that_fails_changes_nothing_and_is_mailed(stack: &Stack) -> Result<()> {
    let model = stack.model_as("keeps", "keeps-broken").await?;
    let (_, first) = stack.run(&Upload::refresh(&model, "1.json")).await?;
    ensure!(first.run.status() == Status::Succeeded, "{first:?}");
    let (dropped, second) = stack.run(&Upload::refresh(&model, "2.json")).await?;
    let failure = second.run.failure.as_ref().context("a failure")?;
    assert_eq!(failure.code, ErrorCode::JobFailed);
    assert_eq!(
        kept(stack, &model, "after.json").await?,
        "kept by refresh 1"
    );
    let mail = stack.mail(&dropped.run).await?;
    for words in [
        "The model's data was not refreshed",
        "the database went away",
        "Runs keep using the data of the last successful refresh.",
        "dropcast model refresh",
    ] {
        let text = mail.text.split_whitespace().collect::<Vec<_>>().join(" ");
        ensure!(text.contains(words), "no “{words}”: {}", mail.text);
    }
    ensure!(!mail.text.contains("your file"), "{}", mail.text);
    Ok(())
}

async fn a_model_without_a_refresh_cannot_be_refreshed(stack: &Stack) -> Result<()> {
    let model = stack.model("noop").await?;
    let (_, ended) = stack.run(&Upload::refresh(&model, "now.json")).await?;
    assert_eq!(ended.run.status(), Status::Rejected);
    assert_eq!(
        ended.failure(),
        "InputRejected: Version 1 of noop cannot be refreshed: its manifest has no [refresh] section."
    );
    let (_, ended) = stack.run(&Upload::refresh("no-such-model", "x")).await?;
    let failure = ended.run.failure.context("a failure")?;
    assert_eq!(failure.code, ErrorCode::ModelUnknown);
    Ok(())
}

async fn a_refresh_is_started_on_the_command_line(stack: &Stack) -> Result<()> {
    let model = stack.model_as("keeps", "keeps-command").await?;
    let arguments = ["model", "refresh", &model, "--wait"];
    let answer = dropcast(stack, &arguments).await?;
    answer.is(0, "submitted")?;
    let run = &answer.document["run"];
    assert_eq!(
        (&run["kind"], &run["status"]),
        (&json!("refresh"), &json!("succeeded"))
    );
    let pinned = ["model", "refresh", &model, "--version", "1"];
    let answer = dropcast(stack, &pinned).await?;
    answer.is(0, "submitted")?;
    let id = answer.document["run"]["id"].as_str().context("an id")?;
    dropcast(stack, &["wait", id]).await?.is(0, "run")?;
    let listed = dropcast(stack, &["runs", "--model", &model]).await?;
    listed.is(0, "runs")?;
    assert_eq!(listed.document["runs"][0]["kind"], "refresh");
    let noop = stack.model("noop").await?;
    let refused = dropcast(stack, &["model", "refresh", &noop]).await?;
    refused.is(3, "error")
}

async fn a_refresh_that_is_due_is_started_once(stack: &Stack) -> Result<()> {
    let model = "keeps-scheduled";
    let folder = stack.copy_of("keeps", model)?;
    let manifest = folder.join("model.toml");
    let text = std::fs::read_to_string(&manifest)?;
    let scheduled = "[refresh]\nschedule = \"*/15 * * * *\"";
    std::fs::write(&manifest, text.replacen("[refresh]", scheduled, 1))?;
    stack.register(&folder).await?;
    // Its version counts as built long ago, so that a moment of its schedule is due.
    let machine = stack.machine_that_invokes("StartRefreshes").await?;
    for _ in 0..3 {
        let ended = stack.executed(&machine, &json!({})).await?;
        ensure!(ended.status.as_str() == "SUCCEEDED", "{ended:?}");
    }
    let refreshes = async || -> Result<Vec<Run>> {
        let mut runs = stack.store.runs_of(model, 100).await?;
        runs.retain(|run| run.kind == RunKind::Refresh);
        Ok(runs)
    };
    let started = until("the refreshes are over", || async {
        let runs = refreshes().await?;
        let over = !runs.is_empty() && runs.iter().all(Run::is_over);
        Ok(over.then_some(runs))
    })
    .await?;
    let last = stack.store.last_refresh(&model.parse()?).await?;
    let last = last.context("what was due is remembered")?;
    // A quarter of an hour may have begun between two invocations.
    ensure!((1..=2).contains(&started.len()), "{started:?}");
    let newest = started.first().context("a run")?;
    assert_eq!(newest.status(), Status::Succeeded);
    let key = format!("refresh/{model}/{}.json", last.strftime("%Y%m%dT%H%M%SZ"));
    assert_eq!(newest.upload.key, key);
    Ok(())
}
