//! `dropcast model test`: a model run on this machine as a job would run it.

mod document;
mod place;

use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::Context as _;
use dropcast_api_types::{Tested, TestedInput, seconds};
use dropcast_domain::{ids::RunId, job::exit_sentence};
use dropcast_job_runner::{JobError, LocalRunResult};
use dropcast_local_stack::ImageBuilder;
use dropcast_model_folder::{ModelFolder, examples, local_run, local_run::Stage};
use jiff::SignedDuration;

use self::place::Place;
use super::{not_accepted, read_folder};
use crate::{
    args::{Common, Test},
    clock,
    exit::{Exit, Stop},
    progress::Steps,
    reading, repository,
    screen::Screen,
    validate,
};

/// Runs a model on one file, or on its own examples.
pub(super) async fn run(args: &Test, common: &Common, screen: Screen) -> anyhow::Result<Exit> {
    let model = read_folder(&args.dir)?;
    let inputs = inputs(args, &model)?;
    let mut document = Tested {
        folder: args.dir.display().to_string(),
        model: model.manifest.name.clone(),
        image: args.image.clone(),
        passed: true,
        inputs: Vec::new(),
    };
    let place = place(args, common, &model, screen).await?;
    for input in &inputs {
        let tested = run_on(args, &model, input, &place, screen).await?;
        document.passed &= tested.passed;
        document.inputs.push(tested);
    }
    screen.show(&document, |paint| document::text(&document, paint))?;
    let rejected = document
        .inputs
        .iter()
        .any(|tested| tested.rejection.is_some());
    Ok(match (document.passed, rejected) {
        (true, _) => Exit::Done,
        (false, true) => Exit::NotAccepted,
        (false, false) => Exit::Failed,
    })
}

/// The inputs that the model runs on.
fn inputs(args: &Test, model: &ModelFolder) -> anyhow::Result<Vec<PathBuf>> {
    if let Some(input) = &args.input {
        if !input.is_file() {
            let message = format!("There is no file {}.", input.display());
            return Err(Stop::new(Exit::NotFound, message).into());
        }
        return Ok(vec![input.clone()]);
    }
    let checked = examples::check(&args.dir, model).map_err(|error| not_accepted(error.into()))?;
    if let Some(example) = checked.iter().find(|example| !example.passes()) {
        let message = format!("{} is not read as expected.", example.file);
        let advice = format!("See `dropcast validate {}`.", args.dir.display());
        return Err(Stop::new(Exit::NotAccepted, message).advice(advice).into());
    }
    let inputs = examples::one_of_each_format(&args.dir, &checked);
    if inputs.is_empty() {
        let message = format!("{} has no examples to test it with.", args.dir.display());
        return Err(Stop::new(Exit::Usage, message)
            .advice("Put files that it accepts into its folder examples/, or name one with --input FILE.")
            .into());
    }
    Ok(inputs)
}

/// Makes ready what the model runs in.
async fn place(
    args: &Test,
    common: &Common,
    model: &ModelFolder,
    screen: Screen,
) -> anyhow::Result<Place> {
    if let Some(image) = &args.image {
        return Ok(Place::Docker {
            program: args.docker.clone(),
            image: image.clone(),
        });
    }
    let images = tempfile::tempdir().context("making a folder for the model's copy")?;
    // The one that versions on the local stack are made with, where there is one.
    let python = repository::options(&common.state_dir)
        .map(|options| options.python)
        .ok()
        .filter(|python| python.exists())
        .unwrap_or_else(|| PathBuf::from("python3"));
    let builder = ImageBuilder::new(images.path().to_owned(), python);
    let steps = Steps::on(screen);
    let image = builder.build(model, &args.dir, &steps);
    let image = Box::pin(image).await.map_err(not_accepted)?;
    Ok(Place::Copy {
        image,
        _images: images,
    })
}

