//! The invariants of `docs/ARCHITECTURE.md` that only the whole stack can show, by their numbers.
//! 7 is in `secrets`, 8 in `least_privilege`; `aftermath` shows 4, 5 and 8 for all runs together.

use std::{fs, path::PathBuf};

use anyhow::{Context as _, Result, ensure};
use aws_sdk_batch::types::{ContainerOverrides, JobStatus, KeyValuesPair};
use aws_sdk_cloudformation::types::TemplateStage;
use aws_sdk_s3::types::BucketVersioningStatus;
use dropcast_domain::{failure::ErrorCode, ids::RunId, problem::ProblemList, status::Status};
use dropcast_store::History as _;
use dropcast_tests::{
    Dropped, Event, NESTED_STACK, Stack, Upload, programs, stand_ins::PACKAGES, until,
};
use jiff::SignedDuration;
use saphyr::{LoadableYamlNode as _, Yaml};
use serde_json::json;

use crate::{
    checks::{ended_with, is_the_only_run, sha256, succeeded},
    world::scenarios,
};

scenarios![
    invariant_1_one_upload_is_one_run_however_often_its_event_arrives,
    invariant_1_one_version_of_an_object_is_one_run_whatever_else_its_event_says,
    invariant_3_a_second_job_of_a_run_is_terminated_and_its_outputs_are_not_published,
    invariant_5_each_mail_is_sent_once_however_often_the_notice_arrives,
    invariant_6_a_rejected_run_keeps_its_input_and_every_problem,
    invariant_6_a_failed_run_keeps_its_input_and_its_last_lines,
    invariant_10_the_deployed_template_is_that_of_the_repository,
    invariant_10_the_deployed_functions_are_the_programs_of_this_build,
];

/// A run of the model that waits until its gate opens.
pub(crate) struct Gated {
    pub(crate) dropped: Dropped,
    gate: PathBuf,
}

impl Gated {
    /// Drops a file for it, and waits until its job runs.
    pub(crate) async fn running(stack: &Stack, name: &str) -> Result<Self> {
        let model = stack.model("gated").await?;
        let gate = stack.connection().state.join(format!("gate-{name}"));
        let input = json!({ "gate": gate }).to_string();
        let file = Upload::new(&model, &format!("{name}.json"), input).notify("ana@corp.example");
        let dropped = stack.submit(&file).await?;
        stack.reached(&dropped.run, Status::Running).await?;
        Ok(Self { dropped, gate })
    }

    /// Lets the job go on.
    pub(crate) fn open(&self) -> Result<()> {
        Ok(fs::write(&self.gate, "")?)
    }
}

/// How many lines of a function name a run and say these words.
async fn lines_about(stack: &Stack, run: &RunId, words: &str) -> Result<usize> {
    let lines = stack.function_logs().await?;
    let about = lines
        .iter()
        .filter(|line| line.text.contains(run.as_str()) && line.text.contains(words));
    Ok(about.count())
}

/// The ids of all jobs with a run's name.
async fn jobs_named(stack: &Stack, run: &RunId) -> Result<Vec<String>> {
    let by_name = KeyValuesPair::builder()
        .name("JOB_NAME")
        .values(run.as_str());
    let answer = stack
        .batch
        .list_jobs()
        .job_queue(stack.output("JobQueueArn")?)
        .filters(by_name.build())
        .send()
        .await?;
    let jobs = answer.job_summary_list.unwrap_or_default();
    Ok(jobs.into_iter().filter_map(|job| job.job_id).collect())
}

fn the_event(stack: &Stack, fits: impl Fn(&Event) -> bool) -> Result<Event> {
    let mut events = stack.events().into_iter();
    events.find(fits).context("the event")
}

