//! The model: what a data scientist declares in `model.toml`.

pub mod fargate;
mod locale;
mod name;
mod outputs;
mod parse;
mod read;
mod schedule;
mod secret;
mod vcpus;

use std::collections::BTreeMap;

pub use locale::{DateOrder, Locale};
pub use name::{ModelName, ModelNameError};
pub use outputs::{OutputMatcher, OutputPatternError};
pub use parse::{ManifestErrors, ManifestProblem};
pub use schedule::{Schedule, ScheduleError};
pub use secret::{SecretRef, SecretRefError};
use serde::{Deserialize, Serialize};
pub use vcpus::{Vcpus, VcpusError};

/// The name of the file that holds a manifest.
pub const MANIFEST_FILE: &str = "model.toml";

/// The largest input in bytes of a format that is read whole, whatever a manifest says.
pub const MAX_IN_MEMORY: u64 = 100 * 1024 * 1024;

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
    /// How its data is refreshed, if it can be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refresh: Option<RefreshSpec>,
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
    /// How tables are read; present when a format of `accepts` is a table.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub table: Option<TableSpec>,
}

/// How a model's tables are read: `[input.table]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct TableSpec {
    /// The JSON Schema file of one row, where it is not the input's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schema: Option<String>,
    /// The sheet of a workbook; the visible one that has the columns otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sheet: Option<String>,
    /// The header's row, from 1; the first row that holds anything otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub header_row: Option<u64>,
    /// Columns that must be there, beside those that the row schema requires.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub required_columns: Vec<String>,
    /// If any are named, further columns that the schema does not declare are problems.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub optional_columns: Vec<String>,
    /// Columns whose values, taken together, may stand in one row only.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub key: Vec<String>,
    /// The fewest rows below the header.
    pub min_rows: u64,
    /// The most rows below the header.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_rows: Option<u64>,
    /// How numbers and dates are written in text; a decimal point and ISO 8601 otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub locale: Option<Locale>,
    /// How the text of a CSV file is encoded; found out otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encoding: Option<TableEncoding>,
    /// What a percentage is in a column of numbers.
    #[serde(skip_serializing_if = "Percent::is_refused")]
    pub percent: Percent,
}

impl Default for TableSpec {
    /// What is read when the manifest says nothing: a header and at least one row.
    fn default() -> Self {
        Self {
            schema: None,
            sheet: None,
            header_row: None,
            required_columns: Vec::new(),
            optional_columns: Vec::new(),
            key: Vec::new(),
            min_rows: 1,
            max_rows: None,
            locale: None,
            encoding: None,
            percent: Percent::Refuse,
        }
    }
}

/// What `4.5 %` is in a column of numbers, be it a text or a cell that a workbook shows so (and
/// keeps as 0.045).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Percent {
    /// A problem: nothing tells which number is meant.
    #[default]
    Refuse,
    /// 4.5.
    Points,
    /// 0.045.
    Fraction,
}

impl Percent {
    /// Every rule.
    pub const ALL: [Self; 3] = [Self::Refuse, Self::Points, Self::Fraction];

    /// The name in a manifest.
    pub fn name(self) -> &'static str {
        match self {
            Self::Refuse => "refuse",
            Self::Points => "points",
            Self::Fraction => "fraction",
        }
    }

    #[expect(
        clippy::trivially_copy_pass_by_ref,
        reason = "Serde hands out a reference."
    )]
    fn is_refused(&self) -> bool {
        *self == Self::Refuse
    }
}

impl InputSpec {
    /// The largest file of a format in bytes.
    pub fn max_bytes_of(&self, format: InputFormat) -> u64 {
        match format {
            InputFormat::Csv | InputFormat::Xlsx => self.max_bytes,
            InputFormat::Json | InputFormat::Xls => self.max_bytes.min(MAX_IN_MEMORY),
        }
    }

    /// The file of the schema that a table's rows are checked against.
    pub fn row_schema(&self) -> Option<&str> {
        let table = self.table.as_ref()?;
        Some(table.schema.as_ref().unwrap_or(&self.schema))
    }

