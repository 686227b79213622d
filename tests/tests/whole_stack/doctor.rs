//! `dropcast doctor` against the running stack.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, ensure};
use dropcast_tests::Stack;
use serde_json::Value;

use crate::{
    command_line::{Answer, dropcast},
    world::scenarios,
};

scenarios![
    a_stack_that_works_is_found_fit_with_a_file_sent_all_the_way,
    a_stack_with_the_model_canary_is_sent_a_file_by_default,
    a_canary_that_fails_is_a_failure,
];

/// Outcome and message of each check.
fn checks(answer: &Answer) -> Result<BTreeMap<String, (String, String)>> {
    let checks = answer.document["checks"].as_array().context("checks")?;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let all = checks.iter().map(|check| {
        let result = (text(&check["outcome"]), text(&check["message"]));
        (text(&check["name"]), result)
    });
    Ok(all.collect())
}

/// A model's folder with one example.
async fn with_example(stack: &Stack, folder: &str, name: &str) -> Result<String> {
    stack.model_as(folder, name).await?;
    let copy = stack.copy_of(folder, name)?;
    std::fs::create_dir_all(copy.join("examples"))?;
    std::fs::write(copy.join("examples/one.json"), "[1]")?;
    Ok(copy.display().to_string())
}

async fn a_stack_that_works_is_found_fit_with_a_file_sent_all_the_way(stack: &Stack) -> Result<()> {
    let folder = with_example(stack, "echo", "mine-bird").await?;
    let answer = dropcast(stack, &["doctor", "--canary", &folder]).await?;
    let checks = checks(&answer)?;
    // What other scenarios do to the stack may leave a dead letter for a while.
    let unfit: Vec<_> = checks
        .iter()
        .filter(|(name, (outcome, _))| outcome == "fail" && *name != "dead letters")
        .collect();
    ensure!(unfit.is_empty(), "{unfit:?}");
    for name in ["stack", "sender", "queue", "compute", "links", "canary"] {
        let (outcome, message) = checks.get(name).context(name)?;
        ensure!(outcome == "ok", "{name}: {message}");
    }
    // What no emulator can say is not called well.
    for name in ["sandbox", "egress", "alarms"] {
        let (outcome, message) = checks.get(name).context(name)?;
        ensure!(outcome == "not-checked", "{name}: {message}");
    }
    let healthy = answer.document["healthy"] == true;
    answer.is(i32::from(!healthy), "doctor")
}

async fn a_stack_with_the_model_canary_is_sent_a_file_by_default(stack: &Stack) -> Result<()> {
    let answer = dropcast(stack, &["doctor"]).await?;
    let (outcome, _) = &checks(&answer)?["canary"];
    ensure!(outcome == "not-checked", "{outcome}");
    let folder = stack
        .connection()
        .state
        .join("models/canary")
        .display()
        .to_string();
    let made = dropcast(stack, &["model", "init", "canary", "--dir", &folder]).await?;
    made.is(0, "initialized")?;
    let made = dropcast(stack, &["model", "register", &folder]).await?;
    made.is(0, "registered")?;
    let answer = dropcast(stack, &["doctor"]).await?;
    let (outcome, message) = &checks(&answer)?["canary"];
    ensure!(outcome == "ok", "{message}");
    Ok(())
}

async fn a_canary_that_fails_is_a_failure(stack: &Stack) -> Result<()> {
    let folder = with_example(stack, "fails", "dead-canary").await?;
    let answer = dropcast(stack, &["doctor", "--canary", &folder]).await?;
    answer.is(1, "doctor")?;
    let checks = checks(&answer)?;
    let (outcome, message) = &checks["canary"];
    ensure!(outcome == "fail" && message.contains("failed"), "{message}");
    Ok(())
}
