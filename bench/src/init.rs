//! Cold starts, memory and size of every function, beside those of an empty one.

use std::{
    collections::BTreeMap,
    fs::File,
    io,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use serde::Serialize;
use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

use crate::{
    numbers::{Spread, megabytes, round},
    report::Report,
    runtime_api::RuntimeApi,
    table::{Table, at_most, figure},
};

/// The functions of a run, in its order.
pub(crate) const FUNCTIONS: [&str; 9] = [
    "start-run",
    "validate-inputs",
    "submit-job",
    "track-job",
    "index-outputs",
    "finish-run",
    "announce-run",
    "notify",
    "open-link",
];
/// The functions that take no part in a run.
pub(crate) const OTHERS: [&str; 3] = ["register-version", "repair-runs", "start-refreshes"];
/// The function that does nothing.
pub(crate) const EMPTY: &str = "empty-function";

/// Times the empty function's init.
const INIT_RATIO_TARGET: f64 = 2.5;
const MEMORY_TARGET_MB: f64 = 25.0;
const ZIP_TARGET_MB: f64 = 12.0;

/// What the functions are set up with: every setting of all of them, as the templates have them.
const SETTINGS: [(&str, &str); 34] = [
    (
        "DEAD_LETTERS_URL",
        "https://sqs.eu-west-1.amazonaws.com/111122223333/dead-letters",
    ),
    ("AWS_REGION", "eu-west-1"),
    ("AWS_ACCESS_KEY_ID", "ASIAQKEY"),
    ("AWS_SECRET_ACCESS_KEY", "secret"),
    ("AWS_SESSION_TOKEN", "token"),
    ("AWS_LAMBDA_FUNCTION_NAME", "bench"),
    ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
    ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
    ("AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/bench"),
    ("AWS_LAMBDA_LOG_STREAM_NAME", "bench"),
    ("AWS_LAMBDA_LOG_FORMAT", "JSON"),
    ("STACK_NAME", "bench"),
    ("RUNS_TABLE", "runs"),
    ("INPUTS_BUCKET", "inputs"),
    ("RESULTS_BUCKET", "results"),
    ("EVENT_BUS_NAME", "default"),
    ("RETENTION_DAYS", "365"),
    ("LINK_LIFETIME_DAYS", "30"),
    ("LINK_BASE_URL", "https://links.corp.example"),
    ("SENDER_ADDRESS", "forecasts@corp.example"),
    ("OPERATOR_ADDRESS", "operator@corp.example"),
    ("ALLOWED_RECIPIENT_DOMAINS", "corp.example"),
    ("JOB_LOG_GROUP", "/aws/batch/job"),
    ("LARGE_JOB_QUEUE_ARN", ""),
    ("LARGE_JOB_MEMORY_MIB", "30720"),
    ("MODELS_BUCKET", "models"),
    ("BUILD_PROJECT", "models"),
    ("BUILD_LOG_GROUP", "/aws/codebuild/models"),
    ("IMAGE_REPOSITORY", "local"),
    ("JOB_ROLE_PATH", "/dropcast/bench/"),
    ("SECRET_PREFIX", "bench/models/"),
    ("JOB_PLATFORM", "FARGATE"),
    ("JOB_ASSIGN_PUBLIC_IP", "DISABLED"),
    ("JOB_ARCHITECTURE", "X86_64"),
];
const ARNS: [(&str, &str); 6] = [
    ("RUNS_TABLE_ARN", "dynamodb:table/runs"),
    (
        "STATE_MACHINE_ARN",
        "states:eu-west-1:000000000000:stateMachine:runs",
    ),
    (
        "JOB_QUEUE_ARN",
        "batch:eu-west-1:000000000000:job-queue/models",
    ),
    (
        "JOB_EXECUTION_ROLE_ARN",
        "iam::000000000000:role/start-jobs",
    ),
    ("JOB_BOUNDARY_ARN", "iam::000000000000:policy/jobs"),
    (
        "LINK_SECRET_ARN",
        "secretsmanager:eu-west-1:000000000000:secret:links",
    ),
];

/// How the programs were built.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
enum Build {
    /// As they are deployed.
    Speed,
    Size,
}

/// One function's figures.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Figures {
    build: Build,
    function: &'static str,
    /// From the start of the process to its first request for an event, with endpoints as on AWS.
    init_ms: Spread,
    /// The median beside that of the empty function of the same build.
    init_ratio: f64,
    /// `VmHWM` at that request.
    memory_mb: Spread,
    memory_ratio: f64,
    program_mb: f64,
    zip_mb: f64,
}

#[derive(Debug, Default)]
struct Series {
    init: Vec<f64>,
    memory: Vec<f64>,
}

