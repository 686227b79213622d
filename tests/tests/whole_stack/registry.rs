//! From a finished build to a version, its promotion, and the way back.

use std::{fs, time::Instant};

use anyhow::{Context as _, Result, ensure};
use aws_sdk_cloudwatchlogs::types::InputLogEvent;
use dropcast_domain::{failure::ErrorCode, registry::BuildPhase, status::Status};
use dropcast_store::{Builds as _, History as _, Models as _};
use dropcast_tests::{Stack, Upload};
use serde_json::json;

use crate::{
    builds::{Finished, WHO, build, deliver, failed, folder, mailed, registered},
    checks::{ended_with, flat, succeeded},
    command_line::{dropcast, file},
    world::scenarios,
};

scenarios![
    builds_become_versions_that_are_promoted_rolled_back_and_retired,
    the_same_event_five_times_is_one_version_and_two_builds_at_once_are_two,
    a_version_with_open_runs_is_not_retired,
    a_build_that_fails_is_kept_and_mailed_once,
    an_invalid_version_file_is_reported_to_the_pusher,
    a_scheduled_reconciliation_is_accepted,
];

const ANA: &str = "ana@corp.example";

/// The version that runs on a file of this name in this folder.
async fn version_of(stack: &Stack, file: &str, folder: &str) -> Result<u32> {
    let (_, ended) = stack.run(&Upload::new(folder, file, "[1]")).await?;
    succeeded(&ended)?;
    Ok(ended.run.version.context("a version")?.number())
}

async fn builds_become_versions_that_are_promoted_rolled_back_and_retired(
    stack: &Stack,
) -> Result<()> {
    let name = "echo-built";
    let echo = folder(stack, name)?;
    let first = Finished::new(name, "SUCCEEDED")?;
    build(stack, &echo, &first).await?;
    let delivered = Instant::now();
    deliver(stack, &first, 1).await?;
    assert_eq!(registered(stack, &first).await?, 1);
    eprintln!(
        "from build event to version: {:.2} s",
        delivered.elapsed().as_secs_f64()
    );
    assert_eq!(version_of(stack, "1.json", name).await?, 1);

    fs::write(echo.join("note.txt"), "better")?;
    let second = Finished {
        notify: ANA,
        ..Finished::new(name, "SUCCEEDED")?
    };
    build(stack, &echo, &second).await?;
    deliver(stack, &second, 1).await?;
    assert_eq!(registered(stack, &second).await?, 2);
    let model = stack
        .store
        .model(&name.parse()?)
        .await?
        .context("the model")?;
    assert_eq!(
        model.default_version.number(),
        1,
        "a new version is not promoted by itself"
    );
    let mail = mailed(stack, &second, 1).await?;
    ensure!(
        flat(&mail[0].text).contains("Version 1 is still the default"),
        "{mail:#?}"
    );
    assert_eq!(version_of(stack, "2.json", name).await?, 1);
    assert_eq!(version_of(stack, "3.json", &format!("{name}@2")).await?, 2);

    // A build of the very same is no version of its own.
    let again = Finished::new(name, "SUCCEEDED")?;
    build(stack, &echo, &again).await?;
    deliver(stack, &again, 1).await?;
    assert_eq!(registered(stack, &again).await?, 2);
    is_promoted_and_rolled_back(stack, name).await?;
    is_retired(stack, name).await?;
    is_listed(stack, name).await
}

/// Version 2 becomes the default, and version 1 again.
async fn is_promoted_and_rolled_back(stack: &Stack, name: &str) -> Result<()> {
    let promoted = dropcast(stack, &["model", "promote", name, "2"]).await?;
    promoted.is(0, "promoted")?;
    assert_eq!(promoted.document["previousVersion"], 1);
    ensure!(
        promoted.document["by"]
            .as_str()
            .is_some_and(|by| by.starts_with("arn:")),
        "{promoted:?}"
    );
    assert_eq!(version_of(stack, "4.json", name).await?, 2);
    refused(stack, &["model", "promote", name, "2"], 3, "already").await?;
    refused(stack, &["model", "promote", name, "9"], 6, "no version 9").await?;
    refused(
        stack,
        &["model", "retire", name, "2"],
        3,
        "cannot be retired",
    )
    .await?;

    let back = dropcast(stack, &["model", "rollback", name]).await?;
    back.is(0, "promoted")?;
    assert_eq!(
        (&back.document["version"], &back.document["kind"]),
        (&json!(1), &json!("rolled-back"))
    );
    assert_eq!(version_of(stack, "5.json", name).await?, 1);
    refused(
        stack,
        &["model", "rollback", name],
        3,
        "cannot be rolled back",
    )
    .await
}

