//! `dropcast show`: everything about one run.

use std::time::Duration;

use comfy_table::{Cell, CellAlignment};
use dropcast_api_types::{RunDetail, Step};
use dropcast_app::runs::{ShowRunError, show_run};
use dropcast_aws::s3::Bucket;
use dropcast_domain::{
    cancellation::Cancellation, problem::ProblemList, recipient::MAX_RECIPIENTS, run::Run,
    status::Progress,
};
use jiff::{SignedDuration, Timestamp};

use crate::{
    args::Show,
    clock,
    exit::{CliError, Exit, REACH_ADVICE, join_causes},
    messages, problems, reading, runs,
    screen::{Screen, Style},
    stack::Stack,
};

/// How long links are valid by default.
pub const DEFAULT_LINK_LIFETIME: Duration = Duration::from_hours(1);

/// The maximum lifetime of a presigned URL of S3, in seconds. See
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/ShareObjectPreSignedURL.html>.
const MAX_LINK_SECONDS: u64 = 7 * 86_400;

/// Shows a run.
pub async fn run(args: &Show, stack: &Stack, screen: Screen) -> anyhow::Result<Exit> {
    if args.links_for.as_secs() > MAX_LINK_SECONDS {
        return Err(CliError::new(
            Exit::Usage,
            "--links-for can be at most 7d, the maximum lifetime of S3's presigned URLs.",
        )
        .into());
    }
    let run = runs::find_run(stack, &args.run).await?;
    let detail = load_detail(stack, &run, args.links_for, clock::now()).await?;
    screen.show(&detail, |style| render(&detail, style))?;
    Ok(Exit::Done)
}

/// Loads everything about a run.
pub async fn load_detail(
    stack: &Stack,
    run: &Run,
    link_lifetime: Duration,
    now: Timestamp,
) -> anyhow::Result<RunDetail> {
    let results = Bucket::new(stack.s3.clone(), &stack.results_bucket);
    let shown = show_run(&stack.store, &results, &stack.name, run, link_lifetime, now).await;
    shown.map_err(|error| match error {
        ShowRunError::Link(_) | ShowRunError::Problems { .. } => {
            let message = format!("The run cannot be shown: {}.", join_causes(&error));
            CliError::new(Exit::NoStack, message)
                .advice(REACH_ADVICE)
                .into()
        }
        ShowRunError::Store(_) | ShowRunError::InvalidProblems { .. } => error.into(),
    })
}

/// Renders the run as text.
pub fn render(detail: &RunDetail, style: Style) -> String {
    let mut sections = vec![render_head(detail, style)];
    sections.push(format!(
        "{}\n{}\n",
        style.bold("Timeline (UTC)"),
        render_timeline(&detail.timeline, style)
    ));
    if let Some(failure) = &detail.summary.failure {
        sections.push(format!(
            "{}  {}\n{}\n",
            style.failure("What happened:"),
            messages::sanitize(&failure.message),
            style.dim(&format!("What to do:     {}", failure.advice))
        ));
    }
    if !detail.problems.is_empty() {
        sections.push(render_problem_list(detail, style));
    }
    if !detail.log.is_empty() {
        let lines = detail
            .log
            .iter()
            .map(|line| format!("  {}", messages::sanitize(line)));
        let lines = messages::join_lines(lines);
        sections.push(format!(
            "{}\n{lines}",
            style.bold("The model's last log lines")
        ));
    }
    if !detail.outputs.is_empty() {
        sections.push(render_outputs(detail, style));
    }
    sections.join("\n")
}

