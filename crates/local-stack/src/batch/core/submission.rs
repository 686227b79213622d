//! From a job definition and a `SubmitJob` request to a job.

use std::collections::BTreeMap;

use super::{
    super::{
        error::ApiError,
        wire::{
            requests::{ContainerOverrides, SubmitJob},
            shared::{ContainerProperties, JobTimeout, KeyValue, ResourceRequirement},
        },
    },
    definitions::Definition,
    job::{Container, Job, Status},
    names::is_name,
    retry::Retry,
};

/// The shortest timeout that AWS takes, in seconds.
const MIN_TIMEOUT: i64 = 60;
/// The most dependencies that AWS takes.
const MAX_DEPENDENCIES: usize = 20;
/// What AWS sets itself.
const RESERVED: &str = "AWS_BATCH";

/// What a new job is given by its queue.
#[derive(Debug, Clone)]
pub(crate) struct NewJob {
    pub(crate) id: String,
    pub(crate) arn: String,
    pub(crate) queue_arn: String,
    pub(crate) now: i64,
}

/// Checks a request and makes the job of it, SUBMITTED.
pub(crate) fn job(
    request: SubmitJob,
    definition: &Definition,
    new: NewJob,
) -> Result<Job, ApiError> {
    let name = job_name(&request)?;
    refuse_unsupported(&request)?;
    let overrides = request.container_overrides.unwrap_or_default();
    let mut parameters = definition.parameters.clone();
    parameters.extend(request.parameters.unwrap_or_default());
    let (container, vcpus) = container(&definition.container, overrides, &parameters)?;
    let retry = match &request.retry_strategy {
        Some(strategy) => Retry::parse(strategy)?,
        None => definition.retry.clone().unwrap_or_default(),
    };
    check_timeout(request.timeout)?;
    let depends_on = request.depends_on.unwrap_or_default();
    if depends_on.len() > MAX_DEPENDENCIES {
        return Err(ApiError::client(format!(
            "A job can depend on at most {MAX_DEPENDENCIES} jobs."
        )));
    }
    if depends_on
        .iter()
        .any(|one| one.kind.is_some() || one.job_id.is_none())
    {
        return Err(ApiError::client(
            "Every entry of dependsOn needs a jobId and no type: types are for array jobs, which the local Batch does not run.",
        ));
    }
    Ok(Job {
        id: new.id,
        arn: new.arn,
        name,
        queue_arn: new.queue_arn,
        definition_name: definition.name.clone(),
        definition_arn: definition.arn.clone(),
        status: Status::Submitted,
        status_reason: None,
        created_at: new.now,
        started_at: None,
        stopped_at: None,
        retry,
        timeout: request.timeout.or(definition.timeout),
        depends_on,
        parameters,
        tags: request.tags.unwrap_or_default(),
        propagate_tags: request.propagate_tags.unwrap_or(definition.propagate_tags),
        platform_capabilities: definition.platform_capabilities.clone(),
        container,
        vcpus,
        attempts: Vec::new(),
        placement: None,
        blocked: None,
        ready: false,
        cancelled_because: None,
        is_cancelled: false,
        is_terminated: false,
        generation: 0,
    })
}

fn job_name(request: &SubmitJob) -> Result<String, ApiError> {
    let name = request
        .job_name
        .clone()
        .ok_or_else(|| ApiError::client("jobName is required."))?;
    if is_name(&name) {
        return Ok(name);
    }
    Err(ApiError::client(format!(
        "{name} is no name of a job: it has up to 128 letters, digits, hyphens and underscores, and begins with a letter or a digit."
    )))
}

fn refuse_unsupported(request: &SubmitJob) -> Result<(), ApiError> {
    if request.share_identifier.is_some() || request.scheduling_priority_override.is_some() {
        return Err(ApiError::client(
            "Job with shareIdentifier or schedulingPriority can only be submitted to job queue with fair share scheduling policy.",
        ));
    }
    let unsupported = [
        ("arrayProperties", request.array_properties.is_some()),
        ("nodeOverrides", request.node_overrides.is_some()),
        (
            "eksPropertiesOverride",
            request.eks_properties_override.is_some(),
        ),
        (
            "ecsPropertiesOverride",
            request.ecs_properties_override.is_some(),
        ),
        (
            "consumableResourcePropertiesOverride",
            request.consumable_resource_properties_override.is_some(),
        ),
    ];
    match unsupported.iter().find(|(_, given)| *given) {
        Some((field, _)) => Err(ApiError::client(format!(
            "The local Batch does not support {field}."
        ))),
        None => Ok(()),
    }
}

fn container(
    properties: &ContainerProperties,
    overrides: ContainerOverrides,
    parameters: &BTreeMap<String, String>,
) -> Result<(Container, u32), ApiError> {
    let overriding = ContainerProperties {
        image: properties.image.clone(),
        environment: overrides.environment.clone(),
        ..ContainerProperties::default()
    };
    check_environment(&overriding)?;
    let given = properties.command.clone().unwrap_or_default();
    let command = overrides
        .command
        .unwrap_or(given)
        .iter()
        .map(|word| substituted(word, parameters))
        .collect::<Result<Vec<_>, _>>()?;
    let resource_requirements = merged_requirements(
        properties.resource_requirements.as_deref(),
        overrides.resource_requirements,
    );
    // The deprecated fields override only the deprecated fields of the definition.
    let vcpus = properties.vcpus.map(|own| overrides.vcpus.unwrap_or(own));
    let memory = properties.memory.map(|own| overrides.memory.unwrap_or(own));
    let needed = amount(&resource_requirements, "VCPU", vcpus, 1)?;
    amount(&resource_requirements, "MEMORY", memory, 4)?;
    let container = Container {
        image: properties.image.clone().unwrap_or_default(),
        vcpus,
        memory,
        command,
        environment: merged_environment(properties.environment.as_deref(), overrides.environment),
        resource_requirements,
        other: properties.other.clone(),
        exit_code: None,
        reason: None,
        container_instance_arn: None,
        task_arn: None,
        log_stream_name: None,
    };
    Ok((container, needed))
}