/// Version 2 runs no more.
async fn is_retired(stack: &Stack, name: &str) -> Result<()> {
    let retired = dropcast(stack, &["model", "retire", name, "2"]).await?;
    retired.is(0, "retired")?;
    refused(
        stack,
        &["model", "retire", name, "2"],
        3,
        "is retired since",
    )
    .await?;
    refused(
        stack,
        &["model", "promote", name, "2"],
        3,
        "is retired since",
    )
    .await?;
    let upload = Upload::new(&format!("{name}@2"), "6.json", "[1]").notify(ANA);
    let (dropped, ended) = stack.run(&upload).await?;
    let says = ["Version 2 of the model echo-built was retired"];
    ended_with(&ended, Status::Rejected, ErrorCode::VersionRetired, &says)?;
    let mail = stack.mail(&dropped.run).await?;
    let text = flat(&mail.text);
    ensure!(
        text.contains(says[0]) && text.contains("VersionRetired"),
        "{text}"
    );
    assert_eq!(version_of(stack, "7.json", name).await?, 1);

    // The command line refuses the version with the run's own sentence, and uploads nothing.
    let failure = ended.run.failure.context("the run's failure")?;
    let plan = file(stack, "retired.json", "[1]")?;
    let pinned = format!("{name}@2");
    let validate = ["validate", &plan, "-m", &pinned];
    refused(stack, &validate, 3, &failure.message).await?;
    let submit = ["submit", &plan, "-m", name, "--version", "2"];
    refused(stack, &submit, 3, &failure.message).await?;
    let bucket = stack.output("InputsBucketName")?;
    let uploaded = stack.keys(bucket, &format!("inputs/{pinned}/")).await?;
    ensure!(
        !uploaded.iter().any(|key| key.ends_with("retired.json")),
        "{uploaded:#?}"
    );
    Ok(())
}

/// Everything that happened is shown.
async fn is_listed(stack: &Stack, name: &str) -> Result<()> {
    let versions = dropcast(stack, &["model", "versions", name]).await?;
    versions.is(0, "versions")?;
    let listed = versions.document["versions"]
        .as_array()
        .context("versions")?;
    assert_eq!(listed.len(), 2);
    ensure!(
        listed[0]["retired"].is_object() && listed[1]["default"] == true,
        "{listed:#?}"
    );
    let defaults = versions.document["defaults"]
        .as_array()
        .context("defaults")?;
    let kinds: Vec<_> = defaults.iter().map(|entry| &entry["kind"]).collect();
    assert_eq!(kinds, ["rolled-back", "promoted", "registered"]);
    assert_eq!(defaults[2]["by"], WHO);
    let builds = dropcast(stack, &["model", "builds", name]).await?;
    builds.is(0, "builds")?;
    assert_eq!(builds.document["builds"].as_array().map(Vec::len), Some(3));
    Ok(())
}

/// A command is refused, with this exit code and these words.
async fn refused(stack: &Stack, arguments: &[&str], code: i32, words: &str) -> Result<()> {
    let answer = dropcast(stack, arguments).await?;
    answer.is(code, "error")?;
    let message = answer.document["error"]["message"]
        .as_str()
        .unwrap_or_default();
    ensure!(
        message.contains(words),
        "{arguments:?}: “{message}” lacks “{words}”"
    );
    Ok(())
}

async fn the_same_event_five_times_is_one_version_and_two_builds_at_once_are_two(
    stack: &Stack,
) -> Result<()> {
    let name = "echo-repeated";
    let echo = folder(stack, name)?;
    let first = Finished::new(name, "SUCCEEDED")?;
    build(stack, &echo, &first).await?;
    deliver(stack, &first, 5).await?;
    assert_eq!(registered(stack, &first).await?, 1);
    let mut both = Vec::new();
    for note in ["two", "three"] {
        fs::write(echo.join("note.txt"), note)?;
        let finished = Finished::new(name, "SUCCEEDED")?;
        build(stack, &echo, &finished).await?;
        both.push(finished);
    }
    tokio::try_join!(deliver(stack, &both[0], 1), deliver(stack, &both[1], 1))?;
    let mut numbers = [
        registered(stack, &both[0]).await?,
        registered(stack, &both[1]).await?,
    ];
    numbers.sort_unstable();
    assert_eq!(numbers, [2, 3]);
    stack.until_empty("BuildsQueueUrl").await?;
    let versions = stack.store.versions(&name.parse()?, 10).await?;
    assert_eq!(versions.len(), 3);
    let mut definitions: Vec<_> = versions.iter().map(|it| &it.spec.job_definition).collect();
    definitions.dedup();
    assert_eq!(definitions.len(), 3, "{definitions:?}");
    Ok(())
}

