//! Codes and sentences for what AWS says, one case for each rule that was once wrong.

use jiff::Timestamp;

use super::*;
use crate::failure::ErrorCode::{
    Cancelled, CapacityUnavailable, HostLost, ImageNotPulled, Internal, JobFailed, JobLost,
    SecretMissing,
};

/// A job of one attempt that did not start, for this reason of its container.
fn not_started(container_reason: &str) -> JobChange {
    let reason = Some("Task failed to start".to_owned());
    JobChange {
        job: "11111111-2222-3333-4444-555555555555".parse().unwrap(),
        status: JobStatus::Failed,
        status_reason: reason.clone(),
        stopped_on_request: Some(false),
        attempts: vec![Attempt {
            finished: true,
            container_reason: Some(container_reason.to_owned()),
            status_reason: reason,
            ..Attempt::default()
        }],
        at: Timestamp::UNIX_EPOCH,
    }
}

/// A job that ended without an attempt, for this reason of Batch's.
fn ended(status_reason: &str, stopped_on_request: Option<bool>) -> JobChange {
    JobChange {
        status_reason: Some(status_reason.to_owned()),
        stopped_on_request,
        attempts: vec![],
        ..not_started("")
    }
}

#[test]
fn what_ecs_cannot_prepare_is_the_operators_and_no_lost_host() {
    let prefix = "ResourceInitializationError: unable to pull secrets or registry auth: ";
    for rest in [
        "There is a connection issue between the task and AWS Secrets Manager.",
        "unable to retrieve secret from asm: AccessDeniedException: not authorized",
        "failed to validate logger args: The specified log group does not exist.",
        "ECS was unable to assume the role 'x'",
        "failed to invoke EFS utils commands to set up EFS volumes",
        "pull command failed: : signal: killed",
    ] {
        let failure = translate(&not_started(&format!("{prefix}{rest}")));
        assert_eq!(failure.code, Internal, "{failure}");
        assert!(failure.message.contains(rest), "{failure}");
    }
    let unknown = translate(&not_started("ResourceInitializationError: something new"));
    assert_eq!(unknown.code, Internal);
}

#[test]
fn a_missing_secret_is_named() {
    let arn = "arn:aws:secretsmanager:eu-west-1:1:secret:dropcast/models/churn/db";
    for text in [
        format!(
            "ResourceNotFoundException: The task can't retrieve the secret with ARN '{arn}' from AWS Secrets Manager."
        ),
        format!(
            "ResourceInitializationError: The task can’t retrieve the secret with ARN {arn}:user:: from AWS Secrets Manager."
        ),
        format!(
            "unable to retrieve secret from asm: failed to fetch secret {arn} from secrets manager: ResourceNotFoundException"
        ),
    ] {
        let failure = translate(&not_started(&text));
        assert_eq!(failure.code, SecretMissing, "{failure}");
        assert!(
            failure.message.contains("“dropcast/models/churn/db”."),
            "{failure}"
        );
    }
    let nameless = translate(&not_started(
        "Secrets Manager can't find the specified secret.",
    ));
    assert_eq!(nameless.code, SecretMissing);
    assert!(!nameless.message.contains('“'), "{nameless}");
}

#[test]
fn a_failed_pull_asks_for_a_push_only_when_that_would_help() {
    for (text, code) in [
        ("CannotPullContainerError: manifest unknown", ImageNotPulled),
        (
            "CannotPullContainerError: toomanyrequests: Too Many Requests",
            ImageNotPulled,
        ),
        ("CannotPullContainerError: something new", ImageNotPulled),
        (
            "CannotPullContainerError: no space left on device",
            Internal,
        ),
        (
            "CannotPullContainerError: dial tcp 1.2.3.4:443: i/o timeout",
            Internal,
        ),
        (
            "CannotPullContainerError: error pulling image configuration",
            Internal,
        ),
        (
            "CannotPullContainerError: Check that the role has the permissions to pull images",
            Internal,
        ),
    ] {
        assert_eq!(translate(&not_started(text)).code, code, "{text}");
    }
    let new = translate(&not_started(
        "CannotPullContainerError: see https://x.example",
    ));
    assert!(new.message.ends_with("see https: //x.example."), "{new}");
}

#[test]
fn fargate_without_capacity_is_a_lack_of_capacity() {
    let text = "Capacity is unavailable at this time. Please try again later or in a different availability zone";
    assert_eq!(translate(&not_started(text)).code, CapacityUnavailable);
    assert_eq!(translate(&ended(text, None)).code, CapacityUnavailable);
}

#[test]
fn an_unknown_reason_without_an_exit_code_is_nobodys_request() {
    let failure = translate(&ended("Something new", None));
    assert_eq!(failure.code, JobLost);
    assert!(
        failure
            .message
            .ends_with("AWS Batch reports: Something new.")
    );
    assert_eq!(translate(&ended("Not needed", Some(true))).code, Cancelled);
}

#[test]
fn the_reason_of_the_queues_time_limit_wins_over_is_cancelled() {
    for asked in [Some(true), Some(false), None] {
        for reason in [
            "CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY",
            "MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT",
            "SOMETHING_NEW",
        ] {
            let text = format!("Canceled by JobStateTimeLimit action due to reason: {reason}");
            let failure = translate(&ended(&text, asked));
            assert_eq!(failure.code, CapacityUnavailable, "{text}");
            assert!(failure.message.contains(reason), "{failure}");
        }
    }
}

#[test]
fn a_request_wins_over_a_text_that_says_little() {
    let change = JobChange {
        status_reason: Some("Not needed".to_owned()),
        stopped_on_request: Some(true),
        ..not_started("Task failed to start")
    };
    assert_eq!(translate(&change).code, Cancelled);
}

#[test]
fn hosts_and_commands_keep_their_codes() {
    for (text, code) in [
        ("TaskFailedToStart: AGENT", HostLost),
        (
            "Timeout waiting for network interface provisioning to complete.",
            HostLost,
        ),
        (
            "CannotStartContainerError: exec: \"x\": executable file not found in $PATH",
            JobFailed,
        ),
        (
            "ECS is performing maintenance on the underlying infrastructure hosting the task",
            HostLost,
        ),
    ] {
        assert_eq!(translate(&not_started(text)).code, code, "{text}");
    }
}
