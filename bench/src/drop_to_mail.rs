//! One run after the other: from a dropped file to the model's first line, and from the model's
//! last line to the mail.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use dropcast_local_stack::processes_of;
use serde::Serialize;
use tokio::time::sleep;

use crate::floor::Floor;
use crate::init::FUNCTIONS;
use crate::logs::{self, Invocation};
use crate::machine;
use crate::numbers::{Nanos, Spread, megabytes, millis, round};
use crate::report::Report;
use crate::stack::{Bench, Setup, is_function, model_moments};
use crate::table::{Table, at_most, figure};

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
    drop_to_start_ms: Leg,
    end_to_mail_ms: Leg,
    /// `VmHWM` of the functions' processes after all runs; the largest where there are several.
    functions_memory_mb: BTreeMap<&'static str, f64>,
    floor: Floor,
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

/// Measures on a stack of the real functions.
pub(crate) async fn measure(
    repository: &Path,
    binaries: &Path,
    runs: usize,
    floor: &Floor,
) -> anyhow::Result<Report> {
    let bench = Bench::start(repository, binaries, Setup::default()).await?;
    bench.register().await?;
    let mut jobs_seen: BTreeSet<PathBuf> = BTreeSet::new();
    let mut moments = Vec::new();
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
    }
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
    let functions_memory_mb = memory(&bench)?;
    bench.stop().await;
    let figures = Figures {
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
        functions_memory_mb,
        floor: floor.clone(),
    };
    report(&figures, runs)
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

/// The peak memory of every function that ran, from its processes.
fn memory(bench: &Bench) -> anyhow::Result<BTreeMap<&'static str, f64>> {
    let stack = bench.connection();
    let mut found: BTreeMap<&'static str, f64> = BTreeMap::new();
    for pid in processes_of(&stack.mark) {
        let Some(name) = machine::variable_of(pid, "AWS_LAMBDA_FUNCTION_NAME") else {
            continue;
        };
        let Some(function) = FUNCTIONS.into_iter().find(|one| is_function(&name, one)) else {
            continue;
        };
        let peak = megabytes(machine::peak_memory(pid)?);
        let most = found.entry(function).or_default();
        *most = most.max(peak);
    }
    Ok(found)
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
    for (name, leg) in [
        ("drop → model's first line", &figures.drop_to_start_ms),
        ("model's end → mail", &figures.end_to_mail_ms),
    ] {
        table.row([
            name.to_owned(),
            figure(leg.measured.p50),
            figure(leg.measured.p90),
            at_most(TARGET_MS, leg.measured.p50),
            figure(leg.floor.p50),
            figure(leg.ours),
            figure(leg.functions.p50),
        ]);
    }
    let mut functions = Table::new(
        "The functions on that way: duration by REPORT (ms), memory after all runs",
        ["function", "p50", "p90", "memory MB"],
    );
    let legs = [&figures.drop_to_start_ms, &figures.end_to_mail_ms];
    for (function, spread) in legs.iter().flat_map(|leg| &leg.by_function) {
        let memory = figures.functions_memory_mb.get(*function);
        functions.row([
            (*function).to_owned(),
            figure(spread.p50),
            figure(spread.p90),
            memory.map_or("–".to_owned(), |memory| figure(*memory)),
        ]);
    }
    let tables = vec![table, figures.floor.table(), functions];
    Ok(Report::new(figures, tables)?.note(
        "floor: the same hops with empty functions. ours: measured less floor, dropcast-job included.",
    ))
}
