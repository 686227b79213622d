//! Checks of the state of what a job needs: queue, compute environments, network, image, secrets.

use super::super::{
    Cause, ComputeEnvironment, Evidence, Finding, Quota, SecretState, Size, Snapshot, texts,
};

/// What the agent and the rest of a machine need of memory as an image is unpacked, in MiB.
const MIN_MEMORY_MIB: u32 = 64;

/// How many waiting jobs count as many at once: what Fargate starts in one burst.
///
/// See <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/throttling.html>.
const FARGATE_BURST: u32 = 100;

/// Whether the queue takes and places jobs.
pub(super) fn queue(evidence: &Evidence) -> Option<Finding> {
    let queue = evidence.queue.as_ref().filter(|_| evidence.is_waiting())?;
    if queue.enabled && queue.valid {
        return None;
    }
    let state = if queue.enabled {
        "not valid"
    } else {
        "disabled"
    };
    let said = queue.status_reason.as_deref().unwrap_or(state);
    Some(Finding::certain(Cause::QueueDisabled).with_evidence("Queue", said))
}

/// Whether any compute environment can take jobs. While one can, the others are not certainly why.
pub(super) fn environments(evidence: &Evidence) -> Option<Finding> {
    let all = evidence
        .environments
        .as_ref()
        .filter(|_| evidence.is_waiting())?;
    let is_usable = |environment: &&ComputeEnvironment| environment.enabled && environment.valid;
    let broken = all.iter().find(|environment| !is_usable(environment))?;
    let reason = broken.status_reason.as_deref().unwrap_or_default();
    let (cause, said) = match texts::recognize_environment(&[reason]) {
        _ if broken.valid => (Cause::EnvironmentDisabled, "disabled"),
        Some(recognized) => (recognized.cause, reason),
        None => (Cause::EnvironmentInvalid, reason),
    };
    let finding = if all.iter().any(|environment| is_usable(&environment)) {
        Finding::likely(cause)
    } else {
        Finding::certain(cause)
    };
    Some(finding.with_evidence(&format!("Compute environment {}", broken.name), said))
}

/// Whether no compute environment has a GPU, as far as their types are known.
pub(super) fn has_no_gpu(evidence: &Evidence) -> bool {
    let all = evidence.environments.iter().flatten();
    all.map(|environment| environment.largest)
        .all(|largest| largest.is_some_and(|it| it.gpus == 0))
}

/// Whether the job fits any compute environment.
pub(super) fn size(evidence: &Evidence) -> Option<Finding> {
    if evidence.is_starting() {
        return memory_for_image(evidence);
    }
    let job = evidence.size.filter(|_| evidence.is_waiting())?;
    let all = evidence
        .environments
        .as_deref()
        .filter(|all| !all.is_empty())?;
    let asked = format!(
        "{} vCPUs, {} MiB, {} GPUs",
        f64::from(job.milli_vcpus) / 1_000.0,
        job.memory_mib,
        job.gpus
    );
    let exceeds_all = |exceeds: &dyn Fn(&ComputeEnvironment) -> bool| all.iter().all(exceeds);
    let beyond_max = |environment: &ComputeEnvironment| {
        environment
            .max_vcpus
            .is_some_and(|most| job.milli_vcpus > most.saturating_mul(1_000))
    };
    let beyond_types = |exceeds: fn(Size, Size) -> bool| {
        move |environment: &ComputeEnvironment| {
            environment
                .largest
                .is_some_and(|largest| exceeds(job, largest))
        }
    };
    let cause = if exceeds_all(&beyond_max) {
        Cause::LargerThanEnvironment
    } else if exceeds_all(&beyond_types(|job, largest| {
        job.gpus > 0 && largest.gpus == 0
    })) {
        Cause::NoGpu
    } else if exceeds_all(&beyond_types(|job, largest| {
        job.milli_vcpus > largest.milli_vcpus
            || job.memory_mib > largest.memory_mib
            || job.gpus > largest.gpus
    })) {
        Cause::NoTypeLargeEnough
    } else {
        return None;
    };
    Some(Finding::certain(cause).with_evidence("The job asks for", &asked))
}

