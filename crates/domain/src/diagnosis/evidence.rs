//! What each signal gave.
//!
//! Every part is optional: what was not asked is `None`, and excludes nothing.

use crate::{
    ids::JobId,
    job::{Attempt, JobChange, JobStatus},
};

/// What is known about a job, by signal, from the cheapest to the most expensive.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Evidence {
    /// The job's status in Batch.
    pub status: Option<JobStatus>,
    /// Batch's words about the job.
    pub status_reason: Option<String>,
    /// Whether somebody asked for its end.
    pub stopped_on_request: Option<bool>,
    /// Its attempts, first to last.
    pub attempts: Vec<Attempt>,
    /// The jobs that it depends on and that have not ended.
    pub open_dependencies: Vec<JobId>,
    /// What `SubmitJob` answered when it refused.
    pub refusal: Option<String>,
    /// Whether `DescribeJobs` knows the job.
    pub known_to_batch: Option<bool>,
    /// What the job asks for.
    pub size: Option<Size>,
    /// The `Batch Job Queue Blocked` event of its queue.
    pub blocked: Option<Blocked>,
    /// The queue.
    pub queue: Option<Queue>,
    /// The compute environments of the queue.
    pub environments: Option<Vec<ComputeEnvironment>>,
    /// The head of the queue.
    pub snapshot: Option<Snapshot>,
    /// The consumable resources that the job asks for.
    pub consumables: Vec<Consumable>,
    /// The texts of the latest scaling activities and of the Spot fleet's history; an error when
    /// they may not be read.
    pub scaling: Option<Result<Vec<String>, String>>,
    /// The instances of the cluster.
    pub instances: Option<Instances>,
    /// Calls that changed what Batch manages, from `CloudTrail`.
    pub foreign_changes: Vec<String>,
    /// The account's quotas.
    pub quotas: Option<Quotas>,
    /// The network of the compute environments.
    pub network: Option<Network>,
    /// The version's image.
    pub image: Option<Image>,
    /// The secrets that the model declares.
    pub secrets: Option<Vec<Secret>>,
    /// Whether the job's log group exists.
    pub log_group_exists: Option<bool>,
    /// The actions that the job's roles need and that a simulation denied; empty when it was asked
    /// and all are allowed.
    pub denied_actions: Option<Vec<String>>,
    /// Whether the job's roles trust ECS.
    pub roles_trusted: Option<bool>,
    /// The most memory that the model used, in MiB.
    pub peak_memory_mib: Option<u32>,
    /// The last lines that the model wrote.
    pub last_lines: Option<Vec<String>>,
}

/// What a job asks for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Size {
    /// vCPUs, in thousandths.
    pub milli_vcpus: u32,
    /// Memory in MiB.
    pub memory_mib: u32,
    /// GPUs.
    pub gpus: u32,
}

/// Why a queue is blocked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blocked {
    /// The job at the head, when it is another one than the job in question.
    pub other_job: Option<JobId>,
    /// The reason, which begins with a code.
    pub reason: String,
}

/// A job queue.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Queue {
    /// Whether it is enabled.
    pub enabled: bool,
    /// Whether it is valid.
    pub valid: bool,
    /// Why it is not valid.
    pub status_reason: Option<String>,
    /// Whether it shares its capacity by a scheduling policy.
    pub fair_share: bool,
}

/// A compute environment of the queue.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ComputeEnvironment {
    /// Its name.
    pub name: String,
    /// Whether it is enabled.
    pub enabled: bool,
    /// Whether it is valid.
    pub valid: bool,
    /// Why it is not valid.
    pub status_reason: Option<String>,
    /// Whether its type is Fargate or Fargate Spot.
    pub fargate: bool,
    /// The most vCPUs that it may have.
    pub max_vcpus: Option<u32>,
    /// The largest of its instance types, less the memory that the agent keeps.
    pub largest: Option<Size>,
}

/// The head of the queue, from `GetJobQueueSnapshot`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// The job's place, from 1; none when it is behind the first hundred.
    pub position: Option<u32>,
    /// How many jobs wait in the queue.
    pub waiting: u32,
    /// How many jobs are being started.
    pub starting: u32,
    /// The vCPUs of the jobs that run, in thousandths.
    pub milli_vcpus_in_use: u32,
    /// How long the wait is expected to be, in minutes.
    pub wait_minutes: Option<u32>,
}

/// A consumable resource that a job asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Consumable {
    /// Its name.
    pub name: String,
    /// How many are free; none when it does not exist.
    pub available: Option<u64>,
    /// How many the job asks for.
    pub wanted: u64,
}

