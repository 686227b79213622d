//! `dropcast runs`.

use comfy_table::{Cell, CellAlignment};
use dropcast_api_types::RunSummary;
use dropcast_app::runs::{RunFilter, list_runs};
use dropcast_domain::{ids::RunId, run::Run};
use dropcast_store::Runs as _;
use jiff::SignedDuration;

use crate::{
    args, clock,
    exit::{Exit, Stop},
    screen::{Paint, Screen, status_cell},
    stack::Stack,
    words,
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
    screen.show(&document, |paint| text(&document, args, stack, paint))?;
    Ok(Exit::Done)
}

/// A run's record.
pub async fn find(stack: &Stack, id: &RunId) -> anyhow::Result<Run> {
    let found = stack.store.get(id).await?;
    found.ok_or_else(|| {
        Stop::new(
            Exit::NotFound,
            format!("There is no run {id} on the stack {}.", stack.name),
        )
        .advice(format!("`{} runs` lists runs.", stack.command()))
        .into()
    })
}

fn text(
    document: &dropcast_api_types::Runs,
    args: &args::Runs,
    stack: &Stack,
    paint: Paint,
) -> String {
    if document.runs.is_empty() {
        let what = if args.open { "open runs" } else { "runs" };
        let whose = args
            .model
            .as_ref()
            .map_or_else(String::new, |model| format!(" of {model}"));
        return format!(
            "There are no {what}{whose}. Drop a file with `{} submit FILE -m MODEL`.\n",
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
            Cell::new(words::printable(&format!(
                "{}{version}{}",
                run.model,
                words::of_kind(run.kind)
            ))),
            Cell::new(words::moment_in_column(run.uploaded_at)),
            Cell::new(words::length(elapsed)).set_alignment(CellAlignment::Right),
            Cell::new(words::printable(&run.title)),
        ]
    });
    let table = paint.list(
        &["Run", "Status", "Model", "Dropped (UTC)", "Took", "Title"],
        rows,
    );
    format!("{table}\n")
}
