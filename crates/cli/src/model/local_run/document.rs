//! What `dropcast model test` says.

use std::{fmt::Write as _, path::Path};

use comfy_table::{Cell, CellAlignment};
use dropcast_domain::{
    model::OutputSpec,
    problem::{Problem, ProblemList},
};
use dropcast_job_runner::WrittenFile;
use serde::Serialize;

use crate::{
    problems,
    reading::{self, ReadingView},
    screen::Paint,
    validate::document::RejectionView,
    words,
};

/// `model test`: `schemas/cli/tested.schema.json`.
#[derive(Debug, Serialize)]
pub(super) struct Tested {
    /// The folder, as the command line named it.
    pub(super) folder: String,
    /// The model's name.
    pub(super) model: String,
    /// The image that it ran in, if it was one.
    pub(super) image: Option<String>,
    /// Whether the model passed on every input.
    pub(super) passed: bool,
    /// One for each input.
    pub(super) inputs: Vec<TestedInput>,
}

/// The model on one input.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct TestedInput {
    /// The input.
    pub(super) input: String,
    /// Whether all went well.
    pub(super) passed: bool,
    /// What went wrong, in a sentence.
    pub(super) failure: Option<String>,
    /// How the input was read, if it is accepted.
    pub(super) reading: Option<ReadingView>,
    /// Why the input is not accepted.
    pub(super) rejection: Option<RejectionView>,
    /// What is wrong with the input, at most a hundred.
    pub(super) problems: Vec<Problem>,
    /// How many more problems there are.
    pub(super) more_problems: u64,
    /// The job's exit code, if the model was run.
    pub(super) exit_code: Option<u8>,
    /// Whether it was stopped because it took too long.
    pub(super) timed_out: bool,
    /// How long it took.
    pub(super) seconds: f64,
    /// What it wrote, by path.
    pub(super) outputs: Vec<Written>,
}

/// One file that the model wrote.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Written {
    path: String,
    /// The declaration's title, if it is declared.
    title: Option<String>,
    /// The declaration's kind.
    kind: Option<&'static str>,
    declared: bool,
    bytes: u64,
    media_type: String,
}

impl TestedInput {
    /// An input on which the model has not run yet.
    pub(super) fn of(input: &Path) -> Self {
        Self {
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
}

impl Written {
    /// A file with its declaration.
    pub(super) fn of(file: &WrittenFile, declared: Option<&OutputSpec>) -> Self {
        Self {
            path: file.path.clone(),
            title: declared.map(|spec| spec.title.clone()),
            kind: declared.map(|spec| spec.kind.as_str()),
            declared: declared.is_some(),
            bytes: file.bytes,
            media_type: file.media_type.clone(),
        }
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
                Cell::new(output.kind.unwrap_or_default()),
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
