//! The rules of the local Batch: no I/O, no clock. Time comes in as an argument, identifiers come
//! from a source given at the start, and what has to be done goes out as [`Effect`]s.

pub(crate) mod definitions;
pub(crate) mod environment;
pub(crate) mod faults;
pub(crate) mod job;
mod lifecycle;
pub(crate) mod listing;
pub(crate) mod names;
pub(crate) mod outcome;
pub(crate) mod retry;
pub(crate) mod submission;
#[cfg(test)]
mod tests;

use std::{
    collections::{HashMap, VecDeque},
    time::Duration,
};

use definitions::Definitions;
use faults::{Fault, Faults};
use job::{Job, Status};
use names::Arns;
use submission::NewJob;
use uuid::Uuid;

use super::{
    config::{TimeLimitAction, Timings},
    error::ApiError,
    secrets::Secret,
    wire::{
        details::{
            DescribedDefinitions, DescribedJobs, ListedJobs, RegisteredDefinition, SubmittedJob,
        },
        requests::{
            DescribeJobDefinitions, DescribeJobs, ListJobs, RegisterJobDefinition, StopJob,
            SubmitJob,
        },
    },
};
pub(crate) use crate::service::events::Announcement;

/// The most jobs that `DescribeJobs` takes.
const MAX_DESCRIBED: usize = 100;
/// The longest reason of `TerminateJob` and `CancelJob`, in characters.
const MAX_REASON: usize = 1024;

/// The parts of the configuration that the rules need.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) arns: Arns,
    pub(crate) queue_name: String,
    pub(crate) compute_environment_name: String,
    pub(crate) max_vcpus: u32,
    pub(crate) time_limit_actions: Vec<TimeLimitAction>,
    pub(crate) timings: Timings,
}

/// Something to be done outside, in the order in which it comes out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Effect {
    /// Publish an event.
    Announce(Announcement),
    /// Call [`Core::fire_timer`] after a while.
    Timer {
        job: String,
        generation: u64,
        timer: Timer,
        after: Duration,
    },
    /// Start a process; answered by [`Core::started`] or [`Core::could_not_start`], and after the
    /// former by [`Core::exited`].
    Launch(LaunchRequest),
    /// Stop a process: SIGTERM and a while later SIGKILL, or SIGKILL at once.
    Stop {
        job: String,
        attempt: u32,
        at_once: bool,
    },
}

/// What happens when a timer fires.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Timer {
    /// A SUBMITTED job is looked at.
    Evaluate,
    /// A RUNNABLE job may be placed.
    Place,
    /// The process of a STARTING job is started.
    Start,
    /// A fault strikes a RUNNING job.
    Fault,
    /// A RUNNING job's attempt has lasted as long as it may.
    Timeout,
    /// A blocked job has waited for as long as this entry of `jobStateTimeLimitActions` allows.
    TimeLimit(usize),
}

/// A process to be started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LaunchRequest {
    pub(crate) job_id: String,
    pub(crate) attempt: u32,
    pub(crate) image: String,
    pub(crate) command: Vec<String>,
    pub(crate) environment: Vec<(String, String)>,
    pub(crate) secrets: Vec<Secret>,
    pub(crate) log_stream_name: String,
}

/// All jobs, definitions and faults.
pub(crate) struct Core {
    settings: Settings,
    definitions: Definitions,
    jobs: HashMap<String, Job>,
    /// Ids in the order of submission.
    submitted: Vec<String>,
    /// Ids of RUNNABLE jobs in the order in which they are placed.
    runnable: VecDeque<String>,
    used_vcpus: u32,
    faults: Faults,
    effects: Vec<Effect>,
    new_id: Box<dyn FnMut() -> Uuid + Send>,
}

impl Core {
    pub(crate) fn new(settings: Settings, new_id: impl FnMut() -> Uuid + Send + 'static) -> Self {
        Self {
            settings,
            definitions: Definitions::default(),
            jobs: HashMap::new(),
            submitted: Vec::new(),
            runnable: VecDeque::new(),
            used_vcpus: 0,
            faults: Faults::default(),
            effects: Vec::new(),
            new_id: Box::new(new_id),
        }
    }

    /// What has to be done since the last call.
    pub(crate) fn take_effects(&mut self) -> Vec<Effect> {
        std::mem::take(&mut self.effects)
    }

    /// `SubmitJob`.
    pub(crate) fn submit(
        &mut self,
        request: SubmitJob,
        now: i64,
    ) -> Result<SubmittedJob, ApiError> {
        self.check_queue(request.job_queue.as_deref())?;
        let named = request
            .job_definition
            .as_deref()
            .ok_or_else(|| ApiError::client("jobDefinition is required."))?;
        let definition = self.definitions.resolve(named)?;
        let id = (self.new_id)().to_string();
        let new = NewJob {
            arn: self.settings.arns.job(&id),
            queue_arn: self.queue_arn(),
            id,
            now,
        };
        let job = submission::job(request, definition, new)?;
        if let Some(unknown) = job
            .depends_on
            .iter()
            .filter_map(|one| one.job_id.as_ref())
            .find(|id| !self.jobs.contains_key(*id))
        {
            return Err(ApiError::client(format!(
                "dependsOn names the job {unknown}, which does not exist."
            )));
        }
        let answer = SubmittedJob {
            job_arn: job.arn.clone(),
            job_name: job.name.clone(),
            job_id: job.id.clone(),
        };
        self.set_timer(&job, Timer::Evaluate, self.settings.timings.submitted);
        self.submitted.push(job.id.clone());
        self.jobs.insert(job.id.clone(), job);
        Ok(answer)
    }

