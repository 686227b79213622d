//! Checks of the instances of a compute environment.

use super::super::{Cause, Evidence, Finding, Instances};

/// How many minutes an instance may take to register before its user data is suspected.
const MAX_MINUTES_TO_REGISTER: u32 = 5;

/// Whether instances that are registered can take the job.
pub(super) fn registered(evidence: &Evidence) -> Option<Finding> {
    let instances = evidence.instances.as_ref().filter(|it| it.registered > 0)?;
    if instances.connected == 0 {
        let finding = if evidence.is_starting() {
            Finding::certain(Cause::AgentDisconnected)
        } else if evidence.is_waiting() {
            Finding::certain(Cause::AgentMissing)
        } else {
            return None;
        };
        return Some(finding.with_evidence("Instances", &count(instances)));
    }
    (instances.without_log_driver >= instances.registered && evidence.is_waiting()).then(|| {
        Finding::certain(Cause::LogDriverMissing).with_evidence(
            "Instances without awslogs",
            &instances.without_log_driver.to_string(),
        )
    })
}

/// Why instances that run do not register.
pub(super) fn unregistered(evidence: &Evidence) -> Option<Finding> {
    let instances = evidence
        .instances
        .as_ref()
        .filter(|_| evidence.is_waiting())?;
    if instances.running == 0 || instances.registered > 0 {
        return None;
    }
    let network = evidence.network.as_ref();
    let denied = |action: &String| action.starts_with("ecs:");
    let minutes = instances.unregistered_minutes.unwrap_or(0);
    let finding = if network.is_some_and(|network| network.way_out == Some(false)) {
        Finding::certain(Cause::NoWayToEcs)
    } else if network.is_some_and(|network| network.https_open == Some(false)) {
        Finding::certain(Cause::HttpsClosed)
    } else if evidence.denied_actions.iter().flatten().any(denied) {
        Finding::certain(Cause::InstanceRoleDenied)
    } else if instances.metadata_reachable == Some(false) {
        Finding::certain(Cause::MetadataUnreachable)
    } else if minutes < MAX_MINUTES_TO_REGISTER {
        return None;
    } else if instances.has_user_data {
        Finding::likely(Cause::UserDataTooLong)
    } else {
        Finding::likely(Cause::AgentMissing)
    };
    Some(finding.with_evidence("Instances", &count(instances)))
}

fn count(instances: &Instances) -> String {
    format!(
        "{} run, {} registered, {} connected",
        instances.running, instances.registered, instances.connected
    )
}
