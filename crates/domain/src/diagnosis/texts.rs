//! What AWS's texts mean: the only list of them.
//!
//! The texts are those of the troubleshooting pages of
//! [Batch](https://docs.aws.amazon.com/batch/latest/userguide/troubleshooting.html) and
//! [ECS](https://docs.aws.amazon.com/AmazonECS/latest/developerguide/stopped-task-error-codes.html),
//! and of the ECS agent. Needles are lower case, with straight apostrophes, hyphens for dashes,
//! `cannot` for `can't`, and `canceled` with one l: see [`normalize`]. A needle that begins with
//! `^` is looked for at the start alone, or where the queue's time limit quotes its reason.

use super::{Cause, Certainty};

/// A text that was recognized.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Recognized<'a> {
    /// What it means.
    pub(crate) cause: Cause,
    /// How sure that is.
    pub(crate) certainty: Certainty,
    /// The text.
    pub(crate) text: &'a str,
}

/// Texts that contain all needles have the cause.
struct Rule(&'static [&'static str], Cause, Certainty);

const fn certain(needles: &'static [&'static str], cause: Cause) -> Rule {
    Rule(needles, cause, Certainty::Certain)
}

const fn likely(needles: &'static [&'static str], cause: Cause) -> Rule {
    Rule(needles, cause, Certainty::Likely)
}

/// Recognizes what Batch and ECS say about a job and its attempts. The rules come first, the texts
/// second: a general text does not hide a specific one.
pub(crate) fn recognize_job<'a>(texts: &[&'a str]) -> Option<Recognized<'a>> {
    recognize(JOB, texts)
}

/// Recognizes the status reason of an invalid compute environment.
pub(super) fn recognize_environment<'a>(texts: &[&'a str]) -> Option<Recognized<'a>> {
    recognize(ENVIRONMENT, texts)
}

/// Recognizes a scaling activity or an entry of the Spot fleet's history.
pub(super) fn recognize_scaling<'a>(texts: &[&'a str]) -> Option<Recognized<'a>> {
    recognize(SCALING, texts)
}

/// Recognizes what `SubmitJob` answers when it refuses.
pub(super) fn recognize_refusal<'a>(texts: &[&'a str]) -> Option<Recognized<'a>> {
    recognize(REFUSAL, texts)
}

/// Recognizes the last lines of a model.
pub(super) fn recognize_lines<'a>(texts: &[&'a str]) -> Option<Recognized<'a>> {
    recognize(LINES, texts)
}

fn recognize<'a>(rules: &[Rule], texts: &[&'a str]) -> Option<Recognized<'a>> {
    let normal: Vec<_> = texts.iter().map(|text| (*text, normalize(text))).collect();
    rules.iter().find_map(|Rule(needles, cause, certainty)| {
        let found = |normal: &str| {
            needles.iter().all(|needle| match needle.strip_prefix('^') {
                Some(start) => reason_of(normal).starts_with(start),
                None => normal.contains(needle),
            })
        };
        let (text, _) = normal.iter().find(|(_, normal)| found(normal))?;
        Some(Recognized {
            cause: *cause,
            certainty: *certainty,
            text,
        })
    })
}

/// A text in the spelling of the needles.
pub(super) fn normalize(text: &str) -> String {
    let straight: String = text
        .chars()
        .map(|c| match c {
            '\u{2018}' | '\u{2019}' | '\u{2bc}' | '`' => '\'',
            '\u{2010}'..='\u{2015}' => '-',
            c => c,
        })
        .collect();
    let words: Vec<_> = straight.split_whitespace().collect();
    words
        .join(" ")
        .to_lowercase()
        .replace("can't", "cannot")
        .replace("cancelled", "canceled")
}

/// How Batch says that the queue's time limit ended a job: `Canceled by …` or `Terminated by …`.
const QUEUE_LIMIT: &str = "by jobstatetimelimit action due to reason:";

/// Whether the queue's time limit ended the job, which nobody asked for.
pub(super) fn is_queue_limit(text: &str) -> bool {
    normalize(text).contains(QUEUE_LIMIT)
}

/// Whether a status reason is one that Batch or ECS gives.
pub(super) fn is_of_aws(reason: &str) -> bool {
    normalize(reason).contains("essential container in task exited")
        || recognize_job(&[reason]).is_some()
}

/// What the queue's time limit gives as its reason; every other text as it is.
fn reason_of(normal: &str) -> &str {
    normal
        .split_once(QUEUE_LIMIT)
        .map_or(normal, |(_, reason)| reason.trim_start())
}

