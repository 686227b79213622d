//! One file all the way through the stack.

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
    exit::{Exit, Stop},
    model, registry,
    screen::Screen,
    stack::Stack,
    upload::FileUpload,
    wait, words,
};

const NAME: CheckName = CheckName::Canary;

/// What the run is called.
const TITLE: &str = "Canary of dropcast doctor";

/// The model that is sent through where none is named: what `dropcast model init` makes of this
/// name.
const MODEL: &str = "canary";

/// An input of that model.
const EXAMPLE: (&str, &str) = (
    "sales.csv",
    include_str!("../../skeleton/examples/sales.csv"),
);

/// How long the upload's run is looked for.
const LOOKED_FOR: Duration = Duration::from_mins(2);

/// Drops the first example of a model's folder, or of the model that is there for this, and
/// follows its run to the end.
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
                Check::not_checked(NAME, "No file was sent through the stack.").advice(format!(
                    "Give it a model for this once, `{dropcast} model init {MODEL} && {dropcast} model push {MODEL}`, or name a model's folder with --canary."
                )),
            );
        }
        let work = tempfile::tempdir().context("making a folder for the canary")?;
        let example = work.path().join(EXAMPLE.0);
        fs::write(&example, EXAMPLE.1).context("writing the canary")?;
        let mut check = send(&name, &example, timeout, stack, screen).await?;
        if let Some(advice) = &mut check.advice {
            *advice = format!(
                "The model {MODEL} got the example that `model init {MODEL}` writes; for another model, name its folder with --canary. {advice}"
            );
        }
        return Ok(check);
    };
    let (manifest, example) = first_example(folder)?;
    if let Err(error) = registry::resolve_version(stack, &manifest.name, None).await {
        let stop = error.downcast::<Stop>()?;
        let advice = stop
            .advice
            .unwrap_or_else(|| "Register the model first.".to_owned());
        return Ok(Check::fail(NAME, stop.message, advice));
    }
    send(&manifest.name, &example, timeout, stack, screen).await
}

/// An error as a check that failed, so that what was found before is told all the same; not one of
/// a folder that is named wrongly, or of somebody who would not wait.
pub(super) fn failed(error: anyhow::Error) -> anyhow::Result<Check> {
    let stop = match error.downcast::<Stop>() {
        Ok(stop) if matches!(stop.exit, Exit::NotFound | Exit::Interrupted) => {
            return Err(stop.into());
        }
        Ok(stop) => stop,
        Err(error) => Stop::new(Exit::Internal, format!("No file could be sent: {error:#}.")),
    };
    let advice = stop.advice.unwrap_or_else(|| {
        "Who drops a file has to read the stack's table and to put objects into its inputs bucket."
            .to_owned()
    });
    Ok(Check::fail(NAME, stop.message, advice))
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
    let uploaded = upload.put(stack, clock::now()).await?;
    screen.note(&format!("Uploaded the canary as {}.", uploaded.uri()));
    let Some(run) = wait::for_record(stack, &uploaded, LOOKED_FOR).await? else {
        return Ok(Check::fail(
            NAME,
            format!(
                "{} was dropped, and no run of it began within {}.",
                uploaded.uri(),
                words::whole(LOOKED_FOR)
            ),
            "Look at the intake queue and at the log of start-run.",
        ));
    };
    let over = match wait::until_over(stack, &run, Some(timeout), screen).await {
        Ok(over) => over,
        Err(error) => match error.downcast::<Stop>() {
            Ok(stop) if stop.exit == Exit::TookTooLong => {
                return Ok(Check::fail(
                    NAME,
                    format!(
                        "Run {} was not over after {}.",
                        run.id,
                        words::whole(timeout)
                    ),
                    format!("See where it stands: {} show {}", stack.command(), run.id),
                ));
            }
            Ok(stop) => return Err(stop.into()),
            Err(other) => return Err(other),
        },
    };
    let took = words::length(over.elapsed(clock::now()));
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
        format!("Run {} of {model} is {}.{why}", over.id, over.status()),
        format!("See all of it: {} show {}", stack.command(), over.id),
    ))
}

/// The manifest of a model's folder, and the first file of `examples/`, by name, of a format that
/// the model takes.
fn first_example(folder: &Path) -> anyhow::Result<(Manifest, PathBuf)> {
    model::check_folder(folder)?;
    let manifest = model::read_folder(folder)?.manifest;
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
        None => Err(Stop::new(
            Exit::NotFound,
            format!(
                "{} holds no example that the model would take.",
                examples.display()
            ),
        )
        .advice("Put a file that the model accepts into the folder examples/ of the model.")
        .into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Outcome;

    #[test]
    fn the_first_example_is_one_that_the_model_takes() {
        let model = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/revenue-forecast");
        let (manifest, example) = first_example(&model).unwrap();
        assert_eq!(manifest.name.as_str(), "revenue-forecast");
        assert!(example.ends_with("examples/next-year-cautious.json"));
        let bare = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/models/echo");
        let stop = first_example(&bare).unwrap_err();
        assert_eq!(stop.downcast::<Stop>().unwrap().exit, Exit::NotFound);
    }

    #[test]
    fn what_keeps_the_canary_from_flying_is_a_check_that_failed() {
        let refused = failed(anyhow::anyhow!("AccessDenied")).unwrap();
        assert_eq!(refused.outcome, Outcome::Fail);
        assert_eq!(refused.message, "No file could be sent: AccessDenied.");
        let no_such_folder = Stop::new(Exit::NotFound, "There is no folder x.");
        assert!(failed(no_such_folder.into()).is_err());
    }
}
