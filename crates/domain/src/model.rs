//! A model's manifest, `model.toml`.

mod bounds;
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

use bounds::{
    ADDRESS_PATTERN, ARGUMENT_PATTERN, COLUMN_PATTERN, LAST_HEADER_ROW, MAX_ATTEMPTS, MAX_COLUMN,
    MAX_COLUMNS, MAX_DESCRIPTION, MAX_INPUT, MAX_MEMORY_MIB, MAX_OUTPUTS, MAX_ROWS, MAX_SECRETS,
    MAX_SHEET, MAX_TIMEOUT_MINUTES, MAX_TITLE, MIN_MEMORY_MIB, PATH_PATTERN, SCHEMA_PATTERN,
    SHEET_PATTERN, TITLE_PATTERN, default_accepts, default_attempts, default_max_bytes,
    default_memory_mib, default_required, default_timeout_minutes, default_vcpus, has_no_table,
    has_tables, needs_row_schema,
};
pub use locale::{DateOrder, Locale};
pub use name::{ModelName, ModelNameError};
use outputs::MAX_PATTERN;
pub use outputs::{OutputMatcher, OutputPatternError};
pub use parse::{ManifestErrors, ManifestProblem};
pub use schedule::{Schedule, ScheduleError};
use schemars::JsonSchema;
pub use secret::{SecretRef, SecretRefError};
use serde::{Deserialize, Serialize};
pub use vcpus::{Vcpus, VcpusError};

use crate::{
    recipient::{ADDRESS_BYTES, MAX_RECIPIENTS},
    variants::named_enum,
};

/// The file name of the manifest.
pub const MANIFEST_FILE: &str = "model.toml";

/// The maximum size in bytes of inputs that are read into memory, whatever the manifest says.
pub const MAX_IN_MEMORY: u64 = 100 * 1024 * 1024;

/// A valid manifest of a model. Versions are stored with it, serialized in camelCase.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(
    title = "Model manifest",
    description = "What a data scientist writes in model.toml. TOML tables are objects, arrays of tables are arrays."
)]
pub struct Manifest {
    /// The model's name, which is part of S3 keys and of job definition names.
    pub name: ModelName,
    /// What people call the model, in one line.
    #[schemars(length(max = MAX_TITLE), regex(pattern = TITLE_PATTERN))]
    pub title: String,
    /// What the model does; may be empty.
    #[serde(default)]
    #[schemars(length(max = MAX_DESCRIPTION))]
    pub description: String,
    /// What the model reads.
    pub input: InputSpec,
    /// How the model runs.
    pub job: JobSpec,
    /// How the model's data is refreshed: a job like any other, without an input, whose cache is kept;
    /// absent when it cannot be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refresh: Option<RefreshSpec>,
    /// What the model writes below `DROPCAST_OUTPUT_DIR`.
    #[serde(default)]
    #[schemars(length(max = MAX_OUTPUTS))]
    pub outputs: Vec<OutputSpec>,
    /// The recipients of mails about every run of this model.
    #[serde(default)]
    pub notify: NotifySpec,
}

/// The inputs that a model accepts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("if" = has_tables(), "then" = needs_row_schema(), "else" = has_no_table()))]
pub struct InputSpec {
    /// The formats of input files, each once. csv takes files that end in .csv and in .tsv.
    #[schemars(default = "default_accepts", length(min = 1), extend("uniqueItems" = true))]
    pub accepts: Vec<InputFormat>,
    /// The JSON Schema (draft 2020-12) of the input document, or of one row where no JSON is accepted: a
    /// file in the manifest's folder or below it.
    #[schemars(regex(pattern = SCHEMA_PATTERN))]
    pub schema: String,
    /// The largest input in bytes: at most 1 GiB where tables are accepted, 100 MiB otherwise. A JSON
    /// document and an xls workbook have 100 MiB at most in any case.
    #[schemars(default = "default_max_bytes", range(min = 1, max = MAX_INPUT))]
    pub max_bytes: u64,
    /// How tables are read; absent when none is accepted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub table: Option<TableSpec>,
}

