//! Events and logs of the local Batch in a real emulator.

mod batch_support;

use batch_support::{Emulator, Local};
use serde_json::{Value, json};

async fn both() -> (Emulator, Local, String) {
    let emulator = Emulator::start();
    let queue = emulator.watch_events().await;
    let endpoint = emulator.endpoint().to_owned();
    let local = Local::start_with(|config| config.emulator = Some(endpoint)).await;
    (emulator, local, queue)
}

fn statuses(events: &[Value]) -> Vec<&str> {
    events
        .iter()
        .map(|event| event["detail"]["status"].as_str().unwrap_or_default())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn events_arrive_in_order_and_the_lines_are_there_before_the_last() {
    let (emulator, local, queue) = both().await;
    local
        .define("model", "echo one; echo two >&2; printf three; exit 3")
        .await;
    let id = local.submit("model").await;
    let events = emulator.events_of(&queue, &id).await;
    assert_eq!(
        statuses(&events),
        ["RUNNABLE", "STARTING", "RUNNING", "FAILED"]
    );
    let last = events.last().unwrap();
    assert_eq!(last["source"], "dropcast.batch");
    assert_eq!(last["detail-type"], "Batch Job State Change");
    assert_eq!(last["account"], "000000000000");
    assert_eq!(last["region"], "us-east-1");
    assert_eq!(last["resources"], json!([last["detail"]["jobArn"]]));
    let container = &last["detail"]["container"];
    assert_eq!(container["exitCode"], 3);
    let stream = container["logStreamName"].as_str().unwrap();
    assert!(stream.starts_with("model/default/"), "{stream}");
    assert_eq!(emulator.log(stream).await, ["one", "two", "three"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_attempt_has_its_own_stream() {
    let (emulator, local, queue) = both().await;
    local
        .define("model", "echo attempt $AWS_BATCH_JOB_ATTEMPT")
        .await;
    local
        .fault(json!({"jobDefinition": "model", "fault": "cannot-inspect"}))
        .await;
    let answer = local
        .client
        .submit_job()
        .job_name("run")
        .job_queue(&local.queue)
        .job_definition("model")
        .retry_strategy(
            aws_sdk_batch::types::RetryStrategy::builder()
                .attempts(2)
                .build(),
        )
        .send()
        .await
        .unwrap();
    let events = emulator.events_of(&queue, answer.job_id().unwrap()).await;
    assert_eq!(
        statuses(&events),
        [
            "RUNNABLE",
            "STARTING",
            "RUNNING",
            "RUNNABLE",
            "STARTING",
            "RUNNING",
            "SUCCEEDED"
        ]
    );
    let attempts = events.last().unwrap()["detail"]["attempts"].clone();
    for (index, attempt) in attempts.as_array().unwrap().iter().enumerate() {
        let stream = attempt["container"]["logStreamName"].as_str().unwrap();
        assert_eq!(
            emulator.log(stream).await,
            [format!("attempt {}", index + 1)]
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_blocked_queue_is_announced_with_the_job_at_its_head() {
    let (emulator, local, queue) = both().await;
    local.define("model", "true").await;
    local
        .fault(json!({"jobName": "run", "fault": "stuck-runnable"}))
        .await;
    let id = local.submit("model").await;
    let job = local.held_back(&id).await;
    assert!(
        job.status_reason()
            .unwrap()
            .starts_with("CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY")
    );
    local
        .client
        .terminate_job()
        .job_id(&id)
        .reason("no host")
        .send()
        .await
        .unwrap();
    let events = emulator.events_of(&queue, &id).await;
    let kinds: Vec<_> = events
        .iter()
        .map(|event| event["detail-type"].as_str().unwrap())
        .collect();
    assert_eq!(
        kinds,
        [
            "Batch Job State Change",
            "Batch Job Queue Blocked",
            "Batch Job State Change"
        ]
    );
    assert_eq!(events[1]["resources"], json!([job.job_arn(), local.queue]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_jobs_are_announced_to_the_end_each_in_order() {
    let (emulator, local, queue) = both().await;
    local.define("model", "echo done").await;
    let mut left = std::collections::HashMap::new();
    for _ in 0..100 {
        left.insert(local.submit("model").await, Vec::new());
    }
    let begin = std::time::Instant::now();
    let mut ended = 0;
    while ended < 100 {
        for event in emulator.receive(&queue).await {
            let detail = &event["detail"];
            let status = detail["status"].as_str().unwrap().to_owned();
            ended += i32::from(status == "SUCCEEDED");
            left.get_mut(detail["jobId"].as_str().unwrap())
                .unwrap()
                .push(status);
        }
        assert!(
            begin.elapsed() < 2 * batch_support::TIMEOUT,
            "{ended} ended"
        );
    }
    for (job, statuses) in left {
        assert_eq!(
            statuses,
            ["RUNNABLE", "STARTING", "RUNNING", "SUCCEEDED"],
            "{job}"
        );
    }
}
