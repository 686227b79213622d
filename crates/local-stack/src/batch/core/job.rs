//! A job and what becomes of it.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{
    super::wire::{
        details::{
            AttemptContainerDetail, AttemptDetail, ContainerDetail, ContainerSummary, JobDetail,
            JobSummary,
        },
        shared::{JobDependency, JobTimeout, KeyValue, ResourceRequirement},
    },
    faults::Fault,
    retry::Retry,
};

/// The states of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    Submitted,
    Pending,
    Runnable,
    Starting,
    Running,
    Succeeded,
    Failed,
}

impl Status {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Submitted => "SUBMITTED",
            Self::Pending => "PENDING",
            Self::Runnable => "RUNNABLE",
            Self::Starting => "STARTING",
            Self::Running => "RUNNING",
            Self::Succeeded => "SUCCEEDED",
            Self::Failed => "FAILED",
        }
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        [
            Self::Submitted,
            Self::Pending,
            Self::Runnable,
            Self::Starting,
            Self::Running,
            Self::Succeeded,
            Self::Failed,
        ]
        .into_iter()
        .find(|status| status.as_str() == text)
    }

    pub(crate) const fn is_terminal(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed)
    }
}

/// A submitted job. Times are milliseconds since 1970.
#[derive(Debug, Clone)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "Each is a fact of its own; AWS shows three of them as they are."
)]
pub(crate) struct Job {
    pub(crate) id: String,
    pub(crate) arn: String,
    pub(crate) name: String,
    pub(crate) queue_arn: String,
    pub(crate) definition_name: String,
    pub(crate) definition_arn: String,
    pub(crate) status: Status,
    pub(crate) status_reason: Option<String>,
    pub(crate) created_at: i64,
    pub(crate) started_at: Option<i64>,
    pub(crate) stopped_at: Option<i64>,
    pub(crate) retry: Retry,
    pub(crate) timeout: Option<JobTimeout>,
    pub(crate) depends_on: Vec<JobDependency>,
    pub(crate) parameters: BTreeMap<String, String>,
    pub(crate) tags: BTreeMap<String, String>,
    pub(crate) propagate_tags: bool,
    pub(crate) platform_capabilities: Vec<String>,
    pub(crate) container: Container,
    /// vCPUs that the job holds from STARTING to its end.
    pub(crate) vcpus: u32,
    /// Finished attempts.
    pub(crate) attempts: Vec<Attempt>,
    /// Where the job is placed, while it is STARTING or RUNNING.
    pub(crate) placement: Option<Placement>,
    /// Why a RUNNABLE job cannot be placed.
    pub(crate) blocked: Option<Blocked>,
    /// Whether a RUNNABLE job has been RUNNABLE long enough to be placed.
    pub(crate) ready: bool,
    /// Reason of a cancellation that waits for the job's dependencies.
    pub(crate) cancelled_because: Option<String>,
    pub(crate) is_cancelled: bool,
    pub(crate) is_terminated: bool,
    /// Grows with every change of status, so that a timer set before it is known as stale.
    pub(crate) generation: u64,
}

/// The container of a job: what it runs, and how it ended last.
#[derive(Debug, Clone)]
#[expect(
    clippy::struct_field_names,
    reason = "A container instance is not a container."
)]
pub(crate) struct Container {
    pub(crate) image: String,
    pub(crate) vcpus: Option<i64>,
    pub(crate) memory: Option<i64>,
    pub(crate) command: Vec<String>,
    pub(crate) environment: Vec<KeyValue>,
    pub(crate) resource_requirements: Vec<ResourceRequirement>,
    pub(crate) other: Map<String, Value>,
    pub(crate) exit_code: Option<i32>,
    pub(crate) reason: Option<String>,
    pub(crate) container_instance_arn: Option<String>,
    pub(crate) task_arn: Option<String>,
    pub(crate) log_stream_name: Option<String>,
}

/// One attempt on a host.
#[derive(Debug, Clone)]
pub(crate) struct Placement {
    /// Counts from 1.
    pub(crate) attempt: u32,
    pub(crate) instance_id: String,
    pub(crate) container_instance_arn: String,
    pub(crate) task_arn: String,
    pub(crate) log_stream_name: String,
    /// Whether the process was asked for.
    pub(crate) launched: bool,
    pub(crate) started_at: Option<i64>,
    /// Why the attempt is being stopped.
    pub(crate) ending: Option<Ending>,
    pub(crate) fault: Option<Fault>,
}

/// Why a placed job is being stopped from outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Ending {
    /// `TerminateJob`, with its reason.
    Terminated(String),
    /// `attemptDurationSeconds` are over.
    TimedOut,
}

