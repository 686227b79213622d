//! What to do about a run that stays open although nothing may be under way for it any more.
//!
//! Events about uploads, jobs and runs can be lost, and executions can be stopped by hand. A repair
//! compares each open run with its execution and its job as AWS shows them now, and does what the
//! lost event would have done. It does nothing where nothing was missed, so it may run beside a
//! live event, before it or after it.

use jiff::{SignedDuration, Timestamp};

use crate::{
    failure::{ErrorCode, Failure},
    job::{JobChange, JobEnd, JobStatus},
    run::Run,
    status::{Progress, TerminalStatus},
};

/// How long a run rests before it is looked at: what moves by itself is left alone. In seconds.
const REST_SECONDS: i64 = 60;

/// Whether a run has not changed for so long that it is worth a look.
pub fn is_due(run: &Run, now: Timestamp) -> bool {
    !run.is_over() && now.duration_since(run.current.at) >= SignedDuration::from_secs(REST_SECONDS)
}

/// A run's execution, as Step Functions shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExecutionState {
    /// It was never started.
    Absent,
    /// It is under way.
    Running,
    /// It ended, with the run's end as its output if it has one.
    Ended(Option<ExecutionOutput>),
}

/// The output of an execution that succeeded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExecutionOutput {
    /// The run's final status.
    pub status: TerminalStatus,
    /// The error code, if the run did not succeed.
    pub code: Option<ErrorCode>,
}

/// A run's job, as Batch shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JobState {
    /// Batch does not know the job (any more).
    Unknown,
    /// The job as it is now.
    Known(JobChange),
}

/// What was missed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Repair {
    /// The run has no execution: start it.
    StartExecution,
    /// The execution ended without ending the run: end the run as the execution says.
    Finish {
        /// The run's final status.
        status: TerminalStatus,
        /// The error code, if the run did not succeed.
        code: Option<ErrorCode>,
    },
    /// The job changed, and the event was lost: treat the change as if the event had come.
    Follow(JobChange),
    /// The run was cancelled, and its job goes on: stop it.
    StopJob,
    /// Batch lost the job: record that, and resume the execution.
    LoseJob(JobEnd),
    /// The job's end is recorded, and the execution still waits for it: resume it.
    Resume(JobEnd),
}

/// Decides what was missed about an open run; nothing if all is as it should be.
///
/// `job` is `None` if the run has no job, and `waits` says whether a task token is kept, so whether
/// the execution waits for the job's end.
pub fn repair(
    run: &Run,
    execution: &ExecutionState,
    job: Option<&JobState>,
    waits: bool,
    now: Timestamp,
) -> Option<Repair> {
    if !is_due(run, now) {
        return None;
    }
    match execution {
        ExecutionState::Absent => return Some(Repair::StartExecution),
        ExecutionState::Ended(output) => {
            let (status, code) = match output {
                Some(output) => (output.status, output.code),
                None => (TerminalStatus::FAILED, Some(ErrorCode::Internal)),
            };
            return Some(Repair::Finish { status, code });
        }
        ExecutionState::Running => {}
    }
    if let Some(end) = &run.job_end {
        return waits.then(|| Repair::Resume(end.clone()));
    }
    match job? {
        JobState::Unknown => Some(Repair::LoseJob(lost(run, now))),
        JobState::Known(change) if is_news(run, change) => Some(Repair::Follow(change.clone())),
        JobState::Known(_) => run.cancellation.as_ref().map(|_| Repair::StopJob),
    }
}

/// Whether a job is further than its run.
pub fn is_news(run: &Run, change: &JobChange) -> bool {
    match &change.status {
        JobStatus::Succeeded | JobStatus::Failed => true,
        JobStatus::Unknown(_) => false,
        status => status.as_run_status().is_some_and(|status| {
            let attempts = change.finished_attempts();
            let order = Progress { attempts, status }.order();
            order > run.current.progress.order()
        }),
    }
}

/// The end of a job that Batch no longer knows.
fn lost(run: &Run, now: Timestamp) -> JobEnd {
    let message = "AWS Batch no longer knows the job, and how it ended is unknown.";
    JobEnd {
        attempts: run.current.progress.attempts,
        at: now,
        failure: Some(Failure::new(ErrorCode::JobLost, message)),
        log_stream: None,
    }
}

