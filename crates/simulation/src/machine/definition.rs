//! The state machine's definition, as far as it is interpreted.

use std::{collections::BTreeMap, fs};

use serde::Deserialize;
use serde_json::Value;

/// The states of a machine, by name.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Definition {
    pub(super) start_at: String,
    pub(super) states: BTreeMap<String, State>,
}

#[derive(Debug, Deserialize)]
#[serde(tag = "Type")]
pub(super) enum State {
    Task(Task),
    Choice(Choice),
    Pass(Pass),
    Succeed {},
    Fail(Fail),
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Task {
    pub(super) resource: String,
    pub(super) arguments: Value,
    pub(super) timeout_seconds: Value,
    #[serde(flatten)]
    pub(super) exit: Exit,
    #[serde(default)]
    pub(super) retry: Vec<Retrier>,
    #[serde(default)]
    pub(super) catch: Vec<Catcher>,
}

/// What is kept as a state is left, and where to go.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Exit {
    #[serde(default)]
    pub(super) assign: BTreeMap<String, Value>,
    #[serde(default)]
    pub(super) output: Option<Value>,
    pub(super) next: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Retrier {
    pub(super) error_equals: Vec<String>,
    pub(super) interval_seconds: f64,
    pub(super) backoff_rate: f64,
    #[serde(default)]
    pub(super) max_delay_seconds: Option<f64>,
    pub(super) max_attempts: u32,
    #[serde(default)]
    pub(super) jitter_strategy: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Catcher {
    pub(super) error_equals: Vec<String>,
    #[serde(flatten)]
    pub(super) exit: Exit,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Choice {
    pub(super) choices: Vec<Rule>,
    pub(super) default: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Rule {
    pub(super) condition: Value,
    #[serde(flatten)]
    pub(super) exit: Exit,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Pass {
    #[serde(flatten)]
    pub(super) exit: Exit,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Fail {
    pub(super) error: String,
}

impl Definition {
    /// The definition in the repository.
    pub(crate) fn load() -> Self {
        let path = dropcast_test_support::repository().join("state-machines/run.asl.json");
        serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
    }

    pub(super) fn state(&self, name: &str) -> &State {
        &self.states[name]
    }

    pub(super) fn task(&self, name: &str) -> Option<&Task> {
        match self.state(name) {
            State::Task(task) => Some(task),
            _ => None,
        }
    }
}

impl Task {
    /// Whether the task ends with an answer to its token, not with its function's result.
    pub(super) fn waits_for_token(&self) -> bool {
        self.resource.ends_with(".waitForTaskToken")
    }
}

/// Whether one of these names matches an error.
///
/// <https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html#error-handling-error-representation>
pub(super) fn matches(names: &[String], error: &str) -> bool {
    names.iter().any(|name| match name.as_str() {
        "States.ALL" => true,
        "States.TaskFailed" => error != "States.Timeout",
        name => name == error,
    })
}
