//! A local stack for one part of the bench, with a model that does next to nothing.

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::Context as _;
use aws_sdk_s3::primitives::ByteStream;
use dropcast_domain::{run::Run, upload::Upload};
use dropcast_local_stack::{Connection, LocalStack, NoProgress, Options, Registry, register};
use dropcast_store::{DynamoStore, Runs as _};
use jiff::{SignedDuration, Timestamp};
use tempfile::TempDir;
use tokio::time::{Instant, sleep};

use crate::{
    init::{FUNCTIONS, OTHERS},
    numbers::{Nanos, now},
};

/// Name of the model.
pub(crate) const MODEL: &str = "bench";
const MANIFEST: &str = r#"name = "bench"
title = "Bench"
[input]
accepts = ["json"]
schema = "input.schema.json"
[job]
command = ["sh", "main.sh"]
vcpus = 1
memory_mib = 128
timeout_minutes = 5
attempts = 1
[[outputs]]
path = "result.txt"
title = "Result"
kind = "data"
required = true
"#;
/// Says when it begins as its first act and when it ends as its last, in nanoseconds since 1970.
const COMMAND: &str = r#"date +%s%N
echo done > "$DROPCAST_OUTPUT_DIR/result.txt"
date +%s%N
"#;
/// The program that runs a model.
const JOB: &str = "dropcast-job";
const GLANCE: Duration = Duration::from_millis(20);

/// A running stack in a folder of its own. Dropping it ends it and removes the folder.
pub(crate) struct Bench {
    // Dropped before the folder that it lives in.
    stack: LocalStack,
    pub(crate) folder: TempDir,
    pub(crate) s3: aws_sdk_s3::Client,
}

/// What differs between the stacks of the bench.
#[derive(Debug, Default)]
pub(crate) struct Setup {
    /// vCPUs of the local job queue; the stack's own default when `None`.
    pub(crate) max_vcpus: Option<u32>,
    /// Variables of the emulator and its functions.
    pub(crate) environment: BTreeMap<String, String>,
}

impl Bench {
    /// Starts a stack from these programs.
    pub(crate) async fn start(
        repository: &Path,
        binaries: &Path,
        setup: Setup,
    ) -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new()
            .prefix("dropcast-bench-")
            .tempdir()?;
        let mut options = Options::new(repository);
        options.state = folder.path().join("stack");
        options.binaries = binaries.to_owned();
        options.max_vcpus = setup.max_vcpus;
        options.emulator_environment = setup.environment;
        let stack = LocalStack::start(options, &NoProgress).await?;
        let s3 = aws_sdk_s3::config::Builder::from(&stack.connection().sdk_config())
            .force_path_style(true)
            .build();
        Ok(Self {
            stack,
            folder,
            s3: aws_sdk_s3::Client::from_conf(s3),
        })
    }

    /// How to reach the stack.
    pub(crate) fn connection(&self) -> &Connection {
        self.stack.connection()
    }

    /// Ends the stack and removes its folder.
    pub(crate) async fn stop(self) {
        self.stack.stop().await;
    }

    /// Registers the model; returns its job definition.
    pub(crate) async fn register(&self) -> anyhow::Result<String> {
        let model = self.folder.path().join("model");
        fs::create_dir(&model)?;
        fs::write(model.join("model.toml"), MANIFEST)?;
        fs::write(model.join("input.schema.json"), r#"{"type": "object"}"#)?;
        fs::write(model.join("main.sh"), COMMAND)?;
        let registry = Registry::of(self.connection())?;
        let at = Timestamp::from_nanosecond(now())?;
        let registered = register(&model, &registry, at, &NoProgress).await?;
        Ok(registered.version.spec.job_definition)
    }

    /// Writes the record of a run of this file, as start-run would; returns it with its store.
    pub(crate) async fn begin_run(
        &self,
        key: String,
        version_id: Option<String>,
        bytes: u64,
    ) -> anyhow::Result<(DynamoStore, Run)> {
        let connection = self.connection();
        let at = Timestamp::from_nanosecond(now())?;
        let upload = Upload {
            bucket: connection.output("InputsBucketName")?.to_owned(),
            key,
            version_id,
            sequencer: None,
            bytes,
            at,
        };
        let run = Run::received(upload, at.checked_add(SignedDuration::from_hours(24))?);
        let store = DynamoStore::new(
            aws_sdk_dynamodb::Client::new(&connection.sdk_config()),
            connection.output("RunsTableName")?,
        );
        store.create_if_absent(&run).await?;
        Ok((store, run))
    }

    /// A function's environment on this stack, for a Runtime API of the bench's own.
    pub(crate) fn environment_of(
        &self,
        function: &'static str,
    ) -> anyhow::Result<BTreeMap<&'static str, String>> {
        let connection = self.connection();
        let mut environment: BTreeMap<&str, String> = connection
            .aws_environment()
            .into_iter()
            .map(|(name, value)| (name, value.to_owned()))
            .collect();
        for (name, output) in [
            ("RUNS_TABLE", "RunsTableName"),
            ("INPUTS_BUCKET", "InputsBucketName"),
            ("RESULTS_BUCKET", "ResultsBucketName"),
        ] {
            environment.insert(name, connection.output(output)?.to_owned());
        }
        for (name, value) in [
            ("AWS_LAMBDA_FUNCTION_NAME", function),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
            ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
            ("AWS_LAMBDA_LOG_FORMAT", "JSON"),
        ] {
            environment.insert(name, value.to_owned());
        }
        Ok(environment)
    }

    /// Drops a file that mails one recipient; returns when `PutObject` had returned.
    pub(crate) async fn drop_file(&self, name: &str, recipient: &str) -> anyhow::Result<Nanos> {
        let body = ByteStream::from_static(b"{\"horizon\": 12}");
        self.s3
            .put_object()
            .bucket(self.connection().output("InputsBucketName")?)
            .key(format!("inputs/{MODEL}/{name}"))
            .metadata("notify", recipient)
            .body(body)
            .send()
            .await
            .context("a file could not be dropped")?;
        Ok(now())
    }

    /// Waits until the stack has been given this many mails. It looks at the folder that the
    /// emulator keeps them in: asking the emulator itself would slow down what is being measured.
    pub(crate) async fn until_mails(&self, count: usize, limit: Duration) -> anyhow::Result<()> {
        let mails = self.connection().state.join("mails");
        until(limit, || {
            let kept = files(&mails, "eml");
            (kept.len() >= count).then_some(())
        })
        .await
        .with_context(|| {
            let kept = files(&mails, "eml").len();
            format!("{kept} of {count} mails came within {} s", limit.as_secs())
        })
    }

    /// The folders of the jobs that have run, one for each job.
    pub(crate) fn job_folders(&self) -> Vec<PathBuf> {
        let jobs = self.connection().state.join("batch").join("jobs");
        entries(&jobs)
    }
}