async fn run_on(
    args: &Test,
    model: &ModelFolder,
    input: &Path,
    place: &Place,
    screen: Screen,
) -> anyhow::Result<TestedInput> {
    let work = tempfile::Builder::new()
        .prefix("dropcast-test-")
        .tempdir()
        .context("making a folder for the test")?;
    // Without links, so that what a link among the outputs leads to can be compared with it.
    let folder = work.path().canonicalize()?;
    let set = Stage::prepare(&folder, model, input).map_err(|error| not_accepted(error.into()))?;
    let mut tested = document::not_run(input);
    let mut stage = match set {
        Ok(stage) => stage,
        Err(rejected) => {
            tested.rejection = Some(validate::rejection(&rejected));
            let problems = rejected.into_problems();
            tested.problems = problems.problems;
            tested.more_problems = problems.more;
            return Ok(tested);
        }
    };
    tested.reading = Some(reading::view(&stage.reading));
    if let Some(outputs) = &args.output {
        stage.outputs = empty_folder(outputs)?;
    }
    if args.keep_cache {
        stage.cache = kept_cache(model)?;
    }
    let paint = screen.stderr_paint;
    let heading = format!("{} on {}", model.manifest.name, input.display());
    screen.note(&paint.bold(&heading));
    let began = Instant::now();
    let ended = place
        .run(&stage, model, &run_id(input), screen.json)
        .await?;
    let took = SignedDuration::try_from(began.elapsed()).unwrap_or_default();
    tested.seconds = seconds(took);
    record_result(&mut tested, model, ended)?;
    Ok(tested)
}

/// Says of an ended model whether it did as it should.
fn record_result(
    tested: &mut TestedInput,
    model: &ModelFolder,
    ended: Result<LocalRunResult, JobError>,
) -> anyhow::Result<()> {
    let result = match ended {
        Err(interrupted @ JobError::Interrupted { .. }) => {
            return Err(Stop::new(Exit::Interrupted, interrupted.to_string()).into());
        }
        Err(error) => {
            tested.exit_code = Some(error.exit_code());
            tested.failure = Some(sentence(&error.to_string()));
            return Ok(());
        }
        Ok(result) => result,
    };
    let job = &model.manifest.job;
    tested.exit_code = Some(result.exit_code);
    tested.timed_out = result.timed_out;
    if result.timed_out {
        let limit = Duration::from_mins(job.timeout_minutes.into());
        tested.failure = Some(format!(
            "The model was stopped: it took longer than the {} that model.toml gives it.",
            crate::words::whole(limit)
        ));
        return Ok(());
    }
    if result.exit_code != 0 {
        tested.failure = Some(exit_sentence(result.exit_code.into()));
        return Ok(());
    }
    let paths: Vec<&str> = result.files.iter().map(|file| file.path.as_str()).collect();
    let matched = local_run::match_outputs(&model.manifest.outputs, &paths);
    tested.outputs = result
        .files
        .iter()
        .zip(&matched.declarations)
        .map(|(file, declared)| document::written(file, *declared))
        .collect();
    if !matched.missing.is_empty() {
        tested.failure = Some(local_run::describe_missing(&matched.missing));
    }
    tested.passed = matched.missing.is_empty();
    Ok(())
}

/// A run's id, for models that use it; nobody else knows it.
fn run_id(input: &Path) -> RunId {
    RunId::derive("test", &input.to_string_lossy(), &clock::now().to_string())
}

/// A clause as a sentence.
fn sentence(clause: &str) -> String {
    let mut letters = clause.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string());
    let end = if clause.ends_with('.') { "" } else { "." };
    format!("{}{}{end}", first.unwrap_or_default(), letters.as_str())
}

/// The folder for outputs, made if it is not there.
fn empty_folder(folder: &Path) -> anyhow::Result<PathBuf> {
    let doing = || format!("making the folder {}", folder.display());
    std::fs::create_dir_all(folder).with_context(doing)?;
    if std::fs::read_dir(folder)
        .with_context(doing)?
        .next()
        .is_some()
    {
        let message = format!("{} is not empty.", folder.display());
        return Err(Stop::new(Exit::Usage, message)
            .advice("Name an empty folder, or one that is not there yet.")
            .into());
    }
    folder.canonicalize().with_context(doing)
}

/// Where the cache is kept between tests of a model.
fn kept_cache(model: &ModelFolder) -> anyhow::Result<PathBuf> {
    let folder = dropcast_local_stack::user_cache()
        .join("model-caches")
        .join(model.manifest.name.as_str());
    let doing = || format!("making the folder {}", folder.display());
    std::fs::create_dir_all(&folder).with_context(doing)?;
    folder.canonicalize().with_context(doing)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clause_becomes_a_sentence() {
        assert_eq!(sentence("\"x\" was not found"), "\"x\" was not found.");
        assert_eq!(sentence("the input is gone."), "The input is gone.");
    }

    #[test]
    fn outputs_go_into_an_empty_folder_only() {
        let folder = tempfile::tempdir().unwrap();
        assert!(empty_folder(&folder.path().join("new/one")).is_ok());
        let stop = empty_folder(folder.path()).unwrap_err();
        assert_eq!(stop.downcast_ref::<Stop>().unwrap().exit, Exit::Usage);
    }
}
