//! How the command ends: the codes that scripts read, and errors that know theirs.

pub use dropcast_api_types::Exit;
use dropcast_store::StoreError;
use thiserror::Error;

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
    use dropcast_domain::status::Status;

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
            operation: "get",
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
