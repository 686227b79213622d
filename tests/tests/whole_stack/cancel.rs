//! A run that somebody cancels ends, says who cancelled it and why, and leaves no process behind.

use std::fs;

use anyhow::{Context as _, Result, ensure};
use dropcast_aws::batch::names::definition_name;
use dropcast_domain::{failure::ErrorCode, ids::RunId, status::Status};
use dropcast_tests::{Stack, Upload, until};
use serde_json::json;

use crate::{
    checks::{ended_with, flat},
    command_line::dropcast,
    world::scenarios,
};

scenarios![
    a_running_run_is_cancelled_and_its_process_is_gone,
    a_run_whose_job_waits_for_a_machine_is_cancelled,
    a_run_that_is_over_or_unknown_cannot_be_cancelled,
];

const ANA: &str = "ana@corp.example";

async fn a_running_run_is_cancelled_and_its_process_is_gone(stack: &Stack) -> Result<()> {
    let model = stack.model("gated").await?;
    let input = json!({ "gate": "/nowhere/at/all" }).to_string();
    let file = Upload::new(&model, "cancelled.json", input).notify(ANA);
    let run = stack.submit(&file).await?.run;
    stack.reached(&run, Status::Running).await?;
    until("the model runs", || async {
        Ok((!processes_of(&run)?.is_empty()).then_some(()))
    })
    .await?;

    let id = run.as_str();
    let answer = dropcast(stack, &["cancel", id, "--reason", "wrong\nfile"]).await?;
    answer.is(0, "cancel-requested")?;
    assert_eq!(answer.document["alreadyRequested"], false);
    assert_eq!(answer.document["cancellation"]["reason"], "wrong file");
    let again = dropcast(stack, &["cancel", id, "--reason", "another"]).await?;
    // The run may have ended by now.
    if again.document["error"].is_null() {
        again.is(0, "cancel-requested")?;
        assert_eq!(again.document["alreadyRequested"], true);
        assert_eq!(again.document["cancellation"]["reason"], "wrong file");
    }

    let ended = stack.ended(&run).await?;
    let says = ["The run was cancelled by ", ": “wrong file”."];
    ended_with(&ended, Status::Cancelled, ErrorCode::Cancelled, &says)?;
    ensure!(ended.run.outputs.is_empty(), "{:?}", ended.run.outputs);
    until("the model's processes have ended", || async {
        Ok(processes_of(&run)?.is_empty().then_some(()))
    })
    .await?;
    let mail = stack.mail(&run).await?;
    assert!(mail.subject.starts_with("Cancelled: "), "{}", mail.subject);
    let text = flat(&mail.text);
    assert!(text.contains("“wrong file”"), "{text}");

    let shown = dropcast(stack, &["show", id]).await?;
    shown.is(0, "run")?;
    assert_eq!(shown.document["cancellation"]["reason"], "wrong file");
    let waited = dropcast(stack, &["wait", id]).await?;
    waited.is(1, "run")
}

async fn a_run_whose_job_waits_for_a_machine_is_cancelled(stack: &Stack) -> Result<()> {
    let model = stack.model_as("noop", "noop-cancelled-waiting").await?;
    let definition = definition_name(&stack.connection().stack_name, &model.parse()?);
    let fault = json!({
        "fault": "stuck-runnable",
        "blocksQueue": false,
        // The queue gives up on jobs that wait for capacity, but not on these.
        "statusReason": "MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT - none fits",
        "jobDefinition": definition,
    });
    stack.fault(&fault).await?;
    let file = Upload::new(&model, "cancelled.json", "{}").notify(ANA);
    let run = stack.submit(&file).await?.run;
    stack.reached(&run, Status::Waiting).await?;
    let answer = dropcast(stack, &["cancel", run.as_str()]).await?;
    answer.is(0, "cancel-requested")?;
    let ended = stack.ended(&run).await?;
    let says = ["The run was cancelled by "];
    ended_with(&ended, Status::Cancelled, ErrorCode::Cancelled, &says)?;
    assert_eq!(ended.run.current.progress.attempts, 0, "it never ran");
    Ok(())
}

async fn a_run_that_is_over_or_unknown_cannot_be_cancelled(stack: &Stack) -> Result<()> {
    let model = stack.model("noop").await?;
    let file = Upload::new(&model, "over.json", "{}");
    let (submitted, ended) = stack.run(&file).await?;
    let late = dropcast(stack, &["cancel", submitted.run.as_str()]).await?;
    late.is(3, "error")?;
    let message = late.document["error"]["message"].as_str();
    let message = message.context("a message")?;
    ensure!(message.contains("has already succeeded"), "{message}");
    assert_eq!(stack.record(&submitted.run).await?, ended.run, "unchanged");
    let unknown = "aaaaaaaaaaaaaaaaaaaaaaaaaa";
    let refused = dropcast(stack, &["cancel", unknown]).await?;
    refused.is(6, "error")
}

/// The processes whose environment names this run.
fn processes_of(run: &RunId) -> Result<Vec<String>> {
    let variable = format!("DROPCAST_RUN_ID={run}").into_bytes();
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc")? {
        let process = entry?.file_name().to_string_lossy().into_owned();
        // A process may end while it is looked at, and others belong to other users.
        let Ok(environment) = fs::read(format!("/proc/{process}/environ")) else {
            continue;
        };
        if environment
            .split(|byte| *byte == 0)
            .any(|it| it == variable)
        {
            found.push(process);
        }
    }
    Ok(found)
}
