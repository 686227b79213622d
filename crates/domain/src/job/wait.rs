//! How long an execution waits for its job.

use crate::model::JobSpec;

/// What the queue may add to the job's own time, in seconds: the most that
/// `jobStateTimeLimitActions` lets a job wait for a machine.
///
/// See <https://docs.aws.amazon.com/batch/latest/APIReference/API_JobStateTimeLimitAction.html>.
const QUEUE_SECONDS: u64 = 86_400;

/// What every attempt may add beyond its own time limit, in seconds: placing
/// it, fetching the image, and the 30 s that a stopped container has to exit.
const ATTEMPT_OVERHEAD_SECONDS: u64 = 900;

impl JobSpec {
    /// The longest that a job of this kind can take from its submission to its
    /// end, in seconds (invariant 4): every attempt to its limit, and the queue.
    pub fn wait_seconds(&self) -> u64 {
        let attempt = u64::from(self.timeout_minutes) * 60 + ATTEMPT_OVERHEAD_SECONDS;
        u64::from(self.attempts) * (attempt + QUEUE_SECONDS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_covers_every_attempt_and_stays_within_a_year() {
        let mut job = JobSpec {
            command: vec![],
            vcpus: crate::model::Vcpus::ONE,
            memory_mib: 1,
            timeout_minutes: 60,
            attempts: 3,
            secrets: std::collections::BTreeMap::new(),
        };
        assert_eq!(job.wait_seconds(), 3 * (3_600 + 900 + 86_400));
        // Step Functions waits at most 99,999,999 s.
        job.timeout_minutes = 1_440;
        job.attempts = 10;
        assert!(job.wait_seconds() < 99_999_999);
    }
}
