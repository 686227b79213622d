//! The texts, in the order of the catalogue.

use super::At;
use crate::diagnosis::Cause;

/// Where a text appears, the text, and its cause.
pub(super) const TEXTS: &[(At, &str, Cause)] = &[
    (
        At::Waiting,
        "ACTION_REQUIRED - CE(s) associated with the job queue are invalid.",
        Cause::EnvironmentInvalid,
    ),
    (
        At::Environment,
        "CLIENT_ERROR - Not authorized to perform sts:AssumeRole (Service: AWSSecurityTokenService; Status Code: 403; Error Code: AccessDenied; Request ID: dc0e2d28-2e99-11e7-b372-7fcc6fb65fe7)",
        Cause::ServiceRoleWrong,
    ),
    (
        At::Environment,
        "CLIENT_ERROR - Parameter: SpotFleetRequestConfig.IamFleetRole is invalid. (Service: AmazonEC2; Status Code: 400; Error Code: InvalidSpotFleetRequestConfig)",
        Cause::SpotFleetRoleWrong,
    ),
    (
        At::Environment,
        "Your compute environment has been INVALIDATED and scaled down because none of the instances joined the underlying ECS Cluster. Common issues preventing instances joining are the following: VPC/Subnet configuration preventing communication to ECS",
        Cause::NoInstanceJoined,
    ),
    (
        At::Waiting,
        "MISCONFIGURATION:COMPUTE_ENVIRONMENT_MAX_RESOURCE - CE(s) associated with the job queue cannot meet the CPU requirement of the job.",
        Cause::LargerThanEnvironment,
    ),
    (
        At::Waiting,
        "MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT - The job resource requirement (vCPU/memory/GPU) is higher than that can be met by the CE(s) attached to the job queue.",
        Cause::NoTypeLargeEnough,
    ),
    (
        At::Waiting,
        "MISCONFIGURATION:EC2_INSTANCE_CONFIGURATION_UNSUPPORTED - Your compute environment associated with this job queue has an unsupported instance type configuration.",
        Cause::TypesNotOffered,
    ),
    (
        At::Waiting,
        "MISCONFIGURATION:SERVICE_ROLE_PERMISSIONS – Batch service role has a permission issue.",
        Cause::ServiceRoleDenied,
    ),
    (
        At::Waiting,
        "CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY - Service cannot fulfill the capacity requested for instance type [m5.large]",
        Cause::NoInstanceCapacity,
    ),
    (
        At::Scaling,
        "Could not launch On-Demand Instances. InsufficientInstanceCapacity - We currently do not have sufficient g6.2xlarge capacity in the Availability Zone you requested (us-east-1a).",
        Cause::NoInstanceCapacity,
    ),
    (
        At::Scaling,
        "Could not launch On-Demand Instances. VcpuLimitExceeded - You have requested more vCPU capacity than your current vCPU limit of 32 allows for the instance bucket that the specified instance type belongs to.",
        Cause::OnDemandQuota,
    ),
    (
        At::Scaling,
        "Could not launch Spot Instances. MaxSpotInstanceCountExceeded - Max spot instance count exceeded. Launching EC2 instance failed.",
        Cause::SpotQuota,
    ),
    (
        At::Ended,
        "You’ve reached the limit on the number of vCPUs you can run concurrently",
        Cause::FargateQuota,
    ),
    (
        At::Scaling,
        "Instance became unhealthy while waiting for instance to be in InService state. Termination Reason: Client.VolumeLimitExceeded: Volume limit exceeded",
        Cause::StorageQuota,
    ),
    (
        At::Ended,
        "Unexpected EC2 error while attempting to Create Network Interface in subnet 'subnet-1': InsufficientFreeAddressesInSubnet",
        Cause::NoFreeAddresses,
    ),
    (
        At::Scaling,
        "There are not enough free addresses in subnet 'subnet-1' to satisfy the requested number of instances. Launching EC2 instance failed.",
        Cause::NoFreeAddresses,
    ),
    (
        At::Scaling,
        "The image id 'ami-4edb0327' does not exist. Launching EC2 instance failed.",
        Cause::LaunchResourceGone,
    ),
    (
        At::Scaling,
        "The security group 'sg-1' does not exist in VPC 'vpc-1'. Launching EC2 instance failed.",
        Cause::LaunchResourceGone,
    ),
    (
        At::Scaling,
        "The key pair 'ana' does not exist. Launching EC2 instance failed.",
        Cause::LaunchResourceGone,
    ),
    (
        At::Scaling,
        "The specified launch template, with template ID lt-1, does not exist.",
        Cause::LaunchResourceGone,
    ),
    (
        At::Scaling,
        "Termination Reason: Client.InvalidKMSKey.InvalidState: The KMS key provided is in an incorrect state",
        Cause::DiskKeyDenied,
    ),
    (
        At::Scaling,
        "Instance became unhealthy while waiting for instance to be in InService state. Termination Reason: Client.InternalError: Client error on launch",
        Cause::DiskKeyDenied,
    ),
    (
        At::Scaling,
        "Your Spot request price of 0.01 is lower than the minimum required Spot request fulfillment price of 0.03.",
        Cause::SpotBidTooLow,
    ),
    (
        At::Waiting,
        "UNDETERMINED - Batch job is blocked, root cause is undetermined.",
        Cause::Undetermined,
    ),
    (
        At::Ended,
        "CannotPullContainerError: Error response from daemon: manifest for r@sha256:0 not found: manifest unknown: Requested image not found",
        Cause::ImageGone,
    ),
    (
        At::Ended,
        "CannotPullContainerError: The task can’t pull the image. Check whether the image exists. Error response from daemon: pull access denied for some/nonsense, repository does not exist or may require 'docker login'",
        Cause::ImageGone,
    ),
    (
        At::Ended,
        "CannotPullContainerError: pull image manifest has been retried 5 time(s): failed to resolve ref 1.dkr.ecr.us-east-1.amazonaws.com/m@sha256:0: 1.dkr.ecr.us-east-1.amazonaws.com/m@sha256:0: not found",
        Cause::ImageGone,
    ),
    (
        At::Ended,
        "CannotPullContainerError: pull image manifest has been retried 5 time(s): failed to resolve ref",
        Cause::ImageGone,
    ),
    (
        At::Ended,
        "CannotPullContainerError: API error (404): repository 1.dkr.ecr.us-east-1.amazonaws.com/m not found",
        Cause::ImageGone,
    ),
    (
        At::Ended,
        "CannotPullContainerError: The task can’t pull the image. Check that the role has the permissions to pull images from the registry. Error response from daemon: pull access denied for 1.dkr.ecr.us-east-1.amazonaws.com/m, repository does not exist or may require 'docker login': denied: User: arn:aws:sts::1:assumed-role/x/y is not authorized to perform: ecr:BatchGetImage on resource: arn:aws:ecr:us-east-1:1:repository/m",
        Cause::PullDenied,
    ),
    (
        At::Ended,
        "CannotPullContainerError: pull access denied",
        Cause::PullDenied,
    ),
    (
        At::Ended,
        "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: unable to retrieve ecr registry auth: service call has been retried 1 time(s): AccessDeniedException: User: arn:aws:sts::1:assumed-role/x/y is not authorized to perform: ecr:GetAuthorizationToken on resource: *",
        Cause::PullDenied,
    ),
    (
        At::Ended,
        "ResourceInitializationError: unable to pull secrets or registry auth: The task cannot pull registry auth from Amazon ECR: There is a connection issue between the task and Amazon ECR. Check your task network configuration.",
        Cause::RegistryUnreachable,
    ),
    (
        At::Ended,
        "CannotPullContainerError: pull image manifest has been retried 5 time(s): failed to resolve ref docker.io/x/y:2: failed to do request: Head \"https://registry-1.docker.io/v2/x/y/manifests/2\": dial tcp 34.205.13.154:443: i/o timeout",
        Cause::RegistryUnreachable,
    ),
    (
        At::Ended,
        "CannotPullContainerError: API error (500): Get https://1.dkr.ecr.us-east-1.amazonaws.com/v2/: net/http: request canceled while waiting for connection",
        Cause::RegistryUnreachable,
    ),
    (
        At::Ended,
        "CannotPullContainerError: The task can't pull the image. Check your network configuration",
        Cause::RegistryUnreachable,
    ),
    (
        At::Ended,
        "CannotPullContainerError: context canceled",
        Cause::RegistryUnreachable,
    ),
    (
        At::Ended,
        "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: unable to retrieve ecr registry auth: service call has been retried 3 time(s): RequestError: send request failed",
        Cause::RegistryUnreachable,
    ),
    (
        At::Ended,
        "CannotPullContainerError: error pulling image configuration: Get https://prod-us-east-1-starport-layer-bucket.s3.us-east-1.amazonaws.com/1: dial tcp 1.2.3.4:443: i/o timeout",
        Cause::LayersUnreachable,
    ),
    (
        At::Ended,
        "CannotPullContainerError: pull command failed: panic: runtime error: invalid memory address or nil pointer dereference",
        Cause::LayersUnreachable,
    ),
    (
        At::Ended,
        "CannotPullContainerError: ref pull has been retried 1 time(s): failed to copy: httpReaderSeeker: failed open: unexpected status code",
        Cause::LayersUnreachable,
    ),
    (
        At::Ended,
        "CannotPullContainerError: ERROR: toomanyrequests: Too Many Requests.",
        Cause::PullRateLimited,
    ),
    (
        At::Ended,
        "CannotPullContainerError: You have reached your pull rate limit. You may increase the limit by authenticating and upgrading",
        Cause::PullRateLimited,
    ),
    (
        At::Ended,
        "CannotPullContainerError: write /var/lib/docker/tmp/GetImageBlob111111111: no space left on device",
        Cause::NoSpaceForImage,
    ),
    (
        At::Ended,
        "CannotPullContainerError: image Manifest does not contain descriptor matching platform 'linux/amd64': no matching manifest for linux/amd64",
        Cause::WrongProcessor,
    ),
    (
        At::Line,
        "exec /usr/local/bin/python: exec format error",
        Cause::WrongProcessor,
    ),
    (
        At::Ended,
        "Unexpected EC2 error while attempting to Create Network Interface with public IP assignment enabled in subnet 'subnet-1'",
        Cause::NoNetworkInterface,
    ),
    (
        At::Ended,
        "Timeout waiting for network interface provisioning to complete.",
        Cause::NoNetworkInterface,
    ),
    (
        At::Ended,
        "Capacity is unavailable at this time. Please try again later or in a different availability zone",
        Cause::NoFargateCapacity,
    ),
    (
        At::Ended,
        "ResourceInitializationError: unable to pull secrets or registry auth: unable to retrieve secret from asm: There is a connection issue between the task and AWS Secrets Manager. Check your task network configuration.",
        Cause::SecretsUnreachable,
    ),
    (
        At::Ended,
        "ResourceInitializationError: unable to pull secrets or registry auth: unable to retrieve secrets from ssm: The task cannot pull secrets from AWS Systems Manager. There is a connection issue between the task and AWS Systems Manager Parameter Store. Check your task network configuration. RequestCanceled: request context canceled caused by: context deadline exceeded",
        Cause::SecretsUnreachable,
    ),
    (
        At::Ended,
        "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: unable to retrieve secret from asm: service call has been retried 5 time(s): failed to fetch secret arn:aws:secretsmanager:eu-west-1:1:secret:db from secrets manager: RequestCanceled: request context canceled caused by: context deadline exceeded",
        Cause::SecretsUnreachable,
    ),
    (
        At::Ended,
        "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: unable to retrieve secret from asm: api error AccessDeniedException: User: arn:aws:sts::1:assumed-role/x/y is not authorized to perform: secretsmanager:GetSecretValue",
        Cause::SecretDenied,
    ),
    (
        At::Ended,
        "ResourceInitializationError: unable to retrieve secret from asm: AccessDeniedException: Access to KMS is not allowed",
        Cause::SecretDenied,
    ),
    (
        At::Ended,
        "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: unable to retrieve secret from asm: ResourceNotFoundException: Secrets Manager can't find the specified secret.",
        Cause::SecretMissing,
    ),
    (
        At::Ended,
        "ResourceNotFoundException: The task can’t retrieve the secret with ARN 'arn:aws:secretsmanager:eu-west-1:1:secret:db' from AWS Secrets Manager. Check whether the secret exists in the specified Region",
        Cause::SecretMissing,
    ),
    (
        At::Ended,
        "ResourceInitializationError: unable to retrieve secret from asm: retrieved secret from Secrets Manager did not contain json key connectionString",
        Cause::SecretMissing,
    ),
    (
        At::Ended,
        "ResourceInitializationError: unable to retrieve secret from asm: InvalidRequestException: You can't perform this operation on the secret because it was marked for deletion.",
        Cause::SecretMissing,
    ),
    (
        At::Ended,
        "ResourceInitializationError: failed to validate logger args: create stream has been retried 1 times: failed to create Cloudwatch log stream: ResourceNotFoundException: The specified log group does not exist.",
        Cause::LogGroupMissing,
    ),
    (
        At::Ended,
        "ResourceInitializationError: failed to validate logger args: The task cannot find the Amazon CloudWatch log group defined in the task definition. There is a connection issue between the task and Amazon CloudWatch.",
        Cause::LogGroupMissing,
    ),
    (
        At::Ended,
        "CannotStartContainerError: Error response from daemon: failed to initialize logging driver: AccessDeniedException: not authorized to perform: logs:CreateLogStream",
        Cause::LogGroupMissing,
    ),
    (
        At::Ended,
        "ECS was unable to assume the role 'arn:aws:iam::1:role/x' that was provided for this task. Please verify that the role being passed has the proper trust relationship",
        Cause::RoleNotAssumed,
    ),
    (
        At::Ended,
        "DockerTimeoutError: Could not transition to created; timed out after waiting 4m0s",
        Cause::DockerTimeout,
    ),
    (
        At::Ended,
        "CannotInspectContainerError: Could not transition to inspecting; timed out after waiting 30s",
        Cause::ContainerNotCreated,
    ),
    (
        At::Ended,
        "CannotCreateContainerError: Error response from daemon: devmapper: Thin Pool has 1 free data blocks",
        Cause::ContainerNotCreated,
    ),
    (
        At::Ended,
        "ContainerRuntimeTimeoutError: Could not transition to running; timed out after waiting 3m0s",
        Cause::ContainerNotCreated,
    ),
    (
        At::Ended,
        "CannotStartContainerError: Error response from daemon: OCI runtime create failed: exec: \"forecast\": executable file not found in $PATH",
        Cause::CommandNotFound,
    ),
    (
        At::Ended,
        "ResourceInitializationError: failed to invoke EFS utils commands to set up EFS volumes: stderr: b'mount.nfs4: access denied by server while mounting 127.0.0.1:/'",
        Cause::VolumeNotMounted,
    ),
    (
        At::Ended,
        "CannotCreateVolumeError: mount failed",
        Cause::VolumeNotMounted,
    ),
    (At::Ended, "Task failed to start", Cause::StartFailed),
    (
        At::Ended,
        "TaskFailedToStart: AGENT",
        Cause::AgentDisconnected,
    ),
    (
        At::Refusal,
        "ClientException: Job definition arn:aws:batch:eu-west-1:1:job-definition/m:3 is not active.",
        Cause::DefinitionInactive,
    ),
    (
        At::Refusal,
        "TooManyRequestsException: Too Many Requests",
        Cause::SubmitThrottled,
    ),
    (
        At::Ended,
        "OutOfMemoryError: Container killed due to memory usage",
        Cause::OutOfMemory,
    ),
    (At::Line, "MemoryError", Cause::OutOfMemory),
    (
        At::Ended,
        "Host EC2 (instance i-0abc) terminated.",
        Cause::SpotReclaimed,
    ),
    (
        At::Ended,
        "Your Spot Task was interrupted.",
        Cause::SpotReclaimed,
    ),
    (
        At::Ended,
        "SpotInterruption: The task was stopped due to a Spot interruption.",
        Cause::SpotReclaimed,
    ),
    (
        At::Ended,
        "Job attempt duration exceeded timeout",
        Cause::TimeLimit,
    ),
    (
        At::Ended,
        "Canceled by JobStateTimeLimit action due to reason: SOMETHING_NEW",
        Cause::Cancelled,
    ),
    (
        At::Ended,
        "ECS is performing maintenance on the underlying infrastructure hosting the task",
        Cause::HostReplaced,
    ),
    (
        At::Line,
        "botocore.exceptions.ClientError: An error occurred (AccessDenied) when calling the GetObject operation: User: arn:aws:sts::1:assumed-role/model/x is not authorized to perform: s3:GetObject",
        Cause::ModelRoleDenied,
    ),
    (
        At::Line,
        "psycopg.OperationalError: connection to server at \"db.corp.example\", port 5432 failed: Connection timed out",
        Cause::DatabaseUnreachable,
    ),
];
