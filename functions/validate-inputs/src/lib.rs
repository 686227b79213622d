//! Checks the dropped file against the version's schema.
//!
//! Whatever is wrong with the file becomes a verdict, never an error of this
//! function: an error is only what a retry may mend, or what Dropcast broke.

mod config;
mod error;
mod event;
mod files;
mod metadata;
mod verdict;

use dropcast_domain::{
    failure::ErrorCode,
    output,
    problem::ProblemList,
    registry::RegisteredVersion,
    run::{Acceptance, AcceptedInput, Run},
    status::{Progress, Status, Transition},
};
use dropcast_inputs::{CompiledSchema, Limits, json};
use dropcast_lambda_kit::error::Failed;
use dropcast_run_store::{History, Models, Runs, StoreError, Validation, Verdict};
use jiff::Timestamp;

pub use config::Config;
pub use error::Error;
pub use event::{Outcome, Validate};
pub use files::{Dropped, Files, S3Files};
use verdict::Rejection;

/// The most pointers of filled-in defaults that stand on the record.
const MOST_DEFAULTS: usize = 100;

/// The longest of them, in bytes: a pointer may hold a key of the user's, and
/// the record ends at DynamoDB's 400 kB.
const LONGEST_POINTER: usize = 500;

/// What the handler works with.
#[derive(Debug)]
pub struct Deps<S, F> {
    /// The runs table.
    pub store: S,
    /// The inputs and results buckets.
    pub files: F,
    /// The clock.
    pub now: fn() -> Timestamp,
}

/// Accepts or rejects the run's input.
pub async fn handle<S, F>(deps: &Deps<S, F>, event: Validate) -> Result<Outcome, Failed>
where
    S: Runs + Models + Validation + History,
    F: Files,
{
    Ok(validate(deps, event).await?)
}

async fn validate<S, F>(deps: &Deps<S, F>, event: Validate) -> Result<Outcome, Error>
where
    S: Runs + Models + Validation + History,
    F: Files,
{
    let run_id = event.run_id;
    let run = deps
        .store
        .find(&run_id)
        .await?
        .ok_or_else(|| StoreError::NoSuchRun(run_id.clone()))?;
    let validating = Transition {
        progress: Progress::first(Status::Validating),
        at: (deps.now)(),
    };
    deps.store.advance(&run_id, validating).await?;

    let dropped = deps.files.open(&run.upload).await?;
    let wishes = metadata::wishes(&run, dropped.as_ref().map(Dropped::metadata));
    match examine(deps, &run, dropped).await? {
        Ok((version, input)) => {
            let acceptance = Acceptance {
                version: version.version,
                input,
            };
            deps.store
                .judge(&run_id, &wishes, &Verdict::Accepted(acceptance))
                .await?;
            tracing::info!(run.id = %run_id, version = %version.version, "the input is accepted");
            Ok(Outcome::accepted(version.draft.manifest.job.wait_seconds()))
        }
        Err(rejection) => {
            deps.files
                .keep(
                    &output::problems_key(&run_id),
                    "application/json",
                    rejection.problems_json()?,
                )
                .await?;
            let verdict = Verdict::Rejected {
                problem_count: rejection.problem_count(),
                version: rejection.version,
            };
            deps.store.judge(&run_id, &wishes, &verdict).await?;
            tracing::info!(run.id = %run_id, code = %rejection.code, "the input is rejected");
            Ok(Outcome::rejected(&rejection))
        }
    }
}

type Examined = Result<(RegisteredVersion, AcceptedInput), Rejection>;

/// Everything that can be wrong, the cheapest first.
async fn examine<S, F>(
    deps: &Deps<S, F>,
    run: &Run,
    dropped: Option<Dropped>,
) -> Result<Examined, Error>
where
    S: Models + History,
    F: Files,
{
    let Some(dropped) = dropped else {
        return Ok(Err(Rejection::deleted()));
    };
    let version = match verdict::requested_version(&deps.store, &run.request).await? {
        Ok(version) => version,
        Err(rejection) => return Ok(Err(rejection)),
    };
    let spec = &version.draft.manifest.input;
    let number = version.version;
    let file = run.upload.file_name();
    if spec.format_of(&file).is_none() {
        return Ok(Err(
            Rejection::wrong_extension(&file, spec).of_version(number)
        ));
    }
    if dropped.bytes > spec.max_bytes {
        return Ok(Err(
            Rejection::too_large(dropped.bytes, spec.max_bytes).of_version(number)
        ));
    }
    let bytes = dropped.read(spec.max_bytes).await?;
    let schema = compiled(&version)?;
    let accepted = match json::read(&bytes, &schema, &Limits::for_bytes(spec.max_bytes)) {
        Ok(accepted) => accepted,
        Err(problems) => return Ok(Err(rejected(problems).of_version(number))),
    };
    let (key, prepared_key) = (
        output::input_key(&run.id, &file),
        output::prepared_key(&run.id, &file),
    );
    deps.files
        .keep(&key, "application/octet-stream", bytes)
        .await?;
    deps.files
        .keep(&prepared_key, "application/json", accepted.prepared)
        .await?;
    let defaults = accepted
        .defaults
        .into_iter()
        .filter(|pointer| pointer.len() <= LONGEST_POINTER)
        .take(MOST_DEFAULTS)
        .collect();
    Ok(Ok((
        version,
        AcceptedInput {
            key,
            prepared_key,
            defaults,
        },
    )))
}

fn compiled(version: &RegisteredVersion) -> Result<CompiledSchema, Error> {
    // Compiled once at registration too, so this does not fail for what a user did.
    CompiledSchema::parse(version.draft.input_schema.as_bytes()).map_err(|_| Error::Schema)
}

fn rejected(problems: ProblemList) -> Rejection {
    let count = problems.total();
    let message = match count {
        1 => "The file has one problem.".to_owned(),
        count => format!("The file has {count} problems."),
    };
    Rejection {
        code: ErrorCode::InputRejected,
        message,
        problems,
        version: None,
    }
}