/// Whether a job that is being started has less memory than its image is large.
fn memory_for_image(evidence: &Evidence) -> Option<Finding> {
    let (job, image) = (evidence.size?, evidence.image?.size_mib?);
    (job.memory_mib < image.saturating_add(MIN_MEMORY_MIB)).then(|| {
        Finding::likely(Cause::MemoryTooSmallToStart).with_evidence(
            "Memory and image",
            &format!("{} MiB and {image} MiB", job.memory_mib),
        )
    })
}

/// Whether the consumable resources suffice.
pub(super) fn consumables(evidence: &Evidence) -> Option<Finding> {
    if !evidence.is_waiting() {
        return None;
    }
    let short = evidence
        .consumables
        .iter()
        .find(|it| it.available.is_none_or(|free| free < it.wanted))?;
    let said = match short.available {
        Some(free) => format!("{}: {free} free, {} wanted", short.name, short.wanted),
        None => format!("{} does not exist", short.name),
    };
    Some(Finding::certain(Cause::ConsumableExhausted).with_evidence("Consumable resource", &said))
}

/// Whether a quota leaves no room for the job.
pub(super) fn quotas(evidence: &Evidence) -> Option<Finding> {
    let quotas = evidence.quotas.filter(|_| evidence.is_waiting())?;
    let wanted = evidence
        .size
        .unwrap_or_default()
        .milli_vcpus
        .div_ceil(1_000)
        .max(1);
    let is_full = |quota: Quota| quota.used.saturating_add(wanted) > quota.limit;
    [
        (quotas.fargate, Cause::FargateQuota),
        (quotas.on_demand, Cause::OnDemandQuota),
        (quotas.spot, Cause::SpotQuota),
    ]
    .into_iter()
    .find_map(|(quota, cause)| {
        let quota = quota.filter(|quota| is_full(*quota))?;
        let said = format!("{} of {} vCPUs are in use", quota.used, quota.limit);
        Some(Finding::certain(cause).with_evidence("Quota", &said))
    })
}

/// Whether the network has addresses and lets a job out.
pub(super) fn network(evidence: &Evidence) -> Option<Finding> {
    let network = evidence.network.as_ref().filter(|_| !evidence.is_over())?;
    let ids: Vec<_> = network
        .subnets
        .iter()
        .map(|subnet| subnet.id.as_str())
        .collect();
    if !ids.is_empty()
        && network
            .subnets
            .iter()
            .all(|subnet| subnet.free_addresses == 0)
    {
        return Some(
            Finding::certain(Cause::NoFreeAddresses)
                .with_evidence("No free address in", &ids.join(", ")),
        );
    }
    (network.https_open == Some(false))
        .then(|| Finding::certain(Cause::HttpsClosed).with_evidence("Port 443", "closed outwards"))
}

/// Whether the image is there and fits.
pub(super) fn image(evidence: &Evidence) -> Option<Finding> {
    let image = evidence.image.filter(|_| is_before_the_model(evidence))?;
    if !image.found {
        return Some(
            Finding::certain(Cause::ImageGone).with_evidence("DescribeImages", "no such image"),
        );
    }
    (image.fits_processor == Some(false)).then(|| {
        Finding::certain(Cause::WrongProcessor)
            .with_evidence("Image", "built for another processor")
    })
}

/// Whether the secrets are there.
pub(super) fn secrets(evidence: &Evidence) -> Option<Finding> {
    let secrets = evidence
        .secrets
        .as_ref()
        .filter(|_| is_before_the_model(evidence))?;
    let secret = secrets
        .iter()
        .find(|secret| secret.state != SecretState::Present)?;
    let said = match secret.state {
        SecretState::BeingDeleted => "is scheduled for deletion",
        SecretState::Missing | SecretState::Present => "does not exist",
    };
    let said = format!("{} {said}", secret.name);
    Some(Finding::certain(Cause::SecretMissing).with_evidence("DescribeSecret", &said))
}

