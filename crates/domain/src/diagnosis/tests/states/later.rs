//! States of jobs that are being started or have ended.

use super::*;

/// The states, each with its cause.
#[expect(clippy::too_many_lines, reason = "One row for each state.")]
pub(super) fn states() -> Vec<(Evidence, Cause, Certainty)> {
    use Certainty::{Certain, Likely};
    vec![
        (
            Evidence {
                image: Some(Image::default()),
                ..not_started()
            },
            Cause::ImageGone,
            Certain,
        ),
        (
            Evidence {
                image: Some(Image {
                    found: true,
                    fits_processor: Some(false),
                    size_mib: None,
                }),
                ..not_started()
            },
            Cause::WrongProcessor,
            Certain,
        ),
        (
            Evidence {
                denied_actions: Some(vec!["ecr:BatchGetImage".to_owned()]),
                ..not_started()
            },
            Cause::PullDenied,
            Certain,
        ),
        (
            Evidence {
                denied_actions: Some(vec!["kms:Decrypt".to_owned()]),
                ..not_started()
            },
            Cause::SecretDenied,
            Certain,
        ),
        (
            Evidence {
                denied_actions: Some(vec!["logs:CreateLogStream".to_owned()]),
                ..not_started()
            },
            Cause::LogGroupMissing,
            Certain,
        ),
        (
            Evidence {
                roles_trusted: Some(false),
                ..not_started()
            },
            Cause::RoleNotAssumed,
            Certain,
        ),
        (
            Evidence {
                secrets: secret(SecretState::Missing),
                ..not_started()
            },
            Cause::SecretMissing,
            Certain,
        ),
        (
            Evidence {
                secrets: secret(SecretState::BeingDeleted),
                ..starting()
            },
            Cause::SecretMissing,
            Certain,
        ),
        (
            Evidence {
                log_group_exists: Some(false),
                ..not_started()
            },
            Cause::LogGroupMissing,
            Certain,
        ),
        (
            Evidence {
                size: size(1_000, 512, 0),
                image: Some(Image {
                    found: true,
                    fits_processor: None,
                    size_mib: Some(4_000),
                }),
                ..starting()
            },
            Cause::MemoryTooSmallToStart,
            Likely,
        ),
        (
            Evidence {
                instances: registered(0, 0),
                ..starting()
            },
            Cause::AgentDisconnected,
            Certain,
        ),
        (
            ended("Essential container in task exited", None, Some(127)),
            Cause::CommandNotFound,
            Certain,
        ),
        (
            ended("Essential container in task exited", None, Some(137)),
            Cause::Killed,
            Likely,
        ),
        (
            ended("Essential container in task exited", None, Some(139)),
            Cause::Killed,
            Certain,
        ),
        (
            Evidence {
                peak_memory_mib: Some(2_000),
                size: size(1_000, 2_048, 0),
                ..ended("Essential container in task exited", None, Some(137))
            },
            Cause::OutOfMemory,
            Likely,
        ),
        (
            ended("Essential container in task exited", None, Some(1)),
            Cause::ModelFailed,
            Certain,
        ),
        (
            Evidence {
                stopped_on_request: Some(true),
                ..ended("Not needed any more", None, None)
            },
            Cause::Cancelled,
            Certain,
        ),
        (
            Evidence {
                status: Some(JobStatus::Running),
                known_to_batch: Some(false),
                ..Evidence::default()
            },
            Cause::JobVanished,
            Certain,
        ),
    ]
}
