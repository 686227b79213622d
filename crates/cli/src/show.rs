//! `dropcast show`: all that is known about one run.

use std::time::Duration;

use anyhow::Context as _;
use comfy_table::{Cell, CellAlignment};
use dropcast_api_types::{Around, OutputView, RunDetail, Step};
use dropcast_app::runs::load_run_history;
use dropcast_aws::s3::Bucket;
use dropcast_domain::{
    output::{MARKED_FILE, Output},
    problem::ProblemList,
    recipient::MAX_RECIPIENTS,
    run::Run,
    status::{Progress, Status},
};
use jiff::{SignedDuration, Timestamp};

use crate::{
    args::Show,
    clock,
    exit::{Exit, REACH_ADVICE, Stop, causes},
    problems, reading, runs,
    screen::{Paint, Screen},
    stack::Stack,
    words,
};

/// How long links work when nothing else is said.
pub const DEFAULT_LINKS: Duration = Duration::from_hours(1);

/// The longest that S3 lets a presigned URL work, in seconds. See
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/ShareObjectPreSignedURL.html>.
const MAX_LINKS: u64 = 7 * 86_400;

/// Shows a run.
pub async fn run(args: &Show, stack: &Stack, screen: Screen) -> anyhow::Result<Exit> {
    if args.links_for.as_secs() > MAX_LINKS {
        return Err(Stop::new(
            Exit::Usage,
            "--links-for is at most 7d: S3 signs no longer.",
        )
        .into());
    }
    let run = runs::find(stack, &args.run).await?;
    let detail = detail(stack, &run, args.links_for, clock::now()).await?;
    screen.show(&detail, |paint| text(&detail, paint))?;
    Ok(Exit::Done)
}

/// Collects what stands around a record: timeline, problems, links, log.
pub async fn detail(
    stack: &Stack,
    run: &Run,
    links_for: Duration,
    now: Timestamp,
) -> anyhow::Result<RunDetail> {
    let mut outputs = Vec::new();
    for output in &run.outputs {
        let url = link(stack, output, links_for).await?;
        outputs.push(OutputView::of(output, &stack.results_bucket, url));
    }
    let marked_copy = match run.opened(MARKED_FILE).filter(|_| run.marked) {
        Some(copy) => Some(link(stack, &copy, links_for).await?),
        None => None,
    };
    let lifetime = SignedDuration::try_from(links_for).unwrap_or_default();
    let history = load_run_history(&stack.store, &run.id).await?;
    let around = Around {
        timeline: history.timeline,
        problems: found_problems(stack, run).await?,
        marked_copy,
        links_until: (!outputs.is_empty()).then(|| now.saturating_add(lifetime).unwrap_or(now)),
        outputs,
        log: history.log,
    };
    Ok(RunDetail::of(&stack.name, run, around, now))
}

/// A presigned link that downloads an output under its own name and type.
async fn link(stack: &Stack, output: &Output, lifetime: Duration) -> anyhow::Result<String> {
    let bucket = Bucket::new(stack.s3.clone(), &stack.results_bucket);
    let signed = bucket.presign(output, lifetime).await;
    signed.map_err(|error| {
        let message = format!(
            "Links to the outputs could not be signed: {}.",
            causes(&error)
        );
        Stop::new(Exit::NoStack, message)
            .advice(REACH_ADVICE)
            .into()
    })
}

/// The problems of a rejected input. The list is kept in the results bucket; a
/// run that was rejected for its key alone has none.
async fn found_problems(stack: &Stack, run: &Run) -> anyhow::Result<ProblemList> {
    if run.status() != Status::Rejected {
        return Ok(ProblemList::default());
    }
    let key = run.keys().problems();
    let bucket = Bucket::new(stack.s3.clone(), &stack.results_bucket);
    let read = async {
        match bucket.open(&key, None).await? {
            Some(object) => object.read(u64::MAX).await.map(Some),
            None => Ok(None),
        }
    };
    match read.await {
        Ok(Some(content)) => serde_json::from_slice(&content)
            .with_context(|| format!("s3://{}/{key} does not read back", bucket.name())),
        Ok(None) => Ok(ProblemList::default()),
        Err(error) => {
            let message = format!(
                "The problems in s3://{}/{key} could not be read: {}.",
                bucket.name(),
                causes(&error)
            );
            Err(Stop::new(Exit::NoStack, message)
                .advice(REACH_ADVICE)
                .into())
        }
    }
}

