//! `CodeBuild` and the builds' logs, as far as this function needs them.

use std::future::Future;

use aws_sdk_cloudwatchlogs::operation::get_log_events::GetLogEventsError;
use aws_sdk_codebuild::types::{
    Build, BuildPhase as ListedPhase, ProjectEnvironment, SortOrderType,
};
use dropcast_domain::registry::{
    BuildPhase, BuildReport, BuildState, MOST_BUILD_LINES, PhaseReport, Requester,
};
use dropcast_lambda_kit::{aws::SdkConfig, error::CallError};
use jiff::Timestamp;

use crate::Config;

/// The builds of the project.
pub trait BuildProject: Send + Sync {
    /// The newest builds, at most a hundred: as many as `CodeBuild` tells at once.
    fn newest(&self) -> impl Future<Output = Result<Vec<BuildReport>, CallError>> + Send;

    /// The last lines of a build's log; none where there is no such stream.
    fn last_lines(
        &self,
        stream: &str,
    ) -> impl Future<Output = Result<Vec<String>, CallError>> + Send;
}

/// `CodeBuild` and CloudWatch Logs.
#[derive(Debug)]
pub struct AwsProject {
    builds: aws_sdk_codebuild::Client,
    logs: aws_sdk_cloudwatchlogs::Client,
    project: String,
    log_group: String,
}

impl AwsProject {
    /// The project and the log group that the settings name.
    pub fn of(aws: &SdkConfig, config: &Config) -> Self {
        Self {
            builds: aws_sdk_codebuild::Client::new(aws),
            logs: aws_sdk_cloudwatchlogs::Client::new(aws),
            project: config.build_project.clone(),
            log_group: config.build_log_group.clone(),
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
        let told = self
            .builds
            .batch_get_builds()
            .set_ids(Some(ids))
            .send()
            .await
            .map_err(|error| CallError::of_sdk("codebuild:BatchGetBuilds", error))?;
        Ok(told.builds().iter().filter_map(report).collect())
    }

    async fn last_lines(&self, stream: &str) -> Result<Vec<String>, CallError> {
        let answer = self
            .logs
            .get_log_events()
            .log_group_name(&self.log_group)
            .log_stream_name(stream)
            .limit(i32::try_from(MOST_BUILD_LINES).unwrap_or(i32::MAX))
            .start_from_head(false)
            .send()
            .await;
        match answer {
            Ok(answer) => Ok(answer
                .events
                .unwrap_or_default()
                .into_iter()
                .filter_map(|event| event.message)
                .collect()),
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(GetLogEventsError::is_resource_not_found_exception) =>
            {
                tracing::warn!("the failed build has no log stream");
                Ok(Vec::new())
            }
            Err(error) => Err(CallError::of_sdk("logs:GetLogEvents", error)),
        }
    }
}

/// A build as it is told when asked for; none without an id or an end, for it is not over.
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
        phase: BuildPhase::from_name(name),
        state: phase
            .phase_status()
            .map(|status| BuildState::from_name(status.as_str())),
        // An event tells both as one text: `COMMAND_EXECUTION_ERROR: …`.
        context: contexts
            .map(|context| {
                let code = context.status_code().unwrap_or_default();
                format!("{code}: {}", context.message().unwrap_or_default())
            })
            .collect(),
    }
}