async fn invariant_1_one_upload_is_one_run_however_often_its_event_arrives(
    stack: &Stack,
) -> Result<()> {
    let run = Gated::running(stack, "repeated-event").await?;
    let id = &run.dropped.run;
    let key = json!(run.dropped.upload.key);
    let event = the_event(stack, |event| event.detail["object"]["key"] == key)?;
    for _ in 0..5 {
        stack.send("IntakeQueueUrl", &event.whole).await?;
    }
    run.open()?;
    let ended = stack.ended(id).await?;
    succeeded(&ended)?;
    for _ in 0..5 {
        stack.send("IntakeQueueUrl", &event.whole).await?;
    }
    until("all eleven deliveries are handled", || async {
        let handled = lines_about(stack, id, "the run of the upload exists").await?;
        Ok((handled == 11).then_some(()))
    })
    .await?;
    is_the_only_run(stack, &run.dropped).await?;
    assert_eq!(stack.record(id).await?, ended.run);
    assert_eq!(jobs_named(stack, id).await?.len(), 1);
    stack.mail(id).await?;
    Ok(())
}

async fn invariant_1_one_version_of_an_object_is_one_run_whatever_else_its_event_says(
    stack: &Stack,
) -> Result<()> {
    let model = stack.model("noop").await?;
    let file = Upload::new(&model, "versioned.json", "1");
    let (dropped, ended) = stack.run(&file).await?;
    succeeded(&ended)?;
    // As on AWS: the event names the version, and its deliveries may differ in all the rest.
    let key = json!(file.key);
    let event = the_event(stack, |event| event.detail["object"]["key"] == key)?;
    let upload = &dropped.upload;
    ensure!(upload.version_id.is_some(), "the bucket keeps versions");
    let id = upload.run_id();
    for delivery in 0..6 {
        // A second later each time: the time does not distinguish uploads.
        let reported_at = event.time + SignedDuration::from_secs(delivery);
        let mut event = event.whole.clone();
        event["time"] = json!(reported_at.to_string());
        let object = &mut event["detail"]["object"];
        object["sequencer"] = json!(format!("00{delivery}"));
        event["detail"]["reason"] = json!("PutObject");
        event["id"] = json!(format!("delivery-{delivery}"));
        stack.send("IntakeQueueUrl", &event).await?;
    }
    let ended = stack.ended(&id).await?;
    succeeded(&ended)?;
    until("all seven deliveries are handled", || async {
        let handled = lines_about(stack, &id, "the run of the upload exists").await?;
        Ok((handled == 7).then_some(()))
    })
    .await?;
    let runs = stack.runs_of_key(upload).await?;
    assert_eq!(runs.len(), 1);
    assert_eq!(jobs_named(stack, &id).await?.len(), 1);
    stack.mail(&id).await?;
    Ok(())
}

async fn invariant_3_a_second_job_of_a_run_is_terminated_and_its_outputs_are_not_published(
    stack: &Stack,
) -> Result<()> {
    let run = Gated::running(stack, "second-job").await?;
    let id = &run.dropped.run;
    let first = stack.record(id).await?.job.context("the run's job")?;
    let job = stack.job(first.as_str()).await?;
    let environment = job.container.and_then(|it| it.environment);
    let second = stack
        .batch
        .submit_job()
        .job_name(id.as_str())
        .job_queue(stack.output("JobQueueArn")?)
        .job_definition(job.job_definition.context("its definition")?)
        .container_overrides(
            ContainerOverrides::builder()
                .set_environment(environment)
                .build(),
        )
        .send()
        .await?
        .job_id
        .context("the second job's id")?;
    let ended = until("the second job has ended", || async {
        let job = stack.job(&second).await?;
        Ok((job.status == Some(JobStatus::Failed)).then_some(job))
    })
    .await?;
    assert_eq!(
        ended.status_reason.as_deref(),
        Some("Dropcast: the run already has another job.")
    );
    assert_eq!(stack.record(id).await?.status(), Status::Running);
    run.open()?;
    let ended = stack.ended(id).await?;
    succeeded(&ended)?;
    assert_eq!(ended.run.job.as_ref(), Some(&first));
    let who = ended.run.outputs.first().context("the output")?;
    let prefix = ended.run.keys().attempt(&first, 1);
    assert!(who.key.starts_with(&prefix), "{}", who.key);
    assert_eq!(
        stack.result(&who.key).await?,
        format!("{first}\n").as_bytes()
    );
    stack.mail(id).await?;
    Ok(())
}

