//! Files and models that were validated on this machine.

use dropcast_domain::{
    failure::ErrorCode,
    ids::Version,
    model::ModelName,
    problem::{MAX_PROBLEMS, Problem, ProblemList},
};
use schemars::JsonSchema;
use serde::Serialize;

use crate::ReadingView;

/// What `dropcast validate FILE --json` prints, whether the file is accepted or not.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Validated {
    /// The file, as the command line named it.
    pub file: String,
    /// Its size in bytes.
    pub bytes: u64,
    /// The model that it was validated against.
    pub model: CheckedModel,
    /// Whether a run of the model would start. It goes with the exit code: 0 or 1.
    pub accepted: bool,
    /// How the file was read, as far as it was; null when it was rejected before any of it was read.
    pub reading: Option<ReadingView>,
    /// Why the file is not accepted; null when it is.
    pub rejection: Option<RejectionView>,
    /// What is wrong with it, the first hundred; similar problems of a table are put together, the
    /// most frequent first.
    #[schemars(length(max = MAX_PROBLEMS))]
    pub problems: Vec<Problem>,
    /// The number of problems that are not in the list, each occurrence counted.
    pub more_problems: u64,
    /// How many problems there are, each occurrence in the file counted.
    pub problem_count: u64,
    /// Where `--clean` wrote what the model would get; null without `--clean` and when the file is
    /// not accepted.
    pub clean: Option<String>,
    /// Where `--marked` wrote the copy with the faulty cells marked; null without `--marked` and when
    /// there are none.
    pub marked: Option<String>,
}

/// The model that a file was validated against.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct CheckedModel {
    /// The model's name.
    #[schemars(length(min = 1))]
    pub name: String,
    /// The version, of a registered model.
    pub version: Option<Version>,
    /// The stack where it is registered: its CloudFormation name, or `local`.
    pub stack: Option<String>,
    /// The model's folder, where the command line named that.
    pub folder: Option<String>,
}

/// Why a file is not accepted.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Rejection")]
pub struct RejectionView {
    /// The stable code; docs/ERRORS.md explains each.
    #[schemars(extend("enum" = [ErrorCode::InputRejected, ErrorCode::InputTooLarge]))]
    pub code: ErrorCode,
    /// What is wrong, in a sentence.
    pub message: String,
    /// What to do, in a sentence.
    pub advice: &'static str,
}

/// What `dropcast validate DIR --json` prints, whether the folder is valid or not.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "Validated model")]
pub struct ValidatedModel {
    /// The folder, as the command line named it.
    pub folder: String,
    /// The model's name; null when its manifest or a schema cannot be used.
    pub model: Option<ModelName>,
    /// Whether nothing is wrong. It goes with the exit code: 0 or 1.
    pub valid: bool,
    /// What is wrong with the manifest or a schema.
    #[schemars(inner(length(min = 1)))]
    pub failures: Vec<String>,
    /// The model's own examples by path, those in examples/rejected last; none when the manifest or a
    /// schema cannot be used.
    pub examples: Vec<ExampleView>,
}

/// One example of a model.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Example")]
pub struct ExampleView {
    /// Its path below the model's folder.
    #[schemars(regex(pattern = "^examples/"))]
    pub file: String,
    /// The outcome that it must have.
    pub expected: ExpectedOutcome,
    /// Whether it has that outcome.
    pub passes: bool,
    /// Why not, in sentences.
    #[schemars(inner(length(min = 1)))]
    pub failures: Vec<String>,
    /// How it was read; null when it was rejected.
    pub reading: Option<ReadingView>,
    /// What is wrong with the file, the first hundred.
    #[schemars(length(max = MAX_PROBLEMS))]
    pub problems: Vec<Problem>,
    /// The number of problems that are not in the list, each occurrence counted.
    pub more_problems: u64,
}

/// Whether an example must be accepted, or rejected with the problems that FILE.problems.json lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ExpectedOutcome {
    /// The model must accept it.
    Accepted,
    /// The model must reject it with exactly the problems in its list.
    Rejected,
}

impl ExampleView {
    /// The problems as one list.
    pub fn problem_list(&self) -> ProblemList {
        ProblemList {
            problems: self.problems.clone(),
            more: self.more_problems,
        }
    }
}
