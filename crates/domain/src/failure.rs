//! The errors that users can see: a stable code, what happened, what to do.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::EnumMessage;

use crate::{text, upload::RunKind, variants::named_enum};

named_enum! {
    /// A stable code for what went wrong.
    ///
    /// The state machine matches on it by name; a test holds its list against this one. The schemas and
    /// the table of `docs/ERRORS.md` are generated from it.
    #[schemars(
        description = "A stable code for why a run did not succeed; docs/ERRORS.md says what to do about each."
    )]
    #[derive(EnumMessage)]
    pub enum ErrorCode {
        /// The file does not match the model's schema, or it cannot be read. The mail and
        /// `runs/<model>/<run-id>/problems.json` list every problem.
        InputRejected = "InputRejected",
        /// The file was not uploaded to a model's folder, or the model is not registered.
        ModelUnknown = "ModelUnknown",
        /// The folder pins a version that does not exist, or whose job definition was deregistered.
        VersionUnknown = "VersionUnknown",
        /// The folder pins a retired version.
        VersionRetired = "VersionRetired",
        /// The file is larger than the model's `max_bytes`.
        InputTooLarge = "InputTooLarge",
        /// The model exited with an error. Its last log lines are kept with the run.
        JobFailed = "JobFailed",
        /// The model exceeded its version's memory limit and was killed.
        OutOfMemory = "OutOfMemory",
        /// An attempt took longer than the version's `timeout_minutes`, or the job did not end within
        /// its maximum waiting and running time.
        TimedOut = "TimedOut",
        /// The version's container image could not be used: it was deleted, its registry limits the
        /// rate of pulls, or it is for another processor.
        ImageNotPulled = "ImageNotPulled",
        /// A secret that the model declares does not exist, is being deleted, or lacks the declared
        /// key.
        SecretMissing = "SecretMissing",
        /// AWS Batch found no machine for the job: none is available, or none in the compute
        /// environment is large enough.
        CapacityUnavailable = "CapacityUnavailable",
        /// In every attempt, the machine was lost while the model ran, or its container could not be
        /// run there.
        HostLost = "HostLost",
        /// Somebody cancelled the run, or stopped its job.
        Cancelled = "Cancelled",
        /// The job ended, and AWS Batch gave no reason.
        JobLost = "JobLost",
        /// The model exited without an error but did not write a required output.
        OutputsMissing = "OutputsMissing",
        /// Dropcast itself failed. The execution has failed, and an alarm has notified the operator.
        Internal = "Internal",
    }
    /// A text that is not an error code.
    #[error("“{0}” is not a Dropcast error code")]
    pub struct ParseErrorCodeError;
}

impl ErrorCode {
    /// What happened, in sentences with Markdown's backticks: the comment of the variant.
    pub fn meaning(self) -> String {
        let comment = self.get_documentation().unwrap_or_default();
        comment.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// What happened, in sentences for a person who reads plain text.
    pub fn sentence(self) -> String {
        self.meaning().replace('`', "")
    }

    /// The sentence that tells the user what to do.
    pub fn advice(self) -> &'static str {
        match self {
            Self::InputRejected => "Correct the file as listed and upload it again.",
            Self::ModelUnknown => {
                "Upload the file to the folder of an existing model: inputs/<model>/. Ask the operator which models are available."
            }
            Self::VersionUnknown => {
                "Leave out the version to run the model's default version, or ask the model's owner which versions can run."
            }
            Self::VersionRetired => {
                "Upload the file to the model's folder without a version to run the default version, or ask the model's owner which versions can run."
            }
            Self::InputTooLarge => {
                "Upload a smaller file, or ask the model's owner to raise the size limit."
            }
            Self::JobFailed => {
                "If the model's message points to something in your file, correct it and upload the file again. Otherwise, send this message to the model's owner."
            }
            Self::OutOfMemory => {
                "Ask the model's owner to give the model more memory, or upload a smaller file."
            }
            Self::TimedOut => {
                "Upload the file again. If it happens twice, ask the model's owner to raise the time limit."
            }
            Self::ImageNotPulled => {
                "Send this message to the model's owner: the container image of this version cannot be used."
            }
            Self::SecretMissing => {
                "Nothing is wrong with your file, and it is kept. Ask the operator to create the secret that the message names, then upload the file again."
            }
            Self::CapacityUnavailable => {
                "Upload the file again later. If it keeps happening, ask the operator to check the compute environment."
            }
            Self::HostLost => {
                "Upload the file again. The machine that ran the model was lost; nothing is wrong with your file."
            }
            Self::Cancelled => "Upload the file again if you still want the result.",
            Self::JobLost => {
                "Upload the file again. AWS Batch lost track of the job; nothing is wrong with your file."
            }
            Self::OutputsMissing => {
                "Send this message to the model's owner: the model did not write an output that it declares as required."
            }
            Self::Internal => {
                "Nothing is wrong with your file, and it is kept. The operator has been notified; upload it again later."
            }
        }
    }
}

