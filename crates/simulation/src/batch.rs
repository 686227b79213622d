//! AWS Batch: jobs that wait, start, run, are retried, end or are stopped, and are missing from
//! the list for a while after they were submitted.

use dropcast_domain::{
    ids::{JobId, RunId},
    job::{Attempt, JobChange, JobStatus},
};
use dropcast_test_support::samples;
use serde_json::{Value, json};

use crate::{clock, random::Random, settings::Settings};

/// The one job queue.
pub(crate) const JOB_QUEUE: &str = "arn:aws:batch:eu-west-1:000000000000:job-queue/simulated";

/// A job.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) id: JobId,
    pub(crate) run: RunId,
    /// The statuses to come, the last first.
    plan: Vec<&'static str>,
    status: &'static str,
    pub(crate) next_at: i64,
    pub(crate) created_at: i64,
    listed_at: i64,
    attempts: u32,
    stopping: Option<String>,
    pub(crate) end: Option<JobOutcome>,
}

/// How a job ended, and when, in milliseconds.
#[derive(Debug, Clone)]
pub(crate) struct JobOutcome {
    pub(crate) succeeded: bool,
    pub(crate) stopped: bool,
    pub(crate) at: i64,
}

impl Job {
    pub(crate) fn submit(
        number: usize,
        run: RunId,
        random: &mut Random,
        settings: &Settings,
    ) -> Self {
        let mut plan = match random.below(10) {
            0..=6 => vec!["SUCCEEDED"],
            7 | 8 => vec!["FAILED"],
            _ => vec!["SUCCEEDED", "RUNNING", "STARTING", "RETRIED"],
        };
        plan.extend(["RUNNING", "STARTING", "RUNNABLE"]);
        let now = clock::milliseconds();
        Self {
            id: format!("job-{number}").parse().unwrap(),
            run,
            plan,
            status: "SUBMITTED",
            next_at: now + random.milliseconds(1_000),
            created_at: now,
            listed_at: now + random.milliseconds(settings.listing_lag_ms),
            attempts: 0,
            stopping: None,
            end: None,
        }
    }

    /// Whether `ListJobs` shows the job yet.
    pub(crate) fn is_listed(&self) -> bool {
        self.listed_at <= clock::milliseconds()
    }

    /// Asks for the job to be stopped; it may end by itself before that happens.
    pub(crate) fn stop(&mut self, reason: &str, random: &mut Random) {
        if self.end.is_none() && self.stopping.is_none() {
            self.stopping = Some(reason.to_owned());
            let soon = clock::milliseconds() + random.milliseconds(5_000);
            self.next_at = self.next_at.min(soon);
        }
    }

    /// Takes the next step.
    pub(crate) fn step(&mut self, random: &mut Random, settings: &Settings) {
        let now = clock::milliseconds();
        self.next_at = now + 20 + random.milliseconds(settings.job_step_ms);
        let ends_by_itself = matches!(self.plan.last(), Some(&("SUCCEEDED" | "FAILED")));
        if self.stopping.is_some() && !(ends_by_itself && random.chance(300)) {
            if self.status == "RUNNING" {
                self.attempts += 1;
            }
            self.end(false, true);
            return;
        }
        match self.plan.pop() {
            Some(end @ ("SUCCEEDED" | "FAILED")) => {
                self.attempts += 1;
                self.end(end == "SUCCEEDED", false);
            }
            Some("RETRIED") => {
                self.attempts += 1;
                self.status = "RUNNABLE";
            }
            Some(status) => self.status = status,
            None => {}
        }
    }

    fn end(&mut self, succeeded: bool, stopped: bool) {
        self.status = if succeeded { "SUCCEEDED" } else { "FAILED" };
        self.next_at = i64::MAX;
        self.end = Some(JobOutcome {
            succeeded,
            stopped,
            at: clock::milliseconds(),
        });
    }

    /// The status, for the trace.
    pub(crate) fn status(&self) -> &'static str {
        self.status
    }

    /// The event of the job's status, as EventBridge delivers it.
    ///
    /// <https://docs.aws.amazon.com/batch/latest/userguide/batch_job_events.html>
    pub(crate) fn event(&self) -> Value {
        json!({ "time": clock::whole_seconds(), "detail": self.detail() })
    }

    /// The job as `DescribeJobs` shows it.
    pub(crate) fn change(&self) -> JobChange {
        let outcome = self.end.as_ref();
        let attempt = |number| Attempt {
            finished: true,
            exit_code: Some(self.exit_code(number)),
            log_stream: Some("model/default/1".to_owned()),
            ..Attempt::default()
        };
        JobChange {
            job: self.id.clone(),
            status: JobStatus::from_name(self.status),
            status_reason: self
                .stopping
                .clone()
                .filter(|_| outcome.is_some_and(|outcome| outcome.stopped)),
            stopped_on_request: outcome.map(|outcome| outcome.stopped),
            attempts: (1..=self.attempts).map(attempt).collect(),
            at: samples::at(outcome.map_or(self.created_at, |outcome| outcome.at)),
        }
    }

    fn exit_code(&self, attempt: u32) -> i32 {
        i32::from(!(self.status == "SUCCEEDED" && attempt == self.attempts))
    }

    /// The job as events show it.
    pub(crate) fn detail(&self) -> Value {
        let attempts: Vec<Value> = (1..=self.attempts)
            .map(|attempt| {
                json!({
                    "container": { "exitCode": self.exit_code(attempt), "logStreamName": "model/default/1" },
                    "stoppedAt": clock::milliseconds(),
                })
            })
            .collect();
        let mut detail = json!({
            "jobId": self.id,
            "jobName": self.run,
            "jobQueue": JOB_QUEUE,
            "status": self.status,
            "attempts": attempts,
        });
        if let Some(outcome) = &self.end {
            detail["stoppedAt"] = outcome.at.into();
            detail["isTerminated"] = outcome.stopped.into();
            if let (true, Some(reason)) = (outcome.stopped, &self.stopping) {
                detail["statusReason"] = reason.as_str().into();
            }
        }
        detail
    }
}
