//! `dropcast-job`: what it adds to a model that does nothing, how large it is, and its uploads
//! beside those of `aws s3 sync`.

use std::{
    ffi::OsString,
    fs::{self, File},
    io::{self, Read as _},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Instant,
};

use anyhow::{Context as _, ensure};
use aws_sdk_s3::{
    primitives::ByteStream,
    types::{Delete, ObjectIdentifier},
};
use serde::Serialize;

use crate::{
    numbers::{Spread, megabytes, round},
    report::Report,
    stack::{Bench, Setup},
    table::{Table, at_most, figure},
};

/// Starts of a model that does nothing, each way.
const STARTS: usize = 31;
/// Uploads of each kind, each way.
const UPLOADS: usize = 3;
/// The large file, in bytes, and the small ones.
const LARGE: u64 = 1_000_000_000;
const SMALL: usize = 10_000;
const SMALL_BYTES: u64 = 1_000;
/// What `dropcast-job` may add, in milliseconds.
const TARGET_MS: f64 = 50.0;
/// `DeleteObjects` takes so many.
const MAX_DELETED: usize = 1_000;

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Figures {
    /// The bare command, and the command run by `dropcast-job`.
    bare_ms: Spread,
    with_job_ms: Spread,
    /// The difference of the medians.
    added_ms: f64,
    program_mb: f64,
    /// The static program of `make static`, if it is there.
    static_mb: Option<f64>,
    uploads: Vec<Uploads>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Uploads {
    what: &'static str,
    files: usize,
    megabytes: f64,
    job_seconds: Spread,
    sync_seconds: Spread,
}

/// Measures all of it against one emulator's S3.
pub(crate) async fn measure(repository: &Path, binaries: &Path) -> anyhow::Result<Report> {
    let setup = Setup {
        // What a role may do is not what is measured here.
        environment: [("AUTH".to_owned(), "false".to_owned())].into(),
        ..Setup::default()
    };
    let bench = Bench::start(repository, binaries, setup).await?;
    let job = Job::new(&bench, binaries).await?;
    let series = |mut start: Box<dyn FnMut() -> Command>| {
        let times: anyhow::Result<Vec<f64>> = (0..STARTS)
            .map(|_| Ok(timed(&mut start())? * 1e3))
            .collect();
        times.map(Spread::of)
    };
    let bare_ms = series(Box::new(|| Command::new("true")))?;
    let with_job_ms = series(Box::new(|| job.command("noop", &["true"])))?;
    let mut uploads = Vec::new();
    for (what, files, bytes) in [
        ("1 file of 1 GB", 1, LARGE),
        ("10,000 files of 1 kB", SMALL, SMALL_BYTES),
    ] {
        uploads.push(compare(&bench, &job, what, files, bytes).await?);
    }
    let program = fs::metadata(binaries.join("dropcast-job"))?.len();
    let built_static = repository.join("target/static/x86_64/dropcast-job");
    let figures = Figures {
        bare_ms,
        with_job_ms,
        added_ms: round(with_job_ms.p50 - bare_ms.p50),
        program_mb: megabytes(program),
        static_mb: fs::metadata(built_static)
            .ok()
            .map(|about| megabytes(about.len())),
        uploads,
    };
    let report = Report::new(&figures, tables(&figures))?.note(
        "Both upload to the same emulator, one Python process, which is most of the time. aws s3 sync starts Python first.",
    );
    bench.stop().await;
    Ok(report)
}

fn tables(figures: &Figures) -> Vec<Table> {
    let mut added = Table::new(
        "A model that does nothing (ms)",
        ["", "p50", "p90", "max", "target"],
    );
    for (what, spread) in [
        ("bare", figures.bare_ms),
        ("by dropcast-job", figures.with_job_ms),
    ] {
        added.row([
            what.to_owned(),
            figure(spread.p50),
            figure(spread.p90),
            figure(spread.max),
            String::new(),
        ]);
    }
    added.row([
        "added".to_owned(),
        figure(figures.added_ms),
        String::new(),
        String::new(),
        at_most(TARGET_MS, figures.added_ms),
    ]);
    let mut size = Table::new("Size (MB)", ["", "MB"]);
    size.row(["dropcast-job".to_owned(), figure(figures.program_mb)]);
    if let Some(megabytes) = figures.static_mb {
        size.row(["dropcast-job, static".to_owned(), figure(megabytes)]);
    }
    let mut uploads = Table::new(
        "Uploads (s, median of 3)",
        ["", "dropcast-job", "aws s3 sync"],
    );
    for one in &figures.uploads {
        uploads.row([
            one.what.to_owned(),
            figure(one.job_seconds.p50),
            figure(one.sync_seconds.p50),
        ]);
    }
    vec![added, size, uploads]
}

/// Runs `dropcast-job` on a bench's S3.
struct Job {
    program: PathBuf,
    bucket: String,
    environment: Vec<(String, String)>,
    folder: PathBuf,
}

impl Job {
    async fn new(bench: &Bench, binaries: &Path) -> anyhow::Result<Self> {
        let connection = bench.connection();
        let bucket = connection.output("ResultsBucketName")?.to_owned();
        for key in ["runs/job/prepared/in.json", "runs/job/input/in.json"] {
            let body = ByteStream::from_static(b"{}");
            let put = bench.s3.put_object().bucket(&bucket).key(key).body(body);
            put.send().await?;
        }
        let environment = connection.aws_environment();
        let folder = bench.folder.path().join("work");
        fs::create_dir(&folder)?;
        Ok(Self {
            program: fs::canonicalize(binaries.join("dropcast-job"))?,
            bucket,
            environment: environment
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into(),
            folder,
        })
    }

    /// A command run as a job of this name.
    fn command(&self, name: &str, command: &[&str]) -> Command {
        let uri = |key: &str| format!("s3://{}/{key}", self.bucket);
        let mut job = Command::new(&self.program);
        job.arg("--work-dir")
            .arg(&self.folder)
            .arg("--")
            .args(command)
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .env("DROPCAST_INPUT_URI", uri("runs/job/prepared/in.json"))
            .env("DROPCAST_ORIGINAL_URI", uri("runs/job/input/in.json"))
            .env("DROPCAST_OUTPUT_URI", uri("runs/job/outputs/"))
            .env("DROPCAST_CACHE_URI", uri("cache/job/"))
            .env("DROPCAST_RUN_ID", "job")
            .env("DROPCAST_MODEL", "job")
            .env("DROPCAST_VERSION", "1")
            .env("AWS_BATCH_JOB_ID", name)
            .env("AWS_BATCH_JOB_ATTEMPT", "1");
        job
    }
}

/// Uploads the same files both ways, in turn.
async fn compare(
    bench: &Bench,
    job: &Job,
    what: &'static str,
    files: usize,
    bytes: u64,
) -> anyhow::Result<Uploads> {
    let source = bench.folder.path().join("source");
    generate(&source, files, bytes)?;
    let (mut by_job, mut by_sync) = (Vec::new(), Vec::new());
    for number in 0..UPLOADS {
        let name = format!("upload-{files}-{number}");
        // Links to the files: the model writes nothing itself that would be measured.
        let script = "cp -al \"$BENCH_SOURCE/.\" \"$DROPCAST_OUTPUT_DIR/\"";
        let mut run = job.command(&name, &["sh", "-c", script]);
        by_job.push(timed(run.env("BENCH_SOURCE", &source))?);
        cleared(
            bench,
            &job.bucket,
            &format!("runs/job/outputs/{name}"),
            files,
        )
        .await?;
        let to = format!("s3://{}/sync/{name}/", job.bucket);
        by_sync.push(timed(&mut sync(bench, job, &source, &to))?);
        cleared(bench, &job.bucket, "sync/", files).await?;
    }
    fs::remove_dir_all(&source)?;
    Ok(Uploads {
        what,
        files,
        megabytes: megabytes(bytes * files as u64),
        job_seconds: Spread::of(by_job),
        sync_seconds: Spread::of(by_sync),
    })
}

/// AWS's own command line, from the environment that the emulator runs in.
fn sync(bench: &Bench, job: &Job, from: &Path, to: &str) -> Command {
    let python = &bench.connection().python;
    let aws: OsString = python.with_file_name("aws").into();
    let mut command = Command::new(python);
    command
        .arg(aws)
        .args(["s3", "sync", "--only-show-errors"])
        .arg(from)
        .arg(to)
        .envs(job.environment.iter().map(|(name, value)| (name, value)))
        .env("AWS_EC2_METADATA_DISABLED", "true");
    command
}

/// Files of bytes that cannot be packed.
fn generate(folder: &Path, files: usize, bytes: u64) -> io::Result<()> {
    fs::create_dir(folder)?;
    let mut random = File::open("/dev/urandom")?;
    for number in 0..files {
        let mut file = File::create(folder.join(format!("{number:05}.bin")))?;
        io::copy(&mut random.by_ref().take(bytes), &mut file)?;
    }
    Ok(())
}

/// Seconds that a command takes, which must end well.
fn timed(command: &mut Command) -> anyhow::Result<f64> {
    let began = Instant::now();
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("{command:?} cannot be started"))?;
    let took = began.elapsed().as_secs_f64();
    ensure!(
        output.status.success(),
        "{command:?} failed:\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(took)
}

/// Deletes what was uploaded, once it is known to be there.
async fn cleared(bench: &Bench, bucket: &str, prefix: &str, files: usize) -> anyhow::Result<()> {
    let mut keys = Vec::new();
    let mut pages = bench
        .s3
        .list_objects_v2()
        .bucket(bucket)
        .prefix(prefix)
        .into_paginator()
        .send();
    while let Some(page) = pages.next().await {
        keys.extend(
            page?
                .contents
                .unwrap_or_default()
                .into_iter()
                .filter_map(|it| it.key),
        );
    }
    ensure!(keys.len() >= files, "{prefix} holds {} objects", keys.len());
    for keys in keys.chunks(MAX_DELETED) {
        let objects = keys
            .iter()
            .map(|key| ObjectIdentifier::builder().key(key).build());
        let objects = objects.collect::<Result<Vec<_>, _>>()?;
        let delete = Delete::builder().set_objects(Some(objects)).build()?;
        bench
            .s3
            .delete_objects()
            .bucket(bucket)
            .delete(delete)
            .send()
            .await?;
    }
    Ok(())
}
