//! Job definitions: registered, numbered, looked up, deregistered.

use std::collections::BTreeMap;

use super::{
    super::{
        error::ApiError,
        wire::{
            details::{DefinitionDetail, DescribedDefinitions, RegisteredDefinition},
            requests::{DescribeJobDefinitions, RegisterJobDefinition},
            shared::{ContainerProperties, JobTimeout},
        },
    },
    listing::page,
    names::{Arns, DefinitionReference, is_name},
    retry::Retry,
    submission::{check_container, check_timeout},
};

/// Lists that answers hold even when they are empty.
const ALWAYS_LISTS: [&str; 4] = ["volumes", "mountPoints", "ulimits", "secrets"];

/// One revision of a job definition.
#[derive(Debug, Clone)]
pub(crate) struct Definition {
    pub(crate) name: String,
    pub(crate) arn: String,
    pub(crate) revision: u32,
    pub(crate) active: bool,
    pub(crate) parameters: BTreeMap<String, String>,
    pub(crate) container: ContainerProperties,
    pub(crate) retry: Option<Retry>,
    pub(crate) timeout: Option<JobTimeout>,
    pub(crate) tags: BTreeMap<String, String>,
    pub(crate) propagate_tags: bool,
    pub(crate) platform_capabilities: Vec<String>,
}

/// All revisions of all definitions, by name.
#[derive(Debug, Default)]
pub(crate) struct Definitions {
    by_name: BTreeMap<String, Vec<Definition>>,
}

impl Definitions {
    /// `RegisterJobDefinition`: a new revision, one above the last of this name, whether that one
    /// is still active or not.
    pub(crate) fn register(
        &mut self,
        request: RegisterJobDefinition,
        arns: &Arns,
    ) -> Result<RegisteredDefinition, ApiError> {
        let mut definition = checked(request)?;
        let revisions = self.by_name.entry(definition.name.clone()).or_default();
        definition.revision = revisions.last().map_or(0, |last| last.revision) + 1;
        definition.arn = arns.definition(&definition.name, definition.revision);
        let answer = RegisteredDefinition {
            job_definition_name: definition.name.clone(),
            job_definition_arn: definition.arn.clone(),
            revision: definition.revision,
        };
        revisions.push(definition);
        Ok(answer)
    }

    /// `DeregisterJobDefinition`. Repeating it changes nothing.
    pub(crate) fn deregister(&mut self, text: Option<&str>) -> Result<(), ApiError> {
        let text = text.ok_or_else(|| ApiError::client("jobDefinition is required."))?;
        let reference = DefinitionReference::parse(text)?;
        let Some(revision) = reference.revision else {
            return Err(ApiError::client(format!(
                "{text} names no revision; a job definition is deregistered by name:revision or by its full ARN."
            )));
        };
        let definition = self
            .by_name
            .get_mut(&reference.name)
            .and_then(|all| all.iter_mut().find(|one| one.revision == revision))
            .ok_or_else(|| ApiError::client(format!("JobDefinition {text} does not exist")))?;
        definition.active = false;
        Ok(())
    }

    /// The definition that a job is submitted with: the named revision, or the latest active one.
    pub(crate) fn resolve(&self, text: &str) -> Result<&Definition, ApiError> {
        let reference = DefinitionReference::parse(text)?;
        self.by_name
            .get(&reference.name)
            .and_then(|all| {
                all.iter().rev().find(|one| {
                    one.active
                        && reference
                            .revision
                            .is_none_or(|revision| revision == one.revision)
                })
            })
            .ok_or_else(|| {
                ApiError::client(format!(
                    "JobDefinition {text} does not exist or is not in ACTIVE status"
                ))
            })
    }

    /// `DescribeJobDefinitions`: by name, and within a name the newest revision first.
    pub(crate) fn describe(
        &self,
        request: &DescribeJobDefinitions,
    ) -> Result<DescribedDefinitions, ApiError> {
        let wanted = parse_references(request)?;
        let status = request.status.as_deref();
        let found: Vec<&Definition> = self
            .by_name
            .values()
            .flat_map(|all| all.iter().rev())
            .filter(|one| {
                wanted.as_ref().is_none_or(|wanted| {
                    wanted.iter().any(|reference| {
                        reference.name == one.name
                            && reference.revision.is_none_or(|it| it == one.revision)
                    })
                })
            })
            .filter(|one| status.is_none_or(|status| status == one.status()))
            .collect();
        let (page, next_token) = page(
            &found,
            request.max_results,
            100,
            request.next_token.as_deref(),
            |one| one.arn.clone(),
        )?;
        Ok(DescribedDefinitions {
            job_definitions: page.iter().map(|one| one.detail()).collect(),
            next_token,
        })
    }
}

