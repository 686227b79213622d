//! How a command ended when it did not end well.

use std::{borrow::Cow, process::ExitCode};

use dropcast_domain::status::Status;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Serialize, Serializer};
use strum::VariantArray;

/// What every command prints with `--json` when it did not end well, instead of its own document. A
/// command line that cannot be parsed (exit code 2) prints no document.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "Error")]
pub struct ErrorDocument<'a> {
    /// How it ended.
    pub error: ErrorDetail<'a>,
}

/// How a command ended.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "ErrorDetail")]
pub struct ErrorDetail<'a> {
    /// The exit code; `dropcast --help` lists them.
    pub exit_code: Exit,
    /// What happened.
    #[schemars(length(min = 1))]
    pub message: &'a str,
    /// What to do.
    pub advice: Option<&'a str>,
}

/// How the command ended; the number is its exit code. `dropcast --help` lists them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, VariantArray)]
#[repr(u8)]
pub enum Exit {
    /// All is well.
    Done = 0,
    /// The run failed or was cancelled, or `validate` found problems.
    Failed = 1,
    /// The command line does not make sense. clap uses the same number.
    Usage = 2,
    /// What was handed in was not accepted: the run was rejected, a model's folder has problems, or
    /// a change was refused.
    NotAccepted = 3,
    /// There is no stack, or it cannot be reached.
    NoStack = 4,
    /// The time given with `--timeout` was over first.
    TimedOut = 5,
    /// There is no such run, model, version, mail or file.
    NotFound = 6,
    /// Dropcast itself is at fault (`EX_SOFTWARE` of `sysexits.h`).
    Internal = 70,
    /// Stopped with Ctrl-C, as shells count it: 128 + SIGINT.
    Interrupted = 130,
}

impl Exit {
    /// The exit code.
    pub fn code(self) -> u8 {
        self as u8
    }

    /// What a run's status means for a command that waited for it; none while the run is open.
    pub fn of(status: Status) -> Self {
        match status {
            Status::Failed | Status::Cancelled => Self::Failed,
            Status::Rejected => Self::NotAccepted,
            _ => Self::Done,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

impl Serialize for Exit {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u8(self.code())
    }
}

impl JsonSchema for Exit {
    fn schema_name() -> Cow<'static, str> {
        "ExitCode".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        // Success has its own document.
        let codes = Self::VARIANTS.iter().filter(|exit| **exit != Self::Done);
        json_schema!({
            "description": "How a command ended.",
            "type": "integer",
            "enum": codes.map(|exit| exit.code()).collect::<Vec<u8>>(),
        })
    }
}
