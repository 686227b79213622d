//! The log of a run's job, whole and as it comes, whatever the run's status.

use std::{fs, process::Stdio};

use anyhow::{Context as _, Result, ensure};
use dropcast_domain::status::Status;
use dropcast_tests::{Stack, Upload, programs};
use serde_json::json;
use tokio::process::Command;

use crate::{checks::succeeded, command_line::dropcast, world::scenarios};

scenarios![
    a_failed_run_s_log_is_printed_whole,
    a_log_is_followed_until_its_job_has_ended,
    a_run_without_a_job_has_no_log,
];

async fn a_failed_run_s_log_is_printed_whole(stack: &Stack) -> Result<()> {
    let model = stack.model("fails").await?;
    let (submitted, _) = stack.run(&Upload::new(&model, "log.json", "{}")).await?;
    let answer = dropcast(stack, &["logs", submitted.run.as_str()]).await?;
    answer.is(0, "log")?;
    let lines = answer.document["lines"].as_array().context("lines")?;
    let messages: Vec<&str> = lines
        .iter()
        .filter_map(|it| it["message"].as_str())
        .collect();
    for step in 1..=60 {
        let line = format!("step {step} of 60");
        ensure!(
            messages.contains(&line.as_str()),
            "no “{line}” in {messages:?}"
        );
    }
    Ok(())
}

async fn a_log_is_followed_until_its_job_has_ended(stack: &Stack) -> Result<()> {
    let model = stack.model("gated").await?;
    let gate = stack.connection().state.join("gate-of-logs");
    let input = json!({ "gate": gate }).to_string();
    let submitted = stack
        .submit(&Upload::new(&model, "followed.json", input))
        .await?;
    stack.reached(&submitted.run, Status::Received).await?;
    let follower = Command::new(programs::program("dropcast")?)
        .arg("--state-dir")
        .arg(&stack.connection().state)
        .args(["logs", "--follow", submitted.run.as_str()])
        .env_remove("DROPCAST_STACK")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    stack.reached(&submitted.run, Status::Running).await?;
    fs::write(&gate, "")?;
    let output = follower.wait_with_output().await?;
    let errors = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{errors}");
    let printed = String::from_utf8(output.stdout)?;
    ensure!(printed.starts_with("waiting for the gate\n"), "{printed}");
    ensure!(
        printed.contains("published 2 files"),
        "to its end: {printed}"
    );
    let ended = stack.ended(&submitted.run).await?;
    succeeded(&ended)?;
    // The end of the job is on the record, and with it where its log is.
    let whole = dropcast(stack, &["logs", submitted.run.as_str()]).await?;
    whole.is(0, "log")?;
    assert_eq!(
        whole.document["lines"][0]["message"],
        "waiting for the gate"
    );
    Ok(())
}

async fn a_run_without_a_job_has_no_log(stack: &Stack) -> Result<()> {
    let model = stack.model("strict").await?;
    let file = Upload::new(&model, "rejected.json", "{\"horizon_months\": 0}");
    let (submitted, _) = stack.run(&file).await?;
    for follow in [&[][..], &["--follow"]] {
        let output = Command::new(programs::program("dropcast")?)
            .arg("--state-dir")
            .arg(&stack.connection().state)
            .args(["logs", submitted.run.as_str()])
            .args(follow)
            .env_remove("DROPCAST_STACK")
            .output()
            .await?;
        assert_eq!(output.status.code(), Some(6));
        let errors = String::from_utf8(output.stderr)?;
        ensure!(errors.contains("no job was started for it"), "{errors}");
    }
    Ok(())
}
