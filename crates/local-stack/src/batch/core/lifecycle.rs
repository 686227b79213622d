//! From SUBMITTED to SUCCEEDED or FAILED.
//!
//! <https://docs.aws.amazon.com/batch/latest/userguide/job_states.html>

use std::time::Duration;

use super::{
    super::{config::LimitAction, secrets},
    Announcement, Core, Effect, LaunchRequest, Timer,
    faults::FaultKind,
    job::{Attempt, Blocked, Ending, Job, Placement, Status},
    names::instance_id,
    outcome::{self, AttemptResult, Outcome},
    retry::Failure,
};

const STATE_CHANGE: &str = "Batch Job State Change";
const QUEUE_BLOCKED: &str = "Batch Job Queue Blocked";

impl Core {
    /// A timer fires. One that was set before the job's last change of status is stale.
    pub(crate) fn fire_timer(&mut self, id: &str, generation: u64, timer: Timer, now: i64) {
        let Some(job) = self.jobs.get_mut(id) else {
            return;
        };
        if job.generation != generation {
            return;
        }
        match timer {
            Timer::Evaluate => self.evaluate(id, now),
            Timer::Place => {
                job.ready = true;
                self.place_runnable();
            }
            Timer::Start => self.start(id, now),
            Timer::Fault => self.stop(id, true),
            Timer::Timeout => {
                if let Some(placement) = &mut job.placement
                    && placement.ending.is_none()
                {
                    placement.ending = Some(Ending::TimedOut);
                    self.stop(id, false);
                }
            }
            Timer::TimeLimit(index) => self.apply_time_limit(id, index, now),
        }
    }

    /// The process of this attempt runs.
    pub(crate) fn started(&mut self, id: &str, attempt: u32, now: i64) {
        let timings = self.settings.timings.clone();
        let Some(job) = self.jobs.get_mut(id) else {
            return;
        };
        let Some(placement) = job.placement.as_mut().filter(|it| it.attempt == attempt) else {
            return;
        };
        placement.started_at = Some(now);
        job.started_at = Some(now);
        job.container.log_stream_name = Some(placement.log_stream_name.clone());
        let strikes = placement
            .fault
            .as_ref()
            .is_some_and(|fault| fault.kind != FaultKind::CannotInspect);
        let seconds = job.timeout.and_then(|it| it.attempt_duration_seconds);
        self.change_status(id, Status::Running);
        let Some(job) = self.jobs.get(id).cloned() else {
            return;
        };
        if strikes {
            self.set_timer(&job, Timer::Fault, timings.fault_delay);
        }
        if let Some(seconds) = seconds.and_then(|seconds| u32::try_from(seconds).ok()) {
            self.set_timer(&job, Timer::Timeout, timings.second * seconds);
        }
    }

    /// The process of this attempt could not be started.
    pub(crate) fn could_not_start(&mut self, id: &str, attempt: u32, reason: &str, now: i64) {
        let Some(placement) = self.placed(id, attempt) else {
            return;
        };
        let outcome = match &placement.ending {
            Some(Ending::Terminated(reason)) => outcome::terminated_before_start(reason),
            _ => outcome::not_started(reason),
        };
        self.finish(id, &outcome, now);
    }

    /// The process of this attempt has ended. `exit_code` is 128 and the signal's number for one
    /// that a signal ended, as in Docker.
    pub(crate) fn exited(&mut self, id: &str, attempt: u32, exit_code: i32, at: i64) {
        if let Some(placement) = self.placed(id, attempt) {
            let outcome = outcome::of_exit(placement, exit_code);
            self.finish(id, &outcome, at);
        }
    }