/// Why a run was repaired, in a sentence for its record.
pub fn reason(repair: &Repair) -> &'static str {
    match repair {
        Repair::StartExecution => "Its execution had not been started.",
        Repair::Finish { .. } => "Its execution had ended without ending the run.",
        Repair::Follow(_) => "An event about its job had been lost.",
        Repair::StopJob => "It was cancelled, and its job went on.",
        Repair::LoseJob(_) => "AWS Batch no longer knew its job.",
        Repair::Resume(_) => "Its execution was not resumed when the job ended.",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        cancellation::Cancellation,
        status::{Status, Transition},
        upload::Upload,
    };

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + seconds).unwrap()
    }

    fn run_at(status: Status, job: Option<&str>) -> Run {
        let upload = Upload {
            bucket: "inputs".into(),
            key: "inputs/revenue-forecast/plan.json".into(),
            version_id: Some("v1".into()),
            sequencer: None,
            bytes: 20,
            at: at(0),
        };
        let mut run = Run::received(upload, at(90 * 86_400));
        run.current = Transition {
            progress: Progress::first(status),
            at: at(0),
        };
        run.job = job.map(|id| id.parse().unwrap());
        run
    }

    fn job(status: JobStatus) -> JobState {
        JobState::Known(JobChange {
            job: "job-1".parse().unwrap(),
            status,
            status_reason: None,
            stopped_on_request: None,
            attempts: Vec::new(),
            at: at(30),
        })
    }

    const NOW: i64 = REST_SECONDS;

    #[test]
    fn a_run_that_changed_within_the_last_minute_is_left_alone() {
        let run = run_at(Status::Received, None);
        assert!(!is_due(&run, at(NOW - 1)));
        assert_eq!(
            repair(&run, &ExecutionState::Absent, None, false, at(NOW - 1)),
            None
        );
        assert!(is_due(&run, at(NOW)));
    }

    #[test]
    fn a_run_without_an_execution_gets_one() {
        let run = run_at(Status::Received, None);
        let repair = repair(&run, &ExecutionState::Absent, None, false, at(NOW));
        assert_eq!(repair, Some(Repair::StartExecution));
    }

    #[test]
    fn a_run_whose_execution_ended_ends_as_the_execution_says_else_as_internal() {
        let run = run_at(Status::Collecting, Some("job-1"));
        let output = ExecutionOutput {
            status: TerminalStatus::FAILED,
            code: Some(ErrorCode::OutputsMissing),
        };
        for (output, code) in [
            (Some(output), ErrorCode::OutputsMissing),
            (None, ErrorCode::Internal),
        ] {
            let ended = ExecutionState::Ended(output);
            let expected = Repair::Finish {
                status: TerminalStatus::FAILED,
                code: Some(code),
            };
            assert_eq!(repair(&run, &ended, None, true, at(NOW)), Some(expected));
        }
    }

    #[test]
    fn a_change_of_the_job_that_the_run_missed_is_followed() {
        let run = run_at(Status::Waiting, Some("job-1"));
        let decided =
            |state: &JobState| repair(&run, &ExecutionState::Running, Some(state), true, at(NOW));
        for status in [JobStatus::Running, JobStatus::Succeeded, JobStatus::Failed] {
            let state = job(status);
            let JobState::Known(change) = &state else {
                unreachable!()
            };
            assert_eq!(decided(&state), Some(Repair::Follow(change.clone())));
        }
        for status in [
            JobStatus::Runnable,
            JobStatus::Submitted,
            JobStatus::Unknown("NEW".into()),
        ] {
            assert_eq!(decided(&job(status)), None);
        }
    }

    #[test]
    fn the_job_of_a_cancelled_run_is_stopped_again_if_it_goes_on() {
        let mut run = run_at(Status::Running, Some("job-1"));
        run.cancellation = Some(Cancellation::new("ana", None, at(1)));
        let decided =
            |state: &JobState| repair(&run, &ExecutionState::Running, Some(state), true, at(NOW));
        assert_eq!(decided(&job(JobStatus::Running)), Some(Repair::StopJob));
        let ended = decided(&job(JobStatus::Failed));
        assert!(matches!(ended, Some(Repair::Follow(_))), "{ended:?}");
    }

    #[test]
    fn a_job_that_batch_does_not_know_is_lost() {
        let run = run_at(Status::Running, Some("job-1"));
        let lost = repair(
            &run,
            &ExecutionState::Running,
            Some(&JobState::Unknown),
            true,
            at(NOW),
        );
        let Some(Repair::LoseJob(end)) = lost else {
            panic!("{lost:?}");
        };
        assert_eq!(end.failure.unwrap().code, ErrorCode::JobLost);
    }

    #[test]
    fn an_execution_that_waits_for_a_job_that_ended_is_resumed() {
        let mut run = run_at(Status::Running, Some("job-1"));
        let end = JobEnd {
            attempts: 1,
            at: at(10),
            failure: None,
            log_stream: None,
        };
        run.job_end = Some(end.clone());
        let state = job(JobStatus::Succeeded);
        let decided = |waits| repair(&run, &ExecutionState::Running, Some(&state), waits, at(NOW));
        assert_eq!(decided(true), Some(Repair::Resume(end)));
        assert_eq!(decided(false), None, "it goes on");
    }

    #[test]
    fn a_run_that_is_over_is_never_repaired() {
        let run = run_at(Status::Failed, Some("job-1"));
        let ended = ExecutionState::Ended(None);
        assert_eq!(
            repair(&run, &ended, Some(&JobState::Unknown), true, at(NOW)),
            None
        );
    }
}