/// The run as text.
pub fn text(detail: &RunDetail, paint: Paint) -> String {
    let mut sections = vec![head(detail, paint)];
    sections.push(format!(
        "{}\n{}\n",
        paint.bold("Timeline (UTC)"),
        timeline(&detail.timeline, paint)
    ));
    if let Some(failure) = &detail.summary.failure {
        sections.push(format!(
            "{}  {}\n{}\n",
            paint.bad("What happened:"),
            words::printable(&failure.message),
            paint.dim(&format!("What to do:     {}", failure.advice))
        ));
    }
    if !detail.problems.is_empty() {
        sections.push(problem_list(detail, paint));
    }
    if !detail.log.is_empty() {
        let lines = detail
            .log
            .iter()
            .map(|line| format!("  {}", words::printable(line)));
        let lines = words::lines(lines);
        sections.push(format!("{}\n{lines}", paint.bold("The model's last lines")));
    }
    if !detail.outputs.is_empty() {
        sections.push(outputs(detail, paint));
    }
    sections.join("\n")
}

fn head(detail: &RunDetail, paint: Paint) -> String {
    let summary = &detail.summary;
    let version = summary
        .version
        .map_or_else(String::new, |version| format!(" v{version}"));
    let took = words::length(millis(summary.elapsed_seconds));
    let mut facts = vec![
        ("Run", summary.id.to_string()),
        ("Title", paint.bold(&words::printable(&summary.title))),
        (
            "Status",
            format!(
                "{} {} {took}",
                paint.status(summary.status),
                if summary.over { "after" } else { "for" }
            ),
        ),
        (
            "Model",
            format!(
                "{}{version}{}",
                words::printable(&summary.model),
                words::of_kind(summary.kind)
            ),
        ),
        (
            "File",
            format!(
                "{} ({})",
                words::printable(&detail.file.key),
                words::size(detail.file.bytes)
            ),
        ),
    ];
    facts.extend(detail.reading.iter().flat_map(reading::facts));
    facts.extend([
        ("Dropped", words::moment(summary.uploaded_at)),
        ("Notify", words::printable(&detail.notify.join(", "))),
        ("Not mailed", words::printable(&not_mailed(detail))),
        (
            "Job",
            detail
                .job
                .as_ref()
                .map(ToString::to_string)
                .unwrap_or_default(),
        ),
    ]);
    paint.facts(&facts)
}

/// Who is not mailed, and why where the entry does not show it.
fn not_mailed(detail: &RunDetail) -> String {
    let beyond = format!("(beyond the first {MAX_RECIPIENTS})");
    let left_out = detail.notify_left_out.iter();
    let entries: Vec<String> = detail
        .notify_unusable
        .iter()
        .map(|entry| format!("{entry} (no address)"))
        .chain(left_out.map(|address| format!("{address} {beyond}")))
        .collect();
    entries.join(", ")
}

fn timeline(steps: &[Step], paint: Paint) -> String {
    paint.list(
        &[],
        steps.iter().map(|step| {
            let progress = Progress {
                attempts: step.attempts,
                status: step.status,
            };
            vec![
                Cell::new(words::time_of_day(step.at)),
                Cell::new(format!("+{}", words::length(millis(step.after_seconds))))
                    .set_alignment(CellAlignment::Right),
                crate::screen::status_cell(step.status),
                Cell::new(words::attempt(progress)),
            ]
        }),
    )
}

/// What is wrong with the file, and where its marked copy is.
fn problem_list(detail: &RunDetail, paint: Paint) -> String {
    let list = ProblemList {
        problems: detail.problems.clone(),
        more: detail.more_problems,
    };
    let copy = match &detail.marked_copy {
        Some(url) => format!("\n  A copy of the file with the faulty cells marked:\n  {url}\n"),
        None => String::new(),
    };
    format!(
        "{}\n{}{copy}",
        paint.bold("Problems"),
        problems::text(&list, paint)
    )
}

fn outputs(detail: &RunDetail, paint: Paint) -> String {
    let mut lines = vec![paint.bold("Outputs")];
    for output in &detail.outputs {
        let facts = format!(
            "{} · {} · {}",
            words::printable(&output.path),
            output.kind.as_str(),
            words::size(output.bytes)
        );
        lines.push(format!(
            "  {}  {}",
            words::printable(&output.title),
            paint.dim(&facts)
        ));
        lines.push(format!("  {}", output.url));
    }
    let listed = detail.outputs.len() as u64;
    if detail.output_count > listed {
        lines.push(format!(
            "  and {} that the manifest lists: s3://{}/{}",
            words::counted(detail.output_count - listed, "more file"),
            detail.outputs.first().map_or("", |output| &output.bucket),
            detail.manifest_key
        ));
    }
    if let Some(until) = detail.links_until {
        lines.push(paint.dim(&format!(
            "  The links work until {}, or until your credentials expire if that is sooner.",
            words::moment(until)
        )));
    }
    lines.push(String::new());
    lines.join("\n")
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "no run takes 292 million years"
)]
fn millis(seconds: f64) -> SignedDuration {
    SignedDuration::from_millis((seconds * 1_000.0).round() as i64)
}
