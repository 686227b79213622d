//! A local CodeBuild beside an emulator, and zip files to build.

#![allow(dead_code, reason = "Every test file uses its own part.")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "This is test code outside of test functions."
)]

use std::{
    fs,
    io::{self, Cursor, Read, Write},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use aws_sdk_codebuild::{
    Client,
    config::{BehaviorVersion, Credentials, Region},
    types::{Build, BuildPhase, EnvironmentVariable, SourceType, StatusType},
};
use dropcast_local_stack::{
    ImageBuilder,
    codebuild::{CodeBuildConfig, CodeBuildService},
};
use dropcast_test_support::emulator::python;
use serde_json::{Value, json};
use tempfile::TempDir;
use zip::{ZipWriter, write::SimpleFileOptions};

use crate::batch_support::{Emulator, TIMEOUT};

pub(crate) const PROJECT: &str = "dropcast-local";

/// The manifest of a model that copies its input.
pub(crate) const MANIFEST: &str = r#"name = "copy"
title = "Copy"
[input]
accepts = ["json", "csv"]
schema = "in.json"
[input.table]
schema = "row.json"
[job]
command = ["sh", "main.sh"]
timeout_minutes = 1
[[outputs]]
path = "copy.*"
title = "The copy"
kind = "data"
"#;

pub(crate) struct Builder {
    pub(crate) emulator: Emulator,
    pub(crate) client: Client,
    pub(crate) service: Option<CodeBuildService>,
    pub(crate) folder: TempDir,
    pub(crate) queue: String,
    s3: reqwest::Client,
}

impl Builder {
    pub(crate) async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    pub(crate) async fn start_with(change: impl FnOnce(&mut CodeBuildConfig)) -> Self {
        let emulator = Emulator::start();
        let folder = tempfile::tempdir().unwrap();
        let mut images = ImageBuilder::new(folder.path().join("images"), python());
        images.venvs = folder.path().join("venvs");
        let mut config = CodeBuildConfig::new(
            folder.path().join("state"),
            images,
            job_runner(),
            emulator.endpoint(),
        );
        change(&mut config);
        let service = CodeBuildService::start(config).await.unwrap();
        let client = Client::from_conf(
            aws_sdk_codebuild::Config::builder()
                .behavior_version(BehaviorVersion::latest())
                .region(Region::new("us-east-1"))
                .credentials_provider(Credentials::new("test", "test", None, None, "test"))
                .endpoint_url(service.endpoint())
                .http_client(aws_smithy_http_client::Builder::new().build_http())
                .build(),
        );
        let queue = emulator.watch_events_of("dropcast.codebuild").await;
        let builder = Self {
            emulator,
            client,
            service: Some(service),
            folder,
            queue,
            s3: reqwest::Client::new(),
        };
        builder.s3("PUT", "models", Vec::new()).await;
        builder
    }

    pub(crate) fn endpoint(&self) -> &str {
        self.service.as_ref().unwrap().endpoint()
    }

    async fn s3(&self, method: &str, path: &str, body: Vec<u8>) -> (u16, Vec<u8>) {
        let url = format!("{}/{path}", self.emulator.endpoint());
        let answer = self
            .s3
            .request(method.parse().unwrap(), url)
            .header(
                "authorization",
                "AWS4-HMAC-SHA256 Credential=test/20250101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0",
            )
            .body(body)
            .send()
            .await
            .unwrap();
        let status = answer.status().as_u16();
        (status, answer.bytes().await.unwrap().to_vec())
    }

    /// Puts a zip file where builds find it.
    pub(crate) async fn put(&self, key: &str, zip: Vec<u8>) {
        assert_eq!(self.s3("PUT", &format!("models/{key}"), zip).await.0, 200);
    }

    /// What a build wrote for its version.
    pub(crate) async fn version(&self, build: &Build) -> Option<Value> {
        let key = format!("models/builds/{}/version.json", uuid(build));
        let (status, body) = self.s3("GET", &key, Vec::new()).await;
        (status == 200).then(|| serde_json::from_slice(&body).unwrap())
    }

    /// Starts a build of a zip file.
    pub(crate) async fn begin(&self, key: &str, variables: &[(&str, &str)]) -> Build {
        let variables = variables.iter().map(|(name, value)| {
            EnvironmentVariable::builder()
                .name(*name)
                .value(*value)
                .build()
                .unwrap()
        });
        self.client
            .start_build()
            .project_name(PROJECT)
            .source_type_override(SourceType::S3)
            .source_location_override(format!("models/{key}"))
            .set_environment_variables_override(Some(variables.collect()))
            .send()
            .await
            .unwrap()
            .build_value
            .unwrap()
    }

    /// Waits until a build is over.
    pub(crate) async fn end(&self, build: &Build) -> Build {
        let begin = Instant::now();
        loop {
            let build = self.look(build).await;
            if build.build_complete() {
                return build;
            }
            assert!(
                begin.elapsed() < TIMEOUT,
                "the build does not end: {build:?}"
            );
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    pub(crate) async fn look(&self, build: &Build) -> Build {
        let answer = self.client.batch_get_builds().ids(build.id().unwrap());
        answer.send().await.unwrap().builds.unwrap().remove(0)
    }

    /// Builds a zip file.
    pub(crate) async fn build(&self, name: &str, zip: Vec<u8>) -> Build {
        let key = format!("sources/{name}.zip");
        self.put(&key, zip).await;
        let build = self.begin(&key, &[]).await;
        self.end(&build).await
    }

    /// The lines of a build's log.
    pub(crate) async fn log(&self, build: &Build) -> String {
        let logs = build.logs().unwrap();
        let group = logs.group_name().unwrap();
        let lines = self
            .emulator
            .log_of(group, logs.stream_name().unwrap())
            .await;
        lines.join("\n")
    }
}

/// The id by which we know a build.
pub(crate) fn uuid(build: &Build) -> &str {
    build.id().unwrap().split_once(':').unwrap().1
}

/// The phase that failed, and why.
pub(crate) fn failure(build: &Build) -> (String, String) {
    let failed = |phase: &&BuildPhase| phase.phase_status() == Some(&StatusType::Failed);
    let phase = build.phases().iter().find(failed).unwrap();
    let context = &phase.contexts()[0];
    (
        phase.phase_type().unwrap().as_str().to_owned(),
        format!(
            "{}: {}",
            context.status_code().unwrap(),
            context.message().unwrap()
        ),
    )
}

/// A zip file of a model that copies its input, with other content for some files; `None`
/// leaves one out.
pub(crate) fn model(changes: &[(&str, Option<&str>)]) -> Vec<u8> {
    let script = "echo running on $(basename $DROPCAST_INPUT_FILE)\ncp $DROPCAST_INPUT_FILE $DROPCAST_OUTPUT_DIR/copy.${DROPCAST_INPUT_FILE##*.}\n";
    let row = r#"{"type": "object", "properties": {"n": {"type": "integer"}}}"#;
    let mut files = vec![
        ("model.toml", MANIFEST),
        ("in.json", "{}"),
        ("row.json", row),
        ("Dockerfile", "FROM scratch\n"),
        ("main.sh", script),
        ("examples/a.json", "{}"),
        ("examples/b.json", "[]"),
        ("examples/c.csv", "n\n1\n"),
    ];
    for (name, content) in changes {
        files.retain(|(known, _)| known != name);
        files.extend(content.map(|content| (*name, content)));
    }
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in files {
        zip.start_file(name, SimpleFileOptions::default()).unwrap();
        zip.write_all(content.as_bytes()).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// A zip file with one entry.
pub(crate) fn zip_of(name: &str, content: &[u8]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    zip.start_file(name, SimpleFileOptions::default()).unwrap();
    zip.write_all(content).unwrap();
    zip.finish().unwrap().into_inner()
}

/// A small zip file of one file that is larger than a model's folder may be.
pub(crate) fn bomb() -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    zip.start_file("big", SimpleFileOptions::default()).unwrap();
    io::copy(&mut io::repeat(0).take(2_200_000_000), &mut zip).unwrap();
    zip.finish().unwrap().into_inner()
}

/// `dropcast-job`, which is in the folder of this test program.
fn job_runner() -> PathBuf {
    let own = std::env::current_exe().unwrap();
    let program = own.ancestors().nth(2).unwrap().join("dropcast-job");
    assert!(
        program.exists(),
        "{} does not exist; build it with `cargo build -p dropcast-job-runner`",
        program.display()
    );
    program
}

/// An event's detail that says how a build ended.
pub(crate) async fn end_event(builder: &Builder, build: &Build) -> Value {
    let begin = Instant::now();
    loop {
        for event in builder.emulator.receive(&builder.queue).await {
            let detail = &event["detail"];
            if detail["build-id"] == json!(build.arn()) && detail["build-status"] != "IN_PROGRESS" {
                return event;
            }
        }
        assert!(begin.elapsed() < TIMEOUT, "no event of the build's end");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Whether any file below a folder has this name.
pub(crate) fn exists_below(folder: &Path, name: &str) -> bool {
    fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .any(|entry| entry.file_name() == name || exists_below(&entry.path(), name))
}
