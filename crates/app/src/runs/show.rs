//! Everything about one run: its record, timeline, problems, outputs with links, and log.

use std::time::Duration;

use dropcast_api_types::{OutputView, RunDetail, RunDetailParts};
use dropcast_aws::{CallError, ports::ResultFiles};
use dropcast_domain::{output::MARKED_FILE, problem::ProblemList, run::Run, status::Status};
use dropcast_store::{History, StoreError};
use jiff::{SignedDuration, Timestamp};
use thiserror::Error;

use super::load_run_history;

/// Why a run could not be shown.
#[derive(Debug, Error)]
pub enum ShowRunError {
    /// The runs table refused a call or could not be reached.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A link could not be signed.
    #[error("the links to the outputs could not be signed")]
    Link(#[source] CallError),
    /// The list of problems could not be read.
    #[error("the problems in {uri} could not be read")]
    Problems {
        /// The address of the list.
        uri: String,
        /// The failed call.
        #[source]
        source: CallError,
    },
    /// The list of problems is invalid.
    #[error("{uri} is not a list of problems")]
    InvalidProblems {
        /// The address of the list.
        uri: String,
        /// What is wrong with it.
        #[source]
        source: serde_json::Error,
    },
}

/// Loads everything about a run, with links that are valid for `link_lifetime`. `stack` is the name
/// by which the document refers to the stack.
pub async fn show_run<S: History, R: ResultFiles>(
    store: &S,
    results: &R,
    stack: &str,
    run: &Run,
    link_lifetime: Duration,
    now: Timestamp,
) -> Result<RunDetail, ShowRunError> {
    let history = load_run_history(store, &run.id).await?;
    let mut outputs = Vec::new();
    for output in &run.outputs {
        let url = results.presign(output, link_lifetime).await;
        let url = url.map_err(ShowRunError::Link)?;
        outputs.push(OutputView::of(output, results.bucket(), url));
    }
    let marked_copy = match run.opened(MARKED_FILE).filter(|_| run.marked) {
        Some(copy) => {
            let url = results.presign(&copy, link_lifetime).await;
            Some(url.map_err(ShowRunError::Link)?)
        }
        None => None,
    };
    let lifetime = SignedDuration::try_from(link_lifetime).unwrap_or_default();
    let parts = RunDetailParts {
        timeline: history.timeline,
        problems: load_problems(results, run).await?,
        marked_copy,
        links_until: (!outputs.is_empty()).then(|| now.saturating_add(lifetime).unwrap_or(now)),
        outputs,
        log: history.log,
    };
    Ok(RunDetail::of(stack, run, parts, now))
}

/// Loads the problems of a rejected input. A run that was rejected for its key has none.
async fn load_problems<R: ResultFiles>(
    results: &R,
    run: &Run,
) -> Result<ProblemList, ShowRunError> {
    if run.status() != Status::Rejected {
        return Ok(ProblemList::default());
    }
    let key = run.keys().problems();
    let uri = || format!("s3://{}/{key}", results.bucket());
    match results.read(&key).await {
        Ok(None) => Ok(ProblemList::default()),
        Ok(Some(content)) => serde_json::from_slice(&content)
            .map_err(|source| ShowRunError::InvalidProblems { uri: uri(), source }),
        Err(source) => Err(ShowRunError::Problems { uri: uri(), source }),
    }
}
