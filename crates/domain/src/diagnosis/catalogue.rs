//! The causes, each with its platform, owner, sentence, fix and source.

mod ended;
mod starting;
mod waiting;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::{EnumCount, EnumMessage, IntoStaticStr, VariantArray};

use crate::variants::every;

/// Where a cause can occur.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Platform {
    /// On Fargate alone.
    Fargate,
    /// On instances alone, whether on demand or Spot.
    Instances,
    /// On both.
    Both,
}

/// Who can do something about a cause.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Owner {
    /// The person who uploaded the file.
    Uploader,
    /// The author of the model.
    Author,
    /// The operator of Dropcast.
    Operator,
    /// AWS: there is nothing to do but wait or try again.
    Aws,
    /// Nobody: nothing is wrong.
    Nobody,
}

/// How far a job had come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// It waits for a machine, or for another job.
    Waiting,
    /// It has a place, and the model does not run yet.
    Starting,
    /// The model ran, or the job is over.
    Ended,
}

/// What is known about a cause.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Facts {
    /// The cause.
    pub cause: Cause,
    /// Where it occurs.
    pub platform: Platform,
    /// Who can do something about it, the most likely first.
    pub owners: &'static [Owner],
    /// What is the matter, in a sentence.
    pub sentence: &'static str,
    /// What its owner does about it, in a sentence.
    pub fix: &'static str,
    /// The page of AWS's documentation on it, where there is one.
    pub source: Option<&'static str>,
}

/// Why a job waits, does not start or has ended.
///
/// The discriminants are the numbers of the catalogue.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    JsonSchema,
    EnumMessage,
    IntoStaticStr,
    EnumCount,
    VariantArray,
)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
#[repr(u8)]
pub enum Cause {
    /// A compute environment is invalid.
    EnvironmentInvalid = 1,
    /// A compute environment's service role has a wrong name or ARN.
    ServiceRoleWrong,
    /// The Spot fleet role is wrong, or may not tag.
    SpotFleetRoleWrong,
    /// No instance joined the cluster.
    NoInstanceJoined,
    /// A compute environment is disabled.
    EnvironmentDisabled,
    /// The queue is disabled or not valid.
    QueueDisabled,
    /// The job is larger than the compute environments may grow.
    LargerThanEnvironment,
    /// No instance type is large enough.
    NoTypeLargeEnough,
    /// The job asks for a GPU, and there is none.
    NoGpu,
    /// The instance types are not offered in the zones, or the launch template does not fit them.
    TypesNotOffered,
    /// The service role lacks permissions.
    ServiceRoleDenied,
    /// AWS has no capacity for the instance type.
    NoInstanceCapacity,
    /// The service role may not read scaling activities.
    ScalingActivitiesDenied,
    /// The quota of on-demand vCPUs is used up.
    OnDemandQuota,
    /// The quota of Spot vCPUs is used up.
    SpotQuota,
    /// The quota of Fargate vCPUs is used up.
    FargateQuota,
    /// Fargate starts only so many tasks a second.
    FargateLaunchRate,
    /// The quota of disk storage is used up.
    StorageQuota,
    /// The subnets have no free addresses.
    NoFreeAddresses,
    /// The launch template, image, security group or key pair is gone.
    LaunchResourceGone,
    /// The scaling role may not use the key of an encrypted disk.
    DiskKeyDenied,
    /// Instances have no way to ECS.
    NoWayToEcs,
    /// A security group or network ACL closes port 443.
    HttpsClosed,
    /// The instance role lacks the ECS policy.
    InstanceRoleDenied,
    /// The ECS agent is missing, dead or replaced.
    AgentMissing,
    /// The image of the instances does not offer the log driver.
    LogDriverMissing,
    /// The instances' user data runs too long.
    UserDataTooLong,
    /// The agent cannot reach the instance metadata service.
    MetadataUnreachable,
    /// Somebody changed what AWS Batch manages.
    ManagedResourceChanged,
    /// The Spot price is above the bid.
    SpotBidTooLow,
    /// All vCPUs are in use by jobs before this one: it waits, and is not stuck.
    WaitingItsTurn,
    /// Another job at the head blocks the queue.
    BlockedByAnother,
    /// The job's fair share has used its part.
    FairShareUsed,
    /// A consumable resource is exhausted or does not exist.
    ConsumableExhausted,
    /// A job that this one depends on has not ended.
    DependencyPending,
    /// Nothing tells why the job waits.
    Undetermined,
    /// The container image is gone.
    ImageGone,
    /// The role may not pull the image.
    PullDenied,
    /// ECR cannot be reached.
    RegistryUnreachable,
    /// The layers of the image cannot be reached.
    LayersUnreachable,
    /// The registry limits the rate of pulls.
    PullRateLimited,
    /// There is no space for the image.
    NoSpaceForImage,
    /// The image is for another processor.
    WrongProcessor,
    /// The task gets no network interface, or no address.
    NoNetworkInterface,
    /// Fargate has no capacity.
    NoFargateCapacity,
    /// Secrets Manager cannot be reached.
    SecretsUnreachable,
    /// The job may not read a secret.
    SecretDenied,
    /// A secret does not exist, is being deleted, or lacks the declared key.
    SecretMissing,
    /// The log group is missing, or its stream may not be created.
    LogGroupMissing,
    /// A role of the job cannot be assumed.
    RoleNotAssumed,
    /// Docker answers too slowly.
    DockerTimeout,
    /// The container cannot be created, inspected or stopped.
    ContainerNotCreated,
    /// The command is not found in the image.
    CommandNotFound,
    /// A volume cannot be mounted.
    VolumeNotMounted,
    /// The task failed to start, and nothing says why.
    StartFailed,
    /// The job has too little memory to start a large image.
    MemoryTooSmallToStart,
    /// The agent lost its connection after the job was placed.
    AgentDisconnected,
    /// The job definition is no longer active.
    DefinitionInactive,
    /// The model ran out of memory.
    OutOfMemory,
    /// The model was killed, and not for its memory.
    Killed,
    /// The model ended with an error of its own.
    ModelFailed,
    /// AWS took a Spot machine back.
    SpotReclaimed,
    /// An attempt exceeded its time limit.
    TimeLimit,
    /// Somebody cancelled the job, or the queue's time limit did.
    Cancelled,
    /// AWS replaced the host.
    HostReplaced,
    /// The model's role was denied something.
    ModelRoleDenied,
    /// A database outside AWS does not answer.
    DatabaseUnreachable,
    /// AWS Batch no longer knows the job.
    JobVanished,
    /// Submitting was throttled.
    SubmitThrottled,
}

