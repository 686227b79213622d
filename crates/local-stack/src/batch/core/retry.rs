//! Whether a failed attempt is tried again.
//!
//! <https://docs.aws.amazon.com/batch/latest/userguide/job_retries.html>

use super::super::{
    error::ApiError,
    wire::{
        details::RetryStrategyDetail,
        shared::{EvaluateOnExit, RetryStrategy},
    },
};

/// AWS takes 1 to 10 attempts.
const MAX_ATTEMPTS: i64 = 10;
/// AWS takes up to five rules.
const MAX_RULES: usize = 5;

/// A checked retry strategy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Retry {
    attempts: u32,
    rules: Vec<Rule>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Rule {
    on_status_reason: Option<String>,
    on_reason: Option<String>,
    on_exit_code: Option<String>,
    again: bool,
}

/// What rules look at. A missing reason or exit code is an empty text: `*` matches it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Failure<'a> {
    pub(crate) status_reason: &'a str,
    pub(crate) reason: Option<&'a str>,
    pub(crate) exit_code: Option<i32>,
}

impl Default for Retry {
    fn default() -> Self {
        Self {
            attempts: 1,
            rules: Vec::new(),
        }
    }
}

impl Retry {
    /// Checks a strategy as `RegisterJobDefinition` and `SubmitJob` do.
    pub(crate) fn parse(strategy: &RetryStrategy) -> Result<Self, ApiError> {
        let attempts = strategy.attempts.ok_or_else(|| {
            ApiError::client("RetryAttempts must be provided with retry strategy")
        })?;
        let attempts = u32::try_from(attempts)
            .ok()
            .filter(|_| (1..=MAX_ATTEMPTS).contains(&attempts))
            .ok_or_else(|| {
                ApiError::client(format!(
                    "retryStrategy.attempts must be between 1 and {MAX_ATTEMPTS}, not {attempts}."
                ))
            })?;
        let given = strategy.evaluate_on_exit.as_deref().unwrap_or_default();
        if given.len() > MAX_RULES {
            return Err(ApiError::client(format!(
                "retryStrategy.evaluateOnExit has {} entries; at most {MAX_RULES} are allowed.",
                given.len()
            )));
        }
        let rules = given.iter().map(Rule::parse).collect::<Result<_, _>>()?;
        Ok(Self { attempts, rules })
    }

    /// Whether a job that failed like this, and whose finished attempts are `made`, is tried
    /// again. The first matching rule decides; without one a failure is tried again.
    pub(crate) fn tries_again(&self, made: usize, failure: Failure<'_>) -> bool {
        let left = usize::try_from(self.attempts).is_ok_and(|most| made < most);
        left && self
            .rules
            .iter()
            .find(|rule| rule.matches(failure))
            .is_none_or(|rule| rule.again)
    }

    /// The strategy as answers and events show it.
    pub(crate) fn detail(&self) -> RetryStrategyDetail {
        RetryStrategyDetail {
            attempts: self.attempts,
            evaluate_on_exit: self
                .rules
                .iter()
                .map(|rule| EvaluateOnExit {
                    on_status_reason: rule.on_status_reason.clone(),
                    on_reason: rule.on_reason.clone(),
                    on_exit_code: rule.on_exit_code.clone(),
                    action: if rule.again { "RETRY" } else { "EXIT" }.to_owned(),
                })
                .collect(),
        }
    }
}

impl Rule {
    fn parse(given: &EvaluateOnExit) -> Result<Self, ApiError> {
        let again = match given.action.to_ascii_uppercase().as_str() {
            "RETRY" => true,
            "EXIT" => false,
            _ => {
                return Err(ApiError::client(format!(
                    "{} is no action of evaluateOnExit; it is RETRY or EXIT.",
                    given.action
                )));
            }
        };
        let texts = [
            &given.on_status_reason,
            &given.on_reason,
            &given.on_exit_code,
        ];
        if texts.iter().all(|text| text.is_none()) {
            return Err(ApiError::client(
                "An entry of evaluateOnExit needs onStatusReason, onReason or onExitCode.",
            ));
        }
        if texts
            .iter()
            .any(|text| text.as_ref().is_some_and(|text| text.len() > 512))
        {
            return Err(ApiError::client(
                "A pattern of evaluateOnExit is longer than 512 characters.",
            ));
        }
        if let Some(pattern) = &given.on_exit_code {
            let digits = pattern.strip_suffix('*').unwrap_or(pattern);
            if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
                return Err(ApiError::client(format!(
                    "onExitCode {pattern} may hold only digits and a * at its end."
                )));
            }
        }
        Ok(Self {
            on_status_reason: given.on_status_reason.clone(),
            on_reason: given.on_reason.clone(),
            on_exit_code: given.on_exit_code.clone(),
            again,
        })
    }

    fn matches(&self, failure: Failure<'_>) -> bool {
        let exit_code = failure.exit_code.map(|code| code.to_string());
        let condition = |pattern: &Option<String>, text: &str| {
            pattern.as_ref().is_none_or(|pattern| glob(pattern, text))
        };
        condition(&self.on_status_reason, failure.status_reason)
            && condition(&self.on_reason, failure.reason.unwrap_or_default())
            && condition(&self.on_exit_code, exit_code.as_deref().unwrap_or_default())
    }
}

