//! Lists what the job wrote and publishes the declared outputs.

mod config;
mod error;
mod event;
mod index;
mod results;

pub use config::Config;
use dropcast_domain::{
    model::ModelName,
    run::Run,
    status::{Progress, Status, Transition},
    upload::RunKind,
};
use dropcast_lambda_kit::error::HandlerError;
use dropcast_store::{Models, Outputs, Runs, StoreError};
pub use error::Error;
pub use event::{Index, Indexed};
pub use index::{Indexer, Summary};
use jiff::Timestamp;
pub use results::Results;

#[derive(Debug)]
pub struct Deps<S, R> {
    pub store: S,
    pub results: R,
    pub now: fn() -> Timestamp,
}

/// Publishes the outputs of the attempt that succeeded.
pub async fn handle<S: Runs + Models + Outputs, R: Results>(
    deps: &Deps<S, R>,
    index: Index,
) -> Result<Indexed, HandlerError> {
    Ok(publish(deps, index).await?)
}

async fn publish<S: Runs + Models + Outputs, R: Results>(
    deps: &Deps<S, R>,
    index: Index,
) -> Result<Indexed, Error> {
    let Index {
        run_id,
        job_id,
        attempt,
    } = index;
    let run = deps
        .store
        .get(&run_id)
        .await?
        .ok_or_else(|| StoreError::NoSuchRun(run_id.clone()))?;
    let collecting = Progress {
        attempts: attempt,
        status: Status::Collecting,
    };
    deps.store
        .advance(
            &run_id,
            Transition {
                progress: collecting,
                at: (deps.now)(),
            },
        )
        .await?;
    // Only the named job's outputs count (invariant 3).
    if run.job.as_ref() != Some(&job_id) {
        return Err(Error::AnotherJob);
    }
    let declared = declarations(&deps.store, &run).await?;
    let indexer = Indexer::new(&run, &declared, &job_id, attempt)?;
    let summary = index::write_manifest(
        &deps.results,
        indexer,
        &run.keys().listing(&job_id, attempt),
    )
    .await?;
    tracing::info!(run.id = %run_id, objects = summary.count, "outputs listed");
    // A refresh writes the model's cache; the manifest's outputs are those of runs.
    if run.kind == RunKind::Run && !summary.missing.is_empty() {
        return Err(Error::Missing(summary.missing));
    }
    deps.store
        .publish(&run_id, &summary.headline, summary.count)
        .await?;
    Ok(Indexed {
        outcome: "indexed",
        count: summary.count,
    })
}

async fn declarations<S: Models>(
    store: &S,
    run: &Run,
) -> Result<Vec<dropcast_domain::model::OutputSpec>, Error> {
    let (Some(version), Ok(model)) = (run.version, run.request.model.parse::<ModelName>()) else {
        return Err(Error::NotAccepted);
    };
    let version = store
        .version(&model, version)
        .await?
        .ok_or(Error::NotAccepted)?;
    Ok(version.spec.manifest.outputs)
}
