//! `dropcast model init` and `push`: from an empty folder to a version that runs, by the local
//! CodeBuild; and a model that does without `dropcast-job`.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, ensure};
use aws_sdk_batch::types::{
    ContainerProperties, JobDefinitionType, ResourceRequirement, ResourceType,
};
use dropcast_domain::registry::BuildStatus;
use dropcast_local_stack::{ImageBuilder, ModelFolder, NoProgress};
use dropcast_store::{Builds as _, Models as _};
use dropcast_tests::{Stack, until};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::{
    command_line::{Answer, dropcast},
    world::scenarios,
};

scenarios![
    a_new_model_is_pushed_and_run_then_changed_and_pushed_again,
    a_build_whose_event_was_lost_is_registered,
    a_push_that_can_be_no_version_says_why,
    a_model_may_write_to_s3_itself_with_or_without_an_entry_point_of_its_own,
];

/// A new model's folder; its name is another one in each scenario.
pub(crate) async fn init(stack: &Stack, name: &str) -> Result<PathBuf> {
    let folder = stack.connection().state.join("pushed").join(name);
    let folder_name = folder.display().to_string();
    let made = dropcast(stack, &["model", "init", name, "--dir", &folder_name]).await?;
    made.is(0, "initialized")?;
    Ok(folder)
}

pub(crate) async fn push(stack: &Stack, folder: &Path, more: &[&str]) -> Result<Answer> {
    let folder = folder.display().to_string();
    let mut arguments = vec!["model", "push", &folder, "--timeout", "90s"];
    arguments.extend(more);
    dropcast(stack, &arguments).await
}

/// Runs a model on a file to its end; returns the run.
async fn run(stack: &Stack, model: &str, file: &Path, more: &[&str]) -> Result<Value> {
    let file = file.display().to_string();
    let mut arguments = vec!["submit", &file, "--model", model, "--wait"];
    arguments.extend(more);
    let answer = dropcast(stack, &arguments).await?;
    answer.is(0, "submitted")?;
    Ok(answer.document["run"].clone())
}

async fn a_new_model_is_pushed_and_run_then_changed_and_pushed_again(stack: &Stack) -> Result<()> {
    let folder = init(stack, "pushed-anew").await?;
    let pushed = push(stack, &folder, &["--commit", "0123abc"]).await?;
    pushed.is(0, "pushed")?;
    let first = &pushed.document;
    ensure!(first["version"] == 1 && first["new"] == true && first["defaultVersion"] == 1);
    let example = folder.join("examples/sales.csv");
    let done = run(stack, "pushed-anew", &example, &[]).await?;
    ensure!(done["version"] == 1, "{done:#}");
    let version = stack
        .store
        .version(&"pushed-anew".parse()?, "1".parse()?)
        .await?;
    let spec = version.context("version 1")?.spec;
    ensure!(spec.commit.as_deref() == Some("0123abc"));

    let program = folder.join("main.py");
    let text = fs::read_to_string(&program)?;
    fs::write(&program, text.replace("# Totals", "# All totals"))?;
    let pushed = push(stack, &folder, &[]).await?;
    pushed.is(0, "pushed")?;
    let second = &pushed.document;
    ensure!(second["version"] == 2 && second["new"] == true && second["defaultVersion"] == 1);
    let pinned = run(stack, "pushed-anew", &example, &["--version", "2"]).await?;
    ensure!(pinned["version"] == 2, "{pinned:#}");

    let promoted = dropcast(stack, &["model", "promote", "pushed-anew", "2"]).await?;
    promoted.is(0, "promoted")?;
    let done = run(stack, "pushed-anew", &example, &[]).await?;
    ensure!(done["version"] == 2, "{done:#}");
    let back = dropcast(stack, &["model", "rollback", "pushed-anew"]).await?;
    back.is(0, "promoted")?;
    let done = run(stack, "pushed-anew", &example, &[]).await?;
    ensure!(done["version"] == 1, "{done:#}");

    let again = push(stack, &folder, &[]).await?;
    again.is(0, "pushed")?;
    ensure!(again.document["version"] == 2 && again.document["new"] == false);
    ensure!(
        again.document["source"] == second["source"],
        "one content is one source"
    );
    Ok(())
}

