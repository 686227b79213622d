//! A local Batch with a folder of images, and an emulator where a test needs one.

#![allow(dead_code, reason = "Every test file uses its own part.")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "This is test code outside of test functions."
)]

use std::{
    ffi::OsString,
    path::PathBuf,
    process::Command,
    time::{Duration, Instant},
};

use aws_sdk_batch as batch;
use batch::{
    config::{BehaviorVersion, Credentials, Region},
    types::{ContainerProperties, JobDefinitionType, JobDetail, JobStatus, ResourceType},
};
use dropcast_local_stack::batch::{BatchConfig, BatchService};
use dropcast_test_support::emulator::python;
use serde_json::{Value, json};
use tempfile::TempDir;

pub(crate) const IMAGE: &str = "local/model@sha256:0123abcd";
/// Longest time that a test waits for anything.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(30);

/// A running local Batch, a client for it, and its folders.
pub(crate) struct Local {
    pub(crate) service: Option<BatchService>,
    pub(crate) client: batch::Client,
    pub(crate) endpoint: String,
    pub(crate) queue: String,
    pub(crate) folder: TempDir,
}

impl Local {
    pub(crate) async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    pub(crate) async fn start_with(change: impl FnOnce(&mut BatchConfig)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(folder.path().join("images/model/0123abcd")).unwrap();
        let mut config =
            BatchConfig::new(folder.path().join("images"), folder.path().join("state"));
        config.max_vcpus = 4;
        change(&mut config);
        let service = BatchService::start(config).await.unwrap();
        let endpoint = service.endpoint().to_owned();
        Self {
            client: client(&endpoint),
            queue: service.queue_arn().to_owned(),
            endpoint,
            service: Some(service),
            folder,
        }
    }

    /// Registers a definition that runs `script` with a shell.
    pub(crate) async fn define(&self, name: &str, script: &str) {
        self.client
            .register_job_definition()
            .job_definition_name(name)
            .r#type(JobDefinitionType::Container)
            .container_properties(shell(script))
            .send()
            .await
            .unwrap();
    }

    /// Submits a job.
    pub(crate) async fn submit(&self, definition: &str) -> String {
        let answer = self
            .client
            .submit_job()
            .job_name("run")
            .job_queue(&self.queue)
            .job_definition(definition)
            .send()
            .await
            .unwrap();
        answer.job_id().unwrap().to_owned()
    }

    pub(crate) async fn job(&self, id: &str) -> JobDetail {
        let answer = self.client.describe_jobs().jobs(id).send().await.unwrap();
        answer.jobs().first().unwrap().clone()
    }

