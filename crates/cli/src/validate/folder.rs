//! `dropcast validate DIR`.

use std::{fmt::Write as _, path::Path};

use dropcast_api_types::{ExampleView, ExpectedOutcome, ValidatedModel};
use dropcast_domain::model::ModelName;
use dropcast_model_folder::{ModelFolder, examples};

use crate::{
    args::Platform,
    exit::Exit,
    messages,
    model_folder::{check_folder, check_size, explain_folder_error, is_model_fault},
    screen::{Screen, Style},
};

/// Checks a model's folder: its manifest, its schemas and its examples.
pub(super) fn run(
    folder: &Path,
    platform: Option<Platform>,
    screen: Screen,
) -> anyhow::Result<Exit> {
    let document = check(folder, platform)?;
    screen.show(&document, |style| render(&document, style))?;
    Ok(if document.valid {
        Exit::Done
    } else {
        Exit::Failed
    })
}

/// Checks a model's folder.
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
            document.examples = examples.into_iter().map(to_example_view).collect();
        }
        Err(error) if is_model_fault(&error) => document.failures.push(error.to_string()),
        Err(error) => return Err(explain_folder_error(error.into())),
    }
    document.valid =
        document.failures.is_empty() && document.examples.iter().all(|example| example.passes);
    Ok(document)
}

fn to_example_view(example: examples::Example) -> ExampleView {
    ExampleView {
        passes: example.passes(),
        file: example.file,
        expected: match example.expected {
            examples::Expected::Accepted => ExpectedOutcome::Accepted,
            examples::Expected::Rejected => ExpectedOutcome::Rejected,
        },
        failures: example.failures,
        reading: example
            .reading
            .as_ref()
            .map(crate::reading::to_reading_view),
        problems: example.problems.problems,
        more_problems: example.problems.more,
    }
}

fn render(document: &ValidatedModel, style: Style) -> String {
    let folder = messages::sanitize(&document.folder);
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
            style.success("ok   ")
        );
    }
    for failure in &document.failures {
        let _ = write!(
            text,
            "{}  {folder}\n{}",
            style.failure("fails"),
            indent(failure)
        );
    }
    for example in &document.examples {
        text += &render_example(example, style);
    }
    let _ = write!(text, "\n{}\n", style.bold(&summarize(document)));
    text
}

fn render_example(example: &ExampleView, style: Style) -> String {
    let file = messages::sanitize(&example.file);
    if !example.passes {
        let failures: String = example
            .failures
            .iter()
            .map(|failure| indent(failure))
            .collect();
        return format!("{}  {file}\n{failures}", style.failure("fails"));
    }
    let result = if let Some(reading) = &example.reading {
        format!("accepted: {}", crate::reading::summarize(reading))
    } else {
        let count = example.problem_list().total();
        format!("rejected: {}", messages::format_count(count, "problem"))
    };
    format!(
        "{}  {file}  {}\n",
        style.success("ok   "),
        style.dim(&result)
    )
}

/// Indents the lines of a failure.
fn indent(failure: &str) -> String {
    messages::join_lines(
        failure
            .lines()
            .map(|line| format!("       {}", messages::sanitize(line))),
    )
}

fn summarize(document: &ValidatedModel) -> String {
    let folder = messages::sanitize(&document.folder);
    let failing = document.examples.iter().filter(|it| !it.passes).count() as u64;
    let all = document.examples.len() as u64;
    match (document.failures.is_empty(), failing, all) {
        (false, ..) => format!("{folder} cannot be registered."),
        (true, 0, 0) => format!("{folder} is a valid model. It has no examples."),
        (true, 0, _) => format!(
            "{folder} is a valid model, and {} the expected result.",
            match all {
                1 => "its only example gives".to_owned(),
                _ => format!("each of its {all} examples gives"),
            }
        ),
        (true, ..) => format!(
            "{failing} of {} in {folder} {} not give the expected result.",
            messages::format_count(all, "example"),
            if failing == 1 { "does" } else { "do" },
        ),
    }
}
