//! How the command ends: the codes that scripts read, and errors that know theirs.

use std::process::ExitCode;

use dropcast_domain::status::Status;
use dropcast_store::StoreError;
use thiserror::Error;

/// How the command ended; the number is its exit code. `dropcast --help` lists them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
    TookTooLong = 5,
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

    /// What a run's status means for whoever waited for it; an open run is no end.
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

/// An end that was foreseen: what happened, and what to do about it.
#[derive(Debug, Error)]
#[error("{message}")]
pub struct Stop {
    /// The exit code.
    pub exit: Exit,
    /// What happened, one or more sentences.
    pub message: String,
    /// What to do about it.
    pub advice: Option<String>,
}

impl Stop {
    /// An end with its sentence.
    pub fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self {
            exit,
            message: message.into(),
            advice: None,
        }
    }

    /// The same end with what to do about it.
    #[must_use]
    pub fn advice(mut self, advice: impl Into<String>) -> Self {
        self.advice = Some(advice.into());
        self
    }
}

/// What is told about an error: foreseen ones bring their own words, of others
/// the whole chain is shown.
pub fn told(error: &anyhow::Error) -> Stop {
    if let Some(stop) = error.downcast_ref::<Stop>() {
        return Stop {
            exit: stop.exit,
            message: stop.message.clone(),
            advice: stop.advice.clone(),
        };
    }
    let unreachable = error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<StoreError>())
        .any(StoreError::is_transient);
    let message = causes(error.as_ref());
    if unreachable {
        return Stop::new(Exit::NoStack, message).advice(REACH_ADVICE);
    }
    Stop::new(Exit::Internal, message).advice(
        "If you did nothing unusual, this is a fault of Dropcast: report it with the command that you typed.",
    )
}

/// What to do when AWS or the local stack does not answer.
pub const REACH_ADVICE: &str = "Check the network and, for a stack on AWS, the credentials and the region (`aws sts get-caller-identity`); for the local one, `dropcast local status`.";

/// An error and its causes as one line, each once.
pub fn causes(error: &(dyn std::error::Error + 'static)) -> String {
    let mut parts: Vec<String> = Vec::new();
    let mut next = Some(error);
    while let Some(cause) = next {
        let text = cause.to_string();
        let text = text.trim_end_matches('.');
        if !parts.iter().any(|part| part.contains(text)) {
            parts.push(text.to_owned());
        }
        next = cause.source();
    }
    parts.join(": ")
}

#[cfg(test)]
mod tests {
    use anyhow::{Context as _, anyhow};

    use super::*;

    #[test]
    fn a_foreseen_end_keeps_its_words_under_context() {
        let error =
            anyhow::Error::from(Stop::new(Exit::NotFound, "There is no such run.")).context("show");
        let told = told(&error);
        assert_eq!(
            (told.exit, told.message.as_str()),
            (Exit::NotFound, "There is no such run.")
        );
    }

    #[test]
    fn an_unforeseen_error_is_internal_and_names_each_cause_once() {
        let error = Err::<(), _>(anyhow!("disk full"))
            .context("cannot write: disk full")
            .context("demo")
            .unwrap_err();
        let told = told(&error);
        assert_eq!(told.exit, Exit::Internal);
        assert_eq!(told.message, "demo: cannot write: disk full");
    }

    #[test]
    fn a_table_that_does_not_answer_is_no_internal_fault() {
        let error = anyhow::Error::from(StoreError::Call {
            verb: "find",
            transient: true,
            source: "dispatch failure".into(),
        });
        assert_eq!(told(&error).exit, Exit::NoStack);
    }

    #[test]
    fn every_end_of_a_run_has_its_code() {
        assert_eq!(Exit::of(Status::Succeeded).code(), 0);
        assert_eq!(Exit::of(Status::Failed).code(), 1);
        assert_eq!(Exit::of(Status::Cancelled).code(), 1);
        assert_eq!(Exit::of(Status::Rejected).code(), 3);
    }
}
