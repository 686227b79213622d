//! The documents of `validate --json`.

use dropcast_domain::{
    failure::ErrorCode,
    problem::{Problem, ProblemList},
};
use dropcast_inputs::file::Rejection;
use dropcast_model_folder::examples::Expected;
use serde::Serialize;

use crate::reading::ReadingView;

/// A checked file: `schemas/cli/validated.schema.json`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Validated {
    /// The file, as the command line named it.
    pub(super) file: String,
    /// Its size in bytes.
    pub(super) bytes: u64,
    /// By what it was checked.
    pub(super) model: ModelView,
    /// Whether a run of the model would begin.
    pub(super) accepted: bool,
    /// How it was read, as far as it was.
    pub(super) reading: Option<ReadingView>,
    /// Why it is not accepted.
    pub(super) rejection: Option<RejectionView>,
    /// What is wrong with it, at most a hundred.
    pub(super) problems: Vec<Problem>,
    /// How many more problems there are.
    pub(super) more_problems: u64,
    /// How many problems there are, each as often as it stands in the file.
    pub(super) problem_count: u64,
    /// Where the clean form was written.
    pub(super) clean: Option<String>,
    /// Where the marked copy was written.
    pub(super) marked: Option<String>,
}

/// The model that a file was checked by.
#[derive(Debug, Clone, Serialize)]
pub(super) struct ModelView {
    /// Its name.
    pub(super) name: String,
    /// The version, of a registered model.
    pub(super) version: Option<u32>,
    /// The stack where it is registered.
    pub(super) stack: Option<String>,
    /// Its folder, of a model that was named by it.
    pub(super) folder: Option<String>,
}

/// Why a file is not accepted.
#[derive(Debug, Serialize)]
pub(crate) struct RejectionView {
    /// The stable code.
    pub(crate) code: ErrorCode,
    /// What is wrong, in a sentence.
    pub(crate) message: String,
    /// What to do.
    pub(super) advice: &'static str,
}

impl RejectionView {
    pub(crate) fn of(rejected: &Rejection) -> Self {
        Self {
            code: rejected.code,
            message: rejected.message(),
            advice: rejected.code.advice(),
        }
    }
}

/// A checked model's folder: `schemas/cli/validated-model.schema.json`.
#[derive(Debug, Serialize)]
pub(crate) struct ValidatedModel {
    /// The folder, as the command line named it.
    pub(super) folder: String,
    /// The model's name, if the manifest reads.
    pub(super) model: Option<String>,
    /// Whether nothing is wrong.
    pub(crate) valid: bool,
    /// What is wrong with the manifest or a schema.
    pub(crate) failures: Vec<String>,
    /// The examples, by path.
    pub(super) examples: Vec<Example>,
}

/// One example of a model.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Example {
    /// Its path below the model's folder.
    pub(super) file: String,
    /// What it is an example of.
    pub(super) expected: Expected,
    /// Whether it is one.
    pub(super) passes: bool,
    /// Why not, in sentences.
    pub(super) failures: Vec<String>,
    /// How it was read, if it was accepted.
    pub(super) reading: Option<ReadingView>,
    /// What is wrong with the file, at most a hundred.
    pub(super) problems: Vec<Problem>,
    /// How many more problems there are.
    pub(super) more_problems: u64,
}

impl Example {
    /// What was found out about an example.
    pub(super) fn of(example: dropcast_model_folder::examples::Example) -> Self {
        Self {
            passes: example.passes(),
            file: example.file,
            expected: example.expected,
            failures: example.failures,
            reading: example.reading.as_ref().map(ReadingView::of),
            problems: example.problems.problems,
            more_problems: example.problems.more,
        }
    }

    /// The problems as one list.
    pub(super) fn problem_list(&self) -> ProblemList {
        ProblemList {
            problems: self.problems.clone(),
            more: self.more_problems,
        }
    }
}
