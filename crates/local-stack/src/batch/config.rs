//! The settings of the local Batch.

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use crate::service::process::inherit_environment;

/// Everything the local Batch needs to know. [`BatchConfig::new`] gives defaults for all but the
/// two folders.
#[derive(Debug, Clone)]
pub struct BatchConfig {
    /// Port on 127.0.0.1; 0 takes a free one.
    pub port: u16,
    /// The twelve-digit account that ARNs name.
    pub account: String,
    /// The region that ARNs name and that jobs are given.
    pub region: String,
    /// Name of the one job queue.
    pub queue_name: String,
    /// Name of the one compute environment behind the queue.
    pub compute_environment_name: String,
    /// How many vCPUs jobs may hold at once; what does not fit waits in RUNNABLE.
    pub max_vcpus: u32,
    /// Root of the images: `local/<model>@sha256:<hex>` is the folder `<images>/<model>/<hex>`.
    pub images: PathBuf,
    /// Where the output of every attempt is kept, as
    /// `<state>/jobs/<job id>/attempt-<number>.log`, and where attempts have their temporary files.
    pub state: PathBuf,
    /// Folder of the `dropcast-job` binary; it goes into every job's `PATH`.
    pub job_runner_folder: Option<PathBuf>,
    /// Source of the published events. `PutEvents` refuses sources that begin with `aws.`.
    pub event_source: String,
    /// Endpoint of the AWS emulator, for example `http://127.0.0.1:4566`. Events and logs go
    /// there, and jobs get it as `AWS_ENDPOINT_URL`. Without it neither is published.
    pub emulator: Option<String>,
    /// Variables that every job gets; a job definition's own variables win over them.
    pub environment: BTreeMap<String, String>,
    /// The part of our own environment that jobs inherit.
    pub inherited: BTreeMap<String, String>,
    /// `jobStateTimeLimitActions` of the queue.
    pub time_limit_actions: Vec<TimeLimitAction>,
    /// How long things take.
    pub timings: Timings,
}

impl BatchConfig {
    /// A configuration with the defaults of a local stack. `images` is the root of the image
    /// folders, `state` the folder for logs and temporary files; it is created when missing.
    pub fn new(images: impl Into<PathBuf>, state: impl Into<PathBuf>) -> Self {
        Self {
            port: 0,
            account: "000000000000".to_owned(),
            region: "us-east-1".to_owned(),
            queue_name: "dropcast-local".to_owned(),
            compute_environment_name: "dropcast-local".to_owned(),
            max_vcpus: default_vcpus(),
            images: images.into(),
            state: state.into(),
            job_runner_folder: None,
            event_source: "dropcast.batch".to_owned(),
            emulator: None,
            environment: BTreeMap::new(),
            inherited: inherit_environment(),
            time_limit_actions: Vec::new(),
            timings: Timings::default(),
        }
    }
}

/// At least four, so that a model that asks for two vCPUs runs beside another one anywhere.
fn default_vcpus() -> u32 {
    std::thread::available_parallelism()
        .ok()
        .and_then(|cores| u32::try_from(cores.get()).ok())
        .unwrap_or(1)
        .max(4)
}

/// One entry of a queue's `jobStateTimeLimitActions`. The state is always RUNNABLE, as in AWS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimeLimitAction {
    /// The beginning of the status reason that the action is for, for example
    /// `CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY`.
    pub reason: String,
    /// Seconds that a job may be blocked for that reason; AWS takes 600 to 86,400.
    pub max_time_seconds: u32,
    /// What happens to the job then.
    pub action: LimitAction,
}

/// What a [`TimeLimitAction`] does to a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LimitAction {
    /// The job is cancelled.
    Cancel,
    /// The job is terminated.
    Terminate,
}

/// How long the local Batch stays in the states that AWS takes minutes for, and what a second of
/// the API lasts. The three states before RUNNING take 30 ms in all by default, so that a run
/// starts at once and every state is still seen.
#[derive(Debug, Clone)]
pub struct Timings {
    /// Time in SUBMITTED before the job is looked at.
    pub submitted: Duration,
    /// Shortest time in RUNNABLE.
    pub runnable: Duration,
    /// Time in STARTING before the process is started.
    pub starting: Duration,
    /// Time between SIGTERM and SIGKILL; 30 s in Amazon ECS.
    pub kill_grace: Duration,
    /// Time a process runs before a fault that strikes a running job strikes.
    pub fault_delay: Duration,
    /// Longest time a line of output waits before it is sent to CloudWatch Logs.
    pub log_interval: Duration,
    /// What one second of `attemptDurationSeconds` and `maxTimeSeconds` lasts. AWS takes no
    /// timeout below 60 s, so tests shorten the second instead.
    pub second: Duration,
    /// Time that processes get between SIGTERM and SIGKILL when the service is shut down.
    pub shutdown_grace: Duration,
}

impl Default for Timings {
    fn default() -> Self {
        Self {
            submitted: Duration::from_millis(10),
            runnable: Duration::from_millis(10),
            starting: Duration::from_millis(10),
            kill_grace: Duration::from_secs(30),
            fault_delay: Duration::from_millis(200),
            log_interval: Duration::from_millis(100),
            second: Duration::from_secs(1),
            shutdown_grace: Duration::from_secs(1),
        }
    }
}