async fn a_version_with_open_runs_is_not_retired(stack: &Stack) -> Result<()> {
    let name = stack.model_as("gated", "gated-retired").await?;
    let gate = stack.connection().state.join("gate-of-a-retirement");
    let plan = json!({ "gate": gate }).to_string();
    let dropped = stack.submit(&Upload::new(&name, "open.json", plan)).await?;
    stack.reached(&dropped.run, Status::Running).await?;
    let second = stack.copy_of("gated", &name)?;
    fs::write(second.join("note.txt"), "better")?;
    stack.register(&second).await?;
    let promoted = dropcast(stack, &["model", "promote", &name, "2"]).await?;
    promoted.is(0, "promoted")?;
    let retire = ["model", "retire", &name, "1"];
    refused(stack, &retire, 3, dropped.run.as_str()).await?;
    fs::write(&gate, "")?;
    succeeded(&stack.ended(&dropped.run).await?)?;
    dropcast(stack, &retire).await?.is(0, "retired")
}

async fn a_build_that_fails_is_kept_and_mailed_once(stack: &Stack) -> Result<()> {
    let build = Finished {
        notify: ANA,
        failed: Some(("BUILD", "COMMAND_EXECUTION_ERROR: exit status 2")),
        ..Finished::new("echo-failing", "FAILED")?
    };
    let group = stack.output("BuildLogGroup")?;
    // The group may be there: CodeBuild makes it with the first build.
    let _ = stack
        .logs
        .create_log_group()
        .log_group_name(group)
        .send()
        .await;
    stack
        .logs
        .create_log_stream()
        .log_group_name(group)
        .log_stream_name(build.id.as_str())
        .send()
        .await?;
    let now = jiff_now();
    let lines = (0..50).map(|line| {
        InputLogEvent::builder()
            .timestamp(now)
            .message(format!("line {line} of the build"))
            .build()
    });
    stack
        .logs
        .put_log_events()
        .log_group_name(group)
        .log_stream_name(build.id.as_str())
        .set_log_events(Some(lines.collect::<Result<_, _>>()?))
        .send()
        .await?;
    deliver(stack, &build, 3).await?;
    let failure = failed(stack, &build).await?;
    assert_eq!(failure.phase, BuildPhase::Build);
    assert_eq!(failure.lines.len(), 40);
    let mails = mailed(stack, &build, 1).await?;
    let text = flat(&mails[0].text);
    for words in [
        "Your build failed",
        "The image could not be built",
        "exit status 2",
        "dropcast model test",
        "line 49 of the build",
        "BuildFailed",
    ] {
        ensure!(text.contains(words), "no “{words}”: {text}");
    }
    assert_eq!(mails[0].to, [ANA]);
    stack.until_empty("BuildsQueueUrl").await?;
    stack.until_empty("NoticesQueueUrl").await?;
    assert_eq!(mailed(stack, &build, 1).await?.len(), 1);
    let builds = dropcast(stack, &["model", "builds", "echo-failing"]).await?;
    builds.is(0, "builds")?;
    assert_eq!(builds.document["builds"][0]["failure"]["phase"], "BUILD");
    refused(stack, &["model", "versions", "echo-failing"], 6, "no model").await
}

/// Milliseconds since 1970, for the log, which takes no lines of long ago.
fn jiff_now() -> i64 {
    let since = std::time::UNIX_EPOCH.elapsed().unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or_default()
}

async fn an_invalid_version_file_is_reported_to_the_pusher(stack: &Stack) -> Result<()> {
    let build = Finished {
        notify: ANA,
        ..Finished::new("echo-refused", "SUCCEEDED")?
    };
    deliver(stack, &build, 2).await?;
    let failure = failed(stack, &build).await?;
    ensure!(
        failure.message.contains("version.json is missing"),
        "{failure:?}"
    );
    let mails = mailed(stack, &build, 1).await?;
    ensure!(
        flat(&mails[0].text).contains("version.json is missing"),
        "{mails:#?}"
    );

    // A build of another project is ignored.
    let mut others = Finished::new("echo-refused", "SUCCEEDED")?;
    others.status = "FAILED";
    let detail = others.detail("another-project");
    stack
        .send(
            "BuildsQueueUrl",
            &json!({
                "detail-type": "CodeBuild Build State Change",
                "source": "dropcast.codebuild",
                "time": "2026-03-02T09:30:00Z",
                "detail": detail,
            }),
        )
        .await?;
    stack.until_empty("BuildsQueueUrl").await?;
    assert_eq!(stack.store.build(&others.id).await?, None);
    Ok(())
}

async fn a_scheduled_reconciliation_is_accepted(stack: &Stack) -> Result<()> {
    stack
        .send(
            "BuildsQueueUrl",
            &json!({ "detail-type": "Reconcile Builds" }),
        )
        .await?;
    stack.until_empty("BuildsQueueUrl").await
}