impl ErrorCode {
    /// What to do about a run of this kind: for a refresh, there is no file to upload again.
    pub fn advice_on(self, kind: RunKind) -> &'static str {
        if kind == RunKind::Run {
            return self.advice();
        }
        match self {
            Self::InputRejected => {
                "Add a [refresh] section to the model's manifest and promote the new version, or refresh a version that has one."
            }
            Self::ModelUnknown => "Refresh an existing model; `dropcast model list` shows them.",
            Self::JobFailed => {
                "Check the command's output, fix the command or its data source, and refresh again with `dropcast model refresh`. Runs keep using the data of the last successful refresh."
            }
            Self::OutOfMemory => {
                "Give the model more memory in its manifest, promote the new version, and refresh again. Runs keep using the data of the last successful refresh."
            }
            Self::TimedOut => {
                "Refresh again. If it happens twice, raise the time limit in the model's manifest. Runs keep using the data of the last successful refresh."
            }
            Self::CapacityUnavailable | Self::HostLost | Self::Cancelled | Self::JobLost => {
                "Refresh again with `dropcast model refresh`, or wait for the next scheduled refresh. Runs keep using the data of the last successful refresh."
            }
            Self::SecretMissing => {
                "Ask the operator to create the secret that the message names, then refresh again with `dropcast model refresh`. Runs keep using the data of the last successful refresh."
            }
            Self::Internal => {
                "The operator has been notified. Refresh again later; runs keep using the data of the last successful refresh."
            }
            other => other.advice(),
        }
    }
}

/// The longest message that is kept, in characters.
pub(crate) const MESSAGE_LENGTH: usize = 1_000;

/// Why a run did not succeed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(description = "Why a run did not succeed.")]
pub struct Failure {
    /// The error code.
    pub code: ErrorCode,
    /// What happened, in a sentence.
    #[schemars(length(min = 1, max = MESSAGE_LENGTH + 1))]
    pub message: String,
}

impl Failure {
    /// Creates a failure; shortens the message to the limit of a record.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        let message = text::shorten(&message.into(), MESSAGE_LENGTH);
        Self { code, message }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} {}", self.code, self.message, self.code.advice())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_reads_back_and_has_advice_that_is_a_sentence() {
        for code in ErrorCode::ALL {
            assert_eq!(code.as_str().parse::<ErrorCode>().unwrap(), code);
            assert_eq!(serde_json::to_value(code).unwrap(), code.as_str());
            assert!(code.advice().ends_with('.'), "{code}");
        }
    }

    #[test]
    fn a_long_message_is_cut_between_characters() {
        let failure = Failure::new(ErrorCode::JobFailed, "é".repeat(5_000));
        assert_eq!(failure.message.chars().count(), MESSAGE_LENGTH + 1);
    }
}