    /// `DescribeJobs`: unknown jobs are left out.
    pub(crate) fn describe(&self, request: &DescribeJobs) -> Result<DescribedJobs, ApiError> {
        let ids = request
            .jobs
            .as_deref()
            .ok_or_else(|| ApiError::client("jobs is required."))?;
        if ids.len() > MAX_DESCRIBED {
            return Err(ApiError::client(format!(
                "Maximum number of jobs supported is {MAX_DESCRIBED}"
            )));
        }
        Ok(DescribedJobs {
            jobs: ids
                .iter()
                .filter_map(|id| self.jobs.get(id))
                .map(Job::described)
                .collect(),
        })
    }

    /// `ListJobs`, the newest first.
    pub(crate) fn list(&self, request: &ListJobs) -> Result<ListedJobs, ApiError> {
        if request.array_job_id.is_none() && request.multi_node_job_id.is_none() {
            self.check_queue(request.job_queue.as_deref())?;
        }
        let newest_first = self
            .submitted
            .iter()
            .rev()
            .filter_map(|id| self.jobs.get(id));
        listing::list(newest_first, request)
    }

    /// `TerminateJob`: ends a job in any state. Repeating it changes nothing.
    pub(crate) fn terminate(&mut self, request: &StopJob, now: i64) -> Result<(), ApiError> {
        let (id, reason) = self.to_stop(request)?;
        self.end(&id, &reason, now);
        Ok(())
    }

    /// `CancelJob`: ends a job that is not STARTING yet and leaves others alone.
    pub(crate) fn cancel(&mut self, request: &StopJob, now: i64) -> Result<(), ApiError> {
        let (id, reason) = self.to_stop(request)?;
        let Some(job) = self.jobs.get_mut(&id) else {
            return Ok(());
        };
        match job.status {
            // AWS cancels a PENDING job once its dependencies are through.
            Status::Pending => {
                job.is_cancelled = true;
                job.cancelled_because.get_or_insert(reason);
            }
            Status::Submitted | Status::Runnable => {
                job.is_cancelled = true;
                self.fail_unplaced(&id, &reason, now);
            }
            Status::Starting | Status::Running | Status::Succeeded | Status::Failed => {}
        }
        Ok(())
    }

    /// `RegisterJobDefinition`.
    pub(crate) fn register(
        &mut self,
        request: RegisterJobDefinition,
    ) -> Result<RegisteredDefinition, ApiError> {
        self.definitions.register(request, &self.settings.arns)
    }

    /// `DeregisterJobDefinition`. Jobs that were submitted with it go on.
    pub(crate) fn deregister(&mut self, definition: Option<&str>) -> Result<(), ApiError> {
        self.definitions.deregister(definition)
    }

    /// `DescribeJobDefinitions`.
    pub(crate) fn describe_definitions(
        &self,
        request: &DescribeJobDefinitions,
    ) -> Result<DescribedDefinitions, ApiError> {
        self.definitions.describe(request)
    }

    /// Asks for a fault.
    pub(crate) fn add_fault(&mut self, fault: Fault) {
        self.faults.add(fault);
    }

    /// The faults that are still to come.
    pub(crate) fn faults(&self) -> &[Fault] {
        self.faults.list()
    }

    /// Forgets all faults. Jobs that a fault keeps in RUNNABLE can be placed again.
    pub(crate) fn clear_faults(&mut self) {
        self.faults.clear();
        for job in self.jobs.values_mut() {
            if job.blocked.is_some_and(|blocked| blocked.by_fault) {
                job.blocked = None;
                job.status_reason = None;
                job.generation += 1;
            }
        }
        self.place_runnable();
    }

    /// The ARN of the queue.
    pub(crate) fn queue_arn(&self) -> String {
        self.settings.arns.queue(&self.settings.queue_name)
    }

    fn to_stop(&self, request: &StopJob) -> Result<(String, String), ApiError> {
        let id = request
            .job_id
            .clone()
            .ok_or_else(|| ApiError::client("jobId is required."))?;
        let reason = request
            .reason
            .clone()
            .ok_or_else(|| ApiError::client("reason is required."))?;
        if reason.chars().count() > MAX_REASON {
            return Err(ApiError::client(format!(
                "reason is longer than {MAX_REASON} characters."
            )));
        }
        if !self.jobs.contains_key(&id) {
            return Err(ApiError::client(format!("Job {id} does not exist.")));
        }
        Ok((id, reason))
    }

    fn check_queue(&self, queue: Option<&str>) -> Result<(), ApiError> {
        match queue {
            None => Err(ApiError::client("jobQueue is required.")),
            Some(name) if name == self.settings.queue_name || name == self.queue_arn() => Ok(()),
            Some(name) => Err(ApiError::client(format!("JobQueue {name} not found."))),
        }
    }
}
