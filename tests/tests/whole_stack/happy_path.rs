//! A file is dropped, and its results come by mail.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result, ensure};
use dropcast_domain::{ids::Version, status::Status};
use dropcast_tests::{Ended, Stack, Upload};
use serde_json::{Value, json};

use crate::{
    checks::{fits, flat, is_the_only_run, sha256, succeeded},
    links::links_in,
    world::scenarios,
};

scenarios![
    a_dropped_file_becomes_a_mail_whose_links_open,
    defaults_are_filled_in_and_shown_as_such,
    a_model_that_writes_nothing_succeeds_with_a_mail_without_links,
    more_outputs_than_a_page_lists_are_all_in_the_manifest,
    a_pinned_version_runs_even_if_another_is_the_default,
];

const PLAN: &str = r#"{ "title": "Grüße", "horizon_months": 12 }"#;
const WAY: [Status; 8] = [
    Status::Received,
    Status::Validating,
    Status::Submitted,
    Status::Waiting,
    Status::Starting,
    Status::Running,
    Status::Collecting,
    Status::Succeeded,
];

async fn a_dropped_file_becomes_a_mail_whose_links_open(stack: &Stack) -> Result<()> {
    let model = stack.model("echo").await?;
    let file = Upload::new(&model, "2026/q3/plan.json", PLAN)
        .title("Q3 plan")
        .notify("ana@corp.example,bo@corp.test");
    let (dropped, ended) = stack.run(&file).await?;
    succeeded(&ended)?;
    is_the_only_run(stack, &dropped).await?;

    let run = &ended.run;
    assert_eq!(run.title, "Q3 plan");
    assert_eq!(run.version.map(Version::number), Some(1));
    assert_eq!(run.notify, ["ana@corp.example", "bo@corp.test"]);
    assert_eq!(
        (run.upload.key.as_str(), run.upload.bytes),
        (file.key.as_str(), PLAN.len() as u64)
    );
    assert_eq!(run.current.progress.attempts, 1);
    is_in_order(&ended)?;
    let paths: Vec<&str> = run.outputs.iter().map(|it| it.path.as_str()).collect();
    assert_eq!(paths, ["copy.json", "chart.png", "notes/résumé +50%.md"]);
    for output in &run.outputs {
        let content = stack.result(&output.key).await?;
        assert_eq!(output.bytes, content.len() as u64, "{}", output.path);
        assert_eq!(output.sha256.as_deref(), Some(&*sha256(&content)));
    }
    let copy = &run.outputs.first().context("the first output")?.key;
    assert_eq!(stack.result(copy).await?, PLAN.as_bytes());
    let input = &run.input.as_ref().context("the accepted input")?.key;
    assert_eq!(stack.result(input).await?, PLAN.as_bytes());
    the_manifest_lists_everything(stack, &ended).await?;
    the_jobs_environment_fits_its_schema(stack, &ended).await?;

    let mails = stack.mailed(&run.id, 2).await?;
    let recipients: BTreeSet<&str> = mails
        .iter()
        .flat_map(|mail| mail.to.iter().map(String::as_str))
        .collect();
    assert_eq!(mails.len(), 2);
    assert_eq!(
        recipients,
        BTreeSet::from(["ana@corp.example", "bo@corp.test"])
    );
    for mail in &mails {
        assert_eq!(mail.subject, "Ready: Q3 plan (Echo)");
        // The chart is shown inline, and is the only picture.
        assert!(mail.html.contains("cid:chart@dropcast"), "{}", mail.html);
        let raw = stack.raw(mail)?;
        assert_eq!(raw.matches("Content-Type: image/png").count(), 1);
        assert!(flat(&mail.text).contains("The run wrote 4 files. This mail lists 3"));
    }

    let mail = mails.first().context("a mail")?;
    let links = links_in(&mail.text);
    assert_eq!(links.len(), 3, "{}", mail.text);
    for (link, output) in links.iter().zip(&run.outputs) {
        assert!(mail.html.contains(link), "the HTML has the same links");
        let redirect = stack.open(link).await?;
        assert_eq!(redirect.status, 302, "{}", redirect.text());
        assert_eq!(redirect.header("cache-control"), "no-store");
        let file = stack.open(redirect.header("location")).await?;
        assert_eq!(file.status, 200, "{}", file.text());
        assert_eq!(
            sha256(&file.body),
            output.sha256.clone().unwrap_or_default()
        );
        assert_eq!(file.header("content-type"), output.media_type);
        let disposition = file.header("content-disposition");
        let name = output.path.rsplit('/').next().unwrap_or_default();
        assert!(disposition.starts_with("attachment; "), "{disposition}");
        assert!(
            name.is_ascii() != disposition.contains("%C3%A9"),
            "{disposition}"
        );
    }
    Ok(())
}

/// Every step was taken, in order. Their times are those of several clocks: an event of Batch has
/// the second in which it was published, which is up to one later than the change itself.
fn is_in_order(ended: &Ended) -> Result<()> {
    ensure!(ended.statuses() == WAY, "{:?}", ended.statuses());
    let mut latest = i64::MIN;
    for step in &ended.timeline {
        let second = step.at.as_second();
        ensure!(second + 1 >= latest, "{:?}", ended.timeline);
        latest = latest.max(second);
    }
    let orders = ended.timeline.iter().map(|step| step.progress.order());
    ensure!(orders.is_sorted(), "{:?}", ended.timeline);
    Ok(())
}

