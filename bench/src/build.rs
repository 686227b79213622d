//! From the end of a build to a version that can be run.

use std::{
    io::{Cursor, Write as _},
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};
use aws_sdk_codebuild::types::{Build, SourceType, StatusType};
use aws_sdk_s3::primitives::ByteStream;
use dropcast_domain::registry::{BuildEnd, BuildId};
use dropcast_store::{Builds as _, DynamoStore};
use serde::Serialize;
use zip::{ZipWriter, write::SimpleFileOptions};

use crate::{
    numbers::{Spread, now},
    report::Report,
    stack::{Bench, Setup},
    table::{Table, figure},
};

/// Builds that count; one before them makes the model, its role and its first default.
const BUILDS: usize = 20;
const LIMIT: Duration = Duration::from_mins(1);
const GLANCE: Duration = Duration::from_millis(2);
const MANIFEST: &str = r#"name = "built"
title = "Built"
[input]
schema = "in.json"
[job]
command = ["sh", "main.sh"]
vcpus = 1
memory_mib = 2048
"#;

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Figures {
    builds: usize,
    /// From the build's end, by CodeBuild's record, until its version is in the table.
    event_to_version_ms: Spread,
    /// From the call of `StartBuild` until then.
    start_to_version_ms: Spread,
}

/// Builds one version after the other.
pub(crate) async fn measure(repository: &Path, binaries: &Path) -> anyhow::Result<Report> {
    let bench = Bench::start(repository, binaries, Setup::default()).await?;
    let builder = Builder::of(&bench)?;
    let (mut after_event, mut after_start) = (Vec::new(), Vec::new());
    for number in 0..=BUILDS {
        let (event, start) = builder.build(number).await?;
        if number > 0 {
            after_event.push(event);
            after_start.push(start);
        }
    }
    bench.stop().await;
    let figures = Figures {
        builds: BUILDS,
        event_to_version_ms: Spread::of(after_event),
        start_to_version_ms: Spread::of(after_start),
    };
    let mut table = Table::new("From a build to a version (ms)", ["", "p50", "p90", "max"]);
    for (what, spread) in [
        (
            "the build's event → a runnable version",
            figures.event_to_version_ms,
        ),
        (
            "StartBuild → a runnable version",
            figures.start_to_version_ms,
        ),
    ] {
        table.row([
            what.to_owned(),
            figure(spread.p50),
            figure(spread.p90),
            figure(spread.max),
        ]);
    }
    Report::new(&figures, vec![table])
}

struct Builder<'a> {
    bench: &'a Bench,
    codebuild: aws_sdk_codebuild::Client,
    store: DynamoStore,
    bucket: &'a str,
    project: &'a str,
}

impl<'a> Builder<'a> {
    fn of(bench: &'a Bench) -> anyhow::Result<Self> {
        let connection = bench.connection();
        let table = aws_sdk_dynamodb::Client::new(&connection.sdk_config());
        Ok(Self {
            bench,
            codebuild: aws_sdk_codebuild::Client::new(&connection.codebuild_sdk_config()),
            store: DynamoStore::new(table, connection.output("RunsTableName")?),
            bucket: connection.output("ModelsBucketName")?,
            project: connection.output("BuildProject")?,
        })
    }

    /// Builds a model that differs from all others; returns milliseconds from the build's event
    /// and from its start to its version.
    async fn build(&self, number: usize) -> anyhow::Result<(f64, f64)> {
        let key = format!("sources/built/{number}.zip");
        let put = self.bench.s3.put_object().bucket(self.bucket).key(&key);
        put.body(ByteStream::from(model(number)?)).send().await?;
        let began = Instant::now();
        let started = self
            .codebuild
            .start_build()
            .project_name(self.project)
            .source_type_override(SourceType::S3)
            .source_location_override(format!("{}/{key}", self.bucket))
            .send()
            .await?;
        let id = started.build_value.and_then(|build| build.id);
        let id = id.context("a build's id")?;
        let version = self.version(&id.parse()?).await?;
        let (seen, start) = (now(), began.elapsed());
        let described = self.codebuild.batch_get_builds().ids(&id).send().await?;
        let build = described.builds().first().context("the build")?;
        ensure!(
            version == number + 1,
            "version {version} after {number} others"
        );
        Ok((
            crate::numbers::millis(ended(build)?, seen),
            start.as_secs_f64() * 1e3,
        ))
    }

    /// Waits for the version of a build.
    async fn version(&self, id: &BuildId) -> anyhow::Result<usize> {
        let began = Instant::now();
        while began.elapsed() < LIMIT {
            if let Some(build) = self.store.build(id).await? {
                return match build.end {
                    BuildEnd::Registered { version } => Ok(usize::try_from(version.number())?),
                    BuildEnd::Failed(failure) => anyhow::bail!("{}", failure.message),
                };
            }
            tokio::time::sleep(GLANCE).await;
        }
        anyhow::bail!("no version came of the build {id}")
    }
}

/// When a build ended, in nanoseconds.
fn ended(build: &Build) -> anyhow::Result<i128> {
    ensure!(
        build.build_status() == Some(&StatusType::Succeeded),
        "{build:?}"
    );
    let end = build.end_time().context("the end of a build")?;
    Ok(end.as_nanos())
}

fn model(number: usize) -> anyhow::Result<Vec<u8>> {
    let program = format!("# {number}\n");
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in [
        ("model.toml", MANIFEST),
        ("in.json", "{}"),
        ("main.sh", &program),
        ("Dockerfile", "FROM scratch\n"),
        ("examples/a.json", "{}"),
    ] {
        zip.start_file(name, SimpleFileOptions::default())?;
        zip.write_all(content.as_bytes())?;
    }
    Ok(zip.finish()?.into_inner())
}