    /// Waits until the job has a status.
    pub(crate) async fn reach(&self, id: &str, status: JobStatus) -> JobDetail {
        let begin = Instant::now();
        loop {
            let job = self.job(id).await;
            if job.status() == Some(&status) {
                return job;
            }
            let ended = matches!(job.status(), Some(JobStatus::Succeeded | JobStatus::Failed));
            assert!(
                !ended && begin.elapsed() < TIMEOUT,
                "the job did not become {status}: {job:?}"
            );
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Waits until a RUNNABLE job says why it cannot be placed.
    pub(crate) async fn held_back(&self, id: &str) -> JobDetail {
        let begin = Instant::now();
        loop {
            let job = self.job(id).await;
            if job.status() == Some(&JobStatus::Runnable) && job.status_reason().is_some() {
                return job;
            }
            assert!(begin.elapsed() < TIMEOUT, "nothing holds it back: {job:?}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// What the attempt of a job has written so far.
    pub(crate) fn output(&self, job: &str, attempt: u32) -> String {
        let file = format!("state/jobs/{job}/attempt-{attempt}.log");
        std::fs::read_to_string(self.folder.path().join(file)).unwrap_or_default()
    }

    /// Waits until the output of the first attempt holds a text.
    pub(crate) async fn printed(&self, job: &str, text: &str) -> String {
        until(text, || {
            let output = self.output(job, 1);
            output.contains(text).then_some(output)
        })
        .await
    }

    pub(crate) async fn fault(&self, fault: Value) {
        let answer = reqwest::Client::new()
            .post(format!("{}/_dropcast/faults", self.endpoint))
            .json(&fault)
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), 201);
    }

    pub(crate) fn snapshot(&self) -> PathBuf {
        self.folder.path().join("images/model/0123abcd")
    }

    pub(crate) async fn shutdown(&mut self) {
        if let Some(service) = self.service.take() {
            service.shutdown().await;
        }
    }
}

/// A container that runs a script with a shell, with one vCPU.
pub(crate) fn shell(script: &str) -> ContainerProperties {
    let requirement = |kind, value: &str| {
        batch::types::ResourceRequirement::builder()
            .r#type(kind)
            .value(value)
            .build()
    };
    ContainerProperties::builder()
        .image(IMAGE)
        .set_command(Some(["sh", "-c", script].map(str::to_owned).to_vec()))
        .resource_requirements(requirement(ResourceType::Vcpu, "1"))
        .resource_requirements(requirement(ResourceType::Memory, "128"))
        .build()
}

pub(crate) fn client(endpoint: &str) -> batch::Client {
    batch::Client::from_conf(
        batch::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("us-east-1"))
            .credentials_provider(Credentials::new("test", "test", None, None, "test"))
            .endpoint_url(endpoint)
            .http_client(aws_smithy_http_client::Builder::new().build_http())
            .build(),
    )
}

/// Waits until `found` gives something.
pub(crate) async fn until<T>(what: &str, mut found: impl FnMut() -> Option<T>) -> T {
    let begin = Instant::now();
    loop {
        if let Some(found) = found() {
            return found;
        }
        assert!(begin.elapsed() < TIMEOUT, "waited in vain for: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Whether a process lives; one that nobody has waited for yet counts as dead.
pub(crate) fn lives(pid: &str) -> bool {
    std::fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| {
        stat.rsplit(") ")
            .next()
            .is_some_and(|rest| !rest.starts_with('Z'))
    })
}

/// An emulator of the test's own, and a client of its JSON protocols.
pub(crate) struct Emulator {
    process: dropcast_test_support::emulator::Emulator,
    http: reqwest::Client,
}

impl Emulator {
    pub(crate) fn start() -> Self {
        Self {
            process: dropcast_test_support::emulator::Emulator::start("us-east-1"),
            http: reqwest::Client::new(),
        }
    }

    pub(crate) fn endpoint(&self) -> &str {
        self.process.endpoint()
    }

    /// Calls an operation of a service that speaks AWS's JSON protocol.
    pub(crate) async fn call(&self, target: &str, body: Value) -> Value {
        let answer = self
            .http
            .post(self.endpoint())
            .header("x-amz-target", target)
            .header("content-type", "application/x-amz-json-1.0")
            .header(
                "authorization",
                "AWS4-HMAC-SHA256 Credential=test/20250101/us-east-1/any/aws4_request, SignedHeaders=host, Signature=0",
            )
            .body(body.to_string())
            .send()
            .await
            .unwrap();
        let text = answer.text().await.unwrap();
        serde_json::from_str(&text).unwrap_or_else(|_| panic!("{target}: {text}"))
    }

    /// Sends every event of the local Batch into a queue, and gives the queue's URL.
    pub(crate) async fn watch_events(&self) -> String {
        self.watch_events_of("dropcast.batch").await
    }

    /// Sends every event of a source into a queue, and gives the queue's URL.
    pub(crate) async fn watch_events_of(&self, source: &str) -> String {
        let queue = self
            .call("AmazonSQS.CreateQueue", json!({"QueueName": "events"}))
            .await;
        let rule = json!({
            "Name": "events",
            "EventPattern": json!({"source": [source]}).to_string(),
        });
        self.call("AWSEvents.PutRule", rule).await;
        let targets = json!({
            "Rule": "events",
            "Targets": [{"Id": "1", "Arn": "arn:aws:sqs:us-east-1:000000000000:events"}],
        });
        self.call("AWSEvents.PutTargets", targets).await;
        queue["QueueUrl"].as_str().unwrap().to_owned()
    }

    /// Takes what a queue holds.
    pub(crate) async fn receive(&self, queue: &str) -> Vec<Value> {
        let request = json!({"QueueUrl": queue, "MaxNumberOfMessages": 10, "WaitTimeSeconds": 0});
        let answer = self.call("AmazonSQS.ReceiveMessage", request).await;
        let mut events = Vec::new();
        for message in answer["Messages"].as_array().into_iter().flatten() {
            let delete = json!({"QueueUrl": queue, "ReceiptHandle": message["ReceiptHandle"]});
            self.call("AmazonSQS.DeleteMessage", delete).await;
            events.push(serde_json::from_str(message["Body"].as_str().unwrap()).unwrap());
        }
        events
    }

    /// Takes events until one of them is a job's end.
    pub(crate) async fn events_of(&self, queue: &str, job: &str) -> Vec<Value> {
        let begin = Instant::now();
        let mut events: Vec<Value> = Vec::new();
        loop {
            for event in self.receive(queue).await {
                if event["detail"]["jobId"] == job {
                    events.push(event);
                }
            }
            let last = events.last().map(|event| event["detail"]["status"].clone());
            if last.is_some_and(|status| status == "SUCCEEDED" || status == "FAILED") {
                return events;
            }
            assert!(begin.elapsed() < TIMEOUT, "{job} has not ended: {events:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// The messages of a log stream.
    pub(crate) async fn log(&self, stream: &str) -> Vec<String> {
        self.log_of("/aws/batch/job", stream).await
    }

    /// The messages of a log stream of any group.
    pub(crate) async fn log_of(&self, group: &str, stream: &str) -> Vec<String> {
        let request = json!({
            "logGroupName": group, "logStreamName": stream, "startFromHead": true,
        });
        let answer = self.call("Logs_20140328.GetLogEvents", request).await;
        answer["events"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|event| event["message"].as_str().unwrap().to_owned())
            .collect()
    }
}

/// AWS's own CLI for an endpoint.
pub(crate) struct AwsCli {
    program: OsString,
    endpoint: String,
}

impl AwsCli {
    pub(crate) fn new(endpoint: &str) -> Self {
        Self {
            program: python().with_file_name("aws").into_os_string(),
            endpoint: endpoint.to_owned(),
        }
    }

    /// Runs `aws batch …` and gives its answer, or what it printed when it failed.
    pub(crate) fn batch(&self, arguments: &[&str]) -> Result<Value, String> {
        self.run("batch", arguments)
    }

    /// Runs `aws codebuild …` likewise.
    pub(crate) fn codebuild(&self, arguments: &[&str]) -> Result<Value, String> {
        self.run("codebuild", arguments)
    }

    fn run(&self, service: &str, arguments: &[&str]) -> Result<Value, String> {
        let output = Command::new(python())
            .arg(&self.program)
            .arg(service)
            .args(arguments)
            .args(["--endpoint-url", &self.endpoint, "--output", "json"])
            .env_clear()
            .env("AWS_ACCESS_KEY_ID", "test")
            .env("AWS_SECRET_ACCESS_KEY", "test")
            .env("AWS_DEFAULT_REGION", "us-east-1")
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .env("LANG", "C.UTF-8")
            .output()
            .unwrap();
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into_owned());
        }
        let text = String::from_utf8(output.stdout).unwrap();
        Ok(serde_json::from_str(&text).unwrap_or(Value::Null))
    }
}
