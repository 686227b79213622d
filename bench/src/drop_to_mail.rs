//! One run after the other: from a dropped file to the model's first line, and from the model's
//! last line to the mail; with the functions as they are deployed, and built for size.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::Context as _;
use dropcast_local_stack::processes_of;
use serde::Serialize;
use tokio::time::sleep;

use crate::{
    floor::Floor,
    init::FUNCTIONS,
    logs::{self, Invocation},
    machine,
    numbers::{Nanos, Spread, megabytes, millis, round},
    report::Report,
    stack::{Bench, Setup, is_function, link_programs, model_moments},
    table::{Table, at_most, figure},
};

const TARGET_MS: f64 = 600.0;
const RUN_LIMIT: Duration = Duration::from_mins(1);
/// Between two runs, so that what the first one still sets off does not delay the second.
const PAUSE: Duration = Duration::from_millis(300);
/// The functions that a file waits for before its model runs, and a mail after it has.
const BEFORE: [&str; 3] = ["start-run", "validate-inputs", "submit-job"];
const AFTER: [&str; 5] = [
    "track-job",
    "index-outputs",
    "finish-run",
    "announce-run",
    "notify",
];

/// The moments of one run.
#[derive(Debug, Clone, Copy)]
struct Moments {
    dropped: Nanos,
    model_began: Nanos,
    model_ended: Nanos,
    mailed: Nanos,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Figures {
    deployed: Runs,
    for_size: Runs,
    floor: Floor,
}

/// The runs with the functions of one build.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Runs {
    drop_to_start_ms: Leg,
    end_to_mail_ms: Leg,
    /// The processor time of a function, by run.
    processor_ms: BTreeMap<&'static str, f64>,
    /// `VmHWM` of the functions' processes after all runs; the largest where there are several.
    memory_mb: BTreeMap<&'static str, f64>,
}

/// One half of the way.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Leg {
    measured: Spread,
    series: Vec<f64>,
    /// The same hops with empty functions: what the emulator and the local Batch take.
    floor: Spread,
    /// The median less the floor's median.
    ours: f64,
    /// The functions' durations from their REPORT lines, summed per run.
    functions: Spread,
    by_function: BTreeMap<&'static str, Spread>,
}

/// Measures on stacks of the real functions, of the deployed programs and of those built for size.
pub(crate) async fn measure(
    repository: &Path,
    [binaries, size]: [&Path; 2],
    runs: usize,
    floor: &Floor,
) -> anyhow::Result<Report> {
    let for_size = link_programs(|function| size.join(function), binaries)?;
    let figures = Figures {
        deployed: measure_runs(repository, binaries, runs, floor).await?,
        for_size: measure_runs(repository, for_size.path(), runs, floor).await?,
        floor: floor.clone(),
    };
    report(&figures, runs)
}

async fn measure_runs(
    repository: &Path,
    binaries: &Path,
    runs: usize,
    floor: &Floor,
) -> anyhow::Result<Runs> {
    let bench = Bench::start(repository, binaries, Setup::default()).await?;
    bench.register().await?;
    let mut jobs_seen: BTreeSet<PathBuf> = BTreeSet::new();
    let mut moments = Vec::new();
    let mut used_by_first = BTreeMap::new();
    for number in 0..=runs {
        let (file, recipient) = (format!("{number}.json"), recipient(number));
        let dropped = bench.drop_file(&file, &recipient).await?;
        bench.until_mails(number + 1, RUN_LIMIT).await?;
        let new = bench
            .job_folders()
            .into_iter()
            .find(|job| jobs_seen.insert(job.clone()))
            .context("a mail came without a job")?;
        let (model_began, model_ended) = model_moments(&new)?;
        moments.push((dropped, model_began, model_ended));
        sleep(PAUSE).await;
        if number == 0 {
            used_by_first = processor_times(&bench)?;
        }
    }
    let used = processor_times(&bench)?;
    let mails = bench.connection().mailbox().await?;
    let mut all = Vec::new();
    for (number, (dropped, model_began, model_ended)) in moments.into_iter().enumerate().skip(1) {
        let recipient = recipient(number);
        let mail = mails
            .iter()
            .find(|mail| mail.to.contains(&recipient))
            .with_context(|| format!("{recipient} was not mailed"))?;
        let mailed = mail.at.as_nanosecond();
        all.push(Moments {
            dropped,
            model_began,
            model_ended,
            mailed,
        });
    }
    let mut invocations = BTreeMap::new();
    for function in FUNCTIONS {
        let found = logs::invocations(bench.connection(), function).await?;
        invocations.insert(function, found);
    }
    let memory_mb = memory(&bench)?;
    bench.stop().await;
    Ok(Runs {
        drop_to_start_ms: Leg::of(
            &all,
            |run| millis(run.dropped, run.model_began),
            floor.drop_to_start,
            &BEFORE,
            &invocations,
        ),
        end_to_mail_ms: Leg::of(
            &all,
            |run| millis(run.model_ended, run.mailed),
            floor.end_to_mail,
            &AFTER,
            &invocations,
        ),
        processor_ms: per_run(&used_by_first, &used, runs),
        memory_mb,
    })
}

fn recipient(number: usize) -> String {
    format!("run-{number}@corp.example")
}

