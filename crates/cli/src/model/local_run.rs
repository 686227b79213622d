//! `dropcast model test`: runs a model on this machine as a job would.

mod document;
mod runtime;

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

use self::runtime::Runtime;
use crate::{
    args::{Common, Test},
    clock,
    exit::{CliError, Exit},
    model_folder::{explain_folder_error, read_folder},
    problems,
    progress::StepReporter,
    reading, repository,
    screen::Screen,
};

/// Runs a model with one file, or with its own examples.
pub(super) async fn run(args: &Test, common: &Common, screen: Screen) -> anyhow::Result<Exit> {
    let model = read_folder(&args.dir)?;
    let inputs = find_inputs(args, &model)?;
    let mut document = Tested {
        folder: args.dir.display().to_string(),
        model: model.manifest.name.clone(),
        image: args.image.clone(),
        passed: true,
        inputs: Vec::new(),
    };
    let runtime = prepare_runtime(args, common, &model, screen).await?;
    for input in &inputs {
        let tested = run_on(args, &model, input, &runtime, screen).await?;
        document.passed &= tested.passed;
        document.inputs.push(tested);
    }
    screen.show(&document, |style| document::render(&document, style))?;
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

/// Finds the inputs to run the model with.
fn find_inputs(args: &Test, model: &ModelFolder) -> anyhow::Result<Vec<PathBuf>> {
    if let Some(input) = &args.input {
        if !input.is_file() {
            let message = format!("The file {} does not exist.", input.display());
            return Err(CliError::new(Exit::NotFound, message).into());
        }
        return Ok(vec![input.clone()]);
    }
    let checked =
        examples::check(&args.dir, model).map_err(|error| explain_folder_error(error.into()))?;
    if let Some(example) = checked.iter().find(|example| !example.passes()) {
        let message = format!("{} does not give the expected result.", example.file);
        let advice = format!("See `dropcast validate {}`.", args.dir.display());
        return Err(CliError::new(Exit::NotAccepted, message)
            .advice(advice)
            .into());
    }
    let inputs = examples::one_of_each_format(&args.dir, &checked);
    if inputs.is_empty() {
        let message = format!(
            "{} contains no examples to test the model with.",
            args.dir.display()
        );
        return Err(CliError::new(Exit::Usage, message)
            .advice("Add files that the model accepts to its folder examples/, or name a file with --input FILE.")
            .into());
    }
    Ok(inputs)
}

/// Prepares the environment in which the model runs.
async fn prepare_runtime(
    args: &Test,
    common: &Common,
    model: &ModelFolder,
    screen: Screen,
) -> anyhow::Result<Runtime> {
    if let Some(image) = &args.image {
        return Ok(Runtime::Docker {
            program: args.docker.clone(),
            image: image.clone(),
        });
    }
    let images = tempfile::tempdir().context("creating a folder for the model's copy")?;
    // The interpreter that the local stack uses, if there is one.
    let python = repository::locate_options(&common.state_dir)
        .map(|options| options.python)
        .ok()
        .filter(|python| python.exists())
        .unwrap_or_else(|| PathBuf::from("python3"));
    let builder = ImageBuilder::new(images.path().to_owned(), python);
    let steps = StepReporter::new(screen);
    let image = builder.build(model, &args.dir, &steps);
    let image = Box::pin(image).await.map_err(explain_folder_error)?;
    Ok(Runtime::Copy {
        image,
        _images: images,
    })
}

async fn run_on(
    args: &Test,
    model: &ModelFolder,
    input: &Path,
    runtime: &Runtime,
    screen: Screen,
) -> anyhow::Result<TestedInput> {
    let work = tempfile::Builder::new()
        .prefix("dropcast-test-")
        .tempdir()
        .context("creating a folder for the test")?;
    // Canonical, so that the targets of symbolic links among the outputs can be compared with it.
    let folder = work.path().canonicalize()?;
    let prepared = Stage::prepare(&folder, model, input)
        .map_err(|error| explain_folder_error(error.into()))?;
    let mut tested = document::new_tested_input(input);
    let mut stage = match prepared {
        Ok(stage) => stage,
        Err(rejected) => {
            tested.rejection = Some(problems::to_rejection_view(&rejected));
            let problems = rejected.into_problems();
            tested.problems = problems.problems;
            tested.more_problems = problems.more;
            return Ok(tested);
        }
    };
    tested.reading = Some(reading::to_reading_view(&stage.reading));
    if let Some(outputs) = &args.output {
        stage.outputs = create_empty_folder(outputs)?;
    }
    if args.keep_cache {
        stage.cache = create_cache_folder(model)?;
    }
    let style = screen.stderr_style;
    let heading = format!("{} on {}", model.manifest.name, input.display());
    screen.note(&style.bold(&heading));
    let started = Instant::now();
    let result = runtime
        .run(&stage, model, &make_run_id(input), screen.json)
        .await?;
    let took = SignedDuration::try_from(started.elapsed()).unwrap_or_default();
    tested.seconds = seconds(took);
    record_result(&mut tested, model, result)?;
    Ok(tested)
}

/// Records the result of a model that has ended.
fn record_result(
    tested: &mut TestedInput,
    model: &ModelFolder,
    result: Result<LocalRunResult, JobError>,
) -> anyhow::Result<()> {
    let result = match result {
        Err(interrupted @ JobError::Interrupted { .. }) => {
            return Err(CliError::new(Exit::Interrupted, interrupted.to_string()).into());
        }
        Err(error) => {
            tested.exit_code = Some(error.exit_code());
            tested.failure = Some(to_sentence(&error.to_string()));
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
            "The model was stopped because it ran longer than the {} allowed by model.toml.",
            crate::messages::format_whole_duration(limit)
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
        .map(|(file, declared)| document::to_output_view(file, *declared))
        .collect();
    if !matched.missing.is_empty() {
        tested.failure = Some(local_run::describe_missing(&matched.missing));
    }
    tested.passed = matched.missing.is_empty();
    Ok(())
}

/// A run id for models that use it; it refers to no record.
fn make_run_id(input: &Path) -> RunId {
    RunId::derive("test", &input.to_string_lossy(), &clock::now().to_string())
}

/// Turns a clause into a sentence.
fn to_sentence(clause: &str) -> String {
    let mut chars = clause.chars();
    let first = chars.next().map(|first| first.to_uppercase().to_string());
    let end = if clause.ends_with('.') { "" } else { "." };
    format!("{}{}{end}", first.unwrap_or_default(), chars.as_str())
}

/// Creates the folder for outputs, unless it exists and is empty.
fn create_empty_folder(folder: &Path) -> anyhow::Result<PathBuf> {
    let doing = || format!("creating the folder {}", folder.display());
    std::fs::create_dir_all(folder).with_context(doing)?;
    if std::fs::read_dir(folder)
        .with_context(doing)?
        .next()
        .is_some()
    {
        let message = format!("{} is not empty.", folder.display());
        return Err(CliError::new(Exit::Usage, message)
            .advice("Name an empty folder, or one that does not exist.")
            .into());
    }
    folder.canonicalize().with_context(doing)
}

/// Creates the folder in which the cache is kept between tests of a model.
fn create_cache_folder(model: &ModelFolder) -> anyhow::Result<PathBuf> {
    let folder = dropcast_local_stack::user_cache()
        .join("model-caches")
        .join(model.manifest.name.as_str());
    let doing = || format!("creating the folder {}", folder.display());
    std::fs::create_dir_all(&folder).with_context(doing)?;
    folder.canonicalize().with_context(doing)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clause_becomes_a_sentence() {
        assert_eq!(to_sentence("\"x\" was not found"), "\"x\" was not found.");
        assert_eq!(to_sentence("the input is gone."), "The input is gone.");
    }

    #[test]
    fn outputs_go_into_an_empty_folder_only() {
        let folder = tempfile::tempdir().unwrap();
        assert!(create_empty_folder(&folder.path().join("new/one")).is_ok());
        let error = create_empty_folder(folder.path()).unwrap_err();
        assert_eq!(error.downcast_ref::<CliError>().unwrap().exit, Exit::Usage);
    }
}
