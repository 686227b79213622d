//! The builder of models: a bucket for sources and a CodeBuild project.

use std::{path::Path, time::Duration};

use anyhow::Context as _;
use aws_sdk_codebuild::types::{Build, BuildPhase, EnvironmentVariable, SourceType, StatusType};
use aws_sdk_s3::primitives::ByteStream;
use dropcast_aws::{logs::LogGroup, s3::transfer};
use dropcast_domain::registry::{BUILD_LINES_READ, BuildId, last_build_lines};

use crate::{
    exit::{CliError, Exit, join_causes},
    stack::Stack,
};

/// The builder of a stack.
#[derive(Debug)]
pub(super) struct Builder {
    /// The bucket for the sources of models.
    pub(super) bucket: String,
    /// The project.
    pub(super) project: String,
    /// How often a build is polled.
    pub(super) poll_interval: Duration,
    s3: aws_sdk_s3::Client,
    codebuild: aws_sdk_codebuild::Client,
    logs: aws_sdk_cloudwatchlogs::Client,
}

/// The state of a build.
#[derive(Debug)]
pub(super) enum BuildState {
    /// It is in progress.
    InProgress {
        /// The current phase, as AWS names it.
        phase: String,
    },
    /// It has ended.
    Over {
        /// Why it failed, if it did.
        end: Option<Failure>,
    },
}

/// Why a build failed.
#[derive(Debug)]
pub(super) struct Failure {
    /// The phase, as AWS names it.
    pub(super) phase: String,
    /// AWS's message.
    pub(super) message: String,
}

impl Builder {
    /// The builder of a stack.
    pub(super) fn new(stack: &Stack) -> Result<Self, CliError> {
        let codebuild = match &stack.local {
            Some(local) => aws_sdk_codebuild::Client::new(&local.codebuild_sdk_config()),
            None => aws_sdk_codebuild::Client::new(&stack.config),
        };
        Ok(Self {
            bucket: stack.output("ModelsBucketName")?.to_owned(),
            project: stack.output("BuildProject")?.to_owned(),
            poll_interval: match &stack.local {
                Some(_) => Duration::from_millis(100),
                // Builds take minutes, and the API is rate-limited.
                None => Duration::from_secs(3),
            },
            s3: stack.s3.clone(),
            codebuild,
            logs: aws_sdk_cloudwatchlogs::Client::new(&stack.config),
        })
    }

    /// Uploads a source, unless it exists: its key contains the digest of its content.
    pub(super) async fn upload(&self, key: &str, file: &Path, bytes: u64) -> anyhow::Result<()> {
        let head = self.s3.head_object().bucket(&self.bucket).key(key);
        let existing = head.send().await.ok().and_then(|head| head.content_length);
        if existing.and_then(|length| u64::try_from(length).ok()) == Some(bytes) {
            return Ok(());
        }
        let body = ByteStream::from_path(file).await?;
        let put = self.s3.put_object().bucket(&self.bucket).key(key);
        put.content_type("application/zip")
            .body(body)
            .customize()
            .config_override(transfer())
            .send()
            .await
            .map(drop)
            .with_context(|| format!("uploading s3://{}/{key}", self.bucket))
    }

    /// Starts a build of a source. Variables without a value are left out.
    pub(super) async fn start(
        &self,
        key: &str,
        variables: &[(&str, String)],
    ) -> anyhow::Result<BuildId> {
        let mut start = self
            .codebuild
            .start_build()
            .project_name(&self.project)
            .source_type_override(SourceType::S3)
            .source_location_override(format!("{}/{key}", self.bucket));
        for (name, value) in variables {
            if !value.is_empty() {
                let variable = EnvironmentVariable::builder().name(*name).value(value);
                start = start.environment_variables_override(variable.build()?);
            }
        }
        let answer = start.send().await.map_err(|error| {
            CliError::new(
                Exit::NoStack,
                format!("The build could not be started: {}.", join_causes(&error)),
            )
        })?;
        let id = answer.build_value.and_then(|build| build.id);
        Ok(id.context("CodeBuild returned no build id")?.parse()?)
    }

    /// Loads the state of a build.
    pub(super) async fn load_state(&self, build: &BuildId) -> anyhow::Result<BuildState> {
        let id = format!("{}:{build}", self.project);
        let answer = self.codebuild.batch_get_builds().ids(id).send().await;
        let answer = answer.context("loading the build from CodeBuild")?;
        let found = answer.builds().first();
        let build = found.with_context(|| format!("CodeBuild has no build {build}"))?;
        Ok(match build.build_status() {
            None | Some(StatusType::InProgress) => BuildState::InProgress {
                phase: build.current_phase().unwrap_or("QUEUED").to_owned(),
            },
            Some(StatusType::Succeeded) => BuildState::Over { end: None },
            Some(status) => BuildState::Over {
                end: Some(describe_failure(build, status)),
            },
        })
    }

    /// The last lines of a build's log, or none if they cannot be read.
    pub(super) async fn last_lines(&self, build: &BuildId) -> Vec<String> {
        let id = format!("{}:{build}", self.project);
        let answer = self.codebuild.batch_get_builds().ids(id).send().await;
        let logs = answer
            .ok()
            .and_then(|answer| answer.builds?.pop())
            .and_then(|build| build.logs);
        let (Some(group), Some(stream)) = logs
            .map(|logs| (logs.group_name, logs.stream_name))
            .unwrap_or_default()
        else {
            return Vec::new();
        };
        let lines = LogGroup::new(self.logs.clone(), group)
            .last_lines(&stream, BUILD_LINES_READ)
            .await;
        last_build_lines(&lines.unwrap_or_default())
    }
}

fn describe_failure(build: &Build, status: &StatusType) -> Failure {
    let phases = build.phases();
    let failed = |phase: &&BuildPhase| {
        let status = phase.phase_status();
        status.is_some_and(|status| *status != StatusType::Succeeded)
    };
    let phase = phases.iter().find(failed);
    let context = phase.and_then(|phase| phase.contexts().first());
    let message = context.and_then(|context| context.message());
    Failure {
        phase: phase
            .and_then(|phase| phase.phase_type())
            .map_or("COMPLETED", |kind| kind.as_str())
            .to_owned(),
        message: match (status, message) {
            (StatusType::Stopped, _) => "The build was stopped.".to_owned(),
            (StatusType::TimedOut, _) => "The build exceeded its time limit.".to_owned(),
            (_, Some(message)) => message.to_owned(),
            (status, None) => format!("Its status in CodeBuild is {}.", status.as_str()),
        },
    }
}
