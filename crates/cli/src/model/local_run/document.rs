//! What `dropcast model test` says.

use std::{fmt::Write as _, path::Path};

use comfy_table::{Cell, CellAlignment};
use dropcast_api_types::{Tested, TestedInput, WrittenOutput};
use dropcast_domain::{
    model::{OutputKind, OutputSpec},
    problem::ProblemList,
};
use dropcast_job_runner::WrittenFile;

use crate::{problems, reading, screen::Paint, words};

/// An input on which the model has not run yet.
pub(super) fn not_run(input: &Path) -> TestedInput {
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

/// A file that the model wrote, with its declaration.
pub(super) fn written(file: &WrittenFile, declared: Option<&OutputSpec>) -> WrittenOutput {
    WrittenOutput {
        path: file.path.clone(),
        title: declared.map(|spec| spec.title.clone()),
        kind: declared.map(|spec| spec.kind),
        declared: declared.is_some(),
        bytes: file.bytes,
        media_type: file.media_type.clone(),
    }
}

/// The whole as text.
pub(super) fn text(document: &Tested, paint: Paint) -> String {
    document
        .inputs
        .iter()
        .map(|tested| input_text(tested, paint))
        .collect::<Vec<_>>()
        .join("\n")
}

fn input_text(tested: &TestedInput, paint: Paint) -> String {
    let input = words::printable(&tested.input);
    if let Some(rejection) = &tested.rejection {
        let list = ProblemList {
            problems: tested.problems.clone(),
            more: tested.more_problems,
        };
        return format!(
            "{}  {input} is not accepted. {}\n\n{}",
            paint.bad("fails"),
            words::printable(&rejection.message),
            problems::text(&list, paint)
        );
    }
    let read = tested.reading.as_ref().map(reading::summary);
    let facts = paint.dim(&format!(
        "{}, {:.1} s",
        read.unwrap_or_default(),
        tested.seconds
    ));
    let mut text = match &tested.failure {
        None => format!("{}  {input}  {facts}\n", paint.good("ok   ")),
        Some(failure) => format!(
            "{}  {input}  {facts}\n       {}\n",
            paint.bad("fails"),
            words::printable(failure)
        ),
    };
    if !tested.outputs.is_empty() {
        let rows = tested.outputs.iter().map(|output| {
            let said = output.title.as_deref().unwrap_or("not declared");
            vec![
                Cell::new(words::printable(&output.path)),
                Cell::new(output.kind.map(OutputKind::as_str).unwrap_or_default()),
                Cell::new(words::size(output.bytes)).set_alignment(CellAlignment::Right),
                Cell::new(words::printable(said)),
            ]
        });
        let _ = writeln!(
            text,
            "\n{}",
            paint.list(&["Wrote", "Kind", "Size", "Title"], rows)
        );
    }
    text
}
