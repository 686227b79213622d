use std::{collections::HashMap, future::Future};

use aws_sdk_batch::{
    Client,
    error::ProvideErrorMetadata as _,
    types::{
        AssignPublicIp, ContainerProperties, JobDefinition as Listed, JobDefinitionType,
        LogConfiguration, LogDriver, NetworkConfiguration, PlatformCapability, RuntimePlatform,
    },
};
use dropcast_aws::{
    CallError, SdkConfig,
    batch::{names, secrets, terms},
};
use dropcast_domain::model::{JobSpec, ModelName, job_command};
use dropcast_lambda_kit::error::{Class, FunctionError};
use thiserror::Error;

use crate::config::{Architecture, JobSettings, Platform, PublicIp};

/// The job definition of one version: overrides change neither image nor role, so that each version
/// has its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobDefinition {
    /// The model, which gives the definition its name, beside the stack.
    pub model: ModelName,
    /// The image by digest.
    pub image: String,
    /// The role that jobs have.
    pub role: String,
    /// The command, what it may use, and what secrets it is given.
    pub job: JobSpec,
}

/// Why a job definition cannot be had.
#[derive(Debug, Error)]
pub enum DefineJobError {
    /// Batch refuses it for this reason; a retry changes nothing.
    #[error("AWS Batch refuses the job definition: {0}")]
    Refused(String),
    #[error(transparent)]
    Call(#[from] CallError),
}

impl FunctionError for DefineJobError {
    fn class(&self) -> Class {
        match self {
            Self::Refused(_) => Class::Permanent,
            Self::Call(error) => error.class(),
        }
    }
}

/// The job definitions of a deployment.
pub trait JobDefinitions: Send + Sync {
    /// The ARN, revision included, of an active definition with exactly this content: the known one
    /// if it has it. Registers one if there is none.
    fn define(
        &self,
        definition: &JobDefinition,
        known: Option<&str>,
    ) -> impl Future<Output = Result<String, DefineJobError>> + Send;
}

/// Job definitions of AWS Batch.
#[derive(Debug)]
pub struct BatchDefinitions {
    client: Client,
    settings: JobSettings,
    /// How the ARNs of secrets begin, up to the secret's name.
    secrets: String,
}

impl BatchDefinitions {
    /// The definitions of the region that the process works in.
    pub fn of(aws: &SdkConfig, settings: JobSettings) -> Self {
        let region = aws.region().map_or("", |region| region.as_ref());
        Self::new(Client::new(aws), settings, region)
    }

    /// Definitions of jobs that are given what the settings say. Secrets are those of this
    /// region, and of the account that the execution role is in.
    pub fn new(client: Client, settings: JobSettings, region: &str) -> Self {
        Self {
            client,
            secrets: secrets::arns(&settings.execution_role, region, &settings.secret_prefix),
            settings,
        }
    }

    fn container(&self, definition: &JobDefinition) -> ContainerProperties {
        let JobDefinition {
            model,
            image,
            role,
            job,
        } = definition;
        let container = ContainerProperties::builder()
            .image(image)
            .set_command(Some(job_command(&job.command)))
            .job_role_arn(role)
            .execution_role_arn(&self.settings.execution_role)
            .set_resource_requirements(Some(terms::resources(job)))
            .set_secrets(Some(secrets::of(model, job, &self.secrets)))
            .log_configuration(
                LogConfiguration::builder()
                    .log_driver(LogDriver::Awslogs)
                    .options("awslogs-group", &self.settings.log_group)
                    .options("awslogs-stream-prefix", model.as_str())
                    .build(),
            );
        let container = match self.settings.platform {
            Platform::Ec2 => container,
            Platform::Fargate => {
                let public = match self.settings.assign_public_ip {
                    PublicIp::Enabled => AssignPublicIp::Enabled,
                    PublicIp::Disabled => AssignPublicIp::Disabled,
                };
                let processor = match self.settings.architecture {
                    Architecture::X86_64 => "X86_64",
                    Architecture::Arm64 => "ARM64",
                };
                container
                    .network_configuration(
                        NetworkConfiguration::builder()
                            .assign_public_ip(public)
                            .build(),
                    )
                    .runtime_platform(
                        RuntimePlatform::builder()
                            .operating_system_family("LINUX")
                            .cpu_architecture(processor)
                            .build(),
                    )
            }
        };
        container.build()
    }

