//! `dropcast-job` runs a model inside its container: files in, files out.
//!
//! It fetches the run's input and the model's cache from S3, runs the model's command, and
//! publishes what the model wrote when the model exits 0. The model needs no AWS code. `--help`
//! lists the variables, the exit codes and the rules.
//!
//! Nothing is half-published: of a run's outputs only those of the attempt that succeeded count,
//! and their listing, `<job>/<attempt>.files.jsonl`, is written last.

#![warn(missing_docs)]

pub mod args;
mod cache;
pub mod config;
mod download;
pub mod error;
mod local_run;
mod media_type;
mod model;
mod part;
mod publish;
mod s3;
mod s3_uri;
mod signals;
mod upload;
mod walk;
mod work_folder;

use std::{ffi::OsString, io::Write as _, process::ExitCode};

use clap::Parser as _;

use crate::{
    args::Args,
    cache::Cache,
    config::{Config, Environment, Kind},
    model::Bounds,
    signals::Signals,
    upload::Uploader,
    work_folder::WorkFolder,
};
pub use crate::{
    error::JobError,
    local_run::{LISTING, LocalRun, LocalRunResult, WrittenFile, run_locally},
    s3_uri::S3Uri,
};

/// How many warnings of one kind are logged one by one; the rest is counted. Users see the last
/// lines of a job's log.
const MAX_SINGLE_WARNINGS: usize = 3;
const LEFT_PROCESSES: &str = "warning: the model left processes running; they were stopped";
const NO_OUTPUTS: &str = "warning: the model wrote no outputs";

/// Parses the command line, runs the model and returns the exit code of the process.
pub fn main(arguments: impl Iterator<Item = OsString>, environment: Environment<'_>) -> ExitCode {
    let args = match Args::try_parse_from(arguments) {
        Ok(args) => args,
        Err(error) => {
            let asked_for = !error.use_stderr();
            let _ = error.print();
            let usage = JobError::Usage(String::new());
            return if asked_for {
                ExitCode::SUCCESS
            } else {
                usage.exit_code().into()
            };
        }
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => {
            return end(Err(JobError::WorkFolder(format!(
                "no runtime could be started: {error}"
            ))));
        }
    };
    let ended = match &args.local_run {
        Some(folder) => runtime.block_on(local_run::run_in_folder(folder, &args.command)),
        None => runtime.block_on(run(&args, environment)),
    };
    // Disk work that a signal left behind is not worth waiting for.
    runtime.shutdown_background();
    end(ended)
}

fn end(ended: Result<u8, JobError>) -> ExitCode {
    match ended {
        Ok(code) => code.into(),
        Err(error) => {
            say(&error.to_string());
            error.exit_code().into()
        }
    }
}

