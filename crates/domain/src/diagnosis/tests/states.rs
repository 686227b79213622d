//! The causes that a state tells, and not a text.

#![expect(
    clippy::unnecessary_wraps,
    reason = "The parts of the evidence are optional."
)]

mod later;
mod waiting;

use std::collections::BTreeSet;

use super::*;

/// An ended job of which AWS says only that it did not start.
fn not_started() -> Evidence {
    ended("Task failed to start", None, None)
}

fn starting() -> Evidence {
    Evidence {
        status: Some(JobStatus::Starting),
        ..Evidence::default()
    }
}

fn environments(change: impl Fn(&mut ComputeEnvironment)) -> Option<Vec<ComputeEnvironment>> {
    let mut environment = environment();
    change(&mut environment);
    Some(vec![environment])
}

fn size(milli_vcpus: u32, memory_mib: u32, gpus: u32) -> Option<Size> {
    Some(Size {
        milli_vcpus,
        memory_mib,
        gpus,
    })
}

fn quota(used: u32) -> Option<Quota> {
    Some(Quota { limit: 32, used })
}

/// Instances that run and have not registered.
fn unregistered(change: impl Fn(&mut Instances)) -> Evidence {
    let mut instances = Instances {
        running: 2,
        unregistered_minutes: Some(12),
        ..Instances::default()
    };
    change(&mut instances);
    Evidence {
        instances: Some(instances),
        ..waiting()
    }
}

fn registered(connected: u32, without_log_driver: u32) -> Option<Instances> {
    Some(Instances {
        running: 2,
        registered: 2,
        connected,
        without_log_driver,
        ..Instances::default()
    })
}

fn network(change: impl Fn(&mut Network)) -> Option<Network> {
    let mut network = Network {
        subnets: vec![Subnet {
            id: "subnet-1".to_owned(),
            free_addresses: 9,
        }],
        way_out: Some(true),
        https_open: Some(true),
    };
    change(&mut network);
    Some(network)
}

fn secret(state: SecretState) -> Option<Vec<Secret>> {
    let name = "models/churn/db".to_owned();
    Some(vec![Secret { name, state }])
}

fn snapshot(position: u32, waiting: u32, milli_vcpus_in_use: u32) -> Option<Snapshot> {
    Some(Snapshot {
        position: Some(position),
        waiting,
        starting: 3,
        milli_vcpus_in_use,
        wait_minutes: Some(12),
    })
}

fn states() -> Vec<(Evidence, Cause, Certainty)> {
    [waiting::states(), later::states()].concat()
}

#[test]
fn every_state_has_its_cause() {
    for (evidence, cause, certainty) in states() {
        let finding = diagnose(&evidence);
        assert_eq!(
            (finding.cause, finding.certainty),
            (cause, certainty),
            "{evidence:#?}"
        );
        assert!(!finding.evidence.is_empty() && finding.excluded.is_empty());
    }
}

#[test]
fn twenty_two_causes_are_told_by_a_state_or_an_exit_code_and_no_text() {
    let by_text: BTreeSet<Cause> = super::super::texts::rules()
        .into_iter()
        .map(|(_, cause)| cause)
        .collect();
    let by_state: BTreeSet<Cause> = states().into_iter().map(|(_, cause, _)| cause).collect();
    let only: Vec<_> = by_state
        .difference(&by_text)
        .map(|cause| cause.number())
        .collect();
    let expected = [
        5, 6, 9, 13, 17, 22, 23, 24, 25, 26, 27, 28, 29, 31, 32, 33, 34, 35, 56, 60, 61, 68,
    ];
    assert_eq!(only, expected);
    assert_eq!(by_text.union(&by_state).count(), Cause::ALL.len());
}

#[test]
fn the_first_certain_signal_decides_before_a_likely_one() {
    let evidence = Evidence {
        snapshot: snapshot(7, 9, 1_000),
        quotas: Some(Quotas {
            fargate: quota(32),
            ..Quotas::default()
        }),
        ..waiting()
    };
    assert_eq!(diagnose(&evidence).cause, Cause::FargateQuota);
}

#[test]
fn a_job_that_waits_its_turn_is_told_its_place() {
    let finding = diagnose(&Evidence {
        environments: environments(|_| {}),
        snapshot: snapshot(7, 9, 16_000),
        ..waiting()
    });
    assert_eq!(finding.owner, Owner::Nobody);
    let shown = finding.for_uploader();
    assert!(
        shown.ends_with("It is number 7 in the queue, about 12 minutes away."),
        "{shown}"
    );
}

#[test]
fn a_blocked_queue_names_the_job_at_its_head_and_its_cause() {
    let finding = diagnose(&Evidence {
        blocked: Some(Blocked {
            other_job: Some("other".parse().unwrap()),
            reason: "MISCONFIGURATION:COMPUTE_ENVIRONMENT_MAX_RESOURCE - …".to_owned(),
        }),
        ..waiting()
    });
    assert!(
        finding.sentence.contains("more vCPUs than MaxvCpus"),
        "{}",
        finding.sentence
    );
    assert_eq!(finding.evidence[0], "Job at the head: other");
}

#[test]
fn a_diagnosis_without_a_cause_says_what_was_excluded() {
    let finding = diagnose(&Evidence {
        status_reason: Some(
            "UNDETERMINED - Batch job is blocked, root cause is undetermined.".to_owned(),
        ),
        queue: Some(Queue {
            enabled: true,
            valid: true,
            ..Queue::default()
        }),
        environments: environments(|_| {}),
        size: size(1_000, 1_000, 0),
        quotas: Some(Quotas {
            fargate: quota(1),
            ..Quotas::default()
        }),
        network: network(|_| {}),
        ..waiting()
    });
    assert_eq!(
        (finding.cause, finding.certainty),
        (Cause::Undetermined, Certainty::Undetermined)
    );
    let excluded: Vec<_> = finding
        .excluded
        .iter()
        .map(|cause| cause.number())
        .collect();
    assert_eq!(excluded, [1, 2, 3, 4, 5, 6, 7, 8, 9, 16, 19, 23]);
    assert_eq!(
        diagnose(&Evidence::default()).excluded,
        [],
        "what was not asked is not excluded"
    );
}
