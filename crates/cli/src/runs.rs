//! `dropcast runs`.

use comfy_table::{Cell, CellAlignment};
use dropcast_api_types::RunSummary;
use dropcast_app::runs::{RunFilter, list_runs};
use dropcast_domain::{ids::RunId, run::Run};
use dropcast_store::Runs as _;
use jiff::SignedDuration;

use crate::{
    args, clock,
    exit::{CliError, Exit},
    messages,
    screen::{Screen, Style, status_cell},
    stack::Stack,
};

/// Lists runs.
pub async fn run(args: &args::Runs, stack: &Stack, screen: Screen) -> anyhow::Result<Exit> {
    let now = clock::now();
    let filter = RunFilter {
        model: args.model.as_deref(),
        open: args.open,
        limit: args.limit,
    };
    let found = list_runs(&stack.store, filter).await?;
    let document = dropcast_api_types::Runs {
        stack: stack.name.clone(),
        runs: found.iter().map(|run| RunSummary::of(run, now)).collect(),
    };
    screen.show(&document, |style| render(&document, args, stack, style))?;
    Ok(Exit::Done)
}

/// Finds a run's record.
pub async fn find_run(stack: &Stack, id: &RunId) -> anyhow::Result<Run> {
    let found = stack.store.get(id).await?;
    found.ok_or_else(|| {
        CliError::new(
            Exit::NotFound,
            format!("There is no run {id} on the stack {}.", stack.name),
        )
        .advice(format!("`{} runs` lists runs.", stack.command()))
        .into()
    })
}

fn render(
    document: &dropcast_api_types::Runs,
    args: &args::Runs,
    stack: &Stack,
    style: Style,
) -> String {
    if document.runs.is_empty() {
        let what = if args.open { "open runs" } else { "runs" };
        let whose = args
            .model
            .as_ref()
            .map_or_else(String::new, |model| format!(" of {model}"));
        return format!(
            "There are no {what}{whose}. Submit a file with `{} submit FILE -m MODEL`.\n",
            stack.command()
        );
    }
    let rows = document.runs.iter().map(|run| {
        let version = run
            .version
            .map_or_else(String::new, |version| format!(" v{version}"));
        let elapsed = SignedDuration::try_from_secs_f64(run.elapsed_seconds).unwrap_or_default();
        vec![
            Cell::new(&run.id),
            status_cell(run.status),
            Cell::new(messages::sanitize(&format!(
                "{}{version}{}",
                run.model,
                messages::describe_kind(run.kind)
            ))),
            Cell::new(messages::format_timestamp_in_column(run.uploaded_at)),
            Cell::new(messages::format_duration(elapsed)).set_alignment(CellAlignment::Right),
            Cell::new(messages::sanitize(&run.title)),
        ]
    });
    let table = style.format_list(
        &["Run", "Status", "Model", "Uploaded (UTC)", "Took", "Title"],
        rows,
    );
    format!("{table}\n")
}
