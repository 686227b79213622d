//! The document of `dropcast model test` and its text.

use std::{fmt::Write as _, path::Path};

use comfy_table::{Cell, CellAlignment};
use dropcast_api_types::{Tested, TestedInput, WrittenOutput};
use dropcast_domain::{
    model::{OutputKind, OutputSpec},
    problem::ProblemList,
};
use dropcast_job_runner::WrittenFile;

use crate::{messages, problems, reading, screen::Style};

/// The document of an input before the model has run.
pub(super) fn new_tested_input(input: &Path) -> TestedInput {
    TestedInput {
        input: input.display().to_string(),
        passed: false,
        failure: None,
        reading: None,
        rejection: None,
        problems: Vec::new(),
        more_problems: 0,
        exit_code: None,
        timed_out: false,
        seconds: 0.0,
        outputs: Vec::new(),
    }
}

/// A file that the model wrote, and its declaration.
pub(super) fn to_output_view(file: &WrittenFile, declared: Option<&OutputSpec>) -> WrittenOutput {
    WrittenOutput {
        path: file.path.clone(),
        title: declared.map(|spec| spec.title.clone()),
        kind: declared.map(|spec| spec.kind),
        declared: declared.is_some(),
        bytes: file.bytes,
        media_type: file.media_type.clone(),
    }
}

/// Renders the document as text.
pub(super) fn render(document: &Tested, style: Style) -> String {
    document
        .inputs
        .iter()
        .map(|tested| render_input(tested, style))
        .collect::<Vec<_>>()
        .join("\n")
}

fn render_input(tested: &TestedInput, style: Style) -> String {
    let input = messages::sanitize(&tested.input);
    if let Some(rejection) = &tested.rejection {
        let list = ProblemList {
            problems: tested.problems.clone(),
            more: tested.more_problems,
        };
        return format!(
            "{}  {input} is not accepted. {}\n\n{}",
            style.failure("fails"),
            messages::sanitize(&rejection.message),
            problems::render(&list, style)
        );
    }
    let read = tested.reading.as_ref().map(reading::summarize);
    let facts = style.dim(&format!(
        "{}, {:.1} s",
        read.unwrap_or_default(),
        tested.seconds
    ));
    let mut text = match &tested.failure {
        None => format!("{}  {input}  {facts}\n", style.success("ok   ")),
        Some(failure) => format!(
            "{}  {input}  {facts}\n       {}\n",
            style.failure("fails"),
            messages::sanitize(failure)
        ),
    };
    if !tested.outputs.is_empty() {
        let rows = tested.outputs.iter().map(|output| {
            let title = output.title.as_deref().unwrap_or("not declared");
            vec![
                Cell::new(messages::sanitize(&output.path)),
                Cell::new(output.kind.map(OutputKind::as_str).unwrap_or_default()),
                Cell::new(messages::format_size(output.bytes)).set_alignment(CellAlignment::Right),
                Cell::new(messages::sanitize(title)),
            ]
        });
        let _ = writeln!(
            text,
            "\n{}",
            style.format_list(&["Wrote", "Kind", "Size", "Title"], rows)
        );
    }
    text
}
