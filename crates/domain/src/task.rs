//! An attempt at a task of the state machine.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The most retries that [`TaskAttempt::order`] tells apart.
const MAX_RETRIES: u32 = 999;

/// Which attempt at a task a token was issued to. Only the latest attempt's token is waited for,
/// and an earlier attempt may still be running when the next one begins.
///
/// See <https://docs.aws.amazon.com/step-functions/latest/dg/input-output-contextobject.html>.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TaskAttempt {
    /// When the execution entered the state. A redriven execution enters it anew.
    pub entered_at: Timestamp,
    /// How many retries came before, 0 for the first attempt.
    pub retry_count: u32,
}

impl TaskAttempt {
    /// One number that grows from attempt to attempt: milliseconds × 1,000 + retries.
    pub fn order(self) -> u64 {
        let entered = u64::try_from(self.entered_at.as_millisecond()).unwrap_or(0);
        entered * 1_000 + u64::from(self.retry_count.min(MAX_RETRIES))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_later_attempt_has_a_higher_order() {
        let attempt = |entered: &str, retry_count| TaskAttempt {
            entered_at: entered.parse().unwrap(),
            retry_count,
        };
        let attempts = [
            attempt("2026-03-02T09:30:00Z", 0),
            attempt("2026-03-02T09:30:00Z", 1),
            attempt("2026-03-02T09:30:00Z", 200),
            attempt("2026-03-02T09:30:00.001Z", 0),
            attempt("2026-03-16T09:30:00Z", 0),
        ];
        assert!(attempts.is_sorted_by(|one, other| one.order() < other.order()));
        assert!(attempts.is_sorted());
    }
}
