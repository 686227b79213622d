//! The options of a local stack, and the reports of its progress.

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use crate::batch::{TimeLimitAction, Timings};

/// Name of the state folder inside the repository.
pub const STATE_FOLDER: &str = ".dropcast";

/// Everything a local stack needs to know; [`Options::new`] gives what fits a clone of the repository.
#[derive(Debug, Clone)]
pub struct Options {
    /// The repository: `template.yaml`, what it nests and points to, and the emulator's start script.
    pub repository: PathBuf,
    /// Folder for everything that the stack keeps: `stack.json`, logs, packages, images.
    pub state: PathBuf,
    /// Folder of the functions' binaries and of `dropcast-job`, all of one build.
    pub binaries: PathBuf,
    /// The Python with the emulator in it.
    pub python: PathBuf,
    /// Port of the emulator on 127.0.0.1; 0 takes a free one.
    pub emulator_port: u16,
    /// Port of the local Batch on 127.0.0.1; 0 takes a free one.
    pub batch_port: u16,
    /// Port of the local CodeBuild on 127.0.0.1; 0 takes a free one.
    pub codebuild_port: u16,
    /// Region that the emulator plays.
    pub region: String,
    /// Name of the CloudFormation stack.
    pub stack_name: String,
    /// The template's parameters. Those that only the local stack knows (`JobQueueArn`,
    /// `BatchEventSource`, `LinkBaseUrl`, `BuildProject`, …) are added, unless they are given here.
    pub parameters: BTreeMap<String, String>,
    /// vCPUs of the local job queue; `None` takes the machine's, at least four.
    pub max_vcpus: Option<u32>,
    /// How long the states of a job take.
    pub timings: Timings,
    /// `jobStateTimeLimitActions` of the local job queue: how long a job may wait for a host.
    pub time_limit_actions: Vec<TimeLimitAction>,
    /// Variables that every job gets, beside those of its definition.
    pub job_environment: BTreeMap<String, String>,
    /// Variables that the emulator and its functions get, for example `SFN_WAIT_SCALE`.
    pub emulator_environment: BTreeMap<String, String>,
}

impl Options {
    /// The stack of a clone of the repository, with binaries of a debug build and addresses that
    /// only mean something on this machine.
    pub fn new(repository: impl Into<PathBuf>) -> Self {
        let repository = repository.into();
        let parameters = [
            ("SenderAddress", "forecasts@corp.example"),
            ("OperatorAddress", "operator@corp.example"),
            ("AllowedRecipientDomains", "corp.example,corp.test"),
        ];
        Self {
            state: repository.join(STATE_FOLDER),
            binaries: repository.join("target/debug"),
            python: repository.join(".venv/bin/python"),
            emulator_port: 0,
            batch_port: 0,
            codebuild_port: 0,
            region: "eu-west-1".to_owned(),
            stack_name: "dropcast".to_owned(),
            parameters: parameters
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into(),
            max_vcpus: None,
            timings: Timings::default(),
            time_limit_actions: Vec::new(),
            job_environment: BTreeMap::new(),
            emulator_environment: BTreeMap::new(),
            repository,
        }
    }
}

/// A step of starting, stopping or registering.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// The step, as the beginning of a line: `starting the emulator`.
    pub step: String,
    /// `None` when the step begins; how long it took when it is done.
    pub took: Option<Duration>,
}

/// Receives reports of progress. Called from the task that does the work: it must not block.
pub trait Reporter: Send + Sync {
    /// A step began or ended.
    fn report(&self, progress: Progress);
}

impl<F: Fn(Progress) + Send + Sync> Reporter for F {
    fn report(&self, progress: Progress) {
        self(progress);
    }
}

/// Ignores all reports.
#[derive(Debug, Clone, Copy)]
pub struct NoProgress;

impl Reporter for NoProgress {
    fn report(&self, _: Progress) {}
}
