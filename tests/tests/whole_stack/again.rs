//! The deployed functions, called once more than a run calls them: what a retry after a lost
//! answer finds, and what a run leaves behind that ends before its job.

use anyhow::{Context as _, Result, ensure};
use aws_sdk_batch::types::{JobStatus, JobSummary, KeyValuesPair};
use dropcast_domain::{
    ids::{RunId, Version},
    run::{Acceptance, AcceptedInput, Run, UploadMetadata},
    status::Status,
    upload::Upload as S3Upload,
};
use dropcast_lambda_kit::clock::now;
use dropcast_store::{Runs as _, Validation as _, ValidationOutcome};
use dropcast_tests::{Stack, Upload, stand_ins::role, until};
use jiff::SignedDuration;
use serde_json::{Value, json};
use tokio::sync::OnceCell;

use crate::{checks::succeeded, world::scenarios};

/// The model of runs that begin without a dropped file, and so without an execution of their own.
pub(crate) const UNDROPPED: &str = "called-again";
/// How many submissions of one run are begun at once, and how often that is tried: some of them
/// have to find no job before any of them has submitted one.
const AT_ONCE: usize = 8;
const TRIES: u32 = 10;

scenarios![
    a_submission_that_comes_after_the_jobs_end_resumes_the_execution,
    of_submissions_at_once_one_job_counts_and_a_run_that_ends_first_stops_it,
];

/// Calls a deployed function from an execution, with a task token if it takes one.
async fn call(
    stack: &'static Stack,
    function: &str,
    payload: Value,
) -> Result<Result<Value, String>> {
    static MACHINE: OnceCell<String> = OnceCell::const_new();
    let machine = MACHINE.get_or_try_init(|| machine(stack)).await?;
    let name = stack.physical_id(function).await?;
    let input =
        json!({ "function": name, "with_token": function == "SubmitJob", "payload": payload });
    let ended = stack.executed(machine, &input).await?;
    Ok(match ended.status.as_str() {
        "SUCCEEDED" => Ok(serde_json::from_str(&ended.output.unwrap_or_default())?),
        _ => Err(ended.error.unwrap_or_default()),
    })
}

async fn machine(stack: &Stack) -> Result<String> {
    let definition = json!({
        "QueryLanguage": "JSONata",
        "StartAt": "WithToken",
        "States": {
            "WithToken": {
                "Type": "Choice",
                "Choices": [{ "Condition": "{% $states.input.with_token %}", "Next": "Wait" }],
                "Default": "Call",
            },
            "Wait": {
                "Type": "Task",
                "Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken",
                "TimeoutSeconds": 60,
                "Arguments": {
                    "FunctionName": "{% $states.input.function %}",
                    "Payload": "{% $merge([$states.input.payload, { 'taskToken': $states.context.Task.Token, 'attempt': { 'enteredAt': $states.context.State.EnteredTime, 'retryCount': $states.context.State.RetryCount } }]) %}",
                },
                "End": true,
            },
            "Call": {
                "Type": "Task",
                "Resource": "arn:aws:states:::lambda:invoke",
                "Arguments": {
                    "FunctionName": "{% $states.input.function %}",
                    "Payload": "{% $states.input.payload %}",
                },
                "End": true,
            },
        },
    });
    let template = json!({
        "Resources": {
            "MachineRole": role("states.amazonaws.com", "lambda:InvokeFunction"),
            "Machine": {
                "Type": "AWS::StepFunctions::StateMachine",
                "Properties": {
                    "DefinitionString": definition.to_string(),
                    "RoleArn": { "Fn::GetAtt": ["MachineRole", "Arn"] },
                },
            },
        },
        "Outputs": { "Machine": { "Value": { "Ref": "Machine" } } },
    });
    let mut outputs = stack.deploy_beside("again", &template).await?;
    outputs.remove("Machine").context("the state machine")
}

