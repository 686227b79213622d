//! The model: what a data scientist declares in `model.toml`.

mod name;
mod outputs;
mod parse;
mod read;

pub use name::{ModelName, ModelNameError};
pub use outputs::{OutputMatcher, OutputPatternError};
pub use parse::{ManifestErrors, ManifestProblem};
use serde::{Deserialize, Serialize};

/// The name of the file that holds a manifest.
pub const MANIFEST_FILE: &str = "model.toml";

/// A model's manifest, checked; serialised in camelCase it is what the table
/// keeps with a version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Manifest {
    /// The model's name.
    pub name: ModelName,
    /// What people call the model, one line.
    pub title: String,
    /// What it does; may be empty.
    #[serde(default)]
    pub description: String,
    /// What it reads.
    pub input: InputSpec,
    /// How it runs.
    pub job: JobSpec,
    /// What it writes.
    #[serde(default)]
    pub outputs: Vec<OutputSpec>,
    /// Who hears of every run.
    #[serde(default)]
    pub notify: NotifySpec,
}

/// What a model reads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InputSpec {
    /// The formats it takes, each once, at least one.
    pub accepts: Vec<InputFormat>,
    /// The JSON Schema file, relative to the manifest.
    pub schema: String,
    /// The largest input in bytes.
    pub max_bytes: u64,
}

impl InputSpec {
    /// The format of a file by its extension, if the model takes it.
    pub fn format_of(&self, file_name: &str) -> Option<InputFormat> {
        let (_, extension) = file_name.rsplit_once('.')?;
        self.accepts
            .iter()
            .copied()
            .find(|format| extension.eq_ignore_ascii_case(format.extension()))
    }
}

/// A format of inputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum InputFormat {
    /// One JSON document.
    Json,
}

impl InputFormat {
    /// The file name extension, without the dot; also the name in a manifest.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Json => "json",
        }
    }
}

/// How a model runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct JobSpec {
    /// The program and its arguments.
    pub command: Vec<String>,
    /// Virtual CPUs.
    pub vcpus: u32,
    /// Memory in MiB.
    pub memory_mib: u32,
    /// How long one attempt may run, in minutes.
    pub timeout_minutes: u32,
    /// How often the job is tried when its host fails; AWS Batch takes 1 to 10.
    pub attempts: u32,
}

/// One declared output.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OutputSpec {
    /// A path or glob below the output folder.
    pub path: String,
    /// What people call it, one line.
    pub title: String,
    /// What it is.
    pub kind: OutputKind,
    /// Whether a run without it has failed.
    pub required: bool,
}

/// What an output is, for those who show it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OutputKind {
    /// Rows and columns.
    Table,
    /// A picture.
    Chart,
    /// Text to read.
    Document,
    /// Anything else.
    Data,
}

impl OutputKind {
    const ALL: [Self; 4] = [Self::Table, Self::Chart, Self::Document, Self::Data];

    /// The kind's name in a manifest.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::Chart => "chart",
            Self::Document => "document",
            Self::Data => "data",
        }
    }
}

/// Who hears of every run of a model.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NotifySpec {
    /// Mail addresses.
    #[serde(default)]
    pub recipients: Vec<String>,
}
