//! `CodeBuild` and the builds' logs, as far as this function needs them.

use std::future::Future;

use aws_sdk_codebuild::types::{
    Build, BuildPhase as ListedPhase, ProjectEnvironment, SortOrderType,
};
use dropcast_aws::{CallError, SdkConfig, logs::LogGroup};
use dropcast_domain::registry::{
    BUILD_LINES_READ, BuildPhase, BuildReport, BuildState, PhaseReport, Requester,
};
use jiff::Timestamp;

use crate::Config;

/// The builds of the project.
pub trait BuildProject: Send + Sync {
    /// The newest builds, at most a hundred: a page of `CodeBuild`'s answer.
    fn newest(&self) -> impl Future<Output = Result<Vec<BuildReport>, CallError>> + Send;

    /// The last lines of a build's log, `CodeBuild`'s own among them; none where there is no such stream.
    fn last_lines(
        &self,
        stream: &str,
    ) -> impl Future<Output = Result<Vec<String>, CallError>> + Send;
}

/// `CodeBuild` and CloudWatch Logs.
#[derive(Debug)]
pub struct AwsProject {
    builds: aws_sdk_codebuild::Client,
    logs: LogGroup,
    project: String,
}

impl AwsProject {
    /// The project and the log group that the settings name.
    pub fn of(aws: &SdkConfig, config: &Config) -> Self {
        let logs = aws_sdk_cloudwatchlogs::Client::new(aws);
        Self {
            builds: aws_sdk_codebuild::Client::new(aws),
            logs: LogGroup::new(logs, &config.build_log_group),
            project: config.build_project.clone(),
        }
    }
}

impl BuildProject for AwsProject {
    async fn newest(&self) -> Result<Vec<BuildReport>, CallError> {
        let listed = self
            .builds
            .list_builds_for_project()
            .project_name(&self.project)
            .sort_order(SortOrderType::Descending)
            .send()
            .await
            .map_err(|error| CallError::of_sdk("codebuild:ListBuildsForProject", error))?;
        let ids = listed.ids.unwrap_or_default();
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let answer = self
            .builds
            .batch_get_builds()
            .set_ids(Some(ids))
            .send()
            .await
            .map_err(|error| CallError::of_sdk("codebuild:BatchGetBuilds", error))?;
        Ok(answer.builds().iter().filter_map(report).collect())
    }

    async fn last_lines(&self, stream: &str) -> Result<Vec<String>, CallError> {
        let lines = self.logs.last_lines(stream, BUILD_LINES_READ).await;
        lines.map_err(|error| CallError::of_sdk("logs:GetLogEvents", error))
    }
}

/// A build of the answer; none without an id or an end, because it is still running.
fn report(build: &Build) -> Option<BuildReport> {
    let environment = build.environment();
    let variables = environment
        .into_iter()
        .flat_map(ProjectEnvironment::environment_variables)
        .map(|variable| (variable.name(), variable.value()));
    let commit = build.resolved_source_version().or(build.source_version());
    let ended = build.end_time()?;
    Some(BuildReport {
        build: build.id()?.parse().ok()?,
        project: build.project_name()?.to_owned(),
        state: BuildState::from_name(build.build_status()?.as_str()),
        phases: build.phases().iter().map(phase).collect(),
        log_stream: build
            .logs()
            .and_then(|logs| logs.stream_name())
            .map(ToOwned::to_owned),
        requester: Requester::of_variables(variables).or_else(build.initiator(), commit),
        at: Timestamp::from_millisecond(ended.to_millis().ok()?).ok()?,
    })
}

fn phase(phase: &ListedPhase) -> PhaseReport {
    let name = phase.phase_type().map_or("", |name| name.as_str());
    let contexts = phase.contexts().iter();
    PhaseReport {
        phase: BuildPhase::from_codebuild(name),
        state: phase
            .phase_status()
            .map(|status| BuildState::from_name(status.as_str())),
        // An event has both in one text: `COMMAND_EXECUTION_ERROR: …`.
        context: contexts
            .map(|context| {
                let code = context.status_code().unwrap_or_default();
                format!("{code}: {}", context.message().unwrap_or_default())
            })
            .collect(),
    }
}
