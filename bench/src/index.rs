//! The index of many outputs: seconds, and memory that does not grow with their number.

use std::{fmt::Write as _, path::Path, time::Instant};

use anyhow::Context as _;
use aws_sdk_s3::{config::RequestChecksumCalculation, primitives::ByteStream};
use dropcast_domain::{
    ids::{JobId, Version},
    run::{Acceptance, AcceptedInput, Run, UploadMetadata},
};
use dropcast_store::{Jobs as _, Validation as _, ValidationOutcome};
use serde::Serialize;
use serde_json::json;
use tokio::task::JoinSet;

use crate::{
    numbers::{megabytes, round},
    report::Report,
    runtime_api::RuntimeApi,
    stack::{Bench, MODEL, Setup},
    table::{Table, figure},
};

/// Uploads that are under way at once.
const CONCURRENCY: usize = 16;
const ATTEMPT: u32 = 1;
/// What every object holds.
const CONTENT: &[u8] = b"1,2,3\n";
const CONTENT_SHA256: &str = "7a8988e95e356e2b5b8fecf5e31f7c2e7e8fb44a5cd9d89ebb0d1e60b1f5c689";

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Figures {
    objects: usize,
    /// From the event's way into the function to its answer's way out.
    seconds: f64,
    /// Processor time of the function in it.
    processor_seconds: f64,
    /// What the emulator alone takes to list the objects, page by page.
    listing_seconds: f64,
    /// `VmHWM` after the answer.
    memory_mb: f64,
    manifest_mb: f64,
}

/// Indexes growing numbers of outputs of one run.
pub(crate) async fn measure(
    repository: &Path,
    binaries: &Path,
    counts: &[usize],
) -> anyhow::Result<Report> {
    let setup = Setup {
        // The uploads are 100,000 calls, and what a role may do is not what is measured here.
        environment: [("AUTH".to_owned(), "false".to_owned())].into(),
        ..Setup::default()
    };
    let bench = Bench::start(repository, binaries, setup).await?;
    bench.register().await?;
    let outputs = Outputs::of_a_new_run(&bench).await?;
    let environment = bench.environment_of("index-outputs")?;
    let program = std::path::absolute(binaries)?.join("index-outputs");
    let mut api = RuntimeApi::serve().await?;
    let mut all = Vec::new();
    let mut there = 0;
    for count in counts {
        outputs.write(there..*count).await?;
        there = there.max(*count);
        outputs.write_runners_list(there).await?;
        let listing_seconds = outputs.list().await?;
        let event = json!({ "runId": outputs.run.id, "jobId": outputs.job, "attempt": ATTEMPT });
        let (function, invoked) = api.invoke(&program, &environment, event).await?;
        let counted = &invoked.answer["count"];
        anyhow::ensure!(
            *counted == json!(there),
            "{counted} of {there} objects are indexed"
        );
        all.push(Figures {
            objects: there,
            seconds: round(invoked.took.as_secs_f64()),
            processor_seconds: round(function.processor_time()?.as_secs_f64()),
            listing_seconds: round(listing_seconds),
            memory_mb: megabytes(function.peak_memory()?),
            manifest_mb: outputs.manifest_mb().await?,
        });
        function.end().await?;
    }
    bench.stop().await;
    report(&all)
}

/// The outputs of a run whose job has just ended.
struct Outputs {
    run: Run,
    job: JobId,
    bucket: String,
    s3: aws_sdk_s3::Client,
}