fn render_head(detail: &RunDetail, style: Style) -> String {
    let summary = &detail.summary;
    let version = summary
        .version
        .map_or_else(String::new, |version| format!(" v{version}"));
    let took = messages::format_duration(to_duration(summary.elapsed_seconds));
    let mut facts = vec![
        ("Run", summary.id.to_string()),
        ("Title", style.bold(&messages::sanitize(&summary.title))),
        (
            "Status",
            format!(
                "{} {} {took}",
                style.status(summary.status),
                if summary.over { "after" } else { "for" }
            ),
        ),
        (
            "Model",
            format!(
                "{}{version}{}",
                messages::sanitize(&summary.model),
                messages::describe_kind(summary.kind)
            ),
        ),
        (
            "File",
            format!(
                "{} ({})",
                messages::sanitize(&detail.file.key),
                messages::format_size(detail.file.bytes)
            ),
        ),
    ];
    facts.extend(detail.reading.iter().flat_map(reading::list_fields));
    facts.extend([
        ("Uploaded", messages::format_timestamp(summary.uploaded_at)),
        ("Notify", messages::sanitize(&detail.notify.join(", "))),
        ("Not mailed", messages::sanitize(&list_not_mailed(detail))),
        (
            "Job",
            detail
                .job
                .as_ref()
                .map(ToString::to_string)
                .unwrap_or_default(),
        ),
        (
            "Cancellation",
            detail
                .cancellation
                .as_ref()
                .map(describe_cancellation)
                .unwrap_or_default(),
        ),
    ]);
    style.format_fields(&facts)
}

fn describe_cancellation(request: &Cancellation) -> String {
    let reason = request.reason.as_ref();
    let reason = reason.map_or_else(String::new, |reason| format!(": “{reason}”"));
    messages::sanitize(&format!(
        "requested {} by {}{reason}",
        messages::format_timestamp(request.at),
        request.requester()
    ))
}

/// The entries of the uploader's list that are not mailed, and why.
fn list_not_mailed(detail: &RunDetail) -> String {
    let beyond = format!("(beyond the first {MAX_RECIPIENTS})");
    let left_out = detail.notify_left_out.iter();
    let entries: Vec<String> = detail
        .notify_unusable
        .iter()
        .map(|entry| format!("{entry} (not an address)"))
        .chain(left_out.map(|address| format!("{address} {beyond}")))
        .collect();
    entries.join(", ")
}

fn render_timeline(steps: &[Step], style: Style) -> String {
    style.format_list(
        &[],
        steps.iter().map(|step| {
            let progress = Progress {
                attempts: step.attempts,
                status: step.status,
            };
            vec![
                Cell::new(messages::format_time_of_day(step.at)),
                Cell::new(format!(
                    "+{}",
                    messages::format_duration(to_duration(step.after_seconds))
                ))
                .set_alignment(CellAlignment::Right),
                crate::screen::status_cell(step.status),
                Cell::new(messages::describe_attempt(progress)),
            ]
        }),
    )
}

/// The problems of the file, and the link to its marked copy.
fn render_problem_list(detail: &RunDetail, style: Style) -> String {
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
        style.bold("Problems"),
        problems::render(&list, style)
    )
}

fn render_outputs(detail: &RunDetail, style: Style) -> String {
    let mut lines = vec![style.bold("Outputs")];
    for output in &detail.outputs {
        let facts = format!(
            "{} · {} · {}",
            messages::sanitize(&output.path),
            output.kind.as_str(),
            messages::format_size(output.bytes)
        );
        lines.push(format!(
            "  {}  {}",
            messages::sanitize(&output.title),
            style.dim(&facts)
        ));
        lines.push(format!("  {}", output.url));
    }
    let listed = detail.outputs.len() as u64;
    if detail.output_count > listed {
        lines.push(format!(
            "  and {}, listed in the manifest: s3://{}/{}",
            messages::format_count(detail.output_count - listed, "more file"),
            detail.outputs.first().map_or("", |output| &output.bucket),
            detail.manifest_key
        ));
    }
    if let Some(until) = detail.links_until {
        lines.push(style.dim(&format!(
            "  The links are valid until {}, or until your credentials expire, if that is earlier.",
            messages::format_timestamp(until)
        )));
    }
    lines.push(String::new());
    lines.join("\n")
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "no run takes 292 million years"
)]
fn to_duration(seconds: f64) -> SignedDuration {
    SignedDuration::from_millis((seconds * 1_000.0).round() as i64)
}