/// Why a RUNNABLE job is not placed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Blocked {
    /// Whether the jobs behind it wait, too.
    pub(crate) blocks_queue: bool,
    /// Whether a fault holds it; otherwise it asks for more than there will ever be.
    pub(crate) by_fault: bool,
}

/// A finished attempt.
#[derive(Debug, Clone)]
pub(crate) struct Attempt {
    pub(crate) container_instance_arn: String,
    pub(crate) task_arn: String,
    pub(crate) log_stream_name: Option<String>,
    pub(crate) exit_code: Option<i32>,
    pub(crate) reason: Option<String>,
    pub(crate) started_at: Option<i64>,
    pub(crate) stopped_at: i64,
    pub(crate) status_reason: String,
}

impl Attempt {
    fn detail(&self) -> AttemptDetail {
        AttemptDetail {
            container: AttemptContainerDetail {
                container_instance_arn: self.container_instance_arn.clone(),
                task_arn: self.task_arn.clone(),
                exit_code: self.exit_code,
                reason: self.reason.clone(),
                log_stream_name: self.log_stream_name.clone(),
                network_interfaces: Vec::new(),
            },
            started_at: self.started_at,
            stopped_at: self.stopped_at,
            status_reason: self.status_reason.clone(),
        }
    }
}

impl Job {
    /// The job as `DescribeJobs` shows it.
    pub(crate) fn described(&self) -> JobDetail {
        JobDetail {
            is_cancelled: Some(self.is_cancelled),
            is_terminated: Some(self.is_terminated),
            ..self.detail(self.tags.clone())
        }
    }

    /// The job as an event contains it: with the ARN among the tags, and without whether its end was
    /// requested.
    pub(crate) fn to_event_detail(&self) -> JobDetail {
        let mut tags = self.tags.clone();
        tags.insert("resourceArn".to_owned(), self.arn.clone());
        self.detail(tags)
    }

    fn detail(&self, tags: BTreeMap<String, String>) -> JobDetail {
        JobDetail {
            job_arn: self.arn.clone(),
            job_name: self.name.clone(),
            job_id: self.id.clone(),
            job_queue: self.queue_arn.clone(),
            status: self.status.as_str(),
            status_reason: self.status_reason.clone(),
            attempts: self.attempts.iter().map(Attempt::detail).collect(),
            created_at: self.created_at,
            retry_strategy: self.retry.detail(),
            started_at: self.started_at,
            stopped_at: self.stopped_at,
            depends_on: self.depends_on.clone(),
            job_definition: self.definition_arn.clone(),
            parameters: self.parameters.clone(),
            container: self.container.detail(),
            timeout: self.timeout,
            tags,
            propagate_tags: self.propagate_tags,
            platform_capabilities: self.platform_capabilities.clone(),
            eks_attempts: Vec::new(),
            is_cancelled: None,
            is_terminated: None,
        }
    }

    /// The job as `ListJobs` shows it.
    pub(crate) fn summary(&self) -> JobSummary {
        JobSummary {
            job_arn: self.arn.clone(),
            job_id: self.id.clone(),
            job_name: self.name.clone(),
            created_at: self.created_at,
            status: self.status.as_str(),
            status_reason: self.status_reason.clone(),
            started_at: self.started_at,
            stopped_at: self.stopped_at,
            container: ContainerSummary {
                exit_code: self.container.exit_code,
                reason: self.container.reason.clone(),
            },
            job_definition: self.definition_arn.clone(),
            is_cancelled: self.is_cancelled.then_some(true),
            is_terminated: self.is_terminated.then_some(true),
        }
    }
}

impl Container {
    fn detail(&self) -> ContainerDetail {
        ContainerDetail {
            image: self.image.clone(),
            vcpus: self.vcpus,
            memory: self.memory,
            command: self.command.clone(),
            environment: self.environment.clone(),
            resource_requirements: self.resource_requirements.clone(),
            exit_code: self.exit_code,
            reason: self.reason.clone(),
            container_instance_arn: self.container_instance_arn.clone(),
            task_arn: self.task_arn.clone(),
            log_stream_name: self.log_stream_name.clone(),
            network_interfaces: Vec::new(),
            other: self.other.clone(),
        }
    }

    /// Forgets the attempt before the next one.
    pub(crate) fn clear_attempt(&mut self) {
        self.exit_code = None;
        self.reason = None;
        self.container_instance_arn = None;
        self.task_arn = None;
        self.log_stream_name = None;
    }
}