/// Checks the container of a definition: an image, a known amount of vCPUs and memory, and no
/// variable that AWS reserves.
pub(crate) fn check_container(container: &ContainerProperties) -> Result<(), ApiError> {
    if container.image.as_ref().is_none_or(String::is_empty) {
        return Err(ApiError::client("containerProperties.image is required."));
    }
    let requirements = container
        .resource_requirements
        .as_deref()
        .unwrap_or_default();
    amount(requirements, "VCPU", container.vcpus, 1)?;
    amount(requirements, "MEMORY", container.memory, 4)?;
    check_environment(container)
}

fn check_environment(container: &ContainerProperties) -> Result<(), ApiError> {
    let reserved = container
        .environment
        .iter()
        .flatten()
        .filter_map(|one| one.name.as_deref())
        .find(|name| name.starts_with(RESERVED));
    match reserved {
        Some(name) => Err(ApiError::client(format!(
            "The environment variable {name} is not allowed: names that begin with {RESERVED} are reserved for variables that Batch sets."
        ))),
        None => Ok(()),
    }
}

/// Checks `attemptDurationSeconds`.
pub(crate) fn check_timeout(timeout: Option<JobTimeout>) -> Result<(), ApiError> {
    match timeout.map(|timeout| timeout.attempt_duration_seconds) {
        None => Ok(()),
        Some(Some(seconds)) if (MIN_TIMEOUT..=i64::from(u32::MAX)).contains(&seconds) => Ok(()),
        Some(seconds) => Err(ApiError::client(format!(
            "timeout.attemptDurationSeconds must be at least {MIN_TIMEOUT}, not {}.",
            seconds.map_or_else(|| "nothing".to_owned(), |seconds| seconds.to_string())
        ))),
    }
}

/// How much of a resource a job needs: by `resourceRequirements`, or by the deprecated field.
fn amount(
    requirements: &[ResourceRequirement],
    kind: &str,
    deprecated: Option<i64>,
    least: u32,
) -> Result<u32, ApiError> {
    if let Some(other) = requirements
        .iter()
        .find(|one| !["VCPU", "MEMORY", "GPU"].contains(&one.kind.as_str()))
    {
        return Err(ApiError::client(format!(
            "{} is no type of a resource requirement; it is VCPU, MEMORY or GPU.",
            other.kind
        )));
    }
    let given = requirements.iter().find(|one| one.kind == kind);
    let text = match (given, deprecated) {
        (Some(requirement), _) => requirement.value.clone(),
        (None, Some(number)) => number.to_string(),
        (None, None) => {
            return Err(ApiError::client(format!(
                "resourceRequirements must have an entry of type {kind}."
            )));
        }
    };
    // The parts of a vCPU that Fargate offers; a process of this machine is counted whole.
    let text = match (kind, text.as_str()) {
        ("VCPU", "0.25" | "0.5") => "1".to_owned(),
        _ => text,
    };
    text.parse()
        .ok()
        .filter(|number| *number >= least)
        .ok_or_else(|| {
            ApiError::client(format!(
                "The resource requirement {kind} must be a whole number of at least {least}, not {text}."
            ))
        })
}

fn merged_requirements(
    own: Option<&[ResourceRequirement]>,
    overrides: Option<Vec<ResourceRequirement>>,
) -> Vec<ResourceRequirement> {
    let mut merged = own.unwrap_or_default().to_vec();
    for requirement in overrides.unwrap_or_default() {
        match merged.iter_mut().find(|one| one.kind == requirement.kind) {
            Some(one) => *one = requirement,
            None => merged.push(requirement),
        }
    }
    merged
}

fn merged_environment(own: Option<&[KeyValue]>, overrides: Option<Vec<KeyValue>>) -> Vec<KeyValue> {
    let mut merged = own.unwrap_or_default().to_vec();
    for variable in overrides.unwrap_or_default() {
        match merged.iter_mut().find(|one| one.name == variable.name) {
            Some(one) => *one = variable,
            None => merged.push(variable),
        }
    }
    merged
}

/// Puts the parameters in the place of `Ref::name`.
fn substituted(word: &str, parameters: &BTreeMap<String, String>) -> Result<String, ApiError> {
    let mut done = String::new();
    let mut rest = word;
    while let Some((before, after)) = rest.split_once("Ref::") {
        let end = after
            .find(|letter: char| {
                !(letter.is_ascii_alphanumeric() || letter == '_' || letter == '-')
            })
            .unwrap_or(after.len());
        let (name, tail) = after.split_at(end);
        let value = parameters.get(name).ok_or_else(|| {
            ApiError::client(format!(
                "Unable to substitute value. No parameter found for reference {name}"
            ))
        })?;
        done.push_str(before);
        done.push_str(value);
        rest = tail;
    }
    done.push_str(rest);
    Ok(done)
}
