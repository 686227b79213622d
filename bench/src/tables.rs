//! Tables: how long reading and checking a large one takes, and how much memory, through
//! validate-inputs itself; and what else checks the same file on this machine.

use std::{
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use aws_sdk_s3::primitives::ByteStream;
use dropcast_local_stack::{NoProgress, Registry, register};
use dropcast_store::Runs as _;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::process::Command;

use crate::{
    numbers::{megabytes, now, round},
    report::{Report, say},
    runtime_api::RuntimeApi,
    stack::{Bench, Setup},
    table::{Table, figure},
};

/// Name of the model that the files are for: `bench/tables/model.toml`.
const MODEL: &str = "bench-orders";
const MANIFEST: &str = "model.toml";
const SCHEMA: &str = "bench.row.schema.json";
const SEED: &str = "1";
/// The share of faulty cells.
const FAULTY: &str = "0.01";

/// A file to read.
#[derive(Debug, Clone, Copy)]
struct File {
    name: &'static str,
    rows: usize,
    faulty: bool,
    /// Whether others read it too: minutes each.
    compared: bool,
}

/// What the two folders of programs are called in the table.
const OURS: [&str; 2] = ["dropcast", "dropcast, built for size"];

/// What somebody took for a file.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Figures {
    who: String,
    file: String,
    rows: usize,
    megabytes: f64,
    seconds: f64,
    processor_seconds: f64,
    memory_mb: f64,
    faults: Option<u64>,
}

/// What `peers.py` prints for one of them.
#[derive(Debug, Deserialize)]
struct Peer {
    #[serde(rename = "peer")]
    who: String,
    seconds: f64,
    cpu_seconds: f64,
    peak_rss_bytes: u64,
    faults: Option<u64>,
}

/// Reads tables of up to so many rows with the programs of two folders, for speed and for size, and has
/// others read the same.
pub(crate) async fn measure(
    repository: &Path,
    binaries: [&Path; 2],
    rows: usize,
    python: &Path,
) -> anyhow::Result<Report> {
    let scripts = repository.join("bench/tables");
    let bench = Bench::start(repository, binaries[0], Setup::default()).await?;
    register_model(&bench, &scripts).await?;
    // Else the stack's own function would read each file at the same time.
    disable_rules(&bench).await?;
    let mut all = Vec::new();
    for file in files(rows) {
        say(&format!("  {} …", file.name));
        let path = generate(&bench, &scripts, python, file).await?;
        for (who, folder) in OURS.into_iter().zip(binaries) {
            let program = std::path::absolute(folder)?.join("validate-inputs");
            all.push(through_the_function(&bench, who, &program, file, &path).await?);
        }
        if file.compared {
            all.extend(peers(&scripts, python, file, &path).await?);
        }
        fs::remove_file(path)?;
    }
    bench.stop().await;
    report(&all)
}

fn files(rows: usize) -> [File; 4] {
    let file = |name, rows, faulty, compared| File {
        name,
        rows,
        faulty,
        compared,
    };
    [
        // Memory does not grow with the rows.
        file("tenth.csv", rows / 10, false, false),
        file("valid.csv", rows, false, true),
        file("faulty.csv", rows, true, true),
        file("valid.xlsx", rows / 5, false, true),
    ]
}

async fn register_model(bench: &Bench, scripts: &Path) -> anyhow::Result<()> {
    let model = bench.folder.path().join(MODEL);
    fs::create_dir(&model)?;
    for name in [MANIFEST, SCHEMA] {
        fs::copy(scripts.join(name), model.join(name))?;
    }
    let registry = Registry::of(bench.connection())?;
    let at = Timestamp::from_nanosecond(now())?;
    register(&model, &registry, at, &NoProgress).await?;
    Ok(())
}

async fn disable_rules(bench: &Bench) -> anyhow::Result<()> {
    let events = aws_sdk_eventbridge::Client::new(&bench.connection().sdk_config());
    for rule in events.list_rules().send().await?.rules() {
        let name = rule.name().context("a rule without a name")?;
        events.disable_rule().name(name).send().await?;
    }
    Ok(())
}