impl Cause {
    /// Every cause, in the order of their numbers.
    pub const ALL: [Self; <Self as EnumCount>::COUNT] = every(<Self as VariantArray>::VARIANTS);

    /// Its number in the catalogue, from 1.
    pub fn number(self) -> usize {
        usize::from(self as u8)
    }

    /// Its name in records and in `--json`.
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// What it is, in a sentence: the comment of the variant.
    pub fn meaning(self) -> &'static str {
        self.get_documentation().unwrap_or_default()
    }

    /// How far a job is when it occurs.
    pub fn phase(self) -> Phase {
        if self < Self::ImageGone {
            Phase::Waiting
        } else if self < Self::OutOfMemory {
            Phase::Starting
        } else {
            Phase::Ended
        }
    }

    /// What is known about it.
    pub fn facts(self) -> &'static Facts {
        match self.phase() {
            Phase::Waiting => &waiting::ROWS[self.number() - Self::EnvironmentInvalid.number()],
            Phase::Starting => &starting::ROWS[self.number() - Self::ImageGone.number()],
            Phase::Ended => &ended::ROWS[self.number() - Self::OutOfMemory.number()],
        }
    }

    /// Who can most likely do something about it.
    pub fn owner(self) -> Owner {
        let first = self.facts().owners.first();
        first.copied().unwrap_or(Owner::Nobody)
    }

    /// Whether the queue itself can cancel a waiting job for it after a time. A job that waits for
    /// another cause waits until somebody ends it.
    ///
    /// See <https://docs.aws.amazon.com/batch/latest/APIReference/API_JobStateTimeLimitAction.html>.
    pub fn has_queue_time_limit(self) -> bool {
        matches!(
            self,
            Self::NoInstanceCapacity | Self::LargerThanEnvironment | Self::NoTypeLargeEnough
        )
    }
}