impl Outputs {
    async fn of_a_new_run(bench: &Bench) -> anyhow::Result<Self> {
        let connection = bench.connection();
        let key = format!("inputs/{MODEL}/index.json");
        let (store, run) = bench.begin_run(key, Some("1".to_owned()), 2).await?;
        let metadata = UploadMetadata {
            title: "Index".to_owned(),
            notify: Vec::new(),
            notify_unusable: Vec::new(),
            notify_left_out: Vec::new(),
        };
        let input = Some(AcceptedInput {
            key: run.keys().input("index.json"),
            prepared_key: run.keys().prepared("index.json"),
            defaults: Vec::new(),
            table: None,
        });
        let version = Version::FIRST;
        let outcome = ValidationOutcome::Accepted(Acceptance { version, input });
        store
            .record_validation(&run.id, &metadata, &outcome)
            .await?;
        let job: JobId = "4c7599ae-0a82-49aa-ba5a-4727fcce14a8".parse()?;
        store.assign_job(&run.id, &job).await?;
        let s3 = aws_sdk_s3::config::Builder::from(&connection.sdk_config())
            .force_path_style(true)
            .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
            .build();
        Ok(Self {
            run,
            job,
            bucket: connection.output("ResultsBucketName")?.to_owned(),
            s3: aws_sdk_s3::Client::from_conf(s3),
        })
    }

    /// Writes the objects of these numbers, and the one that the model declares.
    async fn write(&self, numbers: std::ops::Range<usize>) -> anyhow::Result<()> {
        let mut writers = JoinSet::new();
        for first in 0..CONCURRENCY {
            let prefix = self.run.keys().attempt(&self.job, ATTEMPT);
            let (s3, bucket) = (self.s3.clone(), self.bucket.clone());
            let mine: Vec<usize> = numbers.clone().skip(first).step_by(CONCURRENCY).collect();
            writers.spawn(async move {
                for number in mine {
                    let put = s3.put_object().bucket(&bucket);
                    let put = put.key(format!("{prefix}{}", path(number)));
                    put.body(ByteStream::from_static(CONTENT)).send().await?;
                }
                anyhow::Ok(())
            });
        }
        while let Some(written) = writers.join_next().await {
            written?.context("the outputs could not be written")?;
        }
        Ok(())
    }

    /// Writes what `dropcast-job` would have written last.
    async fn write_runners_list(&self, count: usize) -> anyhow::Result<()> {
        let mut list = String::new();
        let mut paths: Vec<String> = (0..count).map(path).collect();
        paths.sort_unstable();
        for path in paths {
            let bytes = CONTENT.len();
            writeln!(
                list,
                r#"{{"path":"{path}","bytes":{bytes},"sha256":"{CONTENT_SHA256}","mediaType":"text/csv"}}"#
            )?;
        }
        let put = self.s3.put_object().bucket(&self.bucket);
        put.key(self.run.keys().listing(&self.job, ATTEMPT))
            .body(ByteStream::from(list.into_bytes()))
            .send()
            .await?;
        Ok(())
    }

    /// Seconds to list all objects, with nothing else done.
    async fn list(&self) -> anyhow::Result<f64> {
        let began = Instant::now();
        let list = self.s3.list_objects_v2().bucket(&self.bucket);
        let prefix = self.run.keys().attempt(&self.job, ATTEMPT);
        let mut pages = list.prefix(prefix).into_paginator().send();
        while let Some(page) = pages.next().await {
            page?;
        }
        Ok(began.elapsed().as_secs_f64())
    }

    async fn manifest_mb(&self) -> anyhow::Result<f64> {
        let head = self.s3.head_object().bucket(&self.bucket);
        let head = head.key(self.run.keys().manifest()).send().await?;
        Ok(megabytes(u64::try_from(
            head.content_length().unwrap_or_default(),
        )?))
    }
}

/// The path of one output: the first is the one that the model declares.
fn path(number: usize) -> String {
    match number {
        0 => "result.txt".to_owned(),
        number => format!("regions/{:03}/part-{number:07}.csv", number % 500),
    }
}

fn report(all: &[Figures]) -> anyhow::Result<Report> {
    let mut table = Table::new(
        "index-outputs on a bare Runtime API, against the emulator's S3 and table",
        [
            "objects",
            "seconds",
            "its processor s",
            "emulator's listing s",
            "memory MB",
            "manifest MB",
        ],
    );
    for one in all {
        table.row([
            one.objects.to_string(),
            figure(one.seconds),
            figure(one.processor_seconds),
            figure(one.listing_seconds),
            figure(one.memory_mb),
            figure(one.manifest_mb),
        ]);
    }
    Report::new(&all, vec![table])
}