async fn a_submission_that_comes_after_the_jobs_end_resumes_the_execution(
    stack: &'static Stack,
) -> Result<()> {
    let model = stack.model("noop").await?;
    let (_, ended) = stack.run(&Upload::new(&model, "again.json", "{}")).await?;
    succeeded(&ended)?;
    let payload = json!({ "runId": ended.run.id });
    let answer = call(stack, "SubmitJob", payload).await?;
    let job = ended.run.job.as_ref().context("the run's job")?;
    assert_eq!(
        answer.as_ref().map(|answer| &answer["jobId"]),
        Ok(&json!(job))
    );

    let model = stack.model("fails").await?;
    let (_, ended) = stack.run(&Upload::new(&model, "again.json", "{}")).await?;
    assert_eq!(ended.run.status(), Status::Failed);
    let payload = json!({ "runId": ended.run.id });
    assert_eq!(
        call(stack, "SubmitJob", payload).await?,
        Err("JobFailed".to_owned())
    );
    Ok(())
}

/// A run that validation has accepted, with nothing started for it.
async fn accepted(stack: &Stack, number: u32) -> Result<Run> {
    let model = stack.model_as("slow", UNDROPPED).await?;
    let at = now();
    let name = format!("{number}.json");
    let upload = S3Upload {
        bucket: stack.output("InputsBucketName")?.to_owned(),
        key: format!("inputs/{model}/{name}"),
        version_id: Some(at.to_string()),
        sequencer: None,
        bytes: 2,
        at,
    };
    let run = Run::received(upload, at.checked_add(SignedDuration::from_hours(1))?);
    stack.store.create_if_absent(&run).await?;
    let metadata = UploadMetadata {
        title: name.clone(),
        notify: Vec::new(),
        notify_unusable: Vec::new(),
        notify_left_out: Vec::new(),
    };
    let input = AcceptedInput {
        key: run.keys().input(&name),
        prepared_key: run.keys().prepared(&name),
        defaults: Vec::new(),
        table: None,
    };
    for key in [&input.key, &input.prepared_key] {
        let put = stack
            .s3
            .put_object()
            .bucket(stack.output("ResultsBucketName")?);
        put.key(key).body(b"{}".to_vec().into()).send().await?;
    }
    let version = Version::FIRST;
    let input = Some(input);
    let outcome = ValidationOutcome::Accepted(Acceptance { version, input });
    stack
        .store
        .record_validation(&run.id, &metadata, &outcome)
        .await?;
    Ok(run)
}

/// The jobs with a run's name.
async fn jobs_of(stack: &Stack, run: &RunId) -> Result<Vec<JobSummary>> {
    let by_name = KeyValuesPair::builder()
        .name("JOB_NAME")
        .values(run.as_str());
    let jobs = stack
        .batch
        .list_jobs()
        .job_queue(stack.output("JobQueueArn")?);
    let answer = jobs.filters(by_name.build()).send().await?;
    Ok(answer.job_summary_list.unwrap_or_default())
}

async fn of_submissions_at_once_one_job_counts_and_a_run_that_ends_first_stops_it(
    stack: &'static Stack,
) -> Result<()> {
    for number in 1..=TRIES {
        let run = accepted(stack, number).await?;
        for _ in 0..AT_ONCE {
            let payload = json!({ "runId": run.id });
            // The execution that holds the newest token waits on, until its time limit.
            tokio::spawn(async move { call(stack, "SubmitJob", payload).await.is_ok() });
        }
        let (named, count) = until("the run has its job, and no other", || async {
            let Some(job) = stack.record(&run.id).await?.job else {
                return Ok(None);
            };
            let jobs = jobs_of(stack, &run.id).await?;
            let alive = |one: &&JobSummary| one.status != Some(JobStatus::Failed);
            let mut alive = jobs.iter().filter(alive);
            let only = alive.all(|one| one.job_id.as_deref() == Some(job.as_str()));
            Ok(only.then_some((job, jobs.len())))
        })
        .await?;
        let end = json!({ "runId": run.id, "status": "cancelled" });
        let answer = call(stack, "FinishRun", end).await?;
        ensure!(answer.is_ok(), "{answer:?}");
        until("the abandoned job is stopped", || async {
            let job = stack.job(named.as_str()).await?;
            Ok((job.status == Some(JobStatus::Failed)).then_some(()))
        })
        .await?;
        assert_eq!(stack.record(&run.id).await?.status(), Status::Cancelled);
        if count > 1 {
            return Ok(());
        }
    }
    anyhow::bail!("{AT_ONCE} submissions at once never submitted two jobs, {TRIES} times")
}
