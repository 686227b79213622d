//! Events as AWS delivers them: recorded shapes, values of our own.

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent};
use serde_json::{Value, json};

use crate::fixture;

/// One delivery of these events through a queue; message ids are `message-0`, `message-1`, …
pub fn sqs<'a>(bodies: impl IntoIterator<Item = &'a Value>) -> SqsEvent {
    let message = fixture("sqs-message");
    let records: Vec<Value> = bodies
        .into_iter()
        .enumerate()
        .map(|(number, body)| {
            let mut record = message.clone();
            record["messageId"] = json!(format!("message-{number}"));
            record["body"] = json!(body.to_string());
            record
        })
        .collect();
    serde_json::from_value(json!({ "Records": records })).unwrap()
}

/// Which messages are to be delivered again.
pub fn failed(answer: &SqsBatchResponse) -> Vec<&str> {
    let failures = answer.batch_item_failures.iter();
    failures
        .map(|failure| failure.item_identifier.as_str())
        .collect()
}

/// S3's `Object Created` for one key and version.
pub fn object_created(key: &str, version: &str) -> Value {
    let mut event = fixture("s3-object-created");
    event["detail"]["object"]["key"] = json!(key);
    event["detail"]["object"]["version-id"] = json!(version);
    event
}

/// The queue of the `Batch Job State Change` events.
pub const JOB_QUEUE: &str = "arn:aws:batch:eu-west-1:111122223333:job-queue/forecasts";

/// The events of a job whose first attempt lost its host and whose second succeeded.
pub fn job_with_a_retry(run: &str) -> Vec<Value> {
    let events = fixture("batch-job-with-a-retry");
    let events = events.as_array().unwrap().clone();
    events.into_iter().map(|event| named(event, run)).collect()
}

/// The last event of a job whose second attempt exited with 3.
pub fn job_failed(run: &str) -> Value {
    named(fixture("batch-job-failed"), run)
}

fn named(mut event: Value, run: &str) -> Value {
    event["detail"]["jobName"] = json!(run);
    event
}

/// The project of the `CodeBuild Build State Change` events.
pub const BUILD_PROJECT: &str = "dropcast-models";

/// A build's id, one of its own for each number.
pub fn build_id(number: u32) -> String {
    format!("5f1c3a2e-7f0d-4f6a-9c55-{number:012}")
}

/// The last event of a build of this number that ended so.
pub fn build_ended(number: u32, status: &str) -> Value {
    let mut event = fixture("codebuild-build-state-change");
    let id = build_id(number);
    event["detail"]["build-id"] = json!(format!(
        "arn:aws:codebuild:eu-west-1:111122223333:build/{BUILD_PROJECT}:{id}"
    ));
    event["detail"]["build-status"] = json!(status);
    event["detail"]["additional-information"]["logs"]["stream-name"] = json!(id);
    event
}

/// The same build, which failed in this phase for this reason.
pub fn build_failed(number: u32, phase: &str, context: &str) -> Value {
    let mut event = build_ended(number, "FAILED");
    event["detail"]["additional-information"]["phases"][2] =
        json!({ "phase-type": phase, "phase-status": "FAILED", "phase-context": [context] });
    event
}