async fn invariant_5_each_mail_is_sent_once_however_often_the_notice_arrives(
    stack: &Stack,
) -> Result<()> {
    // A delivery that meets another one at work comes back after this time.
    stack
        .sqs
        .set_queue_attributes()
        .queue_url(stack.output("NoticesQueueUrl")?)
        .attributes(
            aws_sdk_sqs::types::QueueAttributeName::VisibilityTimeout,
            "5",
        )
        .send()
        .await?;
    let model = stack.model("noop").await?;
    let file = Upload::new(&model, "notices.json", "1").notify("ana@corp.example,bo@corp.test");
    let dropped = stack.submit(&file).await?;
    let id = &dropped.run;
    stack.reached(id, Status::Succeeded).await?;
    let notice = the_event(stack, |event| {
        event.detail["runId"] == id.as_str() && event.detail["status"] == "succeeded"
    })?;
    // Three at once with the real one, and three when all is done.
    for _ in 0..3 {
        stack.send("NoticesQueueUrl", &notice.whole).await?;
    }
    stack.mailed(id, 2).await?;
    for _ in 0..3 {
        stack.send("NoticesQueueUrl", &notice.whole).await?;
    }
    stack.until_empty("NoticesQueueUrl").await?;
    let mails = stack.mails_about(id).await?;
    let mut recipients: Vec<String> = mails.iter().flat_map(|mail| mail.to.clone()).collect();
    recipients.sort();
    assert_eq!(recipients, ["ana@corp.example", "bo@corp.test"]);
    Ok(())
}

/// The dropped file is in the versioned bucket as it was, version and all.
async fn the_dropped_file_is_kept(stack: &Stack, dropped: &Dropped, file: &Upload) -> Result<()> {
    let bucket = stack.output("InputsBucketName")?;
    let versioning = stack.s3.get_bucket_versioning().bucket(bucket);
    let status = versioning.send().await?.status;
    ensure!(
        status == Some(BucketVersioningStatus::Enabled),
        "{status:?}"
    );
    ensure!(dropped.version_id.is_some(), "the file has a version");
    let kept = stack
        .s3
        .get_object()
        .bucket(bucket)
        .key(&file.key)
        .set_version_id(dropped.version_id.clone())
        .send()
        .await
        .context("the dropped file")?;
    ensure!(kept.body.collect().await?.into_bytes() == file.content);
    Ok(())
}

async fn invariant_6_a_rejected_run_keeps_its_input_and_every_problem(stack: &Stack) -> Result<()> {
    stack.model("strict").await?;
    let input = r#"{"horizon_month": 6, "interval_percent": "wide", "growth": [1, null]}"#;
    let file = Upload::new("strict", "keeps-what-it-was-given.json", input);
    let (dropped, ended) = stack.run(&file).await?;
    let run = &ended.run;
    ended_with(&ended, Status::Rejected, ErrorCode::InputRejected, &[])?;
    the_dropped_file_is_kept(stack, &dropped, &file).await?;
    let problems: ProblemList =
        serde_json::from_slice(&stack.result(&run.keys().problems()).await?)?;
    let mut places: Vec<&str> = problems
        .problems
        .iter()
        .map(|problem| problem.at.as_str())
        .collect();
    places.sort_unstable();
    assert_eq!(
        places,
        ["", "/growth/1", "/horizon_month", "/interval_percent"]
    );
    assert_eq!((problems.more, run.problem_count), (0, Some(4)));
    for problem in &problems.problems {
        let whole = [&problem.found, &problem.allowed, &problem.message];
        ensure!(whole.iter().all(|text| !text.is_empty()), "{problem:?}");
    }
    stack.mail(&run.id).await?;
    Ok(())
}