fn parse_references(
    request: &DescribeJobDefinitions,
) -> Result<Option<Vec<DefinitionReference>>, ApiError> {
    let listed = request.job_definitions.as_deref().unwrap_or_default();
    if listed.is_empty() {
        return request
            .job_definition_name
            .as_deref()
            .map(|name| DefinitionReference::parse(name).map(|one| vec![one]))
            .transpose();
    }
    if listed.len() > 100 {
        return Err(ApiError::client(
            "At most 100 job definitions can be described at once.",
        ));
    }
    if request.job_definition_name.is_some() || request.status.is_some() {
        return Err(ApiError::client(
            "jobDefinitions cannot be used together with jobDefinitionName or status.",
        ));
    }
    listed
        .iter()
        .map(|text| DefinitionReference::parse(text))
        .collect::<Result<_, _>>()
        .map(Some)
}

fn checked(request: RegisterJobDefinition) -> Result<Definition, ApiError> {
    let name = request
        .job_definition_name
        .ok_or_else(|| ApiError::client("jobDefinitionName is required."))?;
    if !is_name(&name) {
        return Err(ApiError::client(format!(
            "{name} is no name of a job definition: it has up to 128 letters, digits, hyphens and underscores, and begins with a letter or a digit."
        )));
    }
    match request.kind.as_deref() {
        Some("container") => {}
        Some("multinode") => {
            return Err(ApiError::client(
                "The local Batch runs no multi-node parallel jobs.",
            ));
        }
        Some(other) => {
            return Err(ApiError::client(format!(
                "{other} is no type of a job definition; it is container or multinode."
            )));
        }
        None => return Err(ApiError::client("type is required.")),
    }
    if request.node_properties.is_some()
        || request.eks_properties.is_some()
        || request.ecs_properties.is_some()
        || request.consumable_resource_properties.is_some()
    {
        return Err(ApiError::client(
            "The local Batch takes containerProperties only: neither nodeProperties, eksProperties, ecsProperties nor consumableResourceProperties.",
        ));
    }
    if request.scheduling_priority.is_some() {
        return Err(ApiError::client(
            "schedulingPriority needs a queue with a fair-share scheduling policy; the local queue has none.",
        ));
    }
    let mut container = request
        .container_properties
        .ok_or_else(|| ApiError::client("containerProperties is required."))?;
    check_container(&container)?;
    for list in ALWAYS_LISTS {
        container
            .other
            .entry(list)
            .or_insert_with(|| serde_json::Value::Array(Vec::new()));
    }
    container.command.get_or_insert_default();
    container.environment.get_or_insert_default();
    container.resource_requirements.get_or_insert_default();
    check_timeout(request.timeout)?;
    let capabilities = request.platform_capabilities.unwrap_or_default();
    if let Some(other) = capabilities.iter().find(|one| *one != "EC2") {
        return Err(ApiError::client(format!(
            "The local compute environment runs jobs with the platform capability EC2, not {other}."
        )));
    }
    Ok(Definition {
        name,
        arn: String::new(),
        revision: 0,
        active: true,
        parameters: request.parameters.unwrap_or_default(),
        container,
        retry: request
            .retry_strategy
            .as_ref()
            .map(Retry::parse)
            .transpose()?,
        timeout: request.timeout,
        tags: request.tags.unwrap_or_default(),
        propagate_tags: request.propagate_tags.unwrap_or(false),
        platform_capabilities: vec!["EC2".to_owned()],
    })
}

