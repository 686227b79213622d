//! AWS's own command line drives the local Batch.

mod batch_support;

use aws_sdk_batch::types::JobStatus;
use batch_support::{AwsCli, IMAGE, Local};
use serde_json::{Value, json};

fn container(script: &str) -> String {
    json!({
        "image": IMAGE,
        "command": ["sh", "-c", script],
        "resourceRequirements": [
            {"type": "VCPU", "value": "1"}, {"type": "MEMORY", "value": "128"}
        ],
    })
    .to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_aws_cli_registers_submits_lists_describes_and_terminates() {
    let local = Local::start().await;
    let aws = AwsCli::new(&local.endpoint);
    let registered = aws
        .batch(&[
            "register-job-definition",
            "--job-definition-name",
            "model",
            "--type",
            "container",
            "--container-properties",
            &container("echo ready; sleep 300"),
            "--retry-strategy",
            "attempts=2",
        ])
        .unwrap();
    assert_eq!(registered["revision"], 1);

    let submitted = aws
        .batch(&[
            "submit-job",
            "--job-name",
            "run-1",
            "--job-queue",
            "dropcast-local",
            "--job-definition",
            "model",
        ])
        .unwrap();
    let id = submitted["jobId"].as_str().unwrap();
    assert_eq!(submitted["jobName"], "run-1");
    local.printed(id, "ready").await;

    let listed = aws
        .batch(&["list-jobs", "--job-queue", &local.queue])
        .unwrap();
    assert_eq!(listed["jobSummaryList"][0]["jobId"], id);
    let filtered = aws
        .batch(&[
            "list-jobs",
            "--job-queue",
            &local.queue,
            "--filters",
            "name=JOB_NAME,values=RUN-*",
        ])
        .unwrap();
    assert_eq!(filtered["jobSummaryList"][0]["status"], "RUNNING");

    let described = aws.batch(&["describe-jobs", "--jobs", id]).unwrap();
    let job = &described["jobs"][0];
    assert_eq!(job["status"], "RUNNING");
    assert_eq!(job["jobDefinition"], registered["jobDefinitionArn"]);
    assert_eq!(job["retryStrategy"]["attempts"], 2);

    let terminated = aws.batch(&["terminate-job", "--job-id", id, "--reason", "enough"]);
    assert_eq!(terminated, Ok(Value::Null));
    let job = local.reach(id, JobStatus::Failed).await;
    assert_eq!(job.status_reason(), Some("enough"));
    assert_eq!(job.attempts().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_aws_cli_shows_refusals_and_the_environment() {
    let local = Local::start().await;
    local.define("model", "true").await;
    let aws = AwsCli::new(&local.endpoint);
    let refused = aws
        .batch(&[
            "submit-job",
            "--job-name",
            "run",
            "--job-queue",
            "dropcast-local",
            "--job-definition",
            "nobody",
        ])
        .unwrap_err();
    assert!(
        refused.contains("(ClientException) when calling the SubmitJob operation: JobDefinition nobody does not exist"),
        "{refused}"
    );
    let unsupported = aws
        .batch(&["delete-job-queue", "--job-queue", "dropcast-local"])
        .unwrap_err();
    assert!(unsupported.contains("DeleteJobQueue"), "{unsupported}");

    let queues = aws.batch(&["describe-job-queues"]).unwrap();
    assert_eq!(queues["jobQueues"][0]["jobQueueArn"], local.queue);
    let hosts = aws.batch(&["describe-compute-environments"]).unwrap();
    assert_eq!(
        hosts["computeEnvironments"][0]["computeResources"]["maxvCpus"],
        4
    );
    let definitions = aws
        .batch(&["describe-job-definitions", "--status", "ACTIVE"])
        .unwrap();
    assert_eq!(
        definitions["jobDefinitions"][0]["jobDefinitionName"],
        "model"
    );
    let cancelled = aws
        .batch(&["cancel-job", "--job-id", "nobody", "--reason", "x"])
        .unwrap_err();
    assert!(cancelled.contains("ClientException"), "{cancelled}");
}
