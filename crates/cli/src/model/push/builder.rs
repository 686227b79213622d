//! What builds models: a bucket for sources and a CodeBuild project.

use std::{path::Path, time::Duration};

use anyhow::Context as _;
use aws_sdk_codebuild::types::{Build, BuildPhase, EnvironmentVariable, SourceType, StatusType};
use aws_sdk_s3::primitives::ByteStream;
use dropcast_aws::logs::LogGroup;
use dropcast_domain::registry::{BUILD_LINES_READ, BuildId, last_build_lines};

use crate::{
    exit::{Exit, Stop, causes},
    stack::Stack,
};

/// The builder of a stack.
#[derive(Debug)]
pub(super) struct Builder {
    /// The bucket of models' sources.
    pub(super) bucket: String,
    /// The project.
    pub(super) project: String,
    /// The pause between two looks at a build.
    pub(super) pause: Duration,
    s3: aws_sdk_s3::Client,
    codebuild: aws_sdk_codebuild::Client,
    logs: aws_sdk_cloudwatchlogs::Client,
}

/// A build, looked at.
#[derive(Debug)]
pub(super) enum Look {
    /// It goes on.
    InProgress {
        /// The phase that it is in, as AWS writes it.
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
    /// The phase, as AWS writes it.
    pub(super) phase: String,
    /// What AWS says.
    pub(super) message: String,
}

impl Builder {
    /// The builder of a stack.
    pub(super) fn of(stack: &Stack) -> Result<Self, Stop> {
        let codebuild = match &stack.local {
            Some(local) => aws_sdk_codebuild::Client::new(&local.codebuild_sdk_config()),
            None => aws_sdk_codebuild::Client::new(&stack.config),
        };
        Ok(Self {
            bucket: stack.output("ModelsBucketName")?.to_owned(),
            project: stack.output("BuildProject")?.to_owned(),
            pause: match &stack.local {
                Some(_) => Duration::from_millis(100),
                // A build takes minutes, and the API has limits.
                None => Duration::from_secs(3),
            },
            s3: stack.s3.clone(),
            codebuild,
            logs: aws_sdk_cloudwatchlogs::Client::new(&stack.config),
        })
    }

    /// Uploads a source, unless it is there already: its key says what is in it.
    pub(super) async fn upload(&self, key: &str, file: &Path, bytes: u64) -> anyhow::Result<()> {
        let head = self.s3.head_object().bucket(&self.bucket).key(key);
        let stands = head.send().await.ok().and_then(|head| head.content_length);
        if stands.and_then(|length| u64::try_from(length).ok()) == Some(bytes) {
            return Ok(());
        }
        let body = ByteStream::from_path(file).await?;
        let put = self.s3.put_object().bucket(&self.bucket).key(key);
        put.content_type("application/zip")
            .body(body)
            .send()
            .await
            .map(drop)
            .with_context(|| format!("uploading s3://{}/{key}", self.bucket))
    }

    /// Starts a build of a source. A variable without a value is left out.
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
            Stop::new(
                Exit::NoStack,
                format!("The build was not started: {}.", causes(&error)),
            )
        })?;
        let id = answer.build_value.and_then(|build| build.id);
        Ok(id.context("CodeBuild named no build")?.parse()?)
    }

    /// Looks at a build.
    pub(super) async fn look(&self, build: &BuildId) -> anyhow::Result<Look> {
        let id = format!("{}:{build}", self.project);
        let answer = self.codebuild.batch_get_builds().ids(id).send().await;
        let answer = answer.context("asking CodeBuild for the build")?;
        let found = answer.builds().first();
        let build = found.with_context(|| format!("CodeBuild knows no build {build}"))?;
        Ok(match build.build_status() {
            None | Some(StatusType::InProgress) => Look::InProgress {
                phase: build.current_phase().unwrap_or("QUEUED").to_owned(),
            },
            Some(StatusType::Succeeded) => Look::Over { end: None },
            Some(status) => Look::Over {
                end: Some(failure(build, status)),
            },
        })
    }

    /// The last lines of a build's log; none when they cannot be read.
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

fn failure(build: &Build, status: &StatusType) -> Failure {
    let phases = build.phases();
    let failed = |phase: &&BuildPhase| {
        let status = phase.phase_status();
        status.is_some_and(|status| *status != StatusType::Succeeded)
    };
    let phase = phases.iter().find(failed);
    let context = phase.and_then(|phase| phase.contexts().first());
    let said = context.and_then(|context| context.message());
    Failure {
        phase: phase
            .and_then(|phase| phase.phase_type())
            .map_or("COMPLETED", |kind| kind.as_str())
            .to_owned(),
        message: match (status, said) {
            (StatusType::Stopped, _) => "Somebody stopped the build.".to_owned(),
            (StatusType::TimedOut, _) => "The build took longer than it may.".to_owned(),
            (_, Some(said)) => said.to_owned(),
            (status, None) => format!("CodeBuild calls it {}.", status.as_str()),
        },
    }
}
