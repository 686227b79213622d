//! The API of the local Batch, driven by AWS's SDK for Rust and by plain HTTP.

mod batch_support;

use std::time::Duration;

use aws_sdk_batch::{
    error::{ProvideErrorMetadata, SdkError},
    types::{
        ContainerOverrides, EvaluateOnExit, JobStatus, KeyValuePair, KeyValuesPair, RetryAction,
        RetryStrategy,
    },
};
use batch_support::{IMAGE, Local};
use dropcast_local_stack::batch::{LimitAction, TimeLimitAction};
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn a_submitted_job_runs_its_command_and_succeeds() {
    let local = Local::start().await;
    local
        .define("model", "echo hello from $AWS_BATCH_JOB_ID")
        .await;
    let id = local.submit("model").await;
    let job = local.reach(&id, JobStatus::Succeeded).await;
    assert_eq!(local.output(&id, 1), format!("hello from {id}\n"));
    assert_eq!(job.job_name(), Some("run"));
    assert_eq!(job.job_queue(), Some(local.queue.as_str()));
    assert_eq!(job.attempts().len(), 1);
    let container = job.container().unwrap();
    assert_eq!(container.exit_code(), Some(0));
    assert_eq!(container.image(), Some(IMAGE));
    assert!(job.created_at() <= job.started_at());
    assert!(job.started_at() <= job.stopped_at());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_starts_within_100_ms_of_its_submission() {
    let local = Local::start().await;
    local.define("model", "true").await;
    local.submit("model").await;
    let mut best = i64::MAX;
    for _ in 0..5 {
        let id = local.submit("model").await;
        let job = local.reach(&id, JobStatus::Succeeded).await;
        best = best.min(job.started_at().unwrap() - job.created_at().unwrap());
    }
    assert!(best < 100, "{best} ms");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failing_job_is_tried_again_as_its_strategy_says() {
    let local = Local::start().await;
    // Fails with 75 at first and with 1 at the second attempt.
    local
        .define(
            "model",
            "test $AWS_BATCH_JOB_ATTEMPT = 1 && exit 75; exit 1",
        )
        .await;
    let rule = |code: &str, action| {
        EvaluateOnExit::builder()
            .on_exit_code(code)
            .action(action)
            .build()
    };
    let strategy = RetryStrategy::builder()
        .attempts(5)
        .evaluate_on_exit(rule("75", RetryAction::Retry))
        .evaluate_on_exit(rule("*", RetryAction::Exit))
        .build();
    let answer = local
        .client
        .submit_job()
        .job_name("run")
        .job_queue("dropcast-local")
        .job_definition("model:1")
        .retry_strategy(strategy)
        .send()
        .await
        .unwrap();
    let job = local
        .reach(answer.job_id().unwrap(), JobStatus::Failed)
        .await;
    let codes: Vec<_> = job
        .attempts()
        .iter()
        .map(|attempt| attempt.container().unwrap().exit_code())
        .collect();
    assert_eq!(codes, [Some(75), Some(1)]);
    assert_eq!(
        job.status_reason(),
        Some("Essential container in task exited")
    );
    let rules = job.retry_strategy().unwrap().evaluate_on_exit();
    assert_eq!(rules.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn overrides_of_command_and_environment_reach_the_process() {
    let local = Local::start().await;
    local.define("model", "false").await;
    let overrides = ContainerOverrides::builder()
        .set_command(Some(
            ["sh", "-c", "echo $GREETING"].map(str::to_owned).to_vec(),
        ))
        .environment(
            KeyValuePair::builder()
                .name("GREETING")
                .value("good morning")
                .build(),
        )
        .build();
    let answer = local
        .client
        .submit_job()
        .job_name("run")
        .job_queue(&local.queue)
        .job_definition("model")
        .container_overrides(overrides)
        .send()
        .await
        .unwrap();
    let id = answer.job_id().unwrap();
    local.reach(id, JobStatus::Succeeded).await;
    assert_eq!(local.output(id, 1), "good morning\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_are_client_exceptions_with_a_message() {
    let local = Local::start().await;
    let error = local
        .client
        .submit_job()
        .job_name("run")
        .job_queue(&local.queue)
        .job_definition("nobody")
        .send()
        .await
        .unwrap_err();
    let SdkError::ServiceError(refusal) = &error else {
        panic!("{error:?}");
    };
    assert_eq!(refusal.raw().status().as_u16(), 400);
    let error = error.into_service_error();
    assert!(error.is_client_exception(), "{error:?}");
    assert_eq!(error.code(), Some("ClientException"));
    assert_eq!(
        error.message(),
        Some("JobDefinition nobody does not exist or is not in ACTIVE status")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deregistered_definition_takes_no_jobs() {
    let local = Local::start().await;
    local.define("model", "true").await;
    for _ in 0..2 {
        local
            .client
            .deregister_job_definition()
            .job_definition("model:1")
            .send()
            .await
            .unwrap();
    }
    let described = local
        .client
        .describe_job_definitions()
        .job_definition_name("model")
        .send()
        .await
        .unwrap();
    let definition = described.job_definitions().first().unwrap();
    assert_eq!(definition.status(), Some("INACTIVE"));
    assert_eq!(definition.revision(), Some(1));
    let refused = local
        .client
        .submit_job()
        .job_name("run")
        .job_queue(&local.queue)
        .job_definition("model:1")
        .send()
        .await;
    assert!(
        refused
            .unwrap_err()
            .into_service_error()
            .is_client_exception()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_job_of_a_name_is_found_right_after_its_submission() {
    let local = Local::start().await;
    local.define("model", "true").await;
    let mut ids = Vec::new();
    for _ in 0..5 {
        ids.push(local.submit("model").await);
    }
    ids.reverse();
    let by_name = KeyValuesPair::builder()
        .name("JOB_NAME")
        .values("RUN")
        .build();
    let pages: Vec<_> = local
        .client
        .list_jobs()
        .job_queue(&local.queue)
        .filters(by_name)
        .max_results(2)
        .into_paginator()
        .items()
        .send()
        .collect::<Result<Vec<_>, _>>()
        .await
        .unwrap();
    let found: Vec<_> = pages.iter().map(|job| job.job_id().unwrap()).collect();
    assert_eq!(found, ids);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operation_that_is_not_there_is_refused_by_its_name() {
    let local = Local::start().await;
    let error = local
        .client
        .delete_job_queue()
        .job_queue("dropcast-local")
        .send()
        .await
        .unwrap_err()
        .into_service_error();
    assert!(error.is_client_exception());
    assert!(error.message().unwrap().contains("DeleteJobQueue"));

    let http = reqwest::Client::new();
    let url = |path: &str| format!("{}{path}", local.endpoint);
    let unknown = http.get(url("/v1/nothing")).send().await.unwrap();
    assert_eq!(unknown.status(), 404);
    assert_eq!(
        unknown.headers()["x-amzn-errortype"],
        "UnknownOperationException"
    );
    let garbled = http
        .post(url("/v1/submitjob"))
        .body("{\"jobName\": 1")
        .send()
        .await
        .unwrap();
    assert_eq!(garbled.status(), 400);
    assert_eq!(
        garbled.headers()["x-amzn-errortype"],
        "SerializationException"
    );
    let large = json!({"jobName": "x".repeat(31 * 1024)});
    let large = http
        .post(url("/v1/submitjob"))
        .json(&large)
        .send()
        .await
        .unwrap();
    assert_eq!(large.status(), 400);
    assert!(large.text().await.unwrap().contains("30720"));
}

#[tokio::test(flavor = "multi_thread")]
async fn faults_are_asked_for_listed_and_cleared() {
    let local = Local::start().await;
    local
        .fault(json!({"jobDefinition": "model", "fault": "out-of-memory", "times": 2}))
        .await;
    let http = reqwest::Client::new();
    let url = format!("{}/_dropcast/faults", local.endpoint);
    let listed: Value =
        serde_json::from_str(&http.get(&url).send().await.unwrap().text().await.unwrap()).unwrap();
    assert_eq!(
        listed["faults"],
        json!([{"jobDefinition": "model", "fault": "out-of-memory", "times": 2, "blocksQueue": true}])
    );
    http.delete(&url).send().await.unwrap();
    let listed: Value =
        serde_json::from_str(&http.get(&url).send().await.unwrap().text().await.unwrap()).unwrap();
    assert_eq!(listed["faults"], json!([]));
    for wrong in [
        r#"{"fault":"flood","jobName":"*"}"#,
        r#"{"fault":"host-lost"}"#,
        "{",
    ] {
        let answer = http.post(&url).body(wrong).send().await.unwrap();
        assert_eq!(answer.status(), 400, "{wrong}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stuck_job_is_cancelled_by_the_time_limit_of_its_queue() {
    let local = Local::start_with(|config| {
        config.timings.second = Duration::from_micros(500);
        config.time_limit_actions = vec![TimeLimitAction {
            reason: "CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY".to_owned(),
            max_time_seconds: 600,
            action: LimitAction::Cancel,
        }];
    })
    .await;
    local.define("model", "true").await;
    local
        .fault(json!({"jobName": "run", "fault": "stuck-runnable"}))
        .await;
    let id = local.submit("model").await;
    let job = local.reach(&id, JobStatus::Failed).await;
    assert_eq!(
        job.status_reason(),
        Some(
            "Canceled by JobStateTimeLimit action due to reason: CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY"
        )
    );
    assert!(job.attempts().is_empty());
    let queues = local.client.describe_job_queues().send().await.unwrap();
    let queue = queues.job_queues().first().unwrap();
    assert_eq!(queue.job_queue_arn(), Some(local.queue.as_str()));
    assert_eq!(queue.job_state_time_limit_actions().len(), 1);
}
