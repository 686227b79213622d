//! Registers a version for every successful build, and records the failure of every other one.
//!
//! [`dropcast_domain::registry::decide`] decides what a build's event requires; this function
//! performs it. A build becomes one version however often its event is delivered. A failed build is
//! recorded as such; errors are only failures that a retry can fix and defects of Dropcast.

mod config;
mod definitions;
mod error;
mod event;
mod files;
mod project;
mod roles;

use std::convert::Infallible;

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent};
pub use config::{Architecture, Config, JobSettings, Platform, PublicIp};
pub use definitions::{BatchDefinitions, DefineJobError, JobDefinition, JobDefinitions};
use dropcast_aws::s3::Bucket;
use dropcast_domain::{
    model::{Manifest, fargate},
    registry::{
        Build, BuildDecision, BuildEnd, BuildFailure, BuildReport, EndedBuild, VersionFile,
        VersionSpec, decide,
    },
};
use dropcast_inputs::declarations;
use dropcast_lambda_kit::{
    batch,
    error::{Class, FunctionError as _},
    telemetry,
};
use dropcast_store::{Builds, DynamoStore, Models, Promotion, newest_version};
pub use error::Error;
pub use event::{BuildStateChange, Message};
pub use files::BuildFiles;
use jiff::{SignedDuration, Timestamp};
pub use project::{AwsProject, BuildProject};
pub use roles::{IamRoles, JobRoles};

/// Builds that ended longer ago are not reconciled: they belong to an earlier deployment of the same
/// name, or have been tried every quarter of an hour since.
const RECONCILE_WINDOW: SignedDuration = SignedDuration::from_hours(48);

/// How long a build with a permanent error, such as a missing permission, is retried before it is
/// recorded as failed: time to add the permission. Its event is in the dead-letter queue until then.
const DENIED_RETRY_WINDOW: SignedDuration = SignedDuration::from_hours(1);

/// How long any other build is retried before it is recorded as failed. It ends before
/// [`RECONCILE_WINDOW`], so that a few attempts to record the failure are left.
const RETRY_WINDOW: SignedDuration = SignedDuration::from_hours(47);

/// The services that the handler uses: those of AWS, or those of a test.
pub trait Services {
    type Store: Builds + Models + Promotion;
    type Files: BuildFiles;
    type Definitions: JobDefinitions;
    type Roles: JobRoles;
    /// The build project and its logs.
    type Project: BuildProject;
}

/// The services of AWS.
#[derive(Debug)]
pub enum AwsServices {}

impl Services for AwsServices {
    type Store = DynamoStore;
    type Files = Bucket;
    type Definitions = BatchDefinitions;
    type Roles = IamRoles;
    type Project = AwsProject;
}

#[derive(Debug)]
pub struct Deps<S: Services> {
    pub store: S::Store,
    pub files: S::Files,
    pub definitions: S::Definitions,
    pub roles: S::Roles,
    /// The build project and its logs.
    pub project: S::Project,
    pub config: Config,
    pub now: fn() -> Timestamp,
}

/// Handles a batch of `CodeBuild Build State Change` events and of requests to reconcile.
pub async fn handle<S: Services>(
    deps: &Deps<S>,
    event: SqsEvent,
) -> Result<SqsBatchResponse, Infallible> {
    Ok(batch::each(event, |message: Message| perform(deps, message)).await)
}

async fn perform<S: Services>(deps: &Deps<S>, message: Message) -> Result<(), Error> {
    match message {
        Message::Build(change) => process_build(deps, BuildReport::try_from(*change)?).await,
        Message::Reconcile => reconcile(deps).await,
    }
}

/// Processes builds whose event was lost: `CodeBuild` delivers events at most once.
async fn reconcile<S: Services>(deps: &Deps<S>) -> Result<(), Error> {
    let now = (deps.now)();
    let mut reports = deps.project.newest().await?;
    reports.retain(|report| now.duration_since(report.at) < RECONCILE_WINDOW);
    // The oldest first, so that versions are numbered as they were built.
    reports.sort_by_key(|report| report.at);
    tracing::info!(builds = reports.len(), "reconciling builds");
    let mut failed = 0;
    for report in reports {
        // One build that cannot be handled does not keep the others waiting.
        let Err(error) = process_build(deps, report.clone()).await else {
            continue;
        };
        telemetry::log_failure(&error, "the build could not be processed");
        let age = now.duration_since(report.at);
        let permanent = error.class() == Class::Permanent;
        let window = if permanent {
            DENIED_RETRY_WINDOW
        } else {
            RETRY_WINDOW
        };
        let is_pending = if age > window {
            !give_up(&deps.store, report, &error).await
        } else {
            !permanent
        };
        failed += usize::from(is_pending);
    }
    match failed {
        0 => Ok(()),
        failed => Err(Error::Several(failed)),
    }
}

/// Records the failure of a build that cannot be registered. Returns whether it was recorded.
async fn give_up(store: &impl Builds, report: BuildReport, error: &Error) -> bool {
    let failure = BuildFailure::not_registered(&error.to_string());
    let recorded = fail(store, &report.into(), failure).await;
    recorded
        .inspect_err(|error| {
            telemetry::log_failure(error, "the failure of the build could not be recorded");
        })
        .is_ok()
}