/// What Batch and ECS say about a job, the specific before the general.
const JOB: &[Rule] = &[
    certain(&["outofmemory"], Cause::OutOfMemory),
    // The codes of a job that is stuck in RUNNABLE.
    certain(
        &["capacity:insufficient_instance_capacity"],
        Cause::NoInstanceCapacity,
    ),
    certain(
        &["misconfiguration:compute_environment_max_resource"],
        Cause::LargerThanEnvironment,
    ),
    certain(
        &["misconfiguration:job_resource_requirement"],
        Cause::NoTypeLargeEnough,
    ),
    certain(
        &["misconfiguration:ec2_instance_configuration_unsupported"],
        Cause::TypesNotOffered,
    ),
    certain(
        &["misconfiguration:service_role_permissions"],
        Cause::ServiceRoleDenied,
    ),
    certain(&["^action_required"], Cause::EnvironmentInvalid),
    likely(&["^capacity:"], Cause::NoInstanceCapacity),
    Rule(
        &["^misconfiguration:"],
        Cause::Undetermined,
        Certainty::Undetermined,
    ),
    Rule(
        &["^undetermined"],
        Cause::Undetermined,
        Certainty::Undetermined,
    ),
    certain(&["by jobstatetimelimit action"], Cause::Cancelled),
    // The end of an attempt that ran.
    certain(&["job attempt duration exceeded timeout"], Cause::TimeLimit),
    certain(&["spot task was interrupted"], Cause::SpotReclaimed),
    certain(&["spotinterruption"], Cause::SpotReclaimed),
    certain(&["spot interruption"], Cause::SpotReclaimed),
    certain(&["host ec2", "terminated"], Cause::SpotReclaimed),
    likely(&["host ec2"], Cause::SpotReclaimed),
    certain(
        &["maintenance on the underlying infrastructure"],
        Cause::HostReplaced,
    ),
    certain(&["scheduled for retirement"], Cause::HostReplaced),
    certain(
        &["task stopped during instance draining"],
        Cause::HostReplaced,
    ),
    // A place for the task.
    certain(
        &["limit on the number of vcpus you can run concurrently"],
        Cause::FargateQuota,
    ),
    certain(
        &["capacity is unavailable at this time"],
        Cause::NoFargateCapacity,
    ),
    certain(&["insufficientfreeaddresses"], Cause::NoFreeAddresses),
    certain(&["insufficient free addresses"], Cause::NoFreeAddresses),
    certain(&["enough free addresses"], Cause::NoFreeAddresses),
    certain(&["create network interface"], Cause::NoNetworkInterface),
    certain(&["network interface provision"], Cause::NoNetworkInterface),
    likely(&["^internalerror"], Cause::NoNetworkInterface),
    certain(&["taskfailedtostart: agent"], Cause::AgentDisconnected),
    certain(&["unable to assume the role"], Cause::RoleNotAssumed),
    certain(&["unable to assume role"], Cause::RoleNotAssumed),
    // The log group.
    certain(
        &["failed to initialize logging driver"],
        Cause::LogGroupMissing,
    ),
    certain(
        &["cannot find the amazon cloudwatch log group"],
        Cause::LogGroupMissing,
    ),
    certain(&["failed to validate logger args"], Cause::LogGroupMissing),
    certain(
        &["failed to create cloudwatch log stream"],
        Cause::LogGroupMissing,
    ),
    certain(
        &["not authorized to perform: logs:"],
        Cause::LogGroupMissing,
    ),
    // Volumes.
    certain(&["efs utils"], Cause::VolumeNotMounted),
    certain(&["cannotcreatevolumeerror"], Cause::VolumeNotMounted),
    certain(&["mount.nfs"], Cause::VolumeNotMounted),
    // The image.
    certain(&["pull", "toomanyrequests"], Cause::PullRateLimited),
    certain(&["pull rate limit"], Cause::PullRateLimited),
    certain(&["pull", "429 too many requests"], Cause::PullRateLimited),
    certain(&["no space left on device"], Cause::NoSpaceForImage),
    certain(&["exec format error"], Cause::WrongProcessor),
    certain(&["no matching manifest"], Cause::WrongProcessor),
    certain(
        &["does not match the specified platform"],
        Cause::WrongProcessor,
    ),
    certain(&["error pulling image conf"], Cause::LayersUnreachable),
    certain(&["nil pointer dereference"], Cause::LayersUnreachable),
    certain(&["pull", "layer-bucket"], Cause::LayersUnreachable),
    likely(&["httpreaderseeker: failed open"], Cause::LayersUnreachable),
    certain(
        &["connection issue between the task and amazon ecr"],
        Cause::RegistryUnreachable,
    ),
    certain(
        &["cannot pull the image. check your network configuration"],
        Cause::RegistryUnreachable,
    ),
    certain(&["cannotpull", "i/o timeout"], Cause::RegistryUnreachable),
    certain(
        &["cannotpull", "request canceled"],
        Cause::RegistryUnreachable,
    ),
    certain(
        &["cannotpull", "deadline exceeded"],
        Cause::RegistryUnreachable,
    ),
    certain(&["cannotpull", "no such host"], Cause::RegistryUnreachable),
    likely(
        &["cannotpull", "context canceled"],
        Cause::RegistryUnreachable,
    ),
    certain(&["not authorized to perform: ecr:"], Cause::PullDenied),
    certain(
        &["unable to retrieve ecr registry auth", "accessdenied"],
        Cause::PullDenied,
    ),
    certain(
        &["role has the permissions to pull images"],
        Cause::PullDenied,
    ),
    certain(&["no basic auth credentials"], Cause::PullDenied),
    certain(&["cannotpull", "403 forbidden"], Cause::PullDenied),
    certain(&["check whether the image exists"], Cause::ImageGone),
    certain(&["check that the image exists"], Cause::ImageGone),
    certain(&["manifest unknown"], Cause::ImageGone),
    certain(&["cannotpull", "not found"], Cause::ImageGone),
    likely(&["pull access denied"], Cause::PullDenied),
    likely(&["failed to resolve ref"], Cause::ImageGone),
    certain(
        &["unable to retrieve ecr registry auth"],
        Cause::RegistryUnreachable,
    ),
    likely(&["cannotpull", "api error (50"], Cause::RegistryUnreachable),
    // Secrets.
    certain(
        &["cannot retrieve the secret with arn"],
        Cause::SecretMissing,
    ),
    certain(&["cannot find the specified secret"], Cause::SecretMissing),
    certain(&["secret", "not contain json key"], Cause::SecretMissing),
    certain(&["secret", "marked for deletion"], Cause::SecretMissing),
    certain(&["secret", "marked deleted"], Cause::SecretMissing),
    certain(
        &["retrieve secret", "resourcenotfoundexception"],
        Cause::SecretMissing,
    ),
    certain(
        &["secretsmanager:getsecretvalue", "not authorized"],
        Cause::SecretDenied,
    ),
    certain(&["secret", "kms", "accessdenied"], Cause::SecretDenied),
    certain(
        &["secret", "access to kms is not allowed"],
        Cause::SecretDenied,
    ),
    certain(
        &["resourceinitializationerror", "accessdenied"],
        Cause::SecretDenied,
    ),
    certain(&["retrieve secret", "accessdenied"], Cause::SecretDenied),
    certain(
        &["secret", "connection issue between the task and"],
        Cause::SecretsUnreachable,
    ),
    certain(
        &["retrieve secret", "deadline exceeded"],
        Cause::SecretsUnreachable,
    ),
    certain(
        &["retrieve secret", "i/o timeout"],
        Cause::SecretsUnreachable,
    ),
    certain(
        &["cannot pull secrets from", "network"],
        Cause::SecretsUnreachable,
    ),
    likely(&["retrieve secret"], Cause::SecretsUnreachable),
    likely(&["cannot pull the secret"], Cause::SecretsUnreachable),
    likely(&["unable to pull secrets"], Cause::SecretsUnreachable),
    // The container.
    certain(&["executable file not found"], Cause::CommandNotFound),
    certain(
        &["cannotstartcontainer", "no such file or directory"],
        Cause::CommandNotFound,
    ),
    certain(&["dockertimeouterror"], Cause::DockerTimeout),
    certain(&["cannotcreatecontainer"], Cause::ContainerNotCreated),
    certain(&["cannotinspectcontainer"], Cause::ContainerNotCreated),
    certain(&["cannotstopcontainer"], Cause::ContainerNotCreated),
    certain(&["containerruntimetimeout"], Cause::ContainerNotCreated),
    likely(&["cannotstartcontainer"], Cause::ContainerNotCreated),
    // Nothing that says why.
    Rule(&["cannotpull"], Cause::ImageGone, Certainty::Undetermined),
    likely(&["resourceinitializationerror"], Cause::StartFailed),
    likely(&["taskfailedtostart"], Cause::StartFailed),
    likely(&["task failed to start"], Cause::StartFailed),
];