/// A folder of links to what a stack runs: each function, and `dropcast-job` from `binaries`.
pub(crate) fn link_programs(
    functions: impl Fn(&str) -> PathBuf,
    binaries: &Path,
) -> anyhow::Result<TempDir> {
    let folder = tempfile::Builder::new()
        .prefix("dropcast-programs-")
        .tempdir()?;
    let link = |name: &str, program: PathBuf| {
        symlink(std::path::absolute(program)?, folder.path().join(name))
    };
    for function in FUNCTIONS.into_iter().chain(OTHERS) {
        link(function, functions(function))?;
    }
    link(JOB, binaries.join(JOB))?;
    Ok(folder)
}

/// Whether this is the deployed name of a function: CloudFormation makes
/// `<stack>-StartRun-<suffix>` of `start-run`.
pub(crate) fn is_function(deployed: &str, function: &str) -> bool {
    let logical = deployed.rsplit('-').nth(1).unwrap_or_default();
    let plain = |name: &str| name.replace('-', "").to_lowercase();
    plain(logical) == plain(function)
}

/// Waits until something is there, looking often, at most `limit`.
pub(crate) async fn until<T>(limit: Duration, look: impl Fn() -> Option<T>) -> Option<T> {
    let deadline = Instant::now() + limit;
    loop {
        if let Some(found) = look() {
            return Some(found);
        }
        if Instant::now() > deadline {
            return None;
        }
        sleep(GLANCE).await;
    }
}

/// When the model of a job began and ended, from the output that the local Batch keeps.
pub(crate) fn model_moments(job: &Path) -> anyhow::Result<(Nanos, Nanos)> {
    let log = job.join("attempt-1.log");
    let text =
        fs::read_to_string(&log).with_context(|| format!("cannot read {}", log.display()))?;
    let moments: Vec<Nanos> = text.lines().filter_map(|line| line.parse().ok()).collect();
    match moments[..] {
        [began, ended] => Ok((began, ended)),
        _ => anyhow::bail!("{} does not say when the model ran:\n{text}", log.display()),
    }
}

fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = entries(folder);
    found.retain(|path| path.extension().is_some_and(|found| found == extension));
    found
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).collect()
}

#[cfg(test)]
mod tests {
    use super::is_function;

    #[test]
    fn a_function_is_known_by_its_deployed_name() {
        assert!(is_function("dropcast-StartRun-0473CB0410299", "start-run"));
        assert!(!is_function(
            "dropcast-FinishRun-0473CB0410299",
            "start-run"
        ));
        assert!(!is_function("bench", "start-run"));
    }
}