impl Leg {
    fn of(
        runs: &[Moments],
        span: impl Fn(&Moments) -> f64,
        floor: Spread,
        functions: &[&'static str],
        invocations: &BTreeMap<&str, Vec<Invocation>>,
    ) -> Self {
        let mut by_function: BTreeMap<&'static str, Vec<f64>> = BTreeMap::new();
        let mut sums = Vec::new();
        for run in runs {
            let mut sum = 0.0;
            for function in functions {
                // Of several invocations of one run it is the last that the mail waits for.
                let all = invocations.get(function).map_or(&[][..], Vec::as_slice);
                let until = run.mailed + PAUSE.as_nanos().cast_signed();
                if let Some(one) = logs::last_within(all, run.dropped, until) {
                    by_function.entry(function).or_default().push(one.millis);
                    sum += one.millis;
                }
            }
            sums.push(sum);
        }
        let series: Vec<f64> = runs.iter().map(|run| round(span(run))).collect();
        let measured = Spread::of(series.iter().copied());
        Self {
            ours: round(measured.p50 - floor.p50),
            measured,
            series,
            floor,
            functions: Spread::of(sums),
            by_function: by_function
                .into_iter()
                .map(|(function, series)| (function, Spread::of(series)))
                .collect(),
        }
    }
}

/// The processes of the functions.
fn processes(bench: &Bench) -> impl Iterator<Item = (u32, &'static str)> {
    let processes = processes_of(&bench.connection().mark).into_iter();
    processes.filter_map(|pid| {
        let name = machine::variable_of(pid, "AWS_LAMBDA_FUNCTION_NAME")?;
        let mut functions = FUNCTIONS.into_iter();
        Some((pid, functions.find(|one| is_function(&name, one))?))
    })
}

/// The peak memory of every function that ran.
fn memory(bench: &Bench) -> anyhow::Result<BTreeMap<&'static str, f64>> {
    let mut found: BTreeMap<&'static str, f64> = BTreeMap::new();
    for (pid, function) in processes(bench) {
        let peak = megabytes(machine::peak_memory(pid)?);
        let most = found.entry(function).or_default();
        *most = most.max(peak);
    }
    Ok(found)
}

/// The processor time that each function's processes have used so far.
fn processor_times(bench: &Bench) -> anyhow::Result<BTreeMap<(u32, &'static str), Duration>> {
    let with_time = |(pid, function)| Ok(((pid, function), machine::processor_time(pid)?));
    processes(bench).map(with_time).collect()
}

/// Milliseconds of processor time by run of what the first run, which starts the functions, has not used.
fn per_run(
    used_by_first: &BTreeMap<(u32, &'static str), Duration>,
    used: &BTreeMap<(u32, &'static str), Duration>,
    runs: usize,
) -> BTreeMap<&'static str, f64> {
    let mut found: BTreeMap<&'static str, Duration> = BTreeMap::new();
    for (process, time) in used {
        let before = used_by_first.get(process).copied().unwrap_or_default();
        *found.entry(process.1).or_default() += time.saturating_sub(before);
    }
    let runs = u32::try_from(runs).unwrap_or(u32::MAX).max(1);
    let by_run = |time: Duration| round((time / runs).as_secs_f64() * 1e3);
    found
        .into_iter()
        .map(|(function, time)| (function, by_run(time)))
        .collect()
}

fn report(figures: &Figures, runs: usize) -> anyhow::Result<Report> {
    let mut table = Table::new(
        &format!("A dropped file on the local stack, {runs} runs one after the other (ms)"),
        [
            "leg",
            "p50",
            "p90",
            "target",
            "floor p50",
            "ours p50",
            "functions p50",
        ],
    );
    let builds = [
        ("", &figures.deployed),
        (", built for size", &figures.for_size),
    ];
    for (build, runs) in builds {
        for (name, leg) in [
            ("drop → model's first line", &runs.drop_to_start_ms),
            ("model's end → mail", &runs.end_to_mail_ms),
        ] {
            table.row([
                format!("{name}{build}"),
                figure(leg.measured.p50),
                figure(leg.measured.p90),
                at_most(TARGET_MS, leg.measured.p50),
                figure(leg.floor.p50),
                figure(leg.ours),
                figure(leg.functions.p50),
            ]);
        }
    }
    let tables = vec![table, figures.floor.table(), functions_table(figures)];
    Ok(Report::new(figures, tables)?.note(
        "floor: the same hops with empty functions. ours: measured less floor, dropcast-job included.",
    ))
}

fn functions_table(figures: &Figures) -> Table {
    let mut table = Table::new(
        "The functions on that way: processor time by run, duration by REPORT (ms), memory after all runs",
        [
            "function",
            "processor ms",
            "for size",
            "× speed",
            "duration p50",
            "p90",
            "for size p50",
            "memory MB",
            "for size",
        ],
    );
    let (deployed, for_size) = (&figures.deployed, &figures.for_size);
    let known = |value: Option<f64>| value.map_or("–".to_owned(), figure);
    for function in BEFORE.into_iter().chain(AFTER) {
        let processor = |runs: &Runs| runs.processor_ms.get(function).copied();
        let duration = |runs: &Runs| {
            let legs = [&runs.drop_to_start_ms, &runs.end_to_mail_ms];
            legs.into_iter()
                .find_map(|leg| leg.by_function.get(function).copied())
        };
        let memory = |runs: &Runs| runs.memory_mb.get(function).copied();
        let ratio = processor(for_size)
            .zip(processor(deployed))
            .map(|(size, speed)| size / speed);
        table.row([
            function.to_owned(),
            known(processor(deployed)),
            known(processor(for_size)),
            known(ratio),
            known(duration(deployed).map(|spread| spread.p50)),
            known(duration(deployed).map(|spread| spread.p90)),
            known(duration(for_size).map(|spread| spread.p50)),
            known(memory(deployed)),
            known(memory(for_size)),
        ]);
    }
    table
}