/// Registers a build or records its failure, unless that was done.
async fn process_build<S: Services>(deps: &Deps<S>, report: BuildReport) -> Result<(), Error> {
    let decision = decide(&report, &deps.config.build_project);
    if let BuildDecision::Ignore(why) = decision {
        tracing::info!(build.id = %report.build, "{}", why.as_str());
        return Ok(());
    }
    if deps.store.build(&report.build).await?.is_some() {
        tracing::debug!(build.id = %report.build, "the build is already recorded");
        return Ok(());
    }
    let log_stream = report.log_stream.clone();
    let build = EndedBuild::from(report);
    let record = match decision {
        BuildDecision::Fail(failure) => {
            let lines = last_lines(&deps.project, log_stream.as_deref()).await?;
            fail(&deps.store, &build, failure.with_log(&lines)).await?
        }
        _ => register(deps, build).await?,
    };
    match &record.end {
        BuildEnd::Registered { version } => {
            tracing::info!(build.id = %record.build_id, model = record.model.as_ref().map(AsRef::<str>::as_ref), %version, "the build was registered as a version");
        }
        BuildEnd::Failed(failure) => {
            tracing::info!(build.id = %record.build_id, code = %failure.code, phase = failure.phase.as_str(), "the build did not become a version");
        }
    }
    Ok(())
}

/// The last lines that a build logged. None if they cannot be read: the failure is recorded anyway.
async fn last_lines(
    project: &impl BuildProject,
    stream: Option<&str>,
) -> Result<Vec<String>, Error> {
    let Some(stream) = stream else {
        return Ok(Vec::new());
    };
    match project.last_lines(stream).await {
        Err(error) if error.class() == Class::Permanent => {
            telemetry::log_failure(&error, "the failed build's log cannot be read");
            Ok(Vec::new())
        }
        lines => Ok(lines?),
    }
}

async fn fail(
    store: &impl Builds,
    build: &EndedBuild,
    failure: BuildFailure,
) -> Result<Build, Error> {
    let record = build.record(BuildEnd::Failed(failure));
    Ok(store.create_build_if_absent(&record).await?)
}

/// Registers a build's version, or records why it cannot be one.
async fn register<S: Services>(deps: &Deps<S>, mut build: EndedBuild) -> Result<Build, Error> {
    let content = deps.files.read(&build.build_id.version_key()).await?;
    let (file, manifest) = match check(&deps.config, &build, content.as_deref()) {
        Ok(checked) => checked,
        Err(failure) => return fail(&deps.store, &build, failure).await,
    };
    build.requester.model = Some(manifest.name.to_string());
    build.requester.commit = build.requester.commit.or_else(|| file.commit.clone());
    let newest = newest_version(&deps.store, &manifest.name).await?;
    let mut spec = version_spec(file, manifest, build.requester.commit.clone());
    let name = &spec.manifest.name;
    let definition = JobDefinition {
        model: name.clone(),
        image: spec.image.clone(),
        role: deps.roles.role_of(name).await?,
        job: spec.manifest.job.clone(),
    };
    let known = newest
        .as_ref()
        .map(|newest| newest.spec.job_definition.as_str());
    spec.job_definition = match deps.definitions.define(&definition, known).await {
        Ok(arn) => arn,
        Err(DefineJobError::Refused(why)) => {
            let why = format!("AWS Batch refuses the job definition: {why}");
            return fail(&deps.store, &build, BuildFailure::refused(&why)).await;
        }
        Err(DefineJobError::Call(error)) => return Err(error.into()),
    };
    // The same image on another platform is another version, and so is one that was retired.
    if let Some(newest) = &newest
        && newest.spec.is_made_like(&spec)
        && newest.spec.job_definition == spec.job_definition
        && deps.store.retirement(name, newest.version).await?.is_none()
    {
        let version = newest.version;
        let record = build.record(BuildEnd::Registered { version });
        return Ok(deps.store.create_build_if_absent(&record).await?);
    }
    let seen = newest.map(|newest| newest.version);
    Ok(deps.store.register_build(&build, &spec, seen).await?)
}

/// Checks the version file that a build wrote.
fn check(
    config: &Config,
    build: &EndedBuild,
    content: Option<&[u8]>,
) -> Result<(VersionFile, Manifest), BuildFailure> {
    let file = VersionFile::read(&build.build_id, content)?;
    let manifest = file.manifest(&config.image_repository, &build.requester)?;
    declarations::check(&manifest, &file.input_schema, file.row_schema.as_deref())
        .map_err(|error| BuildFailure::refused(&error.to_string()))?;
    if config.jobs.platform == Platform::Fargate {
        fargate::check(&manifest.job).map_err(|error| BuildFailure::refused(&error.to_string()))?;
    }
    Ok((file, manifest))
}

fn version_spec(file: VersionFile, manifest: Manifest, commit: Option<String>) -> VersionSpec {
    let names_one = manifest
        .input
        .table
        .as_ref()
        .is_some_and(|table| table.schema.is_some());
    VersionSpec {
        input_schema: file.input_schema,
        // Whatever the build wrote: a schema that the manifest does not name does not count.
        row_schema: file.row_schema.filter(|_| names_one),
        image: file.image,
        job_definition: String::new(),
        commit,
        built_at: file.built_at,
        manifest,
    }
}