    /// Places jobs in their order as long as there are vCPUs for the next one.
    pub(super) fn place_runnable(&mut self) {
        let mut position = 0;
        while let Some(id) = self.runnable.get(position).cloned() {
            let Some(job) = self.jobs.get(&id).filter(|job| job.ready) else {
                return;
            };
            if job.blocked.is_none() {
                self.look_for_a_host(&id);
            }
            let Some(job) = self.jobs.get(&id) else {
                return;
            };
            match job.blocked {
                Some(blocked) if blocked.blocks_queue => return,
                Some(_) => position += 1,
                None if self.used_vcpus + job.vcpus > self.settings.max_vcpus => return,
                None => {
                    self.runnable.remove(position);
                    self.place(&id);
                }
            }
        }
    }

    /// Ends a job: `TerminateJob`.
    pub(super) fn end(&mut self, id: &str, reason: &str, now: i64) {
        let Some(job) = self.jobs.get_mut(id) else {
            return;
        };
        if job.status.is_terminal() {
            return;
        }
        job.is_terminated = true;
        let Some(placement) = &mut job.placement else {
            self.fail_unplaced(id, reason, now);
            return;
        };
        if !placement.launched {
            self.finish(id, &outcome::terminated_before_start(reason), now);
        } else if placement.ending.is_none() {
            placement.ending = Some(Ending::Terminated(reason.to_owned()));
            self.stop(id, false);
        }
    }

    /// Lets a job fail that holds no host.
    pub(super) fn fail_unplaced(&mut self, id: &str, reason: &str, now: i64) {
        self.runnable.retain(|one| one != id);
        if let Some(job) = self.jobs.get_mut(id) {
            job.blocked = None;
            job.status_reason = Some(reason.to_owned());
            job.stopped_at = Some(now);
            self.change_status(id, Status::Failed);
        }
        self.evaluate_dependents(id, now);
        self.place_runnable();
    }

    pub(super) fn set_timer(&mut self, job: &Job, timer: Timer, after: Duration) {
        self.effects.push(Effect::Timer {
            job: job.id.clone(),
            generation: job.generation,
            timer,
            after,
        });
    }

    /// Looks at a SUBMITTED or PENDING job's dependencies.
    fn evaluate(&mut self, id: &str, now: i64) {
        let Some(job) = self.jobs.get(id) else {
            return;
        };
        let (mut through, mut failed) = (true, false);
        for dependency in &job.depends_on {
            let status = dependency
                .job_id
                .as_ref()
                .and_then(|id| self.jobs.get(id))
                .map(|job| job.status);
            failed |= status == Some(Status::Failed);
            through &= status.is_some_and(Status::is_terminal);
        }
        let cancelled = job.cancelled_because.clone();
        let pending = job.status == Status::Pending;
        match cancelled {
            Some(reason) if through => self.fail_unplaced(id, &reason, now),
            _ if failed => self.fail_unplaced(id, outcome::DEPENDENCY_FAILED, now),
            _ if through => self.make_runnable(id),
            _ if !pending => self.change_status(id, Status::Pending),
            _ => {}
        }
    }

    fn evaluate_dependents(&mut self, id: &str, now: i64) {
        let dependents: Vec<String> = self
            .jobs
            .values()
            .filter(|job| job.status == Status::Pending)
            .filter(|job| {
                job.depends_on
                    .iter()
                    .any(|one| one.job_id.as_deref() == Some(id))
            })
            .map(|job| job.id.clone())
            .collect();
        for dependent in dependents {
            self.evaluate(&dependent, now);
        }
    }

    fn make_runnable(&mut self, id: &str) {
        if let Some(job) = self.jobs.get_mut(id) {
            job.ready = false;
            job.blocked = None;
        }
        self.runnable.push_back(id.to_owned());
        self.change_status(id, Status::Runnable);
        if let Some(job) = self.jobs.get(id).cloned() {
            self.set_timer(&job, Timer::Place, self.settings.timings.runnable);
        }
    }

