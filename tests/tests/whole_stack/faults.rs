//! Everything that can go wrong with a job ends in the right code, sentence and mail.

use anyhow::{Context as _, Result, ensure};
use dropcast_aws::batch::names::definition_name;
use dropcast_domain::{failure::ErrorCode, status::Status};
use dropcast_store::History as _;
use dropcast_tests::{Ended, Stack, Upload, until};
use libtest_mimic::Trial;
use serde_json::{Value, json};

use crate::{
    checks::{ended_with, flat, is_the_only_run, reports_failure, succeeded},
    links::links_in,
    world::scenario,
};

const ANA: &str = "ana@corp.example";
/// More often than any job is tried.
const EACH_TIME: u32 = 9;

/// A job that fails.
struct Fault {
    /// What must hold, as the test's name.
    name: &'static str,
    /// Folder of the model in `tests/models/`.
    model: &'static str,
    /// What is requested of the local Batch; null when the model itself fails.
    strikes: fn() -> Value,
    code: ErrorCode,
    /// Words of the sentence that says what happened.
    says: &'static [&'static str],
    /// How many attempts the job had.
    attempts: u32,
}

fn struck(kind: &str) -> Value {
    json!({ "fault": kind, "times": EACH_TIME })
}

const ALL: &[Fault] = &[
    Fault {
        name: "a_job_that_runs_for_too_long_is_timed_out",
        model: "slow",
        strikes: || Value::Null,
        code: ErrorCode::TimedOut,
        says: &["longer than its version's time limit"],
        attempts: 1,
    },
    Fault {
        name: "a_job_that_finds_no_host_within_the_queues_limit_is_capacity_unavailable",
        model: "noop",
        strikes: || json!({ "fault": "stuck-runnable", "blocksQueue": false }),
        code: ErrorCode::CapacityUnavailable,
        says: &["No machine", "CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY"],
        attempts: 0,
    },
    Fault {
        name: "an_image_that_cannot_be_pulled_is_image_not_pulled",
        model: "noop",
        strikes: || struck("image-not-pulled"),
        code: ErrorCode::ImageNotPulled,
        says: &["container image could not be pulled"],
        attempts: 2,
    },
    Fault {
        name: "a_host_that_is_lost_each_time_is_host_lost",
        model: "echo",
        strikes: || struck("host-lost"),
        code: ErrorCode::HostLost,
        says: &["was lost before the model finished"],
        attempts: 2,
    },
    Fault {
        name: "a_container_killed_for_its_memory_is_out_of_memory",
        model: "echo",
        strikes: || struck("out-of-memory"),
        code: ErrorCode::OutOfMemory,
        says: &["more memory than its version is allowed"],
        attempts: 1,
    },
    Fault {
        name: "a_role_that_cannot_be_assumed_is_internal_and_alarms",
        model: "noop",
        strikes: || struck("role-not-assumed"),
        code: ErrorCode::Internal,
        says: &["An internal error occurred"],
        attempts: 1,
    },
    Fault {
        name: "a_container_that_cannot_be_inspected_is_host_lost_in_awss_words",
        model: "noop",
        strikes: || struck("cannot-inspect"),
        code: ErrorCode::HostLost,
        says: &[
            "container could not be started",
            "CannotInspectContainerError",
        ],
        attempts: 2,
    },
    Fault {
        name: "a_task_that_fails_to_start_is_host_lost_in_awss_words",
        model: "noop",
        strikes: || struck("task-failed-to-start"),
        code: ErrorCode::HostLost,
        says: &["container could not be started", "DockerTimeoutError"],
        attempts: 2,
    },
    Fault {
        name: "a_model_that_is_killed_is_job_failed_with_the_likely_reason",
        model: "killed",
        strikes: || Value::Null,
        code: ErrorCode::JobFailed,
        says: &["exit code 137", "too much memory"],
        attempts: 1,
    },
];

pub(crate) fn scenarios() -> Vec<Trial> {
    let own = [
        scenario(
            "faults",
            "a_host_that_is_lost_once_is_made_good_by_the_second_attempt",
            lost_once,
        ),
        scenario(
            "faults",
            "a_model_that_fails_is_shown_with_its_last_lines",
            last_lines,
        ),
        scenario(
            "faults",
            "a_required_output_that_is_missing_is_named",
            missing_outputs,
        ),
        scenario(
            "faults",
            "a_version_whose_job_definition_is_gone_is_unknown",
            definition_gone,
        ),
        scenario(
            "faults",
            "a_job_that_is_stopped_in_batch_is_a_cancelled_run",
            stopped_by_hand,
        ),
    ];
    ALL.iter()
        .map(|fault| scenario("faults", fault.name, move |stack| fails(stack, fault)))
        .chain(own)
        .collect()
}

async fn fails(stack: &Stack, fault: &Fault) -> Result<()> {
    // A model of its own: a fault is for all jobs of one definition.
    let short = fault.name.get(..50).unwrap_or(fault.name);
    let name = short.trim_end_matches('_').replace('_', "-");
    let model = stack.model_as(fault.model, &name).await?;
    let mut request = (fault.strikes)();
    if request.is_object() {
        request["jobDefinition"] = json!(definition_name(
            &stack.connection().stack_name,
            &model.parse()?
        ));
        stack.fault(&request).await?;
    }
    let ended = ends_failed(stack, &model, fault.code, fault.says).await?;
    assert_eq!(ended.run.current.progress.attempts, fault.attempts);
    Ok(())
}