/// Whether the roles of the job allow what it needs to start.
pub(super) fn roles(evidence: &Evidence) -> Option<Finding> {
    if !is_before_the_model(evidence) {
        return None;
    }
    if evidence.roles_trusted == Some(false) {
        return Some(
            Finding::certain(Cause::RoleNotAssumed)
                .with_evidence("Trust policy", "ECS is not trusted"),
        );
    }
    evidence.denied_actions.iter().flatten().find_map(|action| {
        let cause = match action.split(':').next()? {
            "ecr" => Cause::PullDenied,
            "secretsmanager" | "ssm" | "kms" => Cause::SecretDenied,
            "logs" => Cause::LogGroupMissing,
            _ => return None,
        };
        Some(Finding::certain(cause).with_evidence("Denied", action))
    })
}

/// Whether the log group is there.
pub(super) fn log_group(evidence: &Evidence) -> Option<Finding> {
    (evidence.log_group_exists == Some(false) && is_before_the_model(evidence)).then(|| {
        Finding::certain(Cause::LogGroupMissing)
            .with_evidence("DescribeLogGroups", "no such log group")
    })
}

/// Whether somebody changed what Batch manages.
pub(super) fn foreign_changes(evidence: &Evidence) -> Option<Finding> {
    let change = evidence
        .foreign_changes
        .first()
        .filter(|_| evidence.is_waiting())?;
    Some(Finding::likely(Cause::ManagedResourceChanged).with_evidence("CloudTrail", change))
}

/// Whether the job waits for its turn.
///
/// While vCPUs are free, a job that is not the first may wait for another reason than its place.
pub(super) fn snapshot(evidence: &Evidence) -> Option<Finding> {
    let snapshot = evidence
        .snapshot
        .as_ref()
        .filter(|_| evidence.is_waiting())?;
    let is_full = is_full(evidence, snapshot);
    if is_full || snapshot.position.is_some_and(|position| position > 1) {
        let place = match (snapshot.position, snapshot.wait_minutes) {
            (Some(place), Some(minutes)) => {
                format!("It is number {place} in the queue, about {minutes} minutes away.")
            }
            (Some(place), None) => format!("It is number {place} in the queue."),
            (None, _) => format!("{} runs wait in the queue.", snapshot.waiting),
        };
        let finding = if is_full {
            Finding::certain(Cause::WaitingItsTurn)
        } else {
            Finding::likely(Cause::WaitingItsTurn)
        };
        return Some(
            finding
                .with_detail(&place)
                .with_evidence("Queue", &in_use(snapshot)),
        );
    }
    let fair_share = evidence
        .queue
        .as_ref()
        .is_some_and(|queue| queue.fair_share);
    fair_share
        .then(|| Finding::likely(Cause::FairShareUsed).with_evidence("Queue", &in_use(snapshot)))
}

/// Whether so many jobs start at once that Fargate lets them wait.
pub(super) fn launch_rate(evidence: &Evidence) -> Option<Finding> {
    let snapshot = evidence
        .snapshot
        .as_ref()
        .filter(|_| evidence.is_waiting())?;
    let on_fargate = evidence.environments.iter().flatten().any(|it| it.fargate);
    let many = snapshot.waiting >= FARGATE_BURST && snapshot.starting < FARGATE_BURST;
    (on_fargate && many && !is_full(evidence, snapshot)).then(|| {
        Finding::likely(Cause::FargateLaunchRate).with_evidence("Queue", &in_use(snapshot))
    })
}

/// Whether the jobs that run leave no room for this one.
fn is_full(evidence: &Evidence, snapshot: &Snapshot) -> bool {
    let environments = evidence.environments.iter().flatten();
    let most: u32 = environments.filter_map(|it| it.max_vcpus).sum();
    let wanted = evidence.size.unwrap_or_default().milli_vcpus.max(1);
    most > 0 && snapshot.milli_vcpus_in_use.saturating_add(wanted) > most.saturating_mul(1_000)
}

fn in_use(snapshot: &Snapshot) -> String {
    let vcpus = f64::from(snapshot.milli_vcpus_in_use) / 1_000.0;
    format!(
        "{vcpus} vCPUs in use, {} jobs wait, {} start",
        snapshot.waiting, snapshot.starting
    )
}

/// Whether the job has ended or waits without its model having run: then what a start needs counts.
fn is_before_the_model(evidence: &Evidence) -> bool {
    evidence.exit_code().is_none() && evidence.status != Some(crate::job::JobStatus::Running)
}