    /// Notes why the job at the head of the queue cannot be placed, if so.
    fn look_for_a_host(&mut self, id: &str) {
        let Some(job) = self.jobs.get(id) else {
            return;
        };
        let (reason, blocks_queue, by_fault) =
            if let Some(fault) = self.faults.take_stuck(&job.name, &job.definition_name) {
                let reason = fault
                    .status_reason
                    .unwrap_or_else(|| outcome::NO_CAPACITY.to_owned());
                (reason, fault.blocks_queue, true)
            } else if job.vcpus > self.settings.max_vcpus {
                (outcome::TOO_LARGE.to_owned(), true, false)
            } else {
                return;
            };
        let Some(job) = self.jobs.get_mut(id) else {
            return;
        };
        job.blocked = Some(Blocked {
            blocks_queue,
            by_fault,
        });
        job.status_reason = Some(reason.clone());
        let job = job.clone();
        let resources = vec![job.arn.clone(), job.queue_arn.clone()];
        self.announce(&job, QUEUE_BLOCKED, resources);
        let second = self.settings.timings.second;
        for (index, action) in self.settings.time_limit_actions.clone().iter().enumerate() {
            if reason.starts_with(&action.reason) {
                let after = second * action.max_time_seconds;
                self.set_timer(&job, Timer::TimeLimit(index), after);
            }
        }
    }

    fn apply_time_limit(&mut self, id: &str, index: usize, now: i64) {
        let action = self.settings.time_limit_actions.get(index).cloned();
        let job = self.jobs.get_mut(id).filter(|job| job.blocked.is_some());
        let (Some(action), Some(job)) = (action, job) else {
            return;
        };
        let word = match action.action {
            LimitAction::Cancel => {
                job.is_cancelled = true;
                "Canceled"
            }
            LimitAction::Terminate => {
                job.is_terminated = true;
                "Terminated"
            }
        };
        let reason = format!(
            "{word} by JobStateTimeLimit action due to reason: {}",
            action.reason
        );
        self.fail_unplaced(id, &reason, now);
    }

    /// RUNNABLE → STARTING.
    fn place(&mut self, id: &str) {
        let (task, container_instance, instance) =
            ((self.new_id)(), (self.new_id)(), (self.new_id)());
        let environment = self.settings.compute_environment_name.clone();
        let Some(job) = self.jobs.get_mut(id) else {
            return;
        };
        let attempt = u32::try_from(job.attempts.len()).unwrap_or(u32::MAX - 1) + 1;
        let arns = &self.settings.arns;
        let placement = Placement {
            attempt,
            instance_id: instance_id(instance),
            container_instance_arn: arns.container_instance(&environment, container_instance),
            task_arn: arns.task(&environment, task),
            log_stream_name: format!("{}/default/{task}", job.definition_name),
            launched: false,
            started_at: None,
            ending: None,
            fault: self.faults.take_placed(&job.name, &job.definition_name),
        };
        job.container.clear_attempt();
        job.container.container_instance_arn = Some(placement.container_instance_arn.clone());
        job.container.task_arn = Some(placement.task_arn.clone());
        job.placement = Some(placement);
        self.used_vcpus += job.vcpus;
        self.change_status(id, Status::Starting);
        if let Some(job) = self.jobs.get(id).cloned() {
            self.set_timer(&job, Timer::Start, self.settings.timings.starting);
        }
    }