/// The instances of the cluster.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Instances {
    /// How many run.
    pub running: u32,
    /// How many are registered with the cluster.
    pub registered: u32,
    /// How many of these have an agent that is connected.
    pub connected: u32,
    /// How many of these lack the log driver `awslogs`.
    pub without_log_driver: u32,
    /// How many minutes the oldest one that is not registered has been up.
    pub unregistered_minutes: Option<u32>,
    /// Whether the launch template has user data.
    pub has_user_data: bool,
    /// Whether the launch template lets containers of the host reach the metadata service.
    pub metadata_reachable: Option<bool>,
}

/// A quota and its use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    /// The quota, in vCPUs.
    pub limit: u32,
    /// What is in use, in vCPUs.
    pub used: u32,
}

/// The account's quotas of vCPUs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Quotas {
    /// On-demand instances: L-1216C47A.
    pub on_demand: Option<Quota>,
    /// Spot instances: L-34B43A08.
    pub spot: Option<Quota>,
    /// Fargate on demand: L-3032A538.
    pub fargate: Option<Quota>,
}

/// A subnet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subnet {
    /// Its id.
    pub id: String,
    /// Its free addresses.
    pub free_addresses: u32,
}

/// The network of the compute environments.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Network {
    /// The subnets.
    pub subnets: Vec<Subnet>,
    /// Whether a route or endpoints lead to the services that a job needs.
    pub way_out: Option<bool>,
    /// Whether security groups and network ACLs let port 443 out.
    pub https_open: Option<bool>,
}

/// The version's image.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Image {
    /// Whether it is in the repository.
    pub found: bool,
    /// Whether it is built for the processor of the job definition.
    pub fits_processor: Option<bool>,
    /// Its size in MiB, compressed.
    pub size_mib: Option<u32>,
}

/// A secret that the model declares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Secret {
    /// Its name.
    pub name: String,
    /// What was found.
    pub state: SecretState,
}

/// What `DescribeSecret` says about a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecretState {
    /// It exists.
    Present,
    /// It does not exist.
    Missing,
    /// It is scheduled for deletion.
    BeingDeleted,
}

impl Evidence {
    /// What a job's event says.
    pub fn of(change: &JobChange) -> Self {
        Self {
            status: Some(change.status.clone()),
            status_reason: change.status_reason.clone(),
            stopped_on_request: change.stopped_on_request,
            attempts: change.attempts.clone(),
            ..Self::default()
        }
    }

    /// What Batch and ECS say about the job and its last attempt, the most specific first, without
    /// what a person gave as the reason of a request.
    pub(crate) fn job_texts(&self) -> Vec<&str> {
        let last = self.attempts.last();
        let own = |text: &&str| {
            self.stopped_on_request != Some(true)
                || self.status_reason.as_deref() != Some(*text)
                || super::texts::is_queue_limit(text)
        };
        last.and_then(|attempt| attempt.container_reason.as_deref())
            .into_iter()
            .chain(last.and_then(|attempt| attempt.status_reason.as_deref()))
            .chain(self.status_reason.as_deref())
            .filter(own)
            .collect()
    }

    /// The reason that somebody gave who stopped the job, if somebody did.
    ///
    /// An event does not say whether somebody asked. Then a reason that is none of AWS's own counts
    /// if the model had an exit code: without one, it may be a text of AWS that is not known yet.
    pub(crate) fn request(&self) -> Option<&str> {
        let reason = self.status_reason.as_deref()?;
        let asked = self
            .stopped_on_request
            .unwrap_or_else(|| self.exit_code().is_some() && !super::texts::is_of_aws(reason));
        (asked && !super::texts::is_queue_limit(reason)).then_some(reason)
    }

    /// The exit code of the last attempt.
    pub(crate) fn exit_code(&self) -> Option<i32> {
        self.attempts.last()?.exit_code
    }

    /// Whether the job waits, as far as is known.
    pub(super) fn is_waiting(&self) -> bool {
        matches!(
            self.status,
            None | Some(JobStatus::Submitted | JobStatus::Pending | JobStatus::Runnable)
        ) && self.attempts.last().is_none_or(|last| !last.finished)
    }

    /// Whether the job is between its place and the start of the model.
    pub(super) fn is_starting(&self) -> bool {
        self.status == Some(JobStatus::Starting)
    }

    /// Whether the job has ended.
    pub(super) fn is_over(&self) -> bool {
        matches!(self.status, Some(JobStatus::Succeeded | JobStatus::Failed))
    }
}