impl Definition {
    const fn status(&self) -> &'static str {
        if self.active { "ACTIVE" } else { "INACTIVE" }
    }

    fn detail(&self) -> DefinitionDetail {
        DefinitionDetail {
            job_definition_name: self.name.clone(),
            job_definition_arn: self.arn.clone(),
            revision: self.revision,
            status: self.status(),
            kind: "container",
            parameters: self.parameters.clone(),
            retry_strategy: self.retry.as_ref().map(Retry::detail),
            container_properties: self.container.clone(),
            timeout: self.timeout,
            tags: self.tags.clone(),
            propagate_tags: self.propagate_tags,
            platform_capabilities: self.platform_capabilities.clone(),
            container_orchestration_type: "ECS",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arns() -> Arns {
        Arns::new("000000000000", "us-east-1")
    }

    fn request(text: &str) -> RegisterJobDefinition {
        serde_json::from_str(text).unwrap()
    }

    fn model(name: &str) -> RegisterJobDefinition {
        request(&format!(
            r#"{{"jobDefinitionName":"{name}","type":"container","containerProperties":{{"image":"local/m@sha256:ab",
                "resourceRequirements":[{{"type":"VCPU","value":"1"}},{{"type":"MEMORY","value":"128"}}]}}}}"#
        ))
    }

    fn names(answer: &DescribedDefinitions) -> Vec<String> {
        answer
            .job_definitions
            .iter()
            .map(|one| format!("{}:{}", one.job_definition_name, one.revision))
            .collect()
    }

    #[test]
    fn revisions_grow_even_after_a_deregistration() {
        let mut all = Definitions::default();
        assert_eq!(all.register(model("m"), &arns()).unwrap().revision, 1);
        all.deregister(Some("m:1")).unwrap();
        all.deregister(Some("m:1")).unwrap();
        assert!(all.resolve("m").is_err());
        assert_eq!(all.register(model("m"), &arns()).unwrap().revision, 2);
        assert_eq!(all.resolve("m").unwrap().revision, 2);
        assert!(all.resolve("m:1").is_err());
        assert!(all.resolve("m:3").is_err());
        assert!(all.deregister(Some("m")).is_err());
        assert!(all.deregister(Some("m:9")).is_err());
        assert!(all.deregister(None).is_err());
    }

    #[test]
    fn definitions_are_described_by_name_status_and_reference() {
        let mut all = Definitions::default();
        for name in ["b", "a", "b"] {
            all.register(model(name), &arns()).unwrap();
        }
        all.deregister(Some("b:1")).unwrap();
        let describe =
            |text: &str| names(&all.describe(&serde_json::from_str(text).unwrap()).unwrap());
        assert_eq!(describe("{}"), ["a:1", "b:2", "b:1"]);
        assert_eq!(describe(r#"{"jobDefinitionName":"b"}"#), ["b:2", "b:1"]);
        assert_eq!(describe(r#"{"status":"INACTIVE"}"#), ["b:1"]);
        assert_eq!(
            describe(r#"{"jobDefinitions":["b:1","nobody:1"]}"#),
            ["b:1"]
        );
        let arn = arns().definition("a", 1);
        assert_eq!(
            describe(&format!(r#"{{"jobDefinitions":["{arn}"]}}"#)),
            ["a:1"]
        );
        let first = all
            .describe(&serde_json::from_str(r#"{"maxResults":2}"#).unwrap())
            .unwrap();
        assert_eq!(names(&first), ["a:1", "b:2"]);
        let rest = all
            .describe(&DescribeJobDefinitions {
                next_token: first.next_token,
                ..DescribeJobDefinitions::default()
            })
            .unwrap();
        assert_eq!(names(&rest), ["b:1"]);
        assert!(rest.next_token.is_none());
    }

    #[test]
    fn what_the_local_batch_cannot_run_is_refused() {
        for wrong in [
            r#"{"type":"container"}"#,
            r#"{"jobDefinitionName":"m"}"#,
            r#"{"jobDefinitionName":"m","type":"container"}"#,
            r#"{"jobDefinitionName":"-m","type":"container"}"#,
            r#"{"jobDefinitionName":"m","type":"multinode","nodeProperties":{}}"#,
            r#"{"jobDefinitionName":"m","type":"container","eksProperties":{}}"#,
            r#"{"jobDefinitionName":"m","type":"container","containerProperties":{"image":"i"}}"#,
        ] {
            assert!(
                Definitions::default()
                    .register(request(wrong), &arns())
                    .is_err(),
                "{wrong}"
            );
        }
        let mut fargate = model("m");
        fargate.platform_capabilities = Some(vec!["FARGATE".to_owned()]);
        assert!(Definitions::default().register(fargate, &arns()).is_err());
    }
}