    /// Starts the process of a STARTING job, unless a fault prevents it.
    fn start(&mut self, id: &str, now: i64) {
        let queue = self.settings.queue_name.clone();
        let compute_environment = self.settings.compute_environment_name.clone();
        let placeholder = self.settings.arns.role_placeholder();
        let Some(job) = self.jobs.get_mut(id) else {
            return;
        };
        let Some(placement) = &mut job.placement else {
            return;
        };
        let role = job
            .container
            .other
            .get("jobRoleArn")
            .and_then(|role| role.as_str())
            .unwrap_or(&placeholder);
        let prevented = placement
            .fault
            .as_ref()
            .and_then(|fault| outcome::of_starting_fault(fault, &job.container.image, role));
        if let Some(outcome) = prevented {
            self.finish(id, &outcome, now);
            return;
        }
        placement.launched = true;
        let own = job.container.environment.iter().filter_map(|one| {
            let name = one.name.clone()?;
            Some((name, one.value.clone().unwrap_or_default()))
        });
        let given = [
            ("AWS_BATCH_JOB_ID", job.id.clone()),
            ("AWS_BATCH_JOB_ATTEMPT", placement.attempt.to_string()),
            ("AWS_BATCH_JQ_NAME", queue),
            ("AWS_BATCH_CE_NAME", compute_environment),
        ]
        .map(|(name, value)| (name.to_owned(), value));
        let launch = LaunchRequest {
            job_id: job.id.clone(),
            attempt: placement.attempt,
            image: job.container.image.clone(),
            command: job.container.command.clone(),
            environment: own.chain(given).collect(),
            secrets: secrets::parse_secrets(&job.container.other),
            log_stream_name: placement.log_stream_name.clone(),
        };
        self.effects.push(Effect::Launch(launch));
    }

    /// Notes the end of an attempt; the job ends or becomes RUNNABLE again.
    fn finish(&mut self, id: &str, outcome: &Outcome, at: i64) {
        let Some(job) = self.jobs.get_mut(id) else {
            return;
        };
        let Some(placement) = job.placement.take() else {
            return;
        };
        self.used_vcpus = self.used_vcpus.saturating_sub(job.vcpus);
        job.container.exit_code = outcome.exit_code;
        job.container.reason.clone_from(&outcome.reason);
        job.status_reason = Some(outcome.status_reason.clone());
        job.attempts.push(Attempt {
            container_instance_arn: placement.container_instance_arn,
            task_arn: placement.task_arn,
            log_stream_name: placement.started_at.map(|_| placement.log_stream_name),
            exit_code: outcome.exit_code,
            reason: outcome.reason.clone(),
            started_at: placement.started_at,
            stopped_at: at,
            status_reason: outcome.status_reason.clone(),
        });
        let failure = Failure {
            status_reason: &outcome.status_reason,
            reason: outcome.reason.as_deref(),
            exit_code: outcome.exit_code,
        };
        let again = outcome.result == AttemptResult::Failed
            && job.retry.tries_again(job.attempts.len(), failure);
        if again {
            job.started_at = None;
            self.make_runnable(id);
        } else {
            job.stopped_at = Some(at);
            let status = match outcome.result {
                AttemptResult::Succeeded => Status::Succeeded,
                AttemptResult::Failed | AttemptResult::FailedForGood => Status::Failed,
            };
            self.change_status(id, status);
            self.evaluate_dependents(id, at);
        }
        self.place_runnable();
    }

    fn placed(&self, id: &str, attempt: u32) -> Option<&Placement> {
        self.jobs
            .get(id)?
            .placement
            .as_ref()
            .filter(|placement| placement.attempt == attempt)
    }

    fn stop(&mut self, id: &str, at_once: bool) {
        if let Some(placement) = self.jobs.get(id).and_then(|job| job.placement.as_ref()) {
            self.effects.push(Effect::Stop {
                job: id.to_owned(),
                attempt: placement.attempt,
                at_once,
            });
        }
    }

    /// Every change but the submission itself is announced.
    fn change_status(&mut self, id: &str, status: Status) {
        let Some(job) = self.jobs.get_mut(id) else {
            return;
        };
        job.status = status;
        job.generation += 1;
        if matches!(status, Status::Starting | Status::Running) {
            job.status_reason = None;
        }
        let job = job.clone();
        let resources = vec![job.arn.clone()];
        self.announce(&job, STATE_CHANGE, resources);
    }

    fn announce(&mut self, job: &Job, detail_type: &'static str, resources: Vec<String>) {
        // A detail is made of texts and numbers; it cannot fail to become JSON.
        if let Ok(detail) = serde_json::to_string(&job.to_event_detail()) {
            self.effects.push(Effect::Announce(Announcement {
                detail_type,
                resources,
                detail,
            }));
        }
    }
}
