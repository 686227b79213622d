//! What the API answers
//! (<https://docs.aws.amazon.com/codebuild/latest/APIReference/API_Build.html>).

use serde_json::{Value, json};

use crate::codebuild::core::{
    Settings,
    build::{Build, Phase, PhaseKind, Status},
};

/// The log group of a project's builds.
pub(crate) fn log_group(project: &str) -> String {
    format!("/aws/codebuild/{project}")
}

/// A build.
pub(crate) fn build(build: &Build, settings: &Settings) -> Value {
    let mut answer = json!({
        "id": build.id,
        "arn": build.arn,
        "buildNumber": build.number,
        "startTime": seconds(build.started_at),
        "currentPhase": build.current().as_str(),
        "buildStatus": build.status.as_str(),
        "sourceVersion": build.source.version.clone().unwrap_or_else(|| build.source.arn()),
        "resolvedSourceVersion": build.source.version,
        "projectName": build.project,
        "phases": build.phases.iter().map(phase).collect::<Vec<_>>(),
        "source": { "type": "S3", "location": build.source.location(), "insecureSsl": false },
        "secondarySources": [],
        "artifacts": { "location": "" },
        "cache": { "type": "NO_CACHE" },
        "environment": environment(build),
        "logs": {
            "groupName": log_group(&build.project),
            "streamName": build.uuid,
            "cloudWatchLogs": { "status": "ENABLED" },
        },
        "timeoutInMinutes": build.timeout_minutes,
        "queuedTimeoutInMinutes": 480,
        "buildComplete": build.status != Status::InProgress,
        "initiator": format!("arn:aws:iam::{}:root", settings.account),
    });
    if let Some(ended_at) = build.ended_at() {
        answer["endTime"] = seconds(ended_at);
    }
    answer
}

/// The project.
pub(crate) fn project(settings: &Settings) -> Value {
    let Settings {
        account,
        region,
        project,
    } = settings;
    json!({
        "name": project,
        "arn": format!("arn:aws:codebuild:{region}:{account}:project/{project}"),
        "source": { "type": "NO_SOURCE" },
        "artifacts": { "type": "NO_ARTIFACTS" },
        "timeoutInMinutes": 60,
    })
}

/// Where it is built: on this machine.
pub(crate) fn environment(build: &Build) -> Value {
    json!({
        "type": "LINUX_CONTAINER",
        "image": "local",
        "computeType": "BUILD_GENERAL1_SMALL",
        "privilegedMode": false,
        "environmentVariables": build.variables,
    })
}

fn phase(phase: &Phase) -> Value {
    let mut answer = json!({
        "phaseType": phase.kind.as_str(),
        "startTime": seconds(phase.started_at),
    });
    if let Some((at, outcome)) = &phase.end {
        answer["phaseStatus"] = outcome.as_str().into();
        answer["endTime"] = seconds(*at);
        answer["durationInSeconds"] = ((at - phase.started_at) / 1000).into();
    }
    let context = phase
        .end
        .as_ref()
        .and_then(|(_, outcome)| outcome.context());
    if phase.kind != PhaseKind::Completed {
        let contexts =
            context.map(|(code, message)| json!({ "statusCode": code, "message": message }));
        answer["contexts"] = contexts.into_iter().collect();
    }
    answer
}

/// Milliseconds as the API's seconds.
#[expect(
    clippy::cast_precision_loss,
    reason = "milliseconds stay exact in an f64 for 285,000 years"
)]
fn seconds(milliseconds: i64) -> Value {
    (milliseconds as f64 / 1000.0).into()
}
