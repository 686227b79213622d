//! Checks the dropped file against the version's schema.
//!
//! Whatever is wrong with the file becomes a verdict, never an error of this
//! function: an error is only what a retry may mend, or what Dropcast broke.

mod config;
mod error;
mod event;
mod files;
mod metadata;
mod table;
mod verdict;

use dropcast_domain::{
    output,
    registry::{Draft, RegisteredVersion},
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
                marked: rejection.marked,
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
    let Some(format) = spec.format_of(&file) else {
        return Ok(Err(
            Rejection::wrong_extension(&file, spec).of_version(number)
        ));
    };
    let most = spec.max_bytes_of(format);
    if dropped.bytes > most {
        return Ok(Err(
            Rejection::too_large(dropped.bytes, most).of_version(number)
        ));
    }
    let examined = if format.is_table() {
        table::examine(&deps.files, run, &version.draft, format, dropped).await?
    } else {
        document(&deps.files, run, &version.draft, most, dropped).await?
    };
    Ok(match examined {
        Ok(input) => Ok((version, input)),
        Err(rejection) => Err(rejection.of_version(number)),
    })
}

/// A JSON document: read whole.
async fn document<F: Files>(
    files: &F,
    run: &Run,
    draft: &Draft,
    most: u64,
    dropped: Dropped,
) -> Result<Result<AcceptedInput, Rejection>, Error> {
    let bytes = dropped.read(most).await?;
    // Compiled once at registration too, so this does not fail for what a user did.
    let schema = CompiledSchema::parse(draft.input_schema.as_bytes()).map_err(|_| Error::Schema)?;
    let accepted = match json::read(&bytes, &schema, &Limits::for_bytes(most)) {
        Ok(accepted) => accepted,
        Err(problems) => return Ok(Err(Rejection::of_problems(problems))),
    };
    let file = run.upload.file_name();
    let (key, prepared_key) = (
        output::input_key(&run.id, &file),
        output::prepared_key(&run.id, &file),
    );
    files.keep(&key, "application/octet-stream", bytes).await?;
    files
        .keep(&prepared_key, "application/json", accepted.prepared)
        .await?;
    let defaults = accepted
        .defaults
        .into_iter()
        .filter(|pointer| pointer.len() <= LONGEST_POINTER)
        .take(MOST_DEFAULTS)
        .collect();
    Ok(Ok(AcceptedInput {
        key,
        prepared_key,
        defaults,
        table: None,
    }))
}
