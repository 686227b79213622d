//! Whether a stack is fit to run models.

use schemars::JsonSchema;
use serde::Serialize;
use strum::IntoStaticStr;

/// What `dropcast doctor --json` prints.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "Doctor's report")]
pub struct DoctorReport {
    /// The stack: its CloudFormation name, or `local`.
    #[schemars(length(min = 1))]
    pub stack: String,
    /// Whether no check failed; the exit code is 1 otherwise.
    pub healthy: bool,
    /// Every check, in the order in which the text lists them.
    #[schemars(length(min = 1))]
    pub checks: Vec<Check>,
}

/// One thing that was checked; a queue with several compute environments has several.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Check {
    /// What was checked.
    pub name: CheckName,
    /// The result.
    pub outcome: Outcome,
    /// What was found, in sentences.
    pub message: String,
    /// What to do, where there is something to do.
    pub advice: Option<String>,
}

/// What a check is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema, IntoStaticStr)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum CheckName {
    /// The CloudFormation stack.
    Stack,
    /// The sender's identity in SES.
    Sender,
    /// Whether SES is still in the sandbox.
    Sandbox,
    /// The job queue.
    Queue,
    /// The job queue's compute environments.
    Compute,
    /// The job queue for large jobs.
    #[serde(rename = "large queue")]
    #[strum(serialize = "large queue")]
    LargeQueue,
    /// The compute environments for large jobs.
    #[serde(rename = "large compute")]
    #[strum(serialize = "large compute")]
    LargeCompute,
    /// Whether jobs reach the internet.
    Egress,
    /// The endpoint of the links in mails.
    Links,
    /// The dead-letter queues.
    #[serde(rename = "dead letters")]
    #[strum(serialize = "dead letters")]
    DeadLetters,
    /// The alarms.
    Alarms,
    /// A file that is sent through the whole stack.
    Canary,
}

impl CheckName {
    /// The name as it is printed.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// The result of a check: good; working, but in need of attention; broken until it is fixed; or not
/// checked, because that was not possible or there is nothing to check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// The check passed.
    Ok,
    /// It works, and somebody should look at it.
    Warn,
    /// Runs fail, or nobody hears of them, until it is fixed.
    Fail,
    /// It could not be checked, or there is nothing to check.
    NotChecked,
}

impl Check {
    fn new(name: CheckName, outcome: Outcome, message: impl Into<String>) -> Self {
        Self {
            name,
            outcome,
            message: message.into(),
            advice: None,
        }
    }

    /// A check that passed.
    pub fn ok(name: CheckName, message: impl Into<String>) -> Self {
        Self::new(name, Outcome::Ok, message)
    }

    /// A check that could not be made.
    pub fn not_checked(name: CheckName, message: impl Into<String>) -> Self {
        Self::new(name, Outcome::NotChecked, message)
    }

    /// A check that passed with a warning.
    pub fn warn(name: CheckName, message: impl Into<String>, advice: impl Into<String>) -> Self {
        Self::new(name, Outcome::Warn, message).advice(advice)
    }

    /// A check that failed.
    pub fn fail(name: CheckName, message: impl Into<String>, advice: impl Into<String>) -> Self {
        Self::new(name, Outcome::Fail, message).advice(advice)
    }

    /// The same check with what to do.
    #[must_use]
    pub fn advice(mut self, advice: impl Into<String>) -> Self {
        self.advice = Some(advice.into());
        self
    }
}
