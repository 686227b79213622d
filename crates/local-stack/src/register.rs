//! Registers a model's folder as a version that can be run on a local stack.

use std::path::Path;

use aws_sdk_batch as batch;
use batch::types::{ContainerProperties, JobDefinitionType};
use dropcast_aws::batch::{is_active, names, secrets, terms};
use dropcast_domain::{
    model::{Manifest, job_command},
    registry::RegisteredVersion,
};
use dropcast_store::{DynamoStore, Models as _, Promotion as _, newest_version};
use jiff::Timestamp;

use crate::{Connection, Error, ModelFolder, Reporter, image::ImageBuilder, stack::step};

/// Where a model is registered.
#[derive(Debug, Clone)]
pub struct Registry {
    /// Keeps the job definitions.
    pub batch: batch::Client,
    /// Keeps the versions.
    pub store: DynamoStore,
    /// Makes the images that the local Batch runs.
    pub images: ImageBuilder,
    /// How the ARNs of models' secrets begin.
    pub secrets: String,
    /// The stack's name, which job definitions are named and tagged with.
    pub stack: String,
}

impl Registry {
    /// The registry of a local stack.
    pub fn of(stack: &Connection) -> Result<Self, Error> {
        let table = aws_sdk_dynamodb::Client::new(&stack.sdk_config());
        Ok(Self {
            batch: batch::Client::new(&stack.batch_sdk_config()),
            store: DynamoStore::new(table, stack.output("RunsTableName")?),
            images: ImageBuilder::new(stack.images(), stack.python.clone()),
            stack: stack.stack_name.clone(),
            secrets: secrets::arns(
                stack.output("JobExecutionRoleArn")?,
                &stack.region,
                stack.output("SecretPrefix")?,
            ),
        })
    }
}

/// The version of a folder after registering.
#[derive(Debug, Clone, PartialEq)]
pub struct Registered {
    /// The version.
    pub version: RegisteredVersion,
    /// Whether it is new; a folder that has not changed keeps its version.
    pub new: bool,
}

/// Registers the model in a folder, unless its newest version is this very content and may run.
/// `now` is when the version counts as built.
pub async fn register(
    folder: &Path,
    registry: &Registry,
    now: Timestamp,
    reporter: &dyn Reporter,
) -> Result<Registered, Error> {
    let model = ModelFolder::read(folder)?;
    let snapshot = registry.images.build(&model, folder, reporter).await?;
    step(reporter, "registering the model", async {
        let newest = newest_version(&registry.store, &model.manifest.name).await?;
        if let Some(version) = newest
            && version.spec.image == snapshot.reference
            && model.is_of(&version.spec)
            && is_active(&registry.batch, &version.spec.job_definition)
                .await
                .map_err(Error::call("looking for the job definition"))?
            && (registry.store)
                .retirement(&version.model, version.version)
                .await?
                .is_none()
        {
            let new = false;
            return Ok(Registered { version, new });
        }
        let job_definition = define_job(registry, &model.manifest, &snapshot.reference).await?;
        let spec = model.into_version_spec(snapshot.reference, job_definition, None, now);
        Ok(Registered {
            version: registry.store.register(&spec).await?,
            new: true,
        })
    })
    .await
}

/// One revision of the model's job definition: overrides change neither image nor role, so that
/// each version has its own. Answers its ARN.
async fn define_job(
    registry: &Registry,
    manifest: &Manifest,
    image: &str,
) -> Result<String, Error> {
    let job = &manifest.job;
    let container = ContainerProperties::builder()
        .image(image)
        .set_command(Some(job_command(&job.command)))
        .set_resource_requirements(Some(terms::resources(job)))
        .set_secrets(Some(secrets::of(&manifest.name, job, &registry.secrets)))
        .build();
    let answer = registry
        .batch
        .register_job_definition()
        .job_definition_name(names::definition_name(&registry.stack, &manifest.name))
        .set_tags(Some(names::tags(&registry.stack)))
        .r#type(JobDefinitionType::Container)
        .container_properties(container)
        .send()
        .await
        .map_err(Error::call("registering the job definition"))?;
    answer
        .job_definition_arn
        .ok_or_else(|| Error::call("registering the job definition")("Batch returned no ARN"))
}
