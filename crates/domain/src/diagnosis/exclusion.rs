//! What a diagnosis without a cause has excluded.

use super::{Cause, Certainty, Evidence, Finding};

/// The finding when nothing tells a cause: it lists the causes whose signals were asked and silent.
pub(super) fn undetermined(evidence: &Evidence) -> Finding {
    let cause = if evidence.is_over() {
        Cause::StartFailed
    } else {
        Cause::Undetermined
    };
    let mut excluded: Vec<Cause> = by_signal(evidence)
        .into_iter()
        .filter(|(was_asked, _)| *was_asked)
        .flat_map(|(_, causes)| causes)
        .copied()
        .collect();
    excluded.sort_unstable();
    excluded.dedup();
    let mut finding = Finding {
        excluded,
        ..Finding::new(cause, Certainty::Undetermined)
    };
    for said in evidence.job_texts() {
        finding = finding.with_evidence("Job", said);
    }
    finding
}

/// The causes that each signal would have shown, and whether it was asked.
fn by_signal(evidence: &Evidence) -> [(bool, &'static [Cause]); 13] {
    let knows_types = evidence.size.is_some()
        && evidence
            .environments
            .iter()
            .flatten()
            .any(|environment| environment.largest.is_some());
    let quotas = evidence.quotas.unwrap_or_default();
    let network = evidence.network.as_ref();
    let has_activities = matches!(evidence.scaling, Some(Ok(_)));
    [
        (evidence.queue.is_some(), &[Cause::QueueDisabled]),
        (
            evidence.environments.is_some(),
            &[
                Cause::EnvironmentInvalid,
                Cause::ServiceRoleWrong,
                Cause::SpotFleetRoleWrong,
                Cause::NoInstanceJoined,
                Cause::EnvironmentDisabled,
            ],
        ),
        (
            knows_types,
            &[
                Cause::LargerThanEnvironment,
                Cause::NoTypeLargeEnough,
                Cause::NoGpu,
            ],
        ),
        (
            has_activities,
            &[
                Cause::NoInstanceCapacity,
                Cause::ScalingActivitiesDenied,
                Cause::OnDemandQuota,
                Cause::SpotQuota,
                Cause::StorageQuota,
                Cause::LaunchResourceGone,
                Cause::DiskKeyDenied,
                Cause::SpotBidTooLow,
            ],
        ),
        (
            evidence.instances.is_some(),
            &[
                Cause::AgentMissing,
                Cause::LogDriverMissing,
                Cause::UserDataTooLong,
                Cause::AgentDisconnected,
            ],
        ),
        (quotas.fargate.is_some(), &[Cause::FargateQuota]),
        (
            network.is_some_and(|network| !network.subnets.is_empty()),
            &[Cause::NoFreeAddresses],
        ),
        (
            network.is_some_and(|network| network.https_open.is_some()),
            &[Cause::HttpsClosed],
        ),
        (evidence.image.is_some(), &[Cause::ImageGone]),
        (evidence.secrets.is_some(), &[Cause::SecretMissing]),
        (
            evidence.denied_actions.is_some(),
            &[Cause::PullDenied, Cause::SecretDenied],
        ),
        (evidence.roles_trusted.is_some(), &[Cause::RoleNotAssumed]),
        (
            evidence.snapshot.is_some(),
            &[Cause::WaitingItsTurn, Cause::FargateLaunchRate],
        ),
    ]
}
