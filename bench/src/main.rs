//! `make bench`: how fast Dropcast is on this machine, and how small.
//!
//! Nothing here fails for being slow: targets are shown next to the figures. docs/BENCHMARKS.md
//! says what is measured and what the figures mean.

mod build;
mod burst;
mod drop_to_mail;
mod floor;
mod index;
mod init;
mod job;
mod logs;
mod machine;
mod numbers;
mod report;
mod runtime_api;
mod stack;
mod table;
mod tables;

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::Context as _;
use clap::{Parser, ValueEnum};
use serde::Serialize;

use crate::report::Report;

/// Measures latency, a burst, cold starts, the index, jobs, builds and tables, and writes JSON under `target/bench/`.
#[derive(Debug, Parser)]
struct Args {
    /// Measure only this; may be given more than once.
    #[arg(long)]
    only: Vec<Part>,
    /// Folder of the programs to measure.
    #[arg(long, default_value = "target/release")]
    binaries: PathBuf,
    /// Folder of the functions as they would be for size, to compare with.
    #[arg(long, default_value = "target/release-size")]
    for_size: PathBuf,
    /// Start only this function, beside the empty one; may be given more than once.
    #[arg(long)]
    function: Vec<String>,
    /// Folder for the JSON files.
    #[arg(long, default_value = "target/bench")]
    out: PathBuf,
    /// Runs one after the other, beside the first one, which only warms the functions.
    #[arg(long, default_value_t = 20)]
    runs: usize,
    /// Files that are dropped at once.
    #[arg(long, default_value_t = 200)]
    burst: usize,
    /// Starts of each function.
    #[arg(long, default_value_t = 21)]
    starts: usize,
    /// Counts of objects to index, growing.
    #[arg(long, value_delimiter = ',', default_values_t = [10_000, 50_000, 100_000])]
    objects: Vec<usize>,
    /// Rows of the largest table.
    #[arg(long, default_value_t = 1_000_000)]
    rows: usize,
    /// Python with what `bench/requirements.txt` names, to compare with.
    #[arg(long, default_value = "target/python/bench/bin/python")]
    python: PathBuf,
}

/// A part of the bench.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
enum Part {
    /// From a dropped file to the model's first line, and from the model's last to the mail.
    Drop,
    /// Many files at once.
    Burst,
    /// Cold starts, memory and size of the functions.
    Init,
    /// The index of many outputs.
    Index,
    /// `dropcast-job`, beside `aws s3 sync`.
    Job,
    /// From a build to a version.
    Build,
    /// Large tables, beside what else checks them.
    Tables,
}

const PARTS: [Part; 7] = [
    Part::Init,
    Part::Drop,
    Part::Burst,
    Part::Index,
    Part::Job,
    Part::Build,
    Part::Tables,
];

impl Part {
    /// The longest that it may take: a bench that hangs must end.
    fn limit(self) -> Duration {
        match self {
            Self::Burst | Self::Init | Self::Build => Duration::from_mins(8),
            Self::Drop | Self::Job => Duration::from_mins(15),
            Self::Index => Duration::from_mins(25),
            Self::Tables => Duration::from_mins(40),
        }
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    std::fs::create_dir_all(&args.out)
        .with_context(|| format!("cannot create {}", args.out.display()))?;
    for part in PARTS {
        if !args.only.is_empty() && !args.only.contains(&part) {
            continue;
        }
        let before = machine::Machine::look(&repository)?;
        report::say(&format!("measuring {} …", part.name()));
        let report = tokio::select! {
            measured = tokio::time::timeout(part.limit(), measure(part, &args, &repository)) => {
                let limit = part.limit().as_secs();
                measured.with_context(|| format!("{} did not end within {limit} s", part.name()))?
                    .with_context(|| format!("{} could not be measured", part.name()))?
            }
            stopped = dropcast_local_stack::stop_requested() => {
                stopped?;
                anyhow::bail!("stopped");
            }
        };
        let file = args.out.join(format!("{}.json", part.name()));
        report.write(&file, part.name(), &before)?;
        report::say(&report.to_string());
        report::say(&format!("{before}\n→ {}\n", file.display()));
    }
    Ok(())
}

impl Part {
    fn name(self) -> &'static str {
        match self {
            Self::Drop => "drop",
            Self::Burst => "burst",
            Self::Init => "init",
            Self::Index => "index",
            Self::Job => "job",
            Self::Build => "build",
            Self::Tables => "tables",
        }
    }
}

async fn measure(part: Part, args: &Args, repository: &Path) -> anyhow::Result<Report> {
    let binaries = &args.binaries;
    match part {
        Part::Drop => {
            let floor = Box::pin(floor::measure(repository, binaries, args.runs)).await?;
            let builds = [binaries.as_path(), &args.for_size];
            Box::pin(drop_to_mail::measure(repository, builds, args.runs, &floor)).await
        }
        Part::Burst => Box::pin(burst::measure(repository, binaries, args.burst)).await,
        Part::Init => {
            let (size, named) = (&args.for_size, &args.function);
            Box::pin(init::measure(binaries, size, named, args.starts)).await
        }
        Part::Index => Box::pin(index::measure(repository, binaries, &args.objects)).await,
        Part::Job => Box::pin(job::measure(repository, binaries)).await,
        Part::Build => Box::pin(build::measure(repository, binaries)).await,
        Part::Tables => {
            Box::pin(tables::measure(
                repository,
                [binaries, &args.for_size],
                args.rows,
                &args.python,
            ))
            .await
        }
    }
}