/// Matches as AWS Batch does: exactly, or by the beginning when the pattern ends in `*`.
pub(crate) fn glob(pattern: &str, text: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(beginning) => text.starts_with(beginning),
        None => text == pattern,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(reason: &str, exit_code: Option<&str>, action: &str) -> EvaluateOnExit {
        EvaluateOnExit {
            on_status_reason: None,
            on_reason: Some(reason.to_owned()),
            on_exit_code: exit_code.map(str::to_owned),
            action: action.to_owned(),
        }
    }

    fn strategy(attempts: i64, rules: Vec<EvaluateOnExit>) -> RetryStrategy {
        RetryStrategy {
            attempts: Some(attempts),
            evaluate_on_exit: Some(rules),
        }
    }

    const EXITED: Failure<'_> = Failure {
        status_reason: "Essential container in task exited",
        reason: None,
        exit_code: Some(1),
    };

    #[test]
    fn without_rules_a_failure_is_tried_until_the_attempts_are_used_up() {
        let retry = Retry::parse(&strategy(3, vec![])).unwrap();
        assert!(retry.tries_again(1, EXITED));
        assert!(retry.tries_again(2, EXITED));
        assert!(!retry.tries_again(3, EXITED));
        assert!(!Retry::default().tries_again(1, EXITED));
    }

    #[test]
    fn the_first_matching_rule_decides() {
        let host = EvaluateOnExit {
            on_status_reason: Some("Host EC2*".to_owned()),
            on_reason: None,
            on_exit_code: None,
            action: "retry".to_owned(),
        };
        let retry = Retry::parse(&strategy(5, vec![host, rule("*", None, "Exit")])).unwrap();
        let lost = Failure {
            status_reason: "Host EC2 (instance i-0123456789abcdef0) terminated.",
            reason: None,
            exit_code: None,
        };
        assert!(retry.tries_again(1, lost));
        assert!(!retry.tries_again(1, EXITED));
    }

    #[test]
    fn a_failure_that_no_rule_matches_is_tried_again() {
        let retry = Retry::parse(&strategy(2, vec![rule("OutOfMemory*", None, "EXIT")])).unwrap();
        assert!(retry.tries_again(1, EXITED));
    }

    #[test]
    fn every_condition_of_a_rule_must_hold() {
        let retry = Retry::parse(&strategy(2, vec![rule("*", Some("13*"), "EXIT")])).unwrap();
        let killed = Failure {
            exit_code: Some(137),
            ..EXITED
        };
        assert!(!retry.tries_again(1, killed));
        assert!(retry.tries_again(1, EXITED));
    }

    #[test]
    fn a_star_in_the_middle_is_no_wildcard() {
        assert!(glob("a*c", "a*c"));
        assert!(!glob("a*c", "abc"));
        assert!(glob("*", ""));
        assert!(glob("Task failed*", "Task failed to start"));
        assert!(!glob("task failed*", "Task failed to start"));
    }

    #[test]
    fn wrong_strategies_are_refused() {
        for wrong in [
            RetryStrategy::default(),
            strategy(0, vec![]),
            strategy(11, vec![]),
            strategy(2, vec![rule("*", None, "RETRY"); 6]),
            strategy(2, vec![rule("*", None, "STOP")]),
            strategy(2, vec![rule("*", Some("-1"), "EXIT")]),
            strategy(2, vec![rule(&"x".repeat(513), None, "EXIT")]),
        ] {
            assert!(Retry::parse(&wrong).is_err(), "{wrong:?}");
        }
    }
}
