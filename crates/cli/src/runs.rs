//! `dropcast runs`.

use std::collections::BTreeMap;

use comfy_table::{Cell, CellAlignment};
use dropcast_api_types::RunSummary;
use dropcast_domain::run::Run;
use dropcast_store::History as _;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use jiff::SignedDuration;

use crate::{
    args::Runs,
    clock,
    exit::Exit,
    screen::{Paint, Screen, status_cell},
    stack::Stack,
    words,
};

/// How many models' runs are asked for at the same time.
const AT_ONCE: usize = 8;

/// Lists runs.
pub async fn run(args: &Runs, stack: &Stack, screen: Screen) -> anyhow::Result<Exit> {
    let now = clock::now();
    let found = matching(args, stack).await?;
    let document = dropcast_api_types::Runs {
        stack: stack.name.clone(),
        runs: found.iter().map(|run| RunSummary::of(run, now)).collect(),
    };
    screen.show(&document, |paint| text(&document, args, stack, paint))?;
    Ok(Exit::Done)
}

async fn matching(args: &Runs, stack: &Stack) -> anyhow::Result<Vec<Run>> {
    let store = &stack.store;
    let found = match (args.model.as_deref(), args.open) {
        (Some(model), false) => store.runs_of(model, args.limit).await?,
        (model, true) => {
            // The open ones are few; the limit counts those of the model.
            let open = store.open_runs(u16::MAX).await?;
            open.into_iter()
                .filter(|run| model.is_none_or(|model| run.request.model == model))
                .collect()
        }
        (None, false) => {
            let models = store.models().await?;
            let mut found = store.open_runs(args.limit).await?;
            let of_models: Vec<Vec<Run>> = stream::iter(models)
                .map(async |model| store.runs_of(model.name.as_str(), args.limit).await)
                .buffer_unordered(AT_ONCE)
                .try_collect()
                .await?;
            found.extend(of_models.into_iter().flatten());
            found
        }
    };
    Ok(newest(found, usize::from(args.limit)))
}

/// Each run once, the newest first. Two indexes may disagree for a moment
/// about a run; the record that got further is the later one.
fn newest(found: Vec<Run>, limit: usize) -> Vec<Run> {
    let mut by_id: BTreeMap<String, Run> = BTreeMap::new();
    for run in found {
        let id = run.id.to_string();
        let known = by_id.get(&id).map(|run| run.current.progress.order());
        if known.is_none_or(|order| order < run.current.progress.order()) {
            by_id.insert(id, run);
        }
    }
    by_id.into_values().rev().take(limit).collect()
}

fn text(document: &dropcast_api_types::Runs, args: &Runs, stack: &Stack, paint: Paint) -> String {
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

#[cfg(test)]
mod tests {
    use dropcast_domain::{
        status::{Progress, Status, Transition},
        upload::Upload,
    };
    use jiff::Timestamp;

    use super::*;

    fn run(second: i64, status: Status) -> Run {
        let at = Timestamp::from_second(second).unwrap();
        let upload = Upload {
            bucket: "in".into(),
            key: "inputs/m/a.json".into(),
            version_id: None,
            sequencer: Some("1".into()),
            bytes: 1,
            at,
        };
        Run {
            current: Transition {
                progress: Progress::first(status),
                at,
            },
            ..Run::begin(upload, at)
        }
    }

    #[test]
    fn each_run_is_listed_once_as_it_stands_later_and_the_newest_comes_first() {
        let found = vec![
            run(1, Status::Running),
            run(2, Status::Received),
            run(1, Status::Succeeded),
            run(3, Status::Failed),
        ];
        let listed: Vec<Status> = newest(found, 2).iter().map(Run::status).collect();
        assert_eq!(listed, [Status::Failed, Status::Received]);
        let listed = newest(vec![run(1, Status::Succeeded), run(1, Status::Running)], 9);
        assert_eq!(listed.len(), 1);
        assert_eq!(listed[0].status(), Status::Succeeded);
    }
}