    fn capability(&self) -> PlatformCapability {
        match self.settings.platform {
            Platform::Fargate => PlatformCapability::Fargate,
            Platform::Ec2 => PlatformCapability::Ec2,
        }
    }

    /// An active definition with the wanted content. The known one is preferred: two builds at the
    /// same time may have registered duplicates, of which a version names one.
    async fn find(
        &self,
        name: &str,
        wanted: &ContainerProperties,
        known: Option<&str>,
    ) -> Result<Option<String>, CallError> {
        let mut same = Vec::new();
        let mut pages = self
            .client
            .describe_job_definitions()
            .job_definition_name(name)
            .status("ACTIVE")
            .into_paginator()
            .send();
        while let Some(page) = pages.next().await {
            let page =
                page.map_err(|error| CallError::of_sdk("batch:DescribeJobDefinitions", error))?;
            let listed = page.job_definitions().iter().filter(|listed| {
                listed.platform_capabilities() == [self.capability()]
                    && listed.tags() == Some(&names::tags(&self.settings.stack))
                    && listed.parameters().is_none_or(HashMap::is_empty)
                    && listed
                        .container_properties()
                        .is_some_and(|it| is_wanted(it, wanted))
            });
            let arns = listed.filter_map(Listed::job_definition_arn);
            same.extend(arns.map(ToOwned::to_owned));
        }
        Ok(prefer_known(same, known))
    }
}

/// The known one of several duplicates, or any.
fn prefer_known(mut same: Vec<String>, known: Option<&str>) -> Option<String> {
    let at = same.iter().position(|arn| Some(arn.as_str()) == known);
    (!same.is_empty()).then(|| same.swap_remove(at.unwrap_or_default()))
}

/// Whether a listed definition has the wanted content in every member of its container: a definition
/// that others registered under this name must not add a user, a mount or a variable. Time limit
/// and retries are set again for every job.
fn is_wanted(listed: &ContainerProperties, wanted: &ContainerProperties) -> bool {
    normalize(listed) == normalize(wanted)
}

/// A container with the values that Batch fills in, and its lists in one order.
fn normalize(container: &ContainerProperties) -> ContainerProperties {
    let mut container = container.clone();
    container.volumes.get_or_insert_default();
    container.environment.get_or_insert_default();
    container.mount_points.get_or_insert_default();
    container.ulimits.get_or_insert_default();
    let requirements = container.resource_requirements.get_or_insert_default();
    requirements.sort_by(|one, other| one.r#type().cmp(&other.r#type()));
    let secrets = container.secrets.get_or_insert_default();
    secrets.sort_by(|one, other| one.name().cmp(&other.name()));
    if let Some(log) = &mut container.log_configuration {
        log.secret_options.get_or_insert_default();
    }
    for flag in [
        &mut container.privileged,
        &mut container.readonly_root_filesystem,
        &mut container.enable_execute_command,
    ] {
        flag.take_if(|set| !*set);
    }
    container.user.take_if(|user| user.is_empty());
    container
        .fargate_platform_configuration
        .take_if(|platform| matches!(platform.platform_version(), None | Some("LATEST")));
    container.linux_parameters.take_if(|linux| {
        linux.devices().is_empty()
            && linux.tmpfs().is_empty()
            && linux.init_process_enabled() != Some(true)
            && linux.shared_memory_size().is_none()
            && linux.max_swap().is_none()
            && linux.swappiness().is_none()
    });
    container
}

impl JobDefinitions for BatchDefinitions {
    async fn define(
        &self,
        definition: &JobDefinition,
        known: Option<&str>,
    ) -> Result<String, DefineJobError> {
        let container = self.container(definition);
        let name = names::definition_name(&self.settings.stack, &definition.model);
        if let Some(arn) = self.find(&name, &container, known).await? {
            return Ok(arn);
        }
        let registered = self
            .client
            .register_job_definition()
            .job_definition_name(name)
            .r#type(JobDefinitionType::Container)
            .platform_capabilities(self.capability())
            .container_properties(container)
            .timeout(terms::timeout(&definition.job))
            .retry_strategy(terms::retries(&definition.job))
            .set_tags(Some(names::tags(&self.settings.stack)))
            .send()
            .await;
        match registered {
            Ok(registered) => registered.job_definition_arn.ok_or_else(|| {
                DefineJobError::Call(CallError {
                    call: "batch:RegisterJobDefinition",
                    transient: false,
                    source: "Batch returned no ARN".into(),
                })
            }),
            Err(error) if error.code() == Some("ClientException") => Err(DefineJobError::Refused(
                error.message().unwrap_or("no details").to_owned(),
            )),
            Err(error) => Err(CallError::of_sdk("batch:RegisterJobDefinition", error).into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_batch::{
        config::{BehaviorVersion, Config},
        types::{
            FargatePlatformConfiguration, KeyValuePair, LinuxParameters, MountPoint, Secret, Volume,
        },
    };
    use dropcast_domain::model::Manifest;

    use super::*;

    fn definitions(change: impl FnOnce(&mut JobSettings)) -> BatchDefinitions {
        let mut settings = JobSettings {
            stack: "s".into(),
            execution_role: "arn:aws-cn:iam::111122223333:role/exec".into(),
            boundary: "arn:aws-cn:iam::111122223333:policy/boundary".into(),
            role_path: "/dropcast/s/".into(),
            secret_prefix: "s/models/".into(),
            log_group: "/aws/batch/s".into(),
            platform: Platform::Fargate,
            assign_public_ip: PublicIp::Disabled,
            architecture: Architecture::X86_64,
        };
        change(&mut settings);
        let nowhere = Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .build();
        BatchDefinitions::new(Client::from_conf(nowhere), settings, "cn-north-1")
    }

    fn definition(job: &str) -> JobDefinition {
        let manifest = format!(
            "name = \"churn\"\ntitle = \"C\"\n[input]\naccepts = [\"json\"]\nschema = \"in.json\"\n[job]\ncommand = [\"python\", \"main.py\"]\n{job}"
        );
        let manifest = Manifest::parse("model.toml", &manifest).unwrap();
        JobDefinition {
            model: manifest.name,
            image: "models@sha256:0a".into(),
            role: "arn:aws-cn:iam::111122223333:role/dropcast/s/s-job-churn".into(),
            job: manifest.job,
        }
    }

    const SECRETS: &str = "[job.secrets]\nDATABASE_URL = \"db\"\nPASSWORD = \"db:password\"\n";

    #[test]
    fn the_known_one_of_several_duplicates_is_preferred() {
        let duplicates = || vec!["churn:1".to_owned(), "churn:2".to_owned()];
        assert_eq!(
            prefer_known(duplicates(), Some("churn:2")).unwrap(),
            "churn:2"
        );
        assert_eq!(
            prefer_known(duplicates(), Some("churn:9")).unwrap(),
            "churn:1"
        );
        assert_eq!(prefer_known(duplicates(), None).unwrap(), "churn:1");
        assert_eq!(prefer_known(Vec::new(), Some("churn:9")), None);
    }

    #[test]
    fn a_job_runs_the_models_command_by_dropcast_job_with_its_role_its_log_and_its_secrets() {
        let container = definitions(|_| {}).container(&definition(SECRETS));
        assert_eq!(
            container.command(),
            ["dropcast-job", "--", "python", "main.py"]
        );
        let secrets: Vec<_> = container
            .secrets()
            .iter()
            .map(|secret| (secret.name().unwrap(), secret.value_from().unwrap()))
            .collect();
        let prefix = "arn:aws-cn:secretsmanager:cn-north-1:111122223333:secret:s/models/churn/db";
        let password = format!("{prefix}:password::");
        assert_eq!(
            secrets,
            [("DATABASE_URL", prefix), ("PASSWORD", password.as_str())]
        );
        let log = container.log_configuration().unwrap().options().unwrap();
        assert_eq!(log["awslogs-group"], "/aws/batch/s");
        assert_eq!(log["awslogs-stream-prefix"], "churn");
        let network = container.network_configuration().unwrap();
        assert_eq!(network.assign_public_ip(), Some(&AssignPublicIp::Disabled));
    }

    #[test]
    fn only_what_runs_on_fargate_has_a_network_and_a_processor_of_its_own() {
        let ec2 = definitions(|settings| settings.platform = Platform::Ec2);
        let container = ec2.container(&definition(""));
        assert!(container.network_configuration().is_none());
        assert!(container.runtime_platform().is_none());
        assert_eq!(ec2.capability(), PlatformCapability::Ec2);
    }

    #[test]
    fn what_batch_fills_in_makes_no_other_definition() {
        let here = definitions(|_| {});
        let wanted = here.container(&definition(SECRETS));
        let mut listed = wanted.clone();
        listed.volumes = Some(Vec::new());
        listed.mount_points = Some(Vec::new());
        listed.environment = Some(Vec::new());
        listed.ulimits = Some(Vec::new());
        listed.privileged = Some(false);
        listed.fargate_platform_configuration = Some(
            FargatePlatformConfiguration::builder()
                .platform_version("LATEST")
                .build(),
        );
        listed.linux_parameters = Some(LinuxParameters::builder().build());
        listed.secrets.as_mut().unwrap().reverse();
        assert!(is_wanted(&listed, &wanted));
    }

    #[test]
    fn a_definition_with_anything_beside_what_is_wanted_is_not_used() {
        let here = definitions(|_| {});
        let wanted = here.container(&definition(SECRETS));
        let changes: [fn(&mut ContainerProperties); 9] = [
            |it| it.privileged = Some(true),
            |it| it.user = Some("root".into()),
            |it| it.readonly_root_filesystem = Some(true),
            |it| it.enable_execute_command = Some(true),
            |it| {
                let variable = KeyValuePair::builder().name("LD_PRELOAD").value("/x.so");
                it.environment = Some(vec![variable.build()]);
            },
            |it| it.volumes = Some(vec![Volume::builder().name("root").build()]),
            |it| it.mount_points = Some(vec![MountPoint::builder().container_path("/").build()]),
            |it| {
                let init = LinuxParameters::builder().init_process_enabled(true);
                it.linux_parameters = Some(init.build());
            },
            |it| {
                let secret = Secret::builder().name("x").value_from("y").build();
                let log = it.log_configuration.as_mut().unwrap();
                log.secret_options = Some(vec![secret]);
            },
        ];
        for (number, change) in changes.into_iter().enumerate() {
            let mut listed = wanted.clone();
            change(&mut listed);
            assert!(!is_wanted(&listed, &wanted), "{number}");
        }
    }

    #[test]
    fn a_definition_is_used_again_only_where_it_says_the_same() {
        let here = definitions(|_| {});
        let wanted = here.container(&definition(SECRETS));
        assert!(is_wanted(&here.container(&definition(SECRETS)), &wanted));
        let mut other_image = definition(SECRETS);
        other_image.image = "models@sha256:0b".into();
        let mut other_role = definition(SECRETS);
        other_role.role.push('2');
        for other in [
            definition(""),
            definition(&format!("vcpus = 4\n{SECRETS}")),
            definition(&format!("memory_mib = 8192\n{SECRETS}")),
            other_image,
            other_role,
        ] {
            assert!(!is_wanted(&here.container(&other), &wanted), "{other:?}");
        }
        for change in [
            (|settings| settings.architecture = Architecture::Arm64) as fn(&mut JobSettings),
            |settings| settings.assign_public_ip = PublicIp::Enabled,
            |settings| settings.log_group.push('2'),
            |settings| settings.execution_role.push('2'),
            |settings| settings.secret_prefix.push('2'),
        ] {
            let elsewhere = definitions(change);
            assert!(!is_wanted(
                &elsewhere.container(&definition(SECRETS)),
                &wanted
            ));
        }
    }
}
