//! The settings of the local CodeBuild.

use std::{path::PathBuf, time::Duration};

use crate::ImageBuilder;

/// Everything that the local CodeBuild needs to know.
#[derive(Debug, Clone)]
pub struct CodeBuildConfig {
    /// Port on 127.0.0.1; 0 takes a free one.
    pub port: u16,
    /// The twelve-digit account that ARNs name.
    pub account: String,
    /// The region that ARNs name.
    pub region: String,
    /// Name of the one project.
    pub project: String,
    /// Folder for sources and logs of builds; it is created when missing.
    pub state: PathBuf,
    /// Makes the images.
    pub images: ImageBuilder,
    /// The `dropcast-job` program, which runs models on their examples.
    pub job_runner: PathBuf,
    /// Endpoint of the AWS emulator: sources come from its S3, and versions, events and logs go
    /// there.
    pub emulator: String,
    /// Source of the published events. `PutEvents` refuses sources that begin with `aws.`.
    pub event_source: String,
    /// How many builds run at a time; the others are QUEUED.
    pub concurrent_builds: usize,
    /// Variables that a local run of a model gets in addition to those that every local run has.
    pub environment: Vec<(String, String)>,
    /// What one second of a time limit lasts; tests shorten it.
    pub second: Duration,
    /// Longest time a line waits before it is sent to CloudWatch Logs.
    pub log_interval: Duration,
}

impl CodeBuildConfig {
    /// A configuration with the defaults of a local stack.
    pub fn new(
        state: impl Into<PathBuf>,
        images: ImageBuilder,
        job_runner: impl Into<PathBuf>,
        emulator: impl Into<String>,
    ) -> Self {
        Self {
            port: 0,
            account: "000000000000".to_owned(),
            region: "us-east-1".to_owned(),
            project: "dropcast-local".to_owned(),
            state: state.into(),
            images,
            job_runner: job_runner.into(),
            emulator: emulator.into(),
            event_source: "dropcast.codebuild".to_owned(),
            concurrent_builds: 2,
            environment: Vec::new(),
            second: Duration::from_secs(1),
            log_interval: Duration::from_millis(100),
        }
    }
}