/// Starts functions of both builds so many times: these, or all if none is named, beside the empty one.
pub(crate) async fn measure(
    speed: &Path,
    size: &Path,
    named: &[String],
    starts: usize,
) -> anyhow::Result<Report> {
    let mut functions: Vec<&'static str> = FUNCTIONS.into_iter().chain(OTHERS).collect();
    if let Some(unknown) = named
        .iter()
        .find(|name| !functions.contains(&name.as_str()))
    {
        anyhow::bail!("there is no function {unknown}");
    }
    functions.retain(|function| named.is_empty() || named.iter().any(|name| name == function));
    functions.insert(0, EMPTY);
    let programs: Vec<(Build, &'static str, PathBuf)> =
        [(Build::Speed, speed), (Build::Size, size)]
            .into_iter()
            .flat_map(|(build, folder)| {
                let programs = functions.iter();
                programs.map(move |function| (build, *function, folder.join(function)))
            })
            .collect();
    let environment = environment();
    let mut api = RuntimeApi::serve().await?;
    let mut all: BTreeMap<(Build, &str), Series> = BTreeMap::new();
    // Round by round, so that what else the machine does strikes all of them alike. The first round
    // brings the programs into the machine's file cache and does not count.
    for round in 0..=starts {
        for (build, function, program) in &programs {
            let (process, init) = api.start(program, &environment).await?;
            let memory = megabytes(process.peak_memory()?);
            process.end().await?;
            if round > 0 {
                let series = all.entry((*build, *function)).or_default();
                series.init.push(init.as_secs_f64() * 1e3);
                series.memory.push(memory);
            }
        }
    }
    let mut figures: Vec<Figures> = Vec::new();
    for (build, function, program) in programs {
        let series = all.remove(&(build, function)).unwrap_or_default();
        let (init, memory) = (Spread::of(series.init), Spread::of(series.memory));
        // Each build's first is the empty function.
        let empty = figures.iter().find(|one| one.build == build);
        let empty = empty.map_or((init.p50, memory.p50), |empty| {
            (empty.init_ms.p50, empty.memory_mb.p50)
        });
        figures.push(Figures {
            build,
            function,
            init_ms: init,
            init_ratio: round(init.p50 / empty.0),
            memory_mb: memory,
            memory_ratio: round(memory.p50 / empty.1),
            program_mb: megabytes(std::fs::metadata(&program)?.len()),
            zip_mb: megabytes(zipped_size(program).await?),
        });
    }
    let tables = [Build::Speed, Build::Size].map(|build| table(build, &figures));
    Report::new(&figures, tables.into())
}

fn environment() -> BTreeMap<&'static str, String> {
    let arn = |(name, rest): (&'static str, &str)| (name, format!("arn:aws:{rest}"));
    let settings = SETTINGS.map(|(name, value)| (name, value.to_owned()));
    settings.into_iter().chain(ARNS.map(arn)).collect()
}

fn table(build: Build, figures: &[Figures]) -> Table {
    let what_for = match build {
        Build::Speed => "built for speed, as deployed",
        Build::Size => "built for size",
    };
    let mut table = Table::new(
        &format!("Cold starts, {what_for}: process start → first request for an event"),
        [
            "function",
            "init p50 ms",
            "p90",
            "× empty",
            "target",
            "memory MB",
            "target",
            "× empty",
            "zip MB",
            "target",
        ],
    );
    for one in figures.iter().filter(|one| one.build == build) {
        table.row([
            one.function.to_owned(),
            figure(one.init_ms.p50),
            figure(one.init_ms.p90),
            figure(one.init_ratio),
            at_most(INIT_RATIO_TARGET, one.init_ratio),
            figure(one.memory_mb.max),
            at_most(MEMORY_TARGET_MB, one.memory_mb.max),
            figure(one.memory_ratio),
            figure(one.zip_mb),
            at_most(ZIP_TARGET_MB, one.zip_mb),
        ]);
    }
    table
}

/// Size of a program's package, compressed as `zip` does by default.
async fn zipped_size(program: PathBuf) -> anyhow::Result<u64> {
    let zip = move || -> anyhow::Result<u64> {
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            .compression_level(Some(6))
            .unix_permissions(0o755);
        let mut writer = ZipWriter::new(io::Cursor::new(Vec::new()));
        writer.start_file("bootstrap", options)?;
        let mut file =
            File::open(&program).with_context(|| format!("cannot read {}", program.display()))?;
        io::copy(&mut file, &mut writer)?;
        Ok(writer.finish()?.into_inner().len() as u64)
    };
    tokio::task::spawn_blocking(zip).await?
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_function_is_measured() {
        let mut measured: Vec<&str> = FUNCTIONS.into_iter().chain(OTHERS).collect();
        measured.sort_unstable();
        assert_eq!(measured, dropcast_test_support::functions());
    }

    #[test]
    fn every_setting_of_the_templates_is_set() {
        let environment = environment();
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../infra/stacks");
        let templates: String = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| std::fs::read_to_string(entry.unwrap().path()).unwrap())
            .collect();
        assert!(templates.contains("RUNS_TABLE: "));
        // A variable has such a line of its own: upper case, followed by a colon.
        let variables = templates
            .lines()
            .filter_map(|line| line.trim().split_once(": "))
            .map(|(name, _)| name)
            .filter(|name| name.contains('_'))
            .filter(|name| {
                name.bytes()
                    .all(|byte| byte.is_ascii_uppercase() || byte == b'_')
            });
        let missing: BTreeSet<&str> = variables
            .filter(|name| !environment.contains_key(name))
            .collect();
        assert!(missing.is_empty(), "{missing:?}");
    }
}
