//! What can go wrong beside the model, and the exit code that says so.

use std::fmt::Write as _;

use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};

/// A failure of the run that is not the model's own.
///
/// The message is one sentence for the person who reads the job's log; it never holds a
/// credential or a value of the environment other than an S3 address.
#[derive(Debug, thiserror::Error, Clone, PartialEq, Eq)]
pub enum JobError {
    /// The arguments or the environment do not say what to run.
    #[error("{0}")]
    Usage(String),
    /// The folder that holds the input, the outputs and the cache could not be made.
    #[error("{0}")]
    WorkFolder(String),
    /// The input could not be fetched.
    #[error("{0}")]
    Input(String),
    /// The output folder holds something that must not be published.
    #[error("{0}")]
    OutputsRefused(String),
    /// The outputs could not be stored.
    #[error("{0}")]
    Upload(String),
    /// A refresh could not store what it is there to store.
    #[error("{0}")]
    Cache(String),
    /// The model's command exists but cannot be started.
    #[error("{0}")]
    NotExecutable(String),
    /// The model's command is not in the image.
    #[error("{0}")]
    NotFound(String),
    /// A signal asked for the end outside the model's own run, or the model answered one by
    /// exiting 0.
    #[error("stopped by {name}; nothing was published")]
    Interrupted {
        /// The signal's number.
        signal: i32,
        /// The signal's name, such as `SIGTERM`.
        name: &'static str,
    },
}

impl JobError {
    /// The exit code of `dropcast-job` for this failure, as listed in `--help`.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Usage(_) => 64,
            Self::WorkFolder(_) => 70,
            Self::Input(_) => 71,
            Self::OutputsRefused(_) => 72,
            Self::Upload(_) => 73,
            Self::Cache(_) => 74,
            Self::NotExecutable(_) => 126,
            Self::NotFound(_) => 127,
            Self::Interrupted { signal, .. } => exit_code_of_signal(*signal),
        }
    }
}

/// The exit code by which a shell reports a process that a signal ended: 128 + n.
pub(crate) fn exit_code_of_signal(signal: i32) -> u8 {
    u8::try_from(128 + signal).unwrap_or(u8::MAX)
}

/// Says in one clause why an S3 call failed.
///
/// The SDK's own display says only "service error"; the reason is further down its chain.
pub(crate) fn describe<E, R>(error: &SdkError<E, R>) -> String
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
    R: std::fmt::Debug + 'static,
{
    match error.as_service_error() {
        Some(service) => match (service.code(), service.message()) {
            (Some(code), Some(message)) => format!("{code}: {message}"),
            (Some(code), None) => code.to_owned(),
            _ => chain(service),
        },
        None => chain(error),
    }
}

/// An error and its sources, joined by colons, each said once.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut said = error.to_string();
    let mut next = error.source();
    while let Some(source) = next {
        let text = source.to_string();
        if !said.contains(&text) {
            // Writing to a String cannot fail.
            let _ = write!(said, ": {text}");
        }
        next = source.source();
    }
    said
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_failure_of_our_own_has_an_exit_code_of_its_own() {
        let all = [
            JobError::Usage(String::new()),
            JobError::WorkFolder(String::new()),
            JobError::Input(String::new()),
            JobError::OutputsRefused(String::new()),
            JobError::Upload(String::new()),
            JobError::Cache(String::new()),
            JobError::NotExecutable(String::new()),
            JobError::NotFound(String::new()),
            JobError::Interrupted {
                signal: 15,
                name: "SIGTERM",
            },
        ];
        let codes: std::collections::BTreeSet<u8> = all.iter().map(JobError::exit_code).collect();
        assert_eq!(codes.len(), all.len());
        assert!(codes.contains(&143));
    }
}