async fn a_build_whose_event_was_lost_is_registered(stack: &Stack) -> Result<()> {
    let folder = init(stack, "pushed-unheard").await?;
    stack
        .build_fault(&json!({"fault": "lost-events", "model": "pushed-unheard", "builds": 1}))
        .await?;
    let started = push_without_waiting(stack, &folder).await?;
    started.is(0, "pushed")?;
    let build = started.document["buildId"].as_str().context("a build")?;
    let build = build.parse()?;
    // As the schedule says every 15 minutes.
    let found = until("the build is found by comparing", || async {
        let reconcile = json!({ "detail-type": "Reconcile Builds" });
        stack.send("BuildsQueueUrl", &reconcile).await?;
        stack.until_empty("BuildsQueueUrl").await?;
        Ok(stack.store.build(&build).await?)
    })
    .await?;
    ensure!(found.end.status() == BuildStatus::Registered, "{found:?}");
    Ok(())
}

async fn a_push_that_can_be_no_version_says_why(stack: &Stack) -> Result<()> {
    let folder = init(stack, "pushed-badly").await?;
    let program = folder.join("main.py");
    let good = fs::read_to_string(&program)?;
    fs::write(&program, "import sys\nsys.exit('no luck today')\n")?;
    let failed = push(stack, &folder, &[]).await?;
    failed.is(1, "pushed")?;
    ensure!(failed.document["status"] == "failed" && failed.document["phase"] == "BUILD");
    let lines = failed.document["lines"].to_string();
    ensure!(
        lines.contains("no luck today") && !lines.contains("[Container]"),
        "{lines}"
    );

    fs::write(&program, good)?;
    fs::rename(folder.join("examples/sales.csv"), folder.join("sales.csv"))?;
    push(stack, &folder, &[]).await?.is(3, "error")?;
    fs::rename(folder.join("sales.csv"), folder.join("examples/sales.csv"))?;
    let both = tokio::join!(push(stack, &folder, &[]), push(stack, &folder, &[]));
    let (one, other) = (both.0?, both.1?);
    one.is(0, "pushed")?;
    other.is(0, "pushed")?;
    ensure!(one.document["version"] == 1 && other.document["version"] == 1);
    ensure!(one.document["buildId"] != other.document["buildId"]);
    let started = push_without_waiting(stack, &folder).await?;
    started.is(0, "pushed")?;
    ensure!(started.document["status"] == "started");
    Ok(())
}

async fn push_without_waiting(stack: &Stack, folder: &Path) -> Result<Answer> {
    let folder = folder.display().to_string();
    dropcast(stack, &["model", "push", &folder, "--no-wait"]).await
}

async fn a_model_may_write_to_s3_itself_with_or_without_an_entry_point_of_its_own(
    stack: &Stack,
) -> Result<()> {
    let folder = stack.copy_of("writes-itself", "writes-itself")?;
    let python = stack.connection().python.clone();
    let aws = format!(
        "{} {}",
        python.display(),
        python.with_file_name("aws").display()
    );
    let script = folder.join("main.sh");
    let text = fs::read_to_string(&script)?;
    fs::write(&script, text.replace("@aws@", &aws))?;
    let input = folder.join("input.schema.json");

    stack.register(&folder).await?;
    let beside = run(stack, "writes-itself", &input, &[]).await?;
    ensure!(beside["outputCount"] == 2, "{beside:#}");

    let version = without_the_runner(stack, &folder).await?;
    let alone = run(stack, "writes-itself", &input, &["--version", &version]).await?;
    ensure!(alone["outputCount"] == 1, "{alone:#}");
    ensure!(alone["outputs"][0]["path"] == "copy.json", "{alone:#}");
    Ok(())
}

/// Registers a folder with a job definition whose command is the model's own; returns the
/// version's number.
async fn without_the_runner(stack: &Stack, folder: &Path) -> Result<String> {
    let model = ModelFolder::read(folder)?;
    let connection = stack.connection();
    let images = ImageBuilder::new(connection.images(), connection.python.clone());
    let image = images.build(&model, folder, &NoProgress).await?;
    let requirement = |kind, value: &str| {
        ResourceRequirement::builder()
            .r#type(kind)
            .value(value)
            .build()
    };
    let container = ContainerProperties::builder()
        .image(&image.reference)
        .set_command(Some(model.manifest.job.command.clone()))
        .resource_requirements(requirement(ResourceType::Vcpu, "1"))
        .resource_requirements(requirement(ResourceType::Memory, "128"))
        .build();
    let definition = stack
        .batch
        .register_job_definition()
        .job_definition_name("writes-itself")
        .r#type(JobDefinitionType::Container)
        .container_properties(container)
        .send()
        .await?
        .job_definition_arn
        .context("an ARN")?;
    let spec = model.into_version_spec(image.reference, definition, None, Timestamp::UNIX_EPOCH);
    let version = stack.store.register(&spec).await?;
    Ok(version.version.to_string())
}