    /// The format of a file by its extension, if the model takes it.
    pub fn format_of(&self, file_name: &str) -> Option<InputFormat> {
        let (_, extension) = file_name.rsplit_once('.')?;
        self.accepts.iter().copied().find(|format| {
            format
                .extensions()
                .iter()
                .any(|known| extension.eq_ignore_ascii_case(known))
        })
    }
}

/// How the text of a CSV file is encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum TableEncoding {
    /// UTF-8, with or without a byte order mark.
    #[serde(rename = "utf-8")]
    Utf8,
    /// UTF-16, low byte first.
    #[serde(rename = "utf-16le")]
    Utf16Le,
    /// UTF-16, high byte first.
    #[serde(rename = "utf-16be")]
    Utf16Be,
    /// What Windows used in western Europe and the Americas.
    #[serde(rename = "windows-1252")]
    Windows1252,
    /// What Windows used in central Europe.
    #[serde(rename = "windows-1250")]
    Windows1250,
    /// Latin-2, for central Europe.
    #[serde(rename = "iso-8859-2")]
    Iso8859Part2,
    /// Latin-9, for western Europe, with the euro sign.
    #[serde(rename = "iso-8859-15")]
    Iso8859Part15,
}

impl TableEncoding {
    /// Every encoding.
    pub const ALL: [Self; 7] = [
        Self::Utf8,
        Self::Utf16Le,
        Self::Utf16Be,
        Self::Windows1252,
        Self::Windows1250,
        Self::Iso8859Part2,
        Self::Iso8859Part15,
    ];

    /// The name in a manifest.
    pub fn name(self) -> &'static str {
        match self {
            Self::Utf8 => "utf-8",
            Self::Utf16Le => "utf-16le",
            Self::Utf16Be => "utf-16be",
            Self::Windows1252 => "windows-1252",
            Self::Windows1250 => "windows-1250",
            Self::Iso8859Part2 => "iso-8859-2",
            Self::Iso8859Part15 => "iso-8859-15",
        }
    }
}

/// A format of inputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum InputFormat {
    /// One JSON document.
    Json,
    /// Text in rows and columns, RFC 4180 and its kin.
    Csv,
    /// An Excel workbook (Office Open XML).
    Xlsx,
    /// An Excel workbook of before 2007 (BIFF).
    Xls,
}

impl InputFormat {
    /// Every format, in the order in which they are told.
    pub const ALL: [Self; 4] = [Self::Json, Self::Csv, Self::Xlsx, Self::Xls];

    /// The name in a manifest.
    pub fn name(self) -> &'static str {
        self.extensions()[0]
    }

    /// The file name extensions, without the dot; the usual one first.
    pub fn extensions(self) -> &'static [&'static str] {
        match self {
            Self::Json => &["json"],
            Self::Csv => &["csv", "tsv"],
            Self::Xlsx => &["xlsx"],
            Self::Xls => &["xls"],
        }
    }

    /// Whether it holds rows of columns.
    pub fn is_table(self) -> bool {
        self != Self::Json
    }
}

/// What runs a model's command inside its container.
pub const JOB_RUNNER: &str = "dropcast-job";

/// The command of a job that runs a model's own command.
pub fn job_command(command: &[String]) -> Vec<String> {
    [JOB_RUNNER, "--"]
        .into_iter()
        .map(str::to_owned)
        .chain(command.iter().cloned())
        .collect()
}

/// How a model runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct JobSpec {
    /// The program and its arguments.
    pub command: Vec<String>,
    /// Virtual CPUs.
    pub vcpus: Vcpus,
    /// Memory in MiB.
    pub memory_mib: u32,
    /// How long one attempt may run, in minutes.
    pub timeout_minutes: u32,
    /// How often the job is tried when its host fails; AWS Batch takes 1 to 10.
    pub attempts: u32,
    /// Variables of its environment that hold secrets.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub secrets: BTreeMap<String, SecretRef>,
}

/// How a model's data is refreshed: `[refresh]`. The job is otherwise that of `[job]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RefreshSpec {
    /// The program and its arguments.
    pub command: Vec<String>,
    /// When it is refreshed by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule: Option<Schedule>,
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