/// What the status reason of a compute environment says.
const ENVIRONMENT: &[Rule] = &[
    certain(&["iamfleetrole is invalid"], Cause::SpotFleetRoleWrong),
    certain(
        &["joined the underlying ecs cluster"],
        Cause::NoInstanceJoined,
    ),
    certain(
        &["not authorized to perform", "sts:assumerole"],
        Cause::ServiceRoleWrong,
    ),
];

/// What scaling activities and the history of a Spot fleet say.
const SCALING: &[Rule] = &[
    certain(&["vcpulimitexceeded"], Cause::OnDemandQuota),
    certain(&["than your current vcpu limit"], Cause::OnDemandQuota),
    certain(&["maxspotinstancecountexceeded"], Cause::SpotQuota),
    certain(&["max spot instance count exceeded"], Cause::SpotQuota),
    certain(&["volumelimitexceeded"], Cause::StorageQuota),
    certain(&["insufficientfreeaddresses"], Cause::NoFreeAddresses),
    certain(&["enough free addresses"], Cause::NoFreeAddresses),
    certain(&["bid too low"], Cause::SpotBidTooLow),
    certain(&["spotmaxpricetoolow"], Cause::SpotBidTooLow),
    certain(&["spot request price", "lower than"], Cause::SpotBidTooLow),
    certain(
        &["the image id", "does not exist"],
        Cause::LaunchResourceGone,
    ),
    certain(
        &["the security group", "does not exist"],
        Cause::LaunchResourceGone,
    ),
    certain(
        &["the key pair", "does not exist"],
        Cause::LaunchResourceGone,
    ),
    certain(
        &["launch template", "does not exist"],
        Cause::LaunchResourceGone,
    ),
    certain(&["invalidkmskey"], Cause::DiskKeyDenied),
    likely(&["client.internalerror"], Cause::DiskKeyDenied),
    certain(&["insufficientinstancecapacity"], Cause::NoInstanceCapacity),
    certain(&["unfulfillablecapacity"], Cause::NoInstanceCapacity),
    certain(
        &["do not have sufficient", "capacity"],
        Cause::NoInstanceCapacity,
    ),
];

