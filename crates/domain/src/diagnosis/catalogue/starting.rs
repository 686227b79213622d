//! Why a job that has a place does not start the model.

use super::{
    Cause, Facts,
    Owner::{Author, Aws, Operator},
    Platform::{Both, Fargate, Instances},
};

const PULL: &str =
    "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task_cannot_pull_image.html";
const STOPPED: &str =
    "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/stopped-task-error-codes.html";
const INITIALIZATION: &str = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/resource-initialization-error.html";

/// The facts, in the order of the causes.
pub(super) static ROWS: [Facts; 22] = [
    Facts {
        cause: Cause::ImageGone,
        platform: Both,
        owners: &[Author],
        sentence: "The model's container image could not be pulled: it is not in the repository.",
        fix: "Push the model again, or restore the image.",
        source: Some(PULL),
    },
    Facts {
        cause: Cause::PullDenied,
        platform: Both,
        owners: &[Operator],
        sentence: "The model's container image could not be pulled: the job's role may not pull it.",
        fix: "Allow the pull in the execution role (instance role on instances) and in the policy of the repository.",
        source: Some(PULL),
    },
    Facts {
        cause: Cause::RegistryUnreachable,
        platform: Both,
        owners: &[Operator],
        sentence: "The model's container image could not be pulled: the job cannot connect to ECR.",
        fix: "Give a private subnet a NAT gateway or endpoints for ecr.api, ecr.dkr and S3; in a public subnet, assign public addresses.",
        source: Some(
            "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/verify-connectivity.html",
        ),
    },
    Facts {
        cause: Cause::LayersUnreachable,
        platform: Both,
        owners: &[Operator],
        sentence: "The model's container image could not be pulled: the job cannot download its layers from S3.",
        fix: "Add the route of the S3 endpoint, and allow the bucket of the layers in its policy.",
        source: Some(PULL),
    },
    Facts {
        cause: Cause::PullRateLimited,
        platform: Both,
        owners: &[Author],
        sentence: "The model's container image could not be pulled: its registry limits the rate of pulls.",
        fix: "Pull through a cache, or take the image from public.ecr.aws.",
        source: Some(PULL),
    },
    Facts {
        cause: Cause::NoSpaceForImage,
        platform: Both,
        owners: &[Operator, Author],
        sentence: "The model's container image could not be pulled: there is no space for it on the disk.",
        fix: "Give instances a larger disk, or Fargate more ephemeral storage than its 20 GiB, or make the image smaller.",
        source: Some(PULL),
    },
    Facts {
        cause: Cause::WrongProcessor,
        platform: Both,
        owners: &[Author],
        sentence: "The model's container image is built for another processor.",
        fix: "Build the image for the processor of the deployment.",
        source: None,
    },
    Facts {
        cause: Cause::NoNetworkInterface,
        platform: Fargate,
        owners: &[Operator, Aws],
        sentence: "The task got no network interface in time.",
        fix: "Check that the subnets have free addresses; if they have, try again.",
        source: Some(STOPPED),
    },
    Facts {
        cause: Cause::NoFargateCapacity,
        platform: Fargate,
        owners: &[Aws],
        sentence: "AWS has no Fargate capacity to spare at the moment.",
        fix: "Add zones to the compute environment, or try again later.",
        source: Some(
            "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-event-messages-list.html",
        ),
    },
    Facts {
        cause: Cause::SecretsUnreachable,
        platform: Fargate,
        owners: &[Operator],
        sentence: "The job cannot connect to the service that stores its secrets.",
        fix: "Give the subnets a NAT gateway or an endpoint for secretsmanager.",
        source: Some(INITIALIZATION),
    },
    Facts {
        cause: Cause::SecretDenied,
        platform: Both,
        owners: &[Operator],
        sentence: "The job may not read a secret that the model declares.",
        fix: "Allow secretsmanager:GetSecretValue on the secret, and kms:Decrypt on its key, in the execution role.",
        source: Some(INITIALIZATION),
    },
    Facts {
        cause: Cause::SecretMissing,
        platform: Both,
        owners: &[Operator],
        sentence: "A secret that the model declares does not exist, is being deleted, or lacks the declared key.",
        fix: "Create the secret under the model's prefix.",
        source: Some(
            "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/resource-not-found-error.html",
        ),
    },
    Facts {
        cause: Cause::LogGroupMissing,
        platform: Both,
        owners: &[Operator],
        sentence: "The log group of the job does not exist or cannot be reached, or its stream may not be created.",
        fix: "Create the log group, and allow logs:CreateLogStream in the execution role.",
        source: Some(INITIALIZATION),
    },
    Facts {
        cause: Cause::RoleNotAssumed,
        platform: Both,
        owners: &[Operator],
        sentence: "A role of the job cannot be assumed.",
        fix: "Trust ecs-tasks.amazonaws.com in the role, and allow AWS Batch to pass it.",
        source: Some(
            "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task_execution_IAM_role.html",
        ),
    },
    Facts {
        cause: Cause::DockerTimeout,
        platform: Instances,
        owners: &[Operator],
        sentence: "Docker answered too slowly on the instance.",
        fix: "Make the image smaller, or give instances a faster or larger disk.",
        source: Some(STOPPED),
    },
    Facts {
        cause: Cause::ContainerNotCreated,
        platform: Instances,
        owners: &[Aws, Operator],
        sentence: "The container could not be created, inspected or stopped on the instance.",
        fix: "Try again; if it repeats, use a faster disk and a newer agent.",
        source: Some(STOPPED),
    },
    Facts {
        cause: Cause::CommandNotFound,
        platform: Both,
        owners: &[Author],
        sentence: "The model's command is not in its container image.",
        fix: "Put the program on the PATH of the image, or correct the command in model.toml.",
        source: Some(
            "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/cannot-start-container.html",
        ),
    },
    Facts {
        cause: Cause::VolumeNotMounted,
        platform: Both,
        owners: &[Operator],
        sentence: "A volume of the job could not be mounted.",
        fix: "Repair the security group and the policy of the file system.",
        source: Some(INITIALIZATION),
    },
    Facts {
        cause: Cause::StartFailed,
        platform: Both,
        owners: &[Operator],
        sentence: "The task failed to start, and AWS does not say why.",
        fix: "Try again; if it repeats, check addresses, the pull, the disk and the log group.",
        source: Some(STOPPED),
    },
    Facts {
        cause: Cause::MemoryTooSmallToStart,
        platform: Instances,
        owners: &[Author],
        sentence: "The job has too little memory to start such a large image.",
        fix: "Ask for more memory in model.toml.",
        source: None,
    },
    Facts {
        cause: Cause::AgentDisconnected,
        platform: Instances,
        owners: &[Aws, Operator],
        sentence: "The agent of the instance lost its connection after the job was placed there.",
        fix: "Replace the instance.",
        source: Some(
            "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/api_failures_messages.html",
        ),
    },
    Facts {
        cause: Cause::DefinitionInactive,
        platform: Both,
        owners: &[Author],
        sentence: "The job definition of the version is no longer active.",
        fix: "Push and promote the model again.",
        source: None,
    },
];