/// How a model's tables are read: `[input.table]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct TableSpec {
    /// The JSON Schema of one row; the input's own schema otherwise. Required where JSON is accepted too.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = SCHEMA_PATTERN))]
    pub schema: Option<String>,
    /// The sheet of a workbook; otherwise the one visible sheet that has the columns, and two that have
    /// them are a problem.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = MAX_SHEET), regex(pattern = SHEET_PATTERN))]
    pub sheet: Option<String>,
    /// The row of the header, from 1; otherwise the first row that is not empty.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = LAST_HEADER_ROW))]
    pub header_row: Option<u64>,
    /// Required columns, in addition to those that the row's schema requires.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = MAX_COLUMNS), inner(length(max = MAX_COLUMN), regex(pattern = COLUMN_PATTERN)), extend("uniqueItems" = true))]
    pub required_columns: Vec<String>,
    /// Optional columns, in addition to those that the row's schema declares. If any are named, every
    /// further column is a problem.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = MAX_COLUMNS), inner(length(max = MAX_COLUMN), regex(pattern = COLUMN_PATTERN)), extend("uniqueItems" = true))]
    pub optional_columns: Vec<String>,
    /// Columns whose values, taken together, may occur in one row only.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = MAX_COLUMNS), inner(length(max = MAX_COLUMN), regex(pattern = COLUMN_PATTERN)), extend("uniqueItems" = true))]
    pub key: Vec<String>,
    /// The minimum number of rows, without the header.
    #[schemars(range(min = 0, max = MAX_ROWS))]
    pub min_rows: u64,
    /// The maximum number of rows below the header; not less than the minimum.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = MAX_ROWS))]
    pub max_rows: Option<u64>,
    /// How numbers and dates are written in text; otherwise with a decimal point and as in ISO 8601.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub locale: Option<Locale>,
    /// How the text of CSV files is encoded; detected otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encoding: Option<TableEncoding>,
    /// What 4.5 % is in a column of numbers: a problem (refuse), 4.5 (points) or 0.045 (fraction).
    #[serde(skip_serializing_if = "Percent::is_refused")]
    #[schemars(extend("default" = Percent::Refuse))]
    pub percent: Percent,
}

impl Default for TableSpec {
    /// The defaults: a header and at least one row.
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

named_enum! {
    /// What `4.5 %` is in a column of numbers, be it a text or a cell that a workbook shows so (and
    /// keeps as 0.045).
    #[schemars(description = "What 4.5 % is in a column of numbers: a problem, 4.5 or 0.045.")]
    #[derive(Default)]
    pub enum Percent {
        /// As a problem, because the meaning is unclear.
        #[default]
        Refuse = "refuse",
        /// As 4.5.
        Points = "points",
        /// As 0.045.
        Fraction = "fraction",
    }
}

impl Percent {
    #[expect(
        clippy::trivially_copy_pass_by_ref,
        reason = "Serde hands out a reference."
    )]
    fn is_refused(&self) -> bool {
        *self == Self::Refuse
    }
}

impl InputSpec {
    /// The maximum size of a file of a format in bytes.
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

    /// The format of a file by its extension, if the model accepts it.
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

named_enum! {
    /// How the text of a CSV file is encoded.
    pub enum TableEncoding {
        /// UTF-8, with or without a byte order mark.
        Utf8 = "utf-8",
        /// UTF-16, low byte first.
        Utf16Le = "utf-16le",
        /// UTF-16, high byte first.
        Utf16Be = "utf-16be",
        /// Windows-1252, for western Europe and the Americas.
        Windows1252 = "windows-1252",
        /// Windows-1250, for central Europe.
        Windows1250 = "windows-1250",
        /// Latin-2, for central Europe.
        Iso8859Part2 = "iso-8859-2",
        /// Latin-9, for western Europe, with the euro sign.
        Iso8859Part15 = "iso-8859-15",
    }
}

named_enum! {
    /// A format of inputs.
    pub enum InputFormat {
        /// One JSON document.
        Json = "json",
        /// Delimiter-separated text, as in RFC 4180.
        Csv = "csv",
        /// An Excel workbook (Office Open XML).
        Xlsx = "xlsx",
        /// An Excel workbook from before 2007 (BIFF).
        Xls = "xls",
    }
}

impl InputFormat {
    /// The file name extensions, without the dot; the usual one first.
    pub fn extensions(self) -> &'static [&'static str] {
        match self {
            Self::Json => &["json"],
            Self::Csv => &["csv", "tsv"],
            Self::Xlsx => &["xlsx"],
            Self::Xls => &["xls"],
        }
    }

