//! A model that was run on this machine.

use dropcast_domain::{
    model::{ModelName, OutputKind},
    problem::{MAX_PROBLEMS, Problem},
};
use schemars::JsonSchema;
use serde::Serialize;

use crate::{ReadingView, RejectionView};

/// What `dropcast model test --json` prints, whether all went well or not. What the model prints goes
/// to stderr.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Tested {
    /// The model's folder, as the command line named it.
    pub folder: String,
    /// The name of the model that ran.
    pub model: ModelName,
    /// The Docker image that it ran in; null when it ran in a copy of the folder.
    pub image: Option<String>,
    /// Whether the model passed on every input. It goes with the exit code.
    pub passed: bool,
    /// One for each input, in order.
    #[schemars(length(min = 1))]
    pub inputs: Vec<TestedInput>,
}

/// The model on one input.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TestedInput {
    /// The input file.
    pub input: String,
    /// Whether the model ended well and wrote every required output.
    pub passed: bool,
    /// What went wrong, in a sentence; null when nothing did or the input is not accepted.
    pub failure: Option<String>,
    /// How the input was read; null when it is not accepted.
    pub reading: Option<ReadingView>,
    /// Why the input is not accepted; null when it is.
    pub rejection: Option<RejectionView>,
    /// What is wrong with the input, the first hundred.
    #[schemars(length(max = MAX_PROBLEMS))]
    pub problems: Vec<Problem>,
    /// The number of problems that are not in the list, each occurrence counted.
    pub more_problems: u64,
    /// What the job's exit code would be; null when the model was not run.
    pub exit_code: Option<u8>,
    /// Whether it was stopped because it took longer than model.toml allows.
    pub timed_out: bool,
    /// How long the model ran, in seconds.
    #[schemars(range(min = 0))]
    pub seconds: f64,
    /// What would be published, by path; nothing when the model failed.
    pub outputs: Vec<WrittenOutput>,
}

/// One file that the model wrote.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct WrittenOutput {
    /// Its path below the output folder.
    pub path: String,
    /// The declaration's title; null when it is not declared.
    pub title: Option<String>,
    /// The declaration's kind; null when it is not declared.
    pub kind: Option<OutputKind>,
    /// Whether model.toml declares it.
    pub declared: bool,
    /// The file's size in bytes.
    pub bytes: u64,
    /// The file's media type, from its name.
    pub media_type: String,
}
