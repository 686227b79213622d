//! Checks the uploaded file against the version's schema.
//!
//! Problems with the file become a rejection. Errors of this function are failures that a retry
//! may fix, and defects of Dropcast.

mod config;
mod error;
mod event;
mod files;
mod rejection;
mod staged_files;

pub use config::Config;
use dropcast_app::{uploads::read_metadata, versions};
use dropcast_aws::s3::Object;
use dropcast_domain::{
    registry::RegisteredVersion,
    run::{Acceptance, AcceptedInput, Run},
    status::{Progress, Status, Transition},
    upload::RunKind,
};
use dropcast_inputs::file;
use dropcast_lambda_kit::error::HandlerError;
use dropcast_store::{History, Models, Promotion, Runs, StoreError, Validation, ValidationOutcome};
pub use error::Error;
pub use event::{Outcome, Validate};
pub use files::{Files, S3Files};
use jiff::Timestamp;
use rejection::RunRejection;

#[derive(Debug)]
pub struct Deps<S, F> {
    pub store: S,
    pub files: F,
    pub now: fn() -> Timestamp,
}

/// Accepts or rejects the run's input.
pub async fn handle<S, F>(deps: &Deps<S, F>, event: Validate) -> Result<Outcome, HandlerError>
where
    S: Runs + Models + Promotion + Validation + History,
    F: Files,
{
    Ok(validate(deps, event).await?)
}

async fn validate<S, F>(deps: &Deps<S, F>, event: Validate) -> Result<Outcome, Error>
where
    S: Runs + Models + Promotion + Validation + History,
    F: Files,
{
    let run_id = event.run_id;
    let run = deps
        .store
        .get(&run_id)
        .await?
        .ok_or_else(|| StoreError::NoSuchRun(run_id.clone()))?;
    let validating = Transition {
        progress: Progress::first(Status::Validating),
        at: (deps.now)(),
    };
    deps.store.advance(&run_id, validating).await?;

    let dropped = deps.files.open(&run.upload).await?;
    let metadata = read_metadata(&run, dropped.as_ref().map(|object| &object.metadata));
    match validate_input(deps, &run, dropped).await? {
        Ok((version, input)) => {
            let acceptance = Acceptance {
                version: version.version,
                input,
            };
            deps.store
                .record_validation(&run_id, &metadata, &ValidationOutcome::Accepted(acceptance))
                .await?;
            tracing::info!(run.id = %run_id, version = %version.version, "input accepted");
            Ok(Outcome::accepted(version.spec.manifest.job.wait_seconds()))
        }
        Err(rejection) => {
            deps.files
                .keep(
                    &run.keys().problems(),
                    "application/json",
                    rejection.problems_json()?,
                )
                .await?;
            let outcome = ValidationOutcome::Rejected {
                problem_count: rejection.problem_count(),
                version: rejection.version,
                marked: rejection.marked,
            };
            deps.store
                .record_validation(&run_id, &metadata, &outcome)
                .await?;
            tracing::info!(run.id = %run_id, code = %rejection.code, "input rejected");
            Ok(Outcome::rejected(&rejection))
        }
    }
}

/// The version that will run and its input, which a refresh has none of.
type Validated = Result<(RegisteredVersion, Option<AcceptedInput>), RunRejection>;

/// Makes all checks, the cheapest first.
async fn validate_input<S, F>(
    deps: &Deps<S, F>,
    run: &Run,
    dropped: Option<Object>,
) -> Result<Validated, Error>
where
    S: Models + Promotion + History,
    F: Files,
{
    if run.kind == RunKind::Refresh {
        // The content of the object that starts a refresh is ignored.
        let resolved = versions::resolve_refresh(&deps.store, &run.request, run.upload.at).await?;
        return Ok(resolved
            .map(|version| (version, None))
            .map_err(|error| RunRejection::unresolved(&error)));
    }
    let Some(dropped) = dropped else {
        return Ok(Err(RunRejection::deleted()));
    };
    let resolved = versions::resolve_version(&deps.store, &run.request, run.upload.at).await?;
    let version = match resolved {
        Ok(version) => version,
        Err(error) => return Ok(Err(RunRejection::unresolved(&error))),
    };
    let spec = &version.spec;
    let file = run.upload.file_name();
    let bytes = dropped.bytes.unwrap_or(run.upload.bytes);
    let validated = match file::format_of(&spec.manifest.input, &file, bytes) {
        Ok(format) => staged_files::validate_file(&deps.files, run, spec, format, dropped).await?,
        Err(rejected) => Err(RunRejection::unread(rejected)),
    };
    Ok(match validated {
        Err(rejection) => Err(rejection.with_version(version.version)),
        Ok(input) => Ok((version, Some(input))),
    })
}