    /// Whether it is a table format.
    pub fn is_table(self) -> bool {
        self != Self::Json
    }
}

/// The program that runs a model's command in its container.
pub const JOB_RUNNER: &str = "dropcast-job";

/// The job's command, which runs the model's command.
pub fn job_command(command: &[String]) -> Vec<String> {
    [JOB_RUNNER, "--"]
        .into_iter()
        .map(str::to_owned)
        .chain(command.iter().cloned())
        .collect()
}

/// How a model runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct JobSpec {
    /// The program and its arguments, together at most 6144 bytes.
    #[schemars(length(min = 1), inner(regex(pattern = ARGUMENT_PATTERN)), extend("allOf" = [{ "prefixItems": [{ "minLength": 1 }] }]))]
    pub command: Vec<String>,
    /// Virtual CPUs: a whole number, or 0.25 or 0.5, which Fargate alone offers.
    #[schemars(default = "default_vcpus")]
    pub vcpus: Vcpus,
    /// Memory in MiB. On Fargate not every memory goes with every number of vCPUs; the build names the
    /// nearest that does.
    #[schemars(default = "default_memory_mib", range(min = MIN_MEMORY_MIB, max = MAX_MEMORY_MIB))]
    pub memory_mib: u32,
    /// The time limit of one attempt in minutes.
    #[schemars(default = "default_timeout_minutes", range(min = 1, max = MAX_TIMEOUT_MINUTES))]
    pub timeout_minutes: u32,
    /// How often the job is tried when its host fails.
    #[schemars(default = "default_attempts", range(min = 1, max = MAX_ATTEMPTS))]
    pub attempts: u32,
    /// Variables of the job's environment that hold secrets.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("maxProperties" = MAX_SECRETS, "propertyNames" = { "maxLength": 128, "pattern": "^(?!AWS_|DROPCAST_)[A-Za-z_][A-Za-z0-9_]*$" }))]
    pub secrets: BTreeMap<String, SecretRef>,
}

/// How a model's cache is refreshed: `[refresh]`. Everything else is as in `[job]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RefreshSpec {
    /// The program and its arguments, together at most 6144 bytes.
    #[schemars(length(min = 1), inner(regex(pattern = ARGUMENT_PATTERN)), extend("allOf" = [{ "prefixItems": [{ "minLength": 1 }] }]))]
    pub command: Vec<String>,
    /// When it is refreshed by itself: minute, hour, day of the month, month and day of the week as cron
    /// has them, in UTC, at least 15 minutes apart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule: Option<Schedule>,
}

/// One declared output.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OutputSpec {
    /// A path or a glob below the output folder: * and ? within one folder, ** across folders, {a,b} for
    /// alternatives. No two outputs have the same.
    #[schemars(length(max = MAX_PATTERN), regex(pattern = PATH_PATTERN))]
    pub path: String,
    /// What people call it, in one line.
    #[schemars(length(max = MAX_TITLE), regex(pattern = TITLE_PATTERN))]
    pub title: String,
    /// What it is: rows and columns, a picture, text to read, or anything else.
    pub kind: OutputKind,
    /// Whether a run that did not write it has failed.
    #[schemars(default = "default_required")]
    pub required: bool,
}

named_enum! {
    /// What an output is, for those who show it.
    pub enum OutputKind {
        /// Rows and columns.
        Table = "table",
        /// A picture.
        Chart = "chart",
        /// Text to read.
        Document = "document",
        /// Anything else.
        Data = "data",
    }
}

/// Who is notified of every run of a model.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct NotifySpec {
    /// The addresses that are notified of every run, in addition to those that the uploader names.
    #[serde(default)]
    #[schemars(length(max = MAX_RECIPIENTS), inner(length(max = ADDRESS_BYTES), regex(pattern = ADDRESS_PATTERN)), extend("uniqueItems" = true))]
    pub recipients: Vec<String>,
}
