//! One execution, and how it goes on.

use std::collections::BTreeMap;

use dropcast_domain::{
    repair::{ExecutionOutput, ExecutionState},
    task::TaskAttempt,
};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    definition::{Definition, Exit, State, matches},
    expressions::{Scope, evaluate},
};
use crate::{clock, random::Random};

/// How an execution ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    Succeeded,
    /// With this error.
    Failed(String),
}

/// One execution.
#[derive(Debug)]
pub(crate) struct Execution {
    started_with: Value,
    pub(crate) state: String,
    input: Value,
    variables: BTreeMap<String, Value>,
    entered_at: Timestamp,
    /// How often each retrier of the state was used.
    retries: Vec<u32>,
    /// When the next attempt of the state's task begins.
    pub(crate) next_attempt_at: Option<i64>,
    /// The attempt under way.
    attempt: Option<u64>,
    /// When the attempt under way times out.
    pub(crate) deadline: Option<i64>,
    pub(crate) outcome: Option<Outcome>,
}

/// An attempt at a task: which function to invoke, with what.
#[derive(Debug)]
pub(crate) struct Attempt {
    pub(crate) id: u64,
    pub(crate) function: String,
    pub(crate) payload: Value,
}

impl Execution {
    pub(crate) fn start(definition: &Definition, input: Value) -> Self {
        let mut execution = Self {
            state: String::new(),
            started_with: input.clone(),
            input,
            variables: BTreeMap::new(),
            entered_at: clock::now(),
            retries: Vec::new(),
            next_attempt_at: None,
            attempt: None,
            deadline: None,
            outcome: None,
        };
        execution.enter(definition, &definition.start_at.clone());
        execution
    }

    /// Enters a state, and passes through those that need no function.
    fn enter(&mut self, definition: &Definition, name: &str) {
        name.clone_into(&mut self.state);
        self.entered_at = clock::now();
        self.attempt = None;
        self.deadline = None;
        self.next_attempt_at = None;
        match definition.state(name) {
            State::Task(task) => {
                self.retries = vec![0; task.retry.len()];
                self.next_attempt_at = Some(clock::milliseconds());
            }
            State::Choice(choice) => {
                let scope = self.scope();
                let holds = |condition| evaluate(condition, &scope) == Value::Bool(true);
                let rule = choice.choices.iter().find(|rule| holds(&rule.condition));
                match rule {
                    Some(rule) => {
                        self.leave(definition, &rule.exit);
                    }
                    None => self.enter(definition, &choice.default),
                }
            }
            State::Pass(pass) => {
                self.leave(definition, &pass.exit);
            }
            State::Succeed {} => self.outcome = Some(Outcome::Succeeded),
            State::Fail(fail) => self.outcome = Some(Outcome::Failed(fail.error.clone())),
        }
    }

    fn leave(&mut self, definition: &Definition, exit: &Exit) {
        let scope = self.scope();
        self.leave_with(definition, &scope, exit);
    }

    /// Leaves a state. All expressions see the variables as they were before.
    fn leave_with(&mut self, definition: &Definition, scope: &Scope, exit: &Exit) {
        let assigned: Vec<_> = exit
            .assign
            .iter()
            .map(|(name, value)| (name.clone(), evaluate(value, scope)))
            .collect();
        if let Some(output) = &exit.output {
            self.input = evaluate(output, scope);
        } else if let Some(result) = &scope.result {
            self.input = result.clone();
        }
        self.variables.extend(assigned);
        self.enter(definition, &exit.next);
    }

    fn scope(&self) -> Scope {
        Scope {
            execution_input: self.started_with.clone(),
            input: self.input.clone(),
            variables: self.variables.clone(),
            attempt: Some(TaskAttempt {
                entered_at: self.entered_at,
                retry_count: self.retries.iter().sum(),
            }),
            ..Scope::default()
        }
    }

    /// The execution as `DescribeExecution` shows it.
    pub(crate) fn state(&self) -> ExecutionState {
        match &self.outcome {
            None => ExecutionState::Running,
            Some(Outcome::Failed(_)) => ExecutionState::Ended(None),
            Some(Outcome::Succeeded) => {
                let output = |field: &str| self.input.get(field).cloned();
                let read = || {
                    Some(ExecutionOutput {
                        status: serde_json::from_value(output("status")?).ok()?,
                        code: output("code").and_then(|code| serde_json::from_value(code).ok()),
                    })
                };
                ExecutionState::Ended(read())
            }
        }
    }