async fn generate(
    bench: &Bench,
    scripts: &Path,
    python: &Path,
    file: File,
) -> anyhow::Result<PathBuf> {
    let path = bench.folder.path().join(file.name);
    let rows = file.rows.to_string();
    let faulty = if file.faulty { FAULTY } else { "0" };
    let script = scripts.join("generate.py");
    let arguments = [
        script.as_os_str(),
        path.as_os_str(),
        OsStr::new("--rows"),
        OsStr::new(&rows),
        OsStr::new("--faulty"),
        OsStr::new(faulty),
        OsStr::new("--seed"),
        OsStr::new(SEED),
    ];
    ran(python, &arguments).await?;
    Ok(path)
}

async fn through_the_function(
    bench: &Bench,
    who: &str,
    program: &Path,
    file: File,
    path: &Path,
) -> anyhow::Result<Figures> {
    let bytes = fs::metadata(path)?.len();
    let key = format!("inputs/{MODEL}/{}", file.name);
    let bucket = bench.connection().output("InputsBucketName")?;
    let put = bench.s3.put_object().bucket(bucket).key(&key);
    let put = put.body(ByteStream::from_path(path).await?).send().await?;
    let (store, run) = bench.begin_run(key, put.version_id, bytes).await?;
    let environment = bench.environment_of("validate-inputs")?;
    let mut api = RuntimeApi::serve().await?;
    let event = json!({ "runId": run.id });
    let (function, invoked) = api.invoke(program, &environment, event).await?;
    let outcome = invoked.answer["outcome"].as_str().unwrap_or_default();
    let expected = if file.faulty { "rejected" } else { "accepted" };
    anyhow::ensure!(outcome == expected, "{}: {}", file.name, invoked.answer);
    let validated = store.get(&run.id).await?.context("the run's record")?;
    let figures = Figures {
        who: who.to_owned(),
        file: file.name.to_owned(),
        rows: file.rows,
        megabytes: megabytes(bytes),
        seconds: round(invoked.took.as_secs_f64()),
        processor_seconds: round(function.processor_time()?.as_secs_f64()),
        memory_mb: megabytes(function.peak_memory()?),
        faults: validated.problem_count.or(Some(0)),
    };
    function.end().await?;
    Ok(figures)
}

async fn peers(
    scripts: &Path,
    python: &Path,
    file: File,
    path: &Path,
) -> anyhow::Result<Vec<Figures>> {
    let script = scripts.join("peers.py");
    let answer = ran(python, &[script.as_os_str(), path.as_os_str()]).await?;
    let peers: Vec<Peer> =
        serde_json::from_slice(&answer).context("what peers.py printed does not read")?;
    let bytes = fs::metadata(path)?.len();
    let figures = peers.into_iter().map(|peer| Figures {
        who: peer.who,
        file: file.name.to_owned(),
        rows: file.rows,
        megabytes: megabytes(bytes),
        seconds: round(peer.seconds),
        processor_seconds: round(peer.cpu_seconds),
        memory_mb: megabytes(peer.peak_rss_bytes),
        faults: peer.faults,
    });
    Ok(figures.collect())
}

async fn ran(python: &Path, arguments: &[&OsStr]) -> anyhow::Result<Vec<u8>> {
    let output = Command::new(python)
        .args(arguments)
        .kill_on_drop(true)
        .output()
        .await
        .with_context(|| format!("{} does not start; `make bench` makes it", python.display()))?;
    anyhow::ensure!(
        output.status.success(),
        "{arguments:?} failed:\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(output.stdout)
}

fn report(all: &[Figures]) -> anyhow::Result<Report> {
    let mut table = Table::new(
        "Tables of 12 columns, through validate-inputs and by others",
        [
            "file",
            "rows",
            "MB",
            "who",
            "seconds",
            "processor s",
            "memory MB",
            "faults",
            "× ours",
        ],
    );
    for one in all {
        let ours = all.iter().find(|it| it.file == one.file);
        let ratio = ours.map_or(1.0, |ours| one.seconds / ours.seconds);
        table.row([
            one.file.clone(),
            one.rows.to_string(),
            figure(one.megabytes),
            one.who.clone(),
            figure(one.seconds),
            figure(one.processor_seconds),
            figure(one.memory_mb),
            one.faults
                .map_or_else(|| "–".to_owned(), |it| it.to_string()),
            figure(round(ratio)),
        ]);
    }
    Report::new(&all, vec![table])
}
