//! A test file that runs through the whole stack.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::Context as _;
use dropcast_api_types::{Check, CheckName};
use dropcast_domain::{
    model::{Manifest, ModelName},
    status::Status,
};
use dropcast_store::Models as _;

use crate::{
    clock,
    exit::{CliError, Exit},
    messages, model_folder, registry,
    screen::Screen,
    stack::Stack,
    upload::FileUpload,
    wait,
};

const NAME: CheckName = CheckName::Canary;

/// The run's title.
const TITLE: &str = "Canary of dropcast doctor";

/// The model that is used if none is named, as created by `dropcast model init` with this name.
const MODEL: &str = "canary";

/// An input of that model.
const EXAMPLE: (&str, &str) = (
    "sales.csv",
    include_str!("../../skeleton/examples/sales.csv"),
);

/// How long to wait until the upload's run has a record.
const RECORD_TIMEOUT: Duration = Duration::from_mins(2);

/// Submits the first example of a model's folder, or of the canary model, and follows its run
/// to the end.
pub(super) async fn run(
    folder: Option<&Path>,
    timeout: Duration,
    stack: &Stack,
    screen: Screen,
) -> anyhow::Result<Check> {
    let Some(folder) = folder else {
        let name: ModelName = MODEL.parse()?;
        if stack.store.model(&name).await?.is_none() {
            let dropcast = stack.command();
            return Ok(
                Check::not_checked(NAME, "No file was submitted.").advice(format!(
                    "Register the canary model once, `{dropcast} model init {MODEL} && {dropcast} model push {MODEL}`, or name a model's folder with --canary."
                )),
            );
        }
        let work = tempfile::tempdir().context("making a folder for the canary")?;
        let example = work.path().join(EXAMPLE.0);
        fs::write(&example, EXAMPLE.1).context("writing the canary")?;
        let mut check = send(&name, &example, timeout, stack, screen).await?;
        if let Some(advice) = &mut check.advice {
            *advice = format!(
                "The file was the example that `model init {MODEL}` writes; to use another model, name its folder with --canary. {advice}"
            );
        }
        return Ok(check);
    };
    let (manifest, example) = find_example(folder)?;
    if let Err(error) = registry::resolve_version(stack, &manifest.name, None).await {
        let error = error.downcast::<CliError>()?;
        let advice = error
            .advice
            .unwrap_or_else(|| "Register the model first.".to_owned());
        return Ok(Check::fail(NAME, error.message, advice));
    }
    send(&manifest.name, &example, timeout, stack, screen).await
}

/// Turns an error into a failed check, so that the results of the other checks are still shown.
/// A folder that does not exist and an interruption remain errors.
pub(super) fn to_failed_check(error: anyhow::Error) -> anyhow::Result<Check> {
    let error = match error.downcast::<CliError>() {
        Ok(error) if matches!(error.exit, Exit::NotFound | Exit::Interrupted) => {
            return Err(error.into());
        }
        Ok(error) => error,
        Err(error) => CliError::new(
            Exit::Internal,
            format!("The file could not be submitted: {error:#}."),
        ),
    };
    let advice = error.advice.unwrap_or_else(|| {
        "To submit files, your credentials must allow reading the stack's table and writing objects to its inputs bucket."
            .to_owned()
    });
    Ok(Check::fail(NAME, error.message, advice))
}

async fn send(
    model: &ModelName,
    example: &Path,
    timeout: Duration,
    stack: &Stack,
    screen: Screen,
) -> anyhow::Result<Check> {
    let upload = FileUpload {
        file: example,
        model,
        version: None,
        notify: &[],
        title: Some(TITLE),
    };
    let uploaded = upload.upload(stack, clock::now()).await?;
    screen.note(&format!("Uploaded the canary as {}.", uploaded.uri()));
    let Some(run) = wait::wait_for_record(stack, &uploaded, RECORD_TIMEOUT).await? else {
        return Ok(Check::fail(
            NAME,
            format!(
                "{} was uploaded, but no run was started within {}.",
                uploaded.uri(),
                messages::format_whole_duration(RECORD_TIMEOUT)
            ),
            "Check the intake queue and the log of start-run.",
        ));
    };
    let over = match wait::wait_until_over(stack, &run, Some(timeout), screen).await {
        Ok(over) => over,
        Err(error) => match error.downcast::<CliError>() {
            Ok(error) if error.exit == Exit::TimedOut => {
                return Ok(Check::fail(
                    NAME,
                    format!(
                        "Run {} had not ended after {}.",
                        run.id,
                        messages::format_whole_duration(timeout)
                    ),
                    format!(
                        "Show its current status with `{} show {}`.",
                        stack.command(),
                        run.id
                    ),
                ));
            }
            Ok(error) => return Err(error.into()),
            Err(other) => return Err(other),
        },
    };
    let took = messages::format_duration(over.elapsed(clock::now()));
    if over.status() == Status::Succeeded {
        return Ok(Check::ok(
            NAME,
            format!("Run {} of {model} succeeded after {took}.", over.id),
        ));
    }
    let why = over
        .failure
        .as_ref()
        .map_or_else(String::new, |failure| format!(" {}", failure.message));
    Ok(Check::fail(
        NAME,
        format!(
            "Run {} of {model} has the status {}.{why}",
            over.id,
            over.status()
        ),
        format!(
            "Show the details with `{} show {}`.",
            stack.command(),
            over.id
        ),
    ))
}

/// The manifest of a model's folder, and the first file in `examples/`, by name, in a format that
/// the model accepts.
fn find_example(folder: &Path) -> anyhow::Result<(Manifest, PathBuf)> {
    let manifest = model_folder::read_folder(folder)?.manifest;
    let examples = folder.join("examples");
    let mut files: Vec<PathBuf> = match fs::read_dir(&examples) {
        Ok(entries) => entries
            .map(|entry| entry.map(|entry| entry.path()))
            .collect::<Result<_, _>>()
            .with_context(|| format!("reading {}", examples.display()))?,
        Err(_) => Vec::new(),
    };
    files.retain(|file| {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        file.is_file() && manifest.input.format_of(&name).is_some()
    });
    files.sort();
    match files.into_iter().next() {
        Some(first) => Ok((manifest, first)),
        None => Err(CliError::new(
            Exit::NotFound,
            format!(
                "{} contains no example in a format that the model accepts.",
                examples.display()
            ),
        )
        .advice("Add a file that the model accepts to the folder examples/ of the model.")
        .into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Outcome;

    #[test]
    fn the_first_example_has_a_format_that_the_model_accepts() {
        let model = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/revenue-forecast");
        let (manifest, example) = find_example(&model).unwrap();
        assert_eq!(manifest.name.as_str(), "revenue-forecast");
        assert!(example.ends_with("examples/next-year-cautious.json"));
        let bare = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/models/echo");
        let error = find_example(&bare).unwrap_err();
        assert_eq!(error.downcast::<CliError>().unwrap().exit, Exit::NotFound);
    }

    #[test]
    fn an_error_of_the_canary_is_a_failed_check() {
        let refused = to_failed_check(anyhow::anyhow!("AccessDenied")).unwrap();
        assert_eq!(refused.outcome, Outcome::Fail);
        assert_eq!(
            refused.message,
            "The file could not be submitted: AccessDenied."
        );
        let no_such_folder = CliError::new(Exit::NotFound, "There is no folder x.");
        assert!(to_failed_check(no_such_folder.into()).is_err());
    }
}