async fn invariant_6_a_failed_run_keeps_its_input_and_its_last_lines(stack: &Stack) -> Result<()> {
    let model = stack.model("fails").await?;
    // Written by hand: the copy is the file as it was, and not what was read of it.
    let input = "\u{feff}{ \"plan\" :\r\n  \"Q3 é\" }\n";
    let file = Upload::new(&model, "keeps-what-it-was-given.json", input);
    let (dropped, ended) = stack.run(&file).await?;
    let run = &ended.run;
    ended_with(
        &ended,
        Status::Failed,
        ErrorCode::JobFailed,
        &["exit code 3"],
    )?;
    the_dropped_file_is_kept(stack, &dropped, &file).await?;
    let copy = &run.input.as_ref().context("the accepted input")?.key;
    assert_eq!(stack.result(copy).await?, input.as_bytes());
    let log = stack.store.log(&run.id).await?;
    assert_eq!(log.len(), 40, "{log:?}");
    assert_eq!(
        log.last().map(String::as_str),
        Some("ValueError: no history for product line <b>Hardware</b>")
    );
    stack.mail(&run.id).await?;
    Ok(())
}

async fn invariant_10_the_deployed_template_is_that_of_the_repository(stack: &Stack) -> Result<()> {
    let root = fs::read_to_string(programs::repository().join("template.yaml"))?;
    let mut replaced = replacements(stack, &stack.connection().stack_name, &root).await?;
    let nested = root.lines().filter(|line| line.contains("TemplateURL: "));
    assert_eq!(replaced.len(), nested.count());
    let documents = Yaml::load_from_str(&root)?;
    let described = &documents[0]["Resources"];
    for resource in stack.resources().await? {
        if resource.resource_type != NESTED_STACK {
            continue;
        }
        let path = described[resource.logical_id.as_str()]["Properties"]["TemplateURL"].as_str();
        let path = programs::repository().join(path.context("the nested template's path")?);
        let own = fs::read_to_string(path)?;
        replaced.extend(replacements(stack, &resource.physical_id, &own).await?);
    }
    let number = |key: &str| replaced.iter().filter(|replaced| *replaced == key).count();
    assert_eq!(number("CodeUri"), programs::functions().len());
    assert_eq!(number("DefinitionUri"), 1);
    Ok(())
}

/// The keys whose values differ between a stack's deployed template and the repository's: those that point
/// into the repository, and no others.
async fn replacements(stack: &Stack, name: &str, own: &str) -> Result<Vec<String>> {
    let template = stack
        .cloudformation
        .get_template()
        .stack_name(name)
        .template_stage(TemplateStage::Original)
        .send()
        .await?;
    let deployed = template.template_body.context("the template")?;
    let (deployed, own): (Vec<&str>, Vec<&str>) =
        (deployed.lines().collect(), own.lines().collect());
    assert_eq!(deployed.len(), own.len(), "{name}");
    let mut replaced = Vec::new();
    for (deployed, own) in deployed.iter().zip(&own) {
        let key = |line: &str| line.split(':').next().unwrap_or_default().trim().to_owned();
        if deployed == own {
            continue;
        }
        assert_eq!(key(deployed), key(own), "{name}");
        assert!(
            ["CodeUri", "DefinitionUri", "TemplateURL"].contains(&key(own).as_str()),
            "{name}: {deployed} is not {own}"
        );
        replaced.push(key(own));
    }
    Ok(replaced)
}

async fn invariant_10_the_deployed_functions_are_the_programs_of_this_build(
    stack: &Stack,
) -> Result<()> {
    let keys = stack.keys(PACKAGES, "functions/").await?;
    let functions = programs::functions();
    assert_eq!(keys.len(), functions.len(), "{keys:?}");
    for name in functions {
        let prefix = format!("functions/{name}-");
        let key = keys.iter().find(|key| key.starts_with(&prefix));
        let package = stack.object(PACKAGES, key.context("a package")?).await?;
        let program = fs::read(programs::program(&name)?)?;
        let same = tokio::task::spawn_blocking(move || -> Result<bool> {
            let mut archive = zip::ZipArchive::new(std::io::Cursor::new(package))?;
            let mut packed = Vec::new();
            std::io::copy(&mut archive.by_name("bootstrap")?, &mut packed)?;
            Ok(sha256(&packed) == sha256(&program))
        })
        .await??;
        assert!(same, "{name} is deployed from another program");
    }
    Ok(())
}
