//! What a manifest may hold, in numbers and patterns, and what it holds where it says nothing: for
//! the parser and for the schema.

use serde_json::{Value, json};

use super::{InputFormat, MAX_IN_MEMORY, Vcpus};

/// The longest title in characters: it becomes a mail's subject.
pub(super) const MAX_TITLE: usize = 100;
/// The longest description in characters.
pub(super) const MAX_DESCRIPTION: usize = 1_000;
/// A finished run is written as at most 30 items.
pub(super) const MAX_OUTPUTS: usize = 20;
/// The largest input that a manifest may allow: validation keeps it and its clean copy on disk.
pub(super) const MAX_INPUT: u64 = 1024 * 1024 * 1024;
/// The last row of an Excel sheet, <https://support.microsoft.com/office/1672b34d-7043-467e-8e27-269d656771c3>.
pub(super) const LAST_HEADER_ROW: u64 = 1_048_576;
/// More rows than the largest input holds.
pub(super) const MAX_ROWS: u64 = 1_000_000_000;
/// The longest name of an Excel sheet.
pub(super) const MAX_SHEET: usize = 31;
/// The most columns that one list names.
pub(super) const MAX_COLUMNS: usize = 1_000;
/// The longest name of a column in characters.
pub(super) const MAX_COLUMN: usize = 255;
/// Below it no interpreter starts.
pub(super) const MIN_MEMORY_MIB: u64 = 64;
/// One TiB.
pub(super) const MAX_MEMORY_MIB: u64 = 1024 * 1024;
/// A day; the state machine waits as long as all attempts together.
pub(super) const MAX_TIMEOUT_MINUTES: u64 = 24 * 60;
/// AWS Batch takes 1 to 10 (`RetryStrategy.attempts`).
pub(super) const MAX_ATTEMPTS: u64 = 10;
/// Container overrides of AWS Batch hold 8,192 bytes, the environment included.
pub(super) const MAX_COMMAND: usize = 6_144;
/// Each secret is fetched before the job starts.
pub(super) const MAX_SECRETS: usize = 50;

// The parser checks the same in its own way, since it says what is wrong; a test compares the two.
/// One line that holds more than spaces.
pub(super) const TITLE_PATTERN: &str =
    r"^[^\u0000-\u001f\u007f-\u009f]*\S[^\u0000-\u001f\u007f-\u009f]*$";
/// A JSON file beside the manifest or below it.
pub(super) const SCHEMA_PATTERN: &str = r"^(?!/)(?!.*(^|/)\.{0,2}(/|$))[^\\\u0000-\u001f\u007f-\u009f]*[^/\\\u0000-\u001f\u007f-\u009f]\.json$";
/// What Excel takes for the name of a sheet.
pub(super) const SHEET_PATTERN: &str = r"^(?=[\s\S]*\S)[^\[\]:*?/\\\u0000-\u001f\u007f-\u009f]+$";
/// No spaces around it.
pub(super) const COLUMN_PATTERN: &str = r"^\S([\s\S]*\S)?$";
/// No program can be given a NUL.
pub(super) const ARGUMENT_PATTERN: &str = r"^[^\u0000]*$";
/// A path below the output folder.
pub(super) const PATH_PATTERN: &str =
    r"^(?!/)(?!.*//)(?!.*/$)(?!.*(^|[/{},])\.{1,2}([/{},]|$))[^\\\u0000-\u001f\u007f-\u009f]+$";
/// A plain mail address.
pub(super) const ADDRESS_PATTERN: &str = r"^(?!\.)(?!.*\.\.)(?!.*\.@)[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$";

pub(super) fn default_accepts() -> Vec<InputFormat> {
    vec![InputFormat::Json]
}

pub(super) fn default_max_bytes() -> u64 {
    10 * 1024 * 1024
}

pub(super) fn default_vcpus() -> Vcpus {
    Vcpus::ONE
}

pub(super) fn default_memory_mib() -> u32 {
    2_048
}

pub(super) fn default_timeout_minutes() -> u32 {
    60
}

pub(super) fn default_attempts() -> u32 {
    2
}

pub(super) fn default_required() -> bool {
    true
}

/// Whether a table is among the formats of an input.
pub(super) fn has_tables() -> Value {
    let tables: Vec<InputFormat> = InputFormat::ALL
        .into_iter()
        .filter(|format| format.is_table())
        .collect();
    json!({
        "required": ["accepts"],
        "properties": { "accepts": { "contains": { "enum": tables } } },
    })
}

/// A row needs a schema of its own beside JSON, whose schema is that of a document.
pub(super) fn needs_row_schema() -> Value {
    json!({
        "if": { "properties": { "accepts": { "contains": { "const": InputFormat::Json } } } },
        "then": { "required": ["table"], "properties": { "table": { "required": ["schema"] } } },
    })
}

/// What is read whole is smaller, and has no table.
pub(super) fn has_no_table() -> Value {
    json!({ "properties": { "maxBytes": { "maximum": MAX_IN_MEMORY }, "table": false } })
}