async fn the_jobs_environment_fits_its_schema(stack: &Stack, ended: &Ended) -> Result<()> {
    let job = ended.run.job.as_ref().context("the run's job")?;
    let container = stack.job(job.as_str()).await?.container;
    let environment = container.and_then(|it| it.environment).unwrap_or_default();
    let variables: serde_json::Map<String, Value> = environment
        .into_iter()
        .filter_map(|variable| Some((variable.name?, variable.value?.into())))
        // Batch's own.
        .filter(|(name, _)| !name.starts_with("AWS_BATCH_"))
        .collect();
    fits("job-context.schema.json", &variables.into())
}

async fn the_manifest_lists_everything(stack: &Stack, ended: &Ended) -> Result<()> {
    let run = &ended.run;
    let manifest = stack.result(&run.keys().manifest()).await?;
    let manifest: Value = serde_json::from_slice(&manifest)?;
    assert_eq!(manifest["runId"], run.id.as_str());
    let entries = manifest["outputs"].as_array().context("outputs")?;
    let listed: Vec<(&str, bool)> = entries
        .iter()
        .filter_map(|entry| Some((entry["path"].as_str()?, entry["declared"].as_bool()?)))
        .collect();
    assert_eq!(
        listed,
        [
            ("chart.png", true),
            ("copy.json", true),
            ("extra/environment.txt", false),
            ("notes/résumé +50%.md", true),
        ]
    );
    assert_eq!(run.output_count, Some(4));
    let job = run.job.as_ref().context("the run's job")?;
    for entry in entries {
        let path = entry["path"].as_str().unwrap_or_default();
        let key = format!("{}{path}", run.keys().attempt(job, 1));
        let content = stack.result(&key).await?;
        assert_eq!(entry["sha256"], json!(sha256(&content)), "{path}");
        assert_eq!(entry["bytes"], json!(content.len()), "{path}");
    }
    Ok(())
}

async fn defaults_are_filled_in_and_shown_as_such(stack: &Stack) -> Result<()> {
    let model = stack.model("strict").await?;
    let file = Upload::new(&model, "plan.json", r#"{"horizon_months": 6}"#);
    let (_, ended) = stack.run(&file).await?;
    succeeded(&ended)?;
    let input = ended.run.input.as_ref().context("the accepted input")?;
    let defaults: BTreeSet<&str> = input.defaults.iter().map(String::as_str).collect();
    assert_eq!(defaults, BTreeSet::from(["/growth", "/interval_percent"]));
    let copy = ended.run.outputs.first().context("the copy")?;
    let read: Value = serde_json::from_slice(&stack.result(&copy.key).await?)?;
    assert_eq!(
        read,
        json!({ "horizon_months": 6, "interval_percent": 80, "growth": [] })
    );
    let mail = stack.mail(&ended.run.id).await?;
    let text = flat(&mail.text);
    let shown = text.find("Months ahead").zip(text.find("Interval: 80"));
    ensure!(shown.is_some(), "{text}");
    ensure!(text.contains("default"), "{text}");
    Ok(())
}

async fn a_model_that_writes_nothing_succeeds_with_a_mail_without_links(
    stack: &Stack,
) -> Result<()> {
    let model = stack.model("noop").await?;
    let (_, ended) = stack.run(&Upload::new(&model, "plan.json", "[]")).await?;
    succeeded(&ended)?;
    assert_eq!(ended.run.output_count, Some(0));
    let mail = stack.mail(&ended.run.id).await?;
    assert!(links_in(&mail.text).is_empty(), "{}", mail.text);
    assert!(flat(&mail.text).contains("It published no files."));
    Ok(())
}

async fn more_outputs_than_a_page_lists_are_all_in_the_manifest(stack: &Stack) -> Result<()> {
    let model = stack.model("writes-many").await?;
    let (_, ended) = stack.run(&Upload::new(&model, "plan.json", "[]")).await?;
    succeeded(&ended)?;
    let run = &ended.run;
    assert_eq!(run.output_count, Some(1_100));
    assert_eq!(run.outputs.len(), 50);
    let manifest = stack.result(&run.keys().manifest()).await?;
    let manifest: Value = serde_json::from_slice(&manifest)?;
    let entries = manifest["outputs"].as_array().context("outputs")?;
    assert_eq!(entries.len(), 1_100);
    let with_checksum = entries.iter().filter(|entry| entry["sha256"].is_string());
    assert_eq!(with_checksum.count(), 1_100);
    let mail = stack.mail(&run.id).await?;
    assert!(flat(&mail.text).contains("The run wrote 1,100 files. This mail lists 50"));
    assert_eq!(links_in(&mail.text).len(), 50);
    Ok(())
}

async fn a_pinned_version_runs_even_if_another_is_the_default(stack: &Stack) -> Result<()> {
    let model = stack.model_as("noop", "noop-pinned").await?;
    let folder = stack.copy_of("noop", &model)?;
    std::fs::write(folder.join("changed.txt"), "another content")?;
    let second = stack.register(&folder).await?;
    assert_eq!(second.version.number(), 2);
    let (default, pinned) = (
        Upload::new(&model, "plan.json", "1"),
        Upload::new(&format!("{model}@2"), "plan.json", "1"),
    );
    let (default, pinned) = tokio::try_join!(stack.run(&default), stack.run(&pinned))?;
    for ((_, ended), version) in [(default, 1), (pinned, 2)] {
        succeeded(&ended)?;
        assert_eq!(ended.run.version.map(Version::number), Some(version));
        let job = ended.run.job.as_ref().context("the run's job")?;
        let job = stack.job(job.as_str()).await?;
        let definition = job.job_definition.unwrap_or_default();
        assert!(definition.ends_with(&format!(":{version}")), "{definition}");
    }
    Ok(())
}
