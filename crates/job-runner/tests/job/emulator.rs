//! An S3 on this machine, and `dropcast-job` run against it.

use std::{
    collections::BTreeMap,
    process::{Child, Command, Output, Stdio},
    sync::{
        Once,
        atomic::{AtomicU32, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use aws_sdk_s3::{
    Client,
    primitives::ByteStream,
    types::{BucketLocationConstraint, CreateBucketConfiguration},
};
use dropcast_test_support::emulator::aws;
use serde_json::Value;
use tempfile::TempDir;
use tokio::runtime::Runtime;

const BUCKET: &str = "results";
const JOB: &str = "4d5a6b7c-job";

/// S3, with the bucket of all tests.
fn s3() -> Client {
    static BUCKET_EXISTS: Once = Once::new();
    let s3 = Client::new(&aws());
    BUCKET_EXISTS.call_once(|| {
        let here = CreateBucketConfiguration::builder()
            .location_constraint(BucketLocationConstraint::EuWest1)
            .build();
        let create = s3.create_bucket().bucket(BUCKET);
        let create = create.create_bucket_configuration(here).send();
        runtime().block_on(create).unwrap();
    });
    s3
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
}

/// One run on the emulator: its keys, its work folder and its job.
pub(crate) struct Run {
    id: String,
    model: String,
    s3: Client,
    runtime: Runtime,
    pub(crate) place: TempDir,
    variables: BTreeMap<&'static str, String>,
}

/// An object as S3 has it.
pub(crate) struct Object {
    pub(crate) bytes: Vec<u8>,
    pub(crate) media_type: String,
    pub(crate) sha256: String,
}

impl Run {
    /// A run of its own model, with `{}` as input.
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(1);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        Self::of_model(&format!("model-{number}"), &format!("run-{number}"))
    }

    pub(crate) fn of_model(model: &str, id: &str) -> Self {
        let runtime = runtime();
        let s3 = s3();
        let mut run = Self {
            id: id.to_owned(),
            model: model.to_owned(),
            s3,
            runtime,
            place: tempfile::tempdir().unwrap(),
            variables: BTreeMap::from([
                ("AWS_ENDPOINT_URL", aws().endpoint_url().unwrap().to_owned()),
                ("AWS_REGION", "eu-west-1".to_owned()),
                ("AWS_ACCESS_KEY_ID", "test".to_owned()),
                ("AWS_SECRET_ACCESS_KEY", "test-secret-key".to_owned()),
                ("DROPCAST_RUN_ID", id.to_owned()),
                ("DROPCAST_MODEL", model.to_owned()),
                ("DROPCAST_VERSION", "1".to_owned()),
                (
                    "DROPCAST_OUTPUT_URI",
                    format!("s3://{BUCKET}/runs/{model}/{id}/outputs/"),
                ),
                (
                    "DROPCAST_CACHE_URI",
                    format!("s3://{BUCKET}/cache/{model}/"),
                ),
                ("AWS_BATCH_JOB_ID", JOB.to_owned()),
                ("AWS_BATCH_JOB_ATTEMPT", "1".to_owned()),
            ]),
        };
        run.input("plan.json", b"{}");
        run
    }

    /// Stores the input under a name of its own.
    pub(crate) fn input(&mut self, name: &str, content: &[u8]) {
        let key = format!("runs/{}/{}/prepared/{name}", self.model, self.id);
        self.put(&key, content);
        self.variables
            .insert("DROPCAST_INPUT_URI", format!("s3://{BUCKET}/{key}"));
        let key = format!("runs/{}/{}/input/{name}", self.model, self.id);
        self.put(&key, &[b"as it was: ", content].concat());
        self.variables
            .insert("DROPCAST_ORIGINAL_URI", format!("s3://{BUCKET}/{key}"));
    }

    pub(crate) fn set(&mut self, variable: &'static str, value: &str) {
        self.variables.insert(variable, value.to_owned());
    }

    /// The key of something the model keeps.
    pub(crate) fn cached(&self, path: &str) -> String {
        format!("cache/{}/{path}", self.model)
    }

    /// Makes it a refresh: there is no input.
    pub(crate) fn refreshes(mut self) -> Self {
        self.variables.remove("DROPCAST_INPUT_URI");
        self.variables.remove("DROPCAST_ORIGINAL_URI");
        self.set("DROPCAST_RUN_KIND", "refresh");
        self
    }

    /// What the model keeps, by path, as the index of its cache tells it.
    pub(crate) fn kept(&self) -> BTreeMap<String, Vec<u8>> {
        let Some(index) = self.get(&self.cached(".dropcast/index.json")) else {
            return BTreeMap::new();
        };
        let index: Value = serde_json::from_slice(&index.bytes).unwrap();
        let files = index["files"].as_object().unwrap();
        let content = |entry: &Value| {
            let object = entry["object"].as_str().unwrap();
            self.get(&self.cached(object)).unwrap().bytes
        };
        files
            .iter()
            .map(|(path, entry)| (path.clone(), content(entry)))
            .collect()
    }

    /// `dropcast-job [options] -- command`, not started yet.
    pub(crate) fn job(&self, options: &[&str], command: &[&str]) -> Command {
        let mut job = Command::new(env!("CARGO_BIN_EXE_dropcast-job"));
        job.env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .envs(&self.variables)
            .arg("--work-dir")
            .arg(self.place.path())
            .args(options)
            .arg("--")
            .args(command)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        job
    }

    /// Runs a shell script as the model.
    pub(crate) fn shell(&self, script: &str) -> Output {
        self.job(&[], &["sh", "-c", script]).output().unwrap()
    }

    pub(crate) fn put(&self, key: &str, content: &[u8]) {
        let body = ByteStream::from(content.to_vec());
        let put = self
            .s3
            .put_object()
            .bucket(BUCKET)
            .key(key)
            .body(body)
            .send();
        self.runtime.block_on(put).unwrap();
    }

    pub(crate) fn remove(&self, key: &str) {
        let remove = self.s3.delete_object().bucket(BUCKET).key(key).send();
        self.runtime.block_on(remove).unwrap();
    }

    pub(crate) fn get(&self, key: &str) -> Option<Object> {
        use aws_sdk_s3::types::ChecksumMode;
        self.runtime.block_on(async {
            let get = self.s3.get_object().bucket(BUCKET).key(key);
            let got = get.checksum_mode(ChecksumMode::Enabled).send().await.ok()?;
            Some(Object {
                media_type: got.content_type.unwrap(),
                sha256: got.checksum_sha256.unwrap_or_default(),
                bytes: got.body.collect().await.unwrap().to_vec(),
            })
        })
    }

    /// All keys under a prefix, in S3's order.
    pub(crate) fn keys(&self, prefix: &str) -> Vec<String> {
        self.runtime.block_on(async {
            let list = self.s3.list_objects_v2().bucket(BUCKET).prefix(prefix);
            let mut pages = list.into_paginator().send();
            let mut keys = Vec::new();
            while let Some(page) = pages.next().await {
                let contents = page.unwrap().contents.unwrap_or_default();
                keys.extend(contents.into_iter().filter_map(|object| object.key));
            }
            keys
        })
    }

    /// The keys below the run's output prefix, listing included, without the prefix.
    pub(crate) fn stored(&self) -> Vec<String> {
        let prefix = format!("runs/{}/{}/outputs/{JOB}/", self.model, self.id);
        let keys = self.keys(&prefix);
        keys.iter()
            .map(|key| key.strip_prefix(&prefix).unwrap().to_owned())
            .collect()
    }

    /// Stores an output of the first attempt as the model itself could.
    pub(crate) fn put_output(&self, path: &str, content: &[u8]) {
        let key = format!("runs/{}/{}/outputs/{JOB}/1/{path}", self.model, self.id);
        self.put(&key, content);
    }

    /// An output of the first attempt.
    pub(crate) fn output(&self, path: &str) -> Option<Object> {
        self.get(&format!(
            "runs/{}/{}/outputs/{JOB}/1/{path}",
            self.model, self.id
        ))
    }

    /// The lines of the first attempt's listing, if it was published.
    pub(crate) fn listing(&self) -> Option<Vec<Value>> {
        let key = format!(
            "runs/{}/{}/outputs/{JOB}/1.files.jsonl",
            self.model, self.id
        );
        let text = String::from_utf8(self.get(&key)?.bytes).unwrap();
        Some(
            text.lines()
                .map(|line| serde_json::from_str(line).unwrap())
                .collect(),
        )
    }

    /// Uploads in parts that were neither completed nor given up.
    pub(crate) fn open_uploads(&self) -> usize {
        let prefix = format!("runs/{}/{}/", self.model, self.id);
        let list = self
            .s3
            .list_multipart_uploads()
            .bucket(BUCKET)
            .prefix(prefix)
            .send();
        self.runtime.block_on(list).unwrap().uploads().len()
    }
}

/// Waits until something holds.
pub(crate) fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !holds() {
        assert!(Instant::now() < deadline, "{what} did not come about");
        thread::sleep(Duration::from_millis(10));
    }
}

/// The most memory that a process that is still running has had, in bytes.
pub(crate) fn peak_memory(process: &Child) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{}/status", process.id())).ok()?;
    let peak = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(peak.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()? * 1024)
}

/// Standard error as text.
pub(crate) fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}
