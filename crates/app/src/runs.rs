//! Runs: starting, cancelling, ending, listing and showing them.

mod cancel;
mod finish;
mod show;
mod start;

use std::collections::BTreeMap;

pub use cancel::{CancelOutcome, CancelRunError, cancel_run};
use dropcast_domain::{
    ids::RunId,
    run::Run,
    status::{Transition, in_order},
};
use dropcast_store::{History, StoreResult};
pub use finish::{FinishRunError, RunEnd, finish_run};
use futures::{StreamExt as _, TryStreamExt as _, stream};
pub use show::{ShowRunError, show_run};
pub use start::{StartRunError, start_run};

/// How many models' runs are asked for at the same time.
const CONCURRENT_QUERIES: usize = 8;

/// Which runs are listed.
#[derive(Debug, Clone, Copy)]
pub struct RunFilter<'a> {
    /// Those of one model only.
    pub model: Option<&'a str>,
    /// Those that are not over only.
    pub open: bool,
    /// How many, the newest first.
    pub limit: u16,
}

/// Lists runs, the newest first and each once.
pub async fn list_runs<S: History>(store: &S, filter: RunFilter<'_>) -> StoreResult<Vec<Run>> {
    let RunFilter { model, open, limit } = filter;
    let found = match (model, open) {
        (Some(model), false) => store.runs_of(model, limit).await?,
        // Open runs are few, and the store lists the oldest first: all are read for the newest.
        (Some(model), true) => store.open_runs_of(model, u16::MAX).await?,
        (None, true) => store.open_runs(u16::MAX).await?,
        (None, false) => {
            let models = store.models().await?;
            let mut found = store.open_runs(limit).await?;
            let of_models: Vec<Vec<Run>> = stream::iter(models)
                .map(async |model| store.runs_of(model.name.as_str(), limit).await)
                .buffer_unordered(CONCURRENT_QUERIES)
                .try_collect()
                .await?;
            found.extend(of_models.into_iter().flatten());
            found
        }
    };
    Ok(newest(found, usize::from(limit)))
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
    let mut runs: Vec<Run> = by_id.into_values().collect();
    runs.sort_by(|one, other| (other.upload.at, &other.id).cmp(&(one.upload.at, &one.id)));
    runs.truncate(limit);
    runs
}

/// What the table keeps of a run besides its record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunHistory {
    /// Every step, in its order.
    pub timeline: Vec<Transition>,
    /// The last lines that a failed job logged.
    pub log: Vec<String>,
}

/// Loads what the table keeps of a run besides its record.
pub async fn load_run_history<S: History>(store: &S, run: &RunId) -> StoreResult<RunHistory> {
    Ok(RunHistory {
        timeline: in_order(store.timeline(run).await?),
        log: store.log(run).await?,
    })
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
            sequencer: Some(second.to_string()),
            bytes: 1,
            at,
        };
        Run {
            current: Transition {
                progress: Progress::first(status),
                at,
            },
            ..Run::received(upload, at)
        }
    }

    #[test]
    fn each_run_is_listed_once_with_its_latest_status_and_the_newest_comes_first() {
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
