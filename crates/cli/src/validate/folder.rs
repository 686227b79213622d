//! `dropcast validate DIR`.

use std::{fmt::Write as _, path::Path};

use dropcast_api_types::{ExampleView, ExpectedOutcome, ValidatedModel};
use dropcast_domain::model::{MANIFEST_FILE, ModelName, fargate};
use dropcast_model_folder::{ModelFolder, examples};

use crate::{
    args::Platform,
    exit::Exit,
    model::{check_folder, is_the_models_fault, not_accepted},
    screen::{Paint, Screen},
    words,
};

/// Checks a model's folder: its manifest, its schemas and its examples.
pub(super) fn run(
    folder: &Path,
    platform: Option<Platform>,
    screen: Screen,
) -> anyhow::Result<Exit> {
    let document = check(folder, platform)?;
    screen.show(&document, |paint| text(&document, paint))?;
    Ok(if document.valid {
        Exit::Done
    } else {
        Exit::Failed
    })
}

/// What is to be said of a model's folder.
fn check(folder: &Path, platform: Option<Platform>) -> anyhow::Result<ValidatedModel> {
    check_folder(folder)?;
    let mut document = ValidatedModel {
        folder: folder.display().to_string(),
        model: None,
        valid: false,
        failures: Vec::new(),
        examples: Vec::new(),
    };
    match ModelFolder::read(folder) {
        Ok(read) => {
            document.model = Some(read.manifest.name.clone());
            document.failures.extend(check_size(&read, platform));
            let examples = examples::check(folder, &read)?;
            document.examples = examples.into_iter().map(view).collect();
        }
        Err(error) if is_the_models_fault(&error) => document.failures.push(error.to_string()),
        Err(error) => return Err(not_accepted(error.into())),
    }
    document.valid =
        document.failures.is_empty() && document.examples.iter().all(|example| example.passes);
    Ok(document)
}

fn view(example: examples::Example) -> ExampleView {
    ExampleView {
        passes: example.passes(),
        file: example.file,
        expected: match example.expected {
            examples::Expected::Accepted => ExpectedOutcome::Accepted,
            examples::Expected::Rejected => ExpectedOutcome::Rejected,
        },
        failures: example.failures,
        reading: example.reading.as_ref().map(crate::reading::view),
        problems: example.problems.problems,
        more_problems: example.problems.more,
    }
}

/// Why a model's jobs have no size that their platform offers, if so.
pub(crate) fn check_size(model: &ModelFolder, platform: Option<Platform>) -> Option<String> {
    match platform {
        Some(Platform::Fargate) => fargate::check(&model.manifest.job)
            .err()
            .map(|no_such_size| format!("{MANIFEST_FILE}: in [job], {no_such_size}")),
        Some(Platform::Ec2) | None => None,
    }
}

pub(crate) fn text(document: &ValidatedModel, paint: Paint) -> String {
    let folder = words::printable(&document.folder);
    let mut text = String::new();
    if document.failures.is_empty() {
        let name = document
            .model
            .as_ref()
            .map(ModelName::as_str)
            .unwrap_or_default();
        let _ = writeln!(
            text,
            "{}  manifest and schemas of {name}",
            paint.good("ok   ")
        );
    }
    for failure in &document.failures {
        let _ = write!(
            text,
            "{}  {folder}\n{}",
            paint.bad("fails"),
            indented(failure)
        );
    }
    for example in &document.examples {
        text += &line(example, paint);
    }
    let _ = write!(text, "\n{}\n", paint.bold(&sum(document)));
    text
}

fn line(example: &ExampleView, paint: Paint) -> String {
    let file = words::printable(&example.file);
    if !example.passes {
        let failures: String = example
            .failures
            .iter()
            .map(|failure| indented(failure))
            .collect();
        return format!("{}  {file}\n{failures}", paint.bad("fails"));
    }
    let comes_to = if let Some(reading) = &example.reading {
        format!("accepted: {}", crate::reading::summary(reading))
    } else {
        let count = example.problem_list().total();
        format!("rejected: {}", words::counted(count, "problem"))
    };
    format!(
        "{}  {file}  {}\n",
        paint.good("ok   "),
        paint.dim(&comes_to)
    )
}

/// A failure of several lines, set in.
fn indented(failure: &str) -> String {
    words::lines(
        failure
            .lines()
            .map(|line| format!("       {}", words::printable(line))),
    )
}

fn sum(document: &ValidatedModel) -> String {
    let folder = words::printable(&document.folder);
    let failing = document.examples.iter().filter(|it| !it.passes).count() as u64;
    let all = document.examples.len() as u64;
    match (document.failures.is_empty(), failing, all) {
        (false, ..) => format!("{folder} is no model that can be registered."),
        (true, 0, 0) => format!("{folder} is a model. It has no examples."),
        (true, 0, _) => format!(
            "{folder} is a model, and {} as it should.",
            match all {
                1 => "its one example does".to_owned(),
                _ => format!("each of its {all} examples does"),
            }
        ),
        (true, ..) => format!(
            "{failing} of {} in {folder} {} not do as {} should.",
            words::counted(all, "example"),
            if failing == 1 { "does" } else { "do" },
            if failing == 1 { "it" } else { "they" },
        ),
    }
}
