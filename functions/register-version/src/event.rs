//! The messages of the queue as they arrive.

use dropcast_domain::registry::{
    BuildPhase, BuildReport, BuildState, ParseBuildIdError, PhaseReport, Requester,
};
use jiff::Timestamp;
use serde::Deserialize;

/// A message of the builds queue.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "detail-type")]
pub enum Message {
    #[serde(rename = "CodeBuild Build State Change")]
    Build(Box<BuildStateChange>),
    /// A scheduled request to process builds whose event was lost.
    #[serde(rename = "Reconcile Builds")]
    Reconcile,
}

/// `CodeBuild`'s event, as far as it is used.
///
/// See <https://docs.aws.amazon.com/codebuild/latest/userguide/sample-build-notifications.html#sample-build-notifications-ref>.
#[derive(Debug, Clone, Deserialize)]
pub struct BuildStateChange {
    time: Timestamp,
    detail: Detail,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Detail {
    build_status: String,
    project_name: String,
    build_id: String,
    #[serde(default)]
    additional_information: Information,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Information {
    #[serde(default)]
    phases: Vec<Phase>,
    #[serde(default)]
    logs: Option<Logs>,
    #[serde(default)]
    environment: Option<Environment>,
    #[serde(default)]
    source_version: Option<String>,
    #[serde(default)]
    initiator: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
struct Phase {
    #[serde(rename = "phase-type", default)]
    name: Option<String>,
    #[serde(rename = "phase-status", default)]
    status: Option<String>,
    #[serde(rename = "phase-context", default)]
    context: Option<Vec<Option<String>>>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Logs {
    #[serde(default)]
    stream_name: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Environment {
    #[serde(default)]
    environment_variables: Vec<Variable>,
}

#[derive(Debug, Clone, Deserialize)]
struct Variable {
    name: String,
    #[serde(default)]
    value: Option<String>,
}

impl TryFrom<BuildStateChange> for BuildReport {
    type Error = ParseBuildIdError;

    fn try_from(change: BuildStateChange) -> Result<Self, Self::Error> {
        let BuildStateChange { time, detail } = change;
        let information = detail.additional_information;
        let variables = information
            .environment
            .map(|environment| environment.environment_variables)
            .unwrap_or_default();
        let variables = variables.iter().map(|variable| {
            let value = variable.value.as_deref().unwrap_or_default();
            (variable.name.as_str(), value)
        });
        Ok(Self {
            build: detail.build_id.parse()?,
            project: detail.project_name,
            state: BuildState::from_name(&detail.build_status),
            phases: information.phases.into_iter().map(Into::into).collect(),
            log_stream: information.logs.and_then(|logs| logs.stream_name),
            requester: Requester::of_variables(variables).or_else(
                information.initiator.as_deref(),
                information.source_version.as_deref(),
            ),
            at: time,
        })
    }
}

impl From<Phase> for PhaseReport {
    fn from(phase: Phase) -> Self {
        Self {
            phase: BuildPhase::from_codebuild(phase.name.as_deref().unwrap_or_default()),
            state: phase.status.as_deref().map(BuildState::from_name),
            context: phase
                .context
                .unwrap_or_default()
                .into_iter()
                .flatten()
                .collect(),
        }
    }
}