/// Drops a file whose run must fail, and checks the record and the one mail about it.
async fn ends_failed(stack: &Stack, model: &str, code: ErrorCode, says: &[&str]) -> Result<Ended> {
    let file = Upload::new(model, "plan.json", "{}").notify(ANA);
    let (dropped, ended) = stack.run(&file).await?;
    ended_with(&ended, Status::Failed, code, says)?;
    is_the_only_run(stack, &dropped).await?;
    let run = &ended.run;
    ensure!(run.outputs.is_empty(), "{:?}", run.outputs);
    // Nothing that a user gave us is lost (invariant 6).
    let input = &run.input.as_ref().context("the accepted input")?.key;
    ensure!(stack.result(input).await? == b"{}");
    let mail = stack.mail(&run.id).await?;
    reports_failure(&mail, &ended, ANA)?;
    ensure!(links_in(&mail.text).is_empty(), "{}", mail.text);
    Ok(ended)
}

async fn lost_once(stack: &Stack) -> Result<()> {
    let model = stack.model_as("echo", "echo-host-lost-once").await?;
    let definition = definition_name(&stack.connection().stack_name, &model.parse()?);
    let fault = json!({ "fault": "host-lost", "jobDefinition": definition });
    stack.fault(&fault).await?;
    let file = Upload::new(&model, "plan.json", "{}").notify(ANA);
    let (_, ended) = stack.run(&file).await?;
    succeeded(&ended)?;
    let run = &ended.run;
    assert_eq!(run.current.progress.attempts, 2);
    // A retry goes back to `waiting`, yet forward (invariant 2). Events come in any order: that of
    // the second wait may come when the run is over.
    until("both waits are on the timeline", || async {
        let timeline = stack.store.timeline(&run.id).await?;
        let orders = timeline.iter().map(|step| step.progress.order());
        ensure!(orders.is_sorted(), "{timeline:?}");
        let waits = timeline
            .iter()
            .filter(|step| step.progress.status == Status::Waiting)
            .map(|step| step.progress.attempts);
        Ok(waits.eq([0, 1]).then_some(()))
    })
    .await?;
    let job = run.job.as_ref().context("the run's job")?;
    let prefix = run.keys().attempt(job, 2);
    for output in &run.outputs {
        assert!(output.key.starts_with(&prefix), "{}", output.key);
    }
    let mail = stack.mail(&run.id).await?;
    assert!(mail.subject.starts_with("Ready: "), "{}", mail.subject);
    let text = flat(&mail.text);
    assert!(text.contains("2 (retried after a failure)"), "{text}");
    Ok(())
}

async fn last_lines(stack: &Stack) -> Result<()> {
    let model = stack.model("fails").await?;
    let ended = ends_failed(stack, &model, ErrorCode::JobFailed, &["exit code 3"]).await?;
    assert_eq!(ended.run.current.progress.attempts, 1);
    let mail = stack.mail(&ended.run.id).await?;
    let text = &mail.text;
    for line in [
        "step 22 of 60",
        "step 60 of 60",
        "ValueError: no history for product line <b>Hardware</b>",
    ] {
        assert!(text.contains(line), "no “{line}” in {text}");
    }
    assert!(!text.contains("step 21 of 60"), "at most 40 lines: {text}");
    assert!(!mail.html.contains("<b>Hardware"), "the HTML escapes");
    let log = stack.store.log(&ended.run.id).await?;
    assert_eq!(log.len(), 40, "{log:?}");
    Ok(())
}

async fn missing_outputs(stack: &Stack) -> Result<()> {
    let model = stack.model("no-output").await?;
    let names = ["“Forecast table” (forecast.csv)", "“Charts” (charts/*.png)"];
    let ended = ends_failed(stack, &model, ErrorCode::OutputsMissing, &names).await?;
    assert!(!ended.failure().contains("words.md"), "{}", ended.failure());
    Ok(())
}

async fn definition_gone(stack: &Stack) -> Result<()> {
    let folder = stack.copy_of("noop", "noop-deregistered")?;
    let version = stack.register(&folder).await?;
    stack
        .batch
        .deregister_job_definition()
        .job_definition(&version.spec.job_definition)
        .send()
        .await?;
    let says = ["Version 1 of noop-deregistered can no longer run"];
    let ended = ends_failed(stack, "noop-deregistered", ErrorCode::VersionUnknown, &says).await?;
    assert!(ended.run.job.is_none());
    Ok(())
}

async fn stopped_by_hand(stack: &Stack) -> Result<()> {
    let model = stack.model("gated").await?;
    let input = json!({ "gate": "/nowhere/at/all" }).to_string();
    let file = Upload::new(&model, "stopped.json", input).notify(ANA);
    let dropped = stack.submit(&file).await?;
    stack.reached(&dropped.run, Status::Running).await?;
    let job = stack.record(&dropped.run).await?.job.context("its job")?;
    stack
        .batch
        .terminate_job()
        .job_id(job.as_str())
        .reason("Ana does not need it any more")
        .send()
        .await?;
    let ended = stack.ended(&dropped.run).await?;
    let says = ["The job was stopped: Ana does not need it any more."];
    ended_with(&ended, Status::Cancelled, ErrorCode::Cancelled, &says)?;
    let mail = stack.mail(&dropped.run).await?;
    assert!(mail.subject.starts_with("Cancelled: "), "{}", mail.subject);
    Ok(())
}
