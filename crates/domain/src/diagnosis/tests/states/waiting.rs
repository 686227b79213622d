//! States of jobs that wait.

use super::*;

/// The states, each with its cause.
#[expect(clippy::too_many_lines, reason = "One row for each state.")]
pub(super) fn states() -> Vec<(Evidence, Cause, Certainty)> {
    use Certainty::{Certain, Likely};
    vec![
        (
            Evidence {
                environments: environments(|it| it.valid = false),
                ..waiting()
            },
            Cause::EnvironmentInvalid,
            Certain,
        ),
        (
            Evidence {
                environments: environments(|it| it.enabled = false),
                ..waiting()
            },
            Cause::EnvironmentDisabled,
            Certain,
        ),
        (
            Evidence {
                environments: Some(vec![
                    environment(),
                    ComputeEnvironment {
                        enabled: false,
                        ..environment()
                    },
                ]),
                ..waiting()
            },
            Cause::EnvironmentDisabled,
            Likely,
        ),
        (
            Evidence {
                queue: Some(Queue {
                    valid: true,
                    ..Queue::default()
                }),
                ..waiting()
            },
            Cause::QueueDisabled,
            Certain,
        ),
        (
            Evidence {
                environments: environments(|_| {}),
                size: size(17_000, 1, 0),
                ..waiting()
            },
            Cause::LargerThanEnvironment,
            Certain,
        ),
        (
            Evidence {
                environments: environments(|_| {}),
                size: size(1_000, 32_000, 0),
                ..waiting()
            },
            Cause::NoTypeLargeEnough,
            Certain,
        ),
        (
            Evidence {
                environments: environments(|_| {}),
                size: size(1_000, 1_000, 1),
                ..waiting()
            },
            Cause::NoGpu,
            Certain,
        ),
        (
            Evidence {
                status_reason: Some("MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT - …".to_owned()),
                environments: environments(|_| {}),
                size: size(1_000, 1_000, 1),
                ..waiting()
            },
            Cause::NoGpu,
            Certain,
        ),
        (
            Evidence {
                scaling: Some(Err("AccessDenied".to_owned())),
                ..waiting()
            },
            Cause::ScalingActivitiesDenied,
            Likely,
        ),
        (
            Evidence {
                quotas: Some(Quotas {
                    on_demand: quota(32),
                    ..Quotas::default()
                }),
                ..waiting()
            },
            Cause::OnDemandQuota,
            Certain,
        ),
        (
            Evidence {
                quotas: Some(Quotas {
                    spot: quota(32),
                    ..Quotas::default()
                }),
                ..waiting()
            },
            Cause::SpotQuota,
            Certain,
        ),
        (
            Evidence {
                quotas: Some(Quotas {
                    fargate: quota(30),
                    ..Quotas::default()
                }),
                size: size(4_000, 1, 0),
                ..waiting()
            },
            Cause::FargateQuota,
            Certain,
        ),
        (
            Evidence {
                environments: environments(|it| it.fargate = true),
                snapshot: snapshot(40, 200, 2_000),
                ..waiting()
            },
            Cause::FargateLaunchRate,
            Likely,
        ),
        (
            Evidence {
                network: network(|it| it.subnets[0].free_addresses = 0),
                ..waiting()
            },
            Cause::NoFreeAddresses,
            Certain,
        ),
        (
            Evidence {
                network: network(|it| it.way_out = Some(false)),
                ..unregistered(|_| {})
            },
            Cause::NoWayToEcs,
            Certain,
        ),
        (
            Evidence {
                network: network(|it| it.https_open = Some(false)),
                ..unregistered(|_| {})
            },
            Cause::HttpsClosed,
            Certain,
        ),
        (
            Evidence {
                network: network(|it| it.https_open = Some(false)),
                ..starting()
            },
            Cause::HttpsClosed,
            Certain,
        ),
        (
            Evidence {
                denied_actions: Some(vec!["ecs:RegisterContainerInstance".to_owned()]),
                ..unregistered(|_| {})
            },
            Cause::InstanceRoleDenied,
            Certain,
        ),
        (unregistered(|_| {}), Cause::AgentMissing, Likely),
        (
            Evidence {
                instances: registered(0, 0),
                ..waiting()
            },
            Cause::AgentMissing,
            Certain,
        ),
        (
            Evidence {
                instances: registered(2, 2),
                ..waiting()
            },
            Cause::LogDriverMissing,
            Certain,
        ),
        (
            unregistered(|it| it.has_user_data = true),
            Cause::UserDataTooLong,
            Likely,
        ),
        (
            unregistered(|it| it.metadata_reachable = Some(false)),
            Cause::MetadataUnreachable,
            Certain,
        ),
        (
            Evidence {
                foreign_changes: vec!["UpdateAutoScalingGroup by ana".to_owned()],
                ..waiting()
            },
            Cause::ManagedResourceChanged,
            Likely,
        ),
        (
            Evidence {
                environments: environments(|_| {}),
                snapshot: snapshot(7, 9, 16_000),
                ..waiting()
            },
            Cause::WaitingItsTurn,
            Certain,
        ),
        (
            Evidence {
                environments: environments(|_| {}),
                snapshot: snapshot(7, 9, 1_000),
                ..waiting()
            },
            Cause::WaitingItsTurn,
            Likely,
        ),
        (
            Evidence {
                blocked: Some(Blocked {
                    other_job: Some("other".parse().unwrap()),
                    reason: "MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT - …".to_owned(),
                }),
                ..waiting()
            },
            Cause::BlockedByAnother,
            Certain,
        ),
        (
            Evidence {
                blocked: Some(Blocked {
                    other_job: None,
                    reason: "CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY - …".to_owned(),
                }),
                ..waiting()
            },
            Cause::NoInstanceCapacity,
            Certain,
        ),
        (
            Evidence {
                queue: Some(Queue {
                    enabled: true,
                    valid: true,
                    fair_share: true,
                    ..Queue::default()
                }),
                snapshot: snapshot(1, 9, 1_000),
                ..waiting()
            },
            Cause::FairShareUsed,
            Likely,
        ),
        (
            Evidence {
                consumables: vec![Consumable {
                    name: "licence".to_owned(),
                    available: Some(0),
                    wanted: 1,
                }],
                ..waiting()
            },
            Cause::ConsumableExhausted,
            Certain,
        ),
        (
            Evidence {
                consumables: vec![Consumable {
                    name: "licence".to_owned(),
                    available: None,
                    wanted: 1,
                }],
                ..waiting()
            },
            Cause::ConsumableExhausted,
            Certain,
        ),
        (
            Evidence {
                status: Some(JobStatus::Pending),
                open_dependencies: vec!["other".parse().unwrap()],
                ..Evidence::default()
            },
            Cause::DependencyPending,
            Certain,
        ),
    ]
}
