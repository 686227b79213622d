//! `CodeBuild Build State Change`
//! (<https://docs.aws.amazon.com/codebuild/latest/userguide/sample-build-notifications.html>).

use jiff::Timestamp;
use serde_json::{Value, json};

use super::answers;
use crate::{
    codebuild::core::{
        Settings,
        build::{Build, Phase, Status},
    },
    service::events::Announcement,
};

/// The event of a build that began or ended.
pub(crate) fn state_change(build: &Build, settings: &Settings) -> Announcement {
    let mut environment = answers::environment(build);
    let variables = environment["environmentVariables"].take();
    let detail = json!({
        "build-status": build.status.as_str(),
        "project-name": build.project,
        "build-id": build.arn,
        "current-phase": build.current().as_str(),
        "current-phase-context": "[]",
        "version": "1",
        "additional-information": {
            "cache": { "type": "NO_CACHE" },
            "build-number": build.number,
            "timeout-in-minutes": build.timeout_minutes,
            "build-complete": build.status != Status::InProgress,
            "initiator": format!("arn:aws:iam::{}:root", settings.account),
            "build-start-time": moment(build.started_at),
            "source": { "location": build.source.location(), "type": "S3" },
            "source-version": build.source.arn(),
            "artifact": { "location": "" },
            "environment": {
                "image": environment["image"],
                "privileged-mode": false,
                "compute-type": environment["computeType"],
                "type": environment["type"],
                "environment-variables": variables,
            },
            "logs": {
                "group-name": answers::log_group(&build.project),
                "stream-name": build.uuid,
            },
            "phases": build.phases.iter().map(phase).collect::<Vec<_>>(),
        },
    });
    Announcement {
        detail_type: "CodeBuild Build State Change",
        resources: vec![build.arn.clone()],
        detail: detail.to_string(),
    }
}

fn phase(phase: &Phase) -> Value {
    let mut answer = json!({
        "phase-type": phase.kind.as_str(),
        "start-time": moment(phase.started_at),
    });
    if let Some((at, outcome)) = &phase.end {
        let context = outcome.context();
        let context = context.map(|(code, message)| format!("{code}: {message}"));
        answer["phase-status"] = outcome.as_str().into();
        answer["phase-context"] = context.into_iter().collect();
        answer["end-time"] = moment(*at).into();
        answer["duration-in-seconds"] = ((at - phase.started_at) / 1000).into();
    }
    answer
}

/// `Jul 12, 2017 12:42:12 AM`, in UTC.
fn moment(milliseconds: i64) -> String {
    Timestamp::from_millisecond(milliseconds)
        .map(|moment| moment.strftime("%b %-d, %Y %-I:%M:%S %p").to_string())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_moment_is_written_as_codebuild_writes_it() {
        assert_eq!(super::moment(1_499_820_132_000), "Jul 12, 2017 12:42:12 AM");
        assert_eq!(super::moment(1_504_278_749_000), "Sep 1, 2017 3:12:29 PM");
    }
}