/// Does everything, and returns the model's exit code.
///
/// Says nothing of its own when the model failed: the model's last lines are what the user is
/// shown.
async fn run(args: &Args, environment: Environment<'_>) -> Result<u8, JobError> {
    let config = Config::from_environment(environment)?;
    let mut signals = Signals::listen()?;
    let work = WorkFolder::make(args.work_dir.as_deref(), args.keep_work_dir)?;
    if args.keep_work_dir {
        say(&format!("the work folder is {}", work.base.display()));
    }
    let (uploader, mut variables, cache) = tokio::select! {
        biased;
        interrupted = signals.end() => return Err(interrupted),
        prepared = prepare(args, &config, &work) => prepared?,
    };
    variables.extend([
        ("DROPCAST_OUTPUT_DIR", work.outputs.clone().into()),
        ("DROPCAST_CACHE_DIR", work.cache.clone().into()),
    ]);
    let ended = model::run(&args.command, &variables, Bounds::default(), &mut signals).await?;
    if ended.exit_code != 0 {
        return Ok(ended.exit_code);
    }
    if let Some(signal) = ended.asked_by {
        // A model that stops early and calls it a success has not written all of its outputs.
        return Err(signals::interrupted(signal));
    }
    if ended.left_processes {
        say(LEFT_PROCESSES);
    }
    let published = tokio::select! {
        biased;
        interrupted = signals.end() => Err(interrupted),
        published = publish::publish(&config, &work, &uploader) => published,
    };
    if published.is_err() {
        uploader.abort_open().await;
    }
    let published = published?;
    if published.files == 0 && config.kind() == Kind::Run {
        say(NO_OUTPUTS);
    }
    say(&format!(
        "published {} files, {} bytes",
        published.files, published.bytes
    ));
    // A run is complete: a signal from here on ends the cache, not the run.
    let warnings = tokio::select! {
        biased;
        interrupted = signals.end() => {
            uploader.abort_open().await;
            vec![format!("the cache was not stored: {interrupted}")]
        }
        stored = cache.store(&uploader, unix_now()) => {
            if stored.stored + stored.deleted > 0 {
                say(&format!("cache: {} stored, {} deleted", stored.stored, stored.deleted));
            }
            stored.warnings
        }
    };
    warn(&warnings);
    match config.kind() {
        // A refresh that stored nothing of what it fetched has not refreshed anything.
        Kind::Refresh if !warnings.is_empty() => Err(JobError::Cache(
            "the refreshed cache could not be stored".to_owned(),
        )),
        Kind::Run | Kind::Refresh => Ok(0),
    }
}

/// Seconds since 1970.
#[expect(
    clippy::disallowed_methods,
    reason = "the runner has one clock, and hands the time on as an argument"
)]
fn unix_now() -> u64 {
    std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}

/// The environment variables of the model, by name.
type Variables = Vec<(&'static str, OsString)>;

/// Fetches the input in both its forms and the cache side by side.
async fn prepare(
    args: &Args,
    config: &Config,
    work: &WorkFolder,
) -> Result<(Uploader, Variables, Cache), JobError> {
    let client = s3::connect().await?;
    let concurrency = args.concurrency.get();
    let (input, (cache, warnings)) = tokio::join!(
        fetch_input(&client, config, work),
        Cache::fetch(
            client.clone(),
            config,
            work.cache.clone(),
            &work.staging,
            concurrency as usize,
        ),
    );
    let variables = input?;
    warn(&warnings);
    let uploader = Uploader::new(client, concurrency, args.part_mib.get() << 20);
    Ok((uploader, variables, cache))
}

/// Fetches the input, if there is one.
async fn fetch_input(
    client: &aws_sdk_s3::Client,
    config: &Config,
    work: &WorkFolder,
) -> Result<Variables, JobError> {
    let Some(input) = &config.input else {
        return Ok(Vec::new());
    };
    let prepared = work.input.join(work_folder::file_name(&input.prepared.key));
    let original = work
        .original
        .join(work_folder::file_name(&input.original.key));
    let fetched = tokio::join!(
        download::fetch(client, &input.prepared, &prepared, &work.staging),
        download::fetch(client, &input.original, &original, &work.staging),
    );
    for (uri, fetched) in [(&input.prepared, fetched.0), (&input.original, fetched.1)] {
        fetched.map_err(|reason| {
            JobError::Input(format!("the input {uri} could not be fetched: {reason}"))
        })?;
    }
    Ok(vec![
        ("DROPCAST_INPUT_FILE", prepared.into()),
        ("DROPCAST_ORIGINAL_FILE", original.into()),
    ])
}

fn warn(about_the_cache: &[String]) {
    for warning in about_the_cache.iter().take(MAX_SINGLE_WARNINGS) {
        say(&format!("warning: cache: {warning}"));
    }
    if let Some(more @ 1..) = about_the_cache.len().checked_sub(MAX_SINGLE_WARNINGS) {
        say(&format!("warning: cache: {more} more warnings like these"));
    }
}

/// One line on stderr. What S3 or a file name puts into it must not make two of it.
fn say(line: &str) {
    let line: String = line
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    // A job whose stderr is gone goes on.
    let _ = writeln!(std::io::stderr(), "dropcast-job: {line}");
}
