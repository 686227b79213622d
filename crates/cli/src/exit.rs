//! Exit codes, and errors that carry their exit code.

pub use dropcast_api_types::Exit;
use dropcast_store::StoreError;
use thiserror::Error;

/// An expected error: its exit code, what happened, and what to do.
#[derive(Debug, Error)]
#[error("{message}")]
pub struct CliError {
    /// The exit code.
    pub exit: Exit,
    /// What happened, one or more sentences.
    pub message: String,
    /// What to do about it.
    pub advice: Option<String>,
}

impl CliError {
    /// An error with its message.
    pub fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self {
            exit,
            message: message.into(),
            advice: None,
        }
    }

    /// The same error with advice.
    #[must_use]
    pub fn advice(mut self, advice: impl Into<String>) -> Self {
        self.advice = Some(advice.into());
        self
    }
}

/// Turns any error into one with an exit code. The message of an unexpected error is its whole
/// chain of causes.
pub fn to_cli_error(error: &anyhow::Error) -> CliError {
    if let Some(error) = error.downcast_ref::<CliError>() {
        return CliError {
            exit: error.exit,
            message: error.message.clone(),
            advice: error.advice.clone(),
        };
    }
    let unreachable = error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<StoreError>())
        .any(StoreError::is_transient);
    let message = join_causes(error.as_ref());
    if unreachable {
        return CliError::new(Exit::NoStack, message).advice(REACH_ADVICE);
    }
    CliError::new(Exit::Internal, message)
        .advice("This is probably a bug in Dropcast: report it, with the command that you ran.")
}

/// The advice when AWS or the local stack does not respond.
pub const REACH_ADVICE: &str = "Check the network and, for a stack on AWS, the credentials and the region (`aws sts get-caller-identity`); for the local stack, run `dropcast local status`.";

/// Joins an error and its causes into one line, each once.
pub fn join_causes(error: &(dyn std::error::Error + 'static)) -> String {
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
    use dropcast_domain::status::Status;

    use super::*;

    #[test]
    fn an_expected_error_keeps_its_message_under_context() {
        let error = anyhow::Error::from(CliError::new(Exit::NotFound, "There is no such run."))
            .context("show");
        let described = to_cli_error(&error);
        assert_eq!(
            (described.exit, described.message.as_str()),
            (Exit::NotFound, "There is no such run.")
        );
    }

    #[test]
    fn an_unexpected_error_is_internal_and_names_each_cause_once() {
        let error = Err::<(), _>(anyhow!("disk full"))
            .context("cannot write: disk full")
            .context("demo")
            .unwrap_err();
        let described = to_cli_error(&error);
        assert_eq!(described.exit, Exit::Internal);
        assert_eq!(described.message, "demo: cannot write: disk full");
    }

    #[test]
    fn an_unreachable_table_is_not_an_internal_error() {
        let error = anyhow::Error::from(StoreError::Call {
            operation: "get",
            transient: true,
            source: "dispatch failure".into(),
        });
        assert_eq!(to_cli_error(&error).exit, Exit::NoStack);
    }

    #[test]
    fn every_terminal_status_has_its_code() {
        assert_eq!(Exit::of(Status::Succeeded).code(), 0);
        assert_eq!(Exit::of(Status::Failed).code(), 1);
        assert_eq!(Exit::of(Status::Cancelled).code(), 1);
        assert_eq!(Exit::of(Status::Rejected).code(), 3);
    }
}