    /// Begins the next attempt of the state's task.
    pub(crate) fn begin_attempt(&mut self, definition: &Definition, id: u64) -> Option<Attempt> {
        let task = definition.task(&self.state)?;
        self.next_attempt_at = None;
        self.attempt = Some(id);
        let mut scope = self.scope();
        scope.token = task
            .waits_for_token()
            .then(|| token(&self.started_with, id));
        let arguments = evaluate(&task.arguments, &scope);
        let seconds = evaluate(&task.timeout_seconds, &scope).as_i64()?;
        self.deadline = Some(clock::milliseconds() + seconds * 1_000);
        Some(Attempt {
            id,
            function: arguments["FunctionName"].as_str()?.to_owned(),
            payload: arguments["Payload"].clone(),
        })
    }

    /// A function answered.
    pub(crate) fn succeed(&mut self, definition: &Definition, attempt: u64, payload: &Value) {
        if self.attempt != Some(attempt) {
            return;
        }
        if let Some(task) = definition.task(&self.state)
            && !task.waits_for_token()
        {
            self.complete(definition, json!({ "Payload": payload }));
        }
    }

    /// Answers the task that waits with a token; false if none does.
    pub(crate) fn answer(
        &mut self,
        definition: &Definition,
        random: &mut Random,
        answered: &str,
        answer: Result<Value, (&str, &str)>,
    ) -> bool {
        let waits = definition
            .task(&self.state)
            .is_some_and(super::definition::Task::waits_for_token);
        let held = self.attempt.map(|id| token(&self.started_with, id));
        if !waits || self.outcome.is_some() || held.as_deref() != Some(answered) {
            return false;
        }
        match answer {
            Ok(output) => self.complete(definition, output),
            Err((error, cause)) => self.fail_attempt(definition, random, error, cause),
        }
        true
    }

    fn complete(&mut self, definition: &Definition, result: Value) {
        let Some(task) = definition.task(&self.state) else {
            return;
        };
        let scope = Scope {
            result: Some(result),
            ..self.scope()
        };
        self.leave_with(definition, &scope, &task.exit);
    }

    /// An attempt failed: another one later, or the state's catcher.
    pub(crate) fn fail(
        &mut self,
        definition: &Definition,
        random: &mut Random,
        attempt: u64,
        error: &str,
        cause: &str,
    ) {
        if self.attempt == Some(attempt) {
            self.fail_attempt(definition, random, error, cause);
        }
    }

    /// The attempt under way took too long.
    pub(crate) fn time_out(&mut self, definition: &Definition, random: &mut Random) {
        self.fail_attempt(definition, random, "States.Timeout", "");
    }

    fn fail_attempt(
        &mut self,
        definition: &Definition,
        random: &mut Random,
        error: &str,
        cause: &str,
    ) {
        let Some(task) = definition.task(&self.state) else {
            return;
        };
        self.attempt = None;
        self.deadline = None;
        let retrier = task
            .retry
            .iter()
            .position(|retrier| matches(&retrier.error_equals, error));
        if let Some(index) = retrier
            && self.retries[index] < task.retry[index].max_attempts
        {
            let retrier = &task.retry[index];
            let growth = retrier.backoff_rate.powi(self.retries[index].cast_signed());
            let seconds = (retrier.interval_seconds * growth)
                .min(retrier.max_delay_seconds.unwrap_or(f64::INFINITY));
            #[expect(
                clippy::cast_possible_truncation,
                reason = "A pause has few milliseconds."
            )]
            let longest = (seconds * 1_000.0) as i64;
            let pause = match retrier.jitter_strategy.as_deref() {
                Some("FULL") => random.milliseconds(longest + 1),
                _ => longest,
            };
            self.retries[index] += 1;
            self.next_attempt_at = Some(clock::milliseconds() + pause);
            return;
        }
        let catcher = task
            .catch
            .iter()
            .find(|catcher| matches(&catcher.error_equals, error));
        let Some(catcher) = catcher else {
            self.outcome = Some(Outcome::Failed(error.to_owned()));
            return;
        };
        let error_output = json!({ "Error": error, "Cause": cause });
        let scope = Scope {
            error_output: Some(error_output.clone()),
            ..self.scope()
        };
        self.input = error_output;
        self.leave_with(definition, &scope, &catcher.exit);
    }
}

/// The token of an attempt. Its marker is looked for in everything that must not hold a token.
fn token(started_with: &Value, attempt: u64) -> String {
    let run = started_with["runId"].as_str().unwrap_or_default();
    format!("{TOKEN_MARKER}{run}/{attempt}")
}

/// How every token begins.
pub(crate) const TOKEN_MARKER: &str = "task-token/";