/// What `SubmitJob` answers when it refuses.
const REFUSAL: &[Rule] = &[
    certain(&["toomanyrequests"], Cause::SubmitThrottled),
    certain(&["too many requests"], Cause::SubmitThrottled),
    certain(&["throttl"], Cause::SubmitThrottled),
    certain(&["job definition", "not active"], Cause::DefinitionInactive),
    certain(&["jobdefinition", "not active"], Cause::DefinitionInactive),
    certain(&["job definition", "inactive"], Cause::DefinitionInactive),
    certain(&["jobdefinition", "inactive"], Cause::DefinitionInactive),
    certain(&["job definition", "not found"], Cause::DefinitionInactive),
    certain(&["jobdefinition", "not found"], Cause::DefinitionInactive),
];

/// What the last lines of a model say.
const LINES: &[Rule] = &[
    certain(&["accessdenied", "arn:aws"], Cause::ModelRoleDenied),
    certain(
        &["is not authorized to perform: ", "arn:aws"],
        Cause::ModelRoleDenied,
    ),
    certain(&["exec format error"], Cause::WrongProcessor),
    likely(&["cannot allocate memory"], Cause::OutOfMemory),
    likely(&["^memoryerror"], Cause::OutOfMemory),
    likely(&["could not connect to server"], Cause::DatabaseUnreachable),
    likely(
        &["connection to server", "timed out"],
        Cause::DatabaseUnreachable,
    ),
    likely(
        &["connection to server", "timeout expired"],
        Cause::DatabaseUnreachable,
    ),
    likely(
        &["cannot connect to mysql server"],
        Cause::DatabaseUnreachable,
    ),
    likely(&["login timeout expired"], Cause::DatabaseUnreachable),
    likely(&["connection timed out"], Cause::DatabaseUnreachable),
];

#[cfg(test)]
pub(super) fn needles() -> impl Iterator<Item = &'static str> {
    [JOB, ENVIRONMENT, SCALING, REFUSAL, LINES]
        .into_iter()
        .flatten()
        .flat_map(|Rule(needles, ..)| needles.iter().copied())
}

#[cfg(test)]
pub(super) fn rules() -> Vec<(&'static [&'static str], Cause)> {
    let all = [JOB, ENVIRONMENT, SCALING, REFUSAL, LINES];
    let rules = all.into_iter().flatten();
    rules
        .map(|Rule(needles, cause, _)| (*needles, *cause))
        .collect()
}
