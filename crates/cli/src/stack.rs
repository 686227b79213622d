//! The stack that the command uses, and the clients for it.

use std::{collections::BTreeMap, path::Path};

use aws_config::SdkConfig;
use aws_sdk_cloudformation::error::ProvideErrorMetadata as _;
use clap::ValueEnum as _;
use dropcast_aws::batch::BatchJobs;
use dropcast_local_stack::Connection;
use dropcast_store::DynamoStore;

use crate::{
    args::{Common, Platform},
    caller::Caller,
    exit::{CliError, Exit, REACH_ADVICE, join_causes},
};

/// The folder for the local stack's state, unless another one is named.
pub const DEFAULT_STATE_DIR: &str = ".dropcast";

/// The name of the local stack.
pub const LOCAL: &str = "local";

/// Region, credentials and endpoints as AWS's own tools find them.
pub(crate) async fn aws_config() -> Result<SdkConfig, CliError> {
    let loaded = dropcast_aws::load().await;
    loaded.map_err(|error| CliError::new(Exit::Usage, format!("{error}.")))
}

/// The stack that the command uses. Clients are built once.
#[derive(Debug)]
pub struct Stack {
    /// The CloudFormation stack's name, or [`LOCAL`].
    pub name: String,
    /// The bucket to which files are uploaded.
    pub inputs_bucket: String,
    /// The bucket that contains the results.
    pub results_bucket: String,
    /// The outputs of the template, by name.
    pub outputs: BTreeMap<String, String>,
    /// The configuration for further clients.
    pub config: SdkConfig,
    /// S3.
    pub s3: aws_sdk_s3::Client,
    /// The runs table.
    pub store: DynamoStore,
    /// The local stack, if it is that.
    pub local: Option<Connection>,
}

impl Stack {
    /// Finds the stack: the deployed one that `--stack` names, otherwise the local one if it is up.
    pub async fn find(common: &Common) -> anyhow::Result<Self> {
        match common.stack.as_deref() {
            Some(name) if name != LOCAL => Self::deployed(name).await,
            _ => Self::from_connection(attach(&common.state_dir)?),
        }
    }

    /// A running local stack.
    pub fn from_connection(connection: Connection) -> anyhow::Result<Self> {
        let config = connection.sdk_config();
        Ok(Self {
            name: LOCAL.to_owned(),
            inputs_bucket: connection.output("InputsBucketName")?.to_owned(),
            results_bucket: connection.output("ResultsBucketName")?.to_owned(),
            s3: aws_sdk_s3::Client::new(&config),
            store: DynamoStore::new(
                aws_sdk_dynamodb::Client::new(&config),
                connection.output("RunsTableName")?,
            ),
            config,
            outputs: connection.outputs.clone(),
            local: Some(connection),
        })
    }

    /// The jobs in AWS Batch, which the local stack emulates at an endpoint of its own.
    pub fn jobs(&self) -> BatchJobs {
        let local = self.local.as_ref().map(Connection::batch_sdk_config);
        let config = local.as_ref().unwrap_or(&self.config);
        BatchJobs::new(aws_sdk_batch::Client::new(config))
    }

    /// Identifies the caller.
    pub async fn caller(&self) -> Result<Caller, CliError> {
        Caller::identify(&self.config).await
    }

    /// The platform of its jobs, if the stack has that output.
    pub fn platform(&self) -> Option<Platform> {
        let output = self.outputs.get("JobPlatform")?;
        Platform::from_str(output, true).ok()
    }

    /// The beginning of a command for this stack.
    pub fn command(&self) -> String {
        match &self.local {
            Some(local) => local_command(&local.state),
            None => format!("{} --stack {}", program(), self.name),
        }
    }

    async fn deployed(name: &str) -> anyhow::Result<Self> {
        let config = aws_config().await?;
        let outputs = load_outputs(&config, name).await?;
        let output = |wanted: &str| {
            outputs.get(wanted).cloned().ok_or_else(|| {
                CliError::new(
                    Exit::NoStack,
                    format!("The CloudFormation stack {name} is not a Dropcast stack: it has no output {wanted}."),
                )
                .advice("Name the stack that was deployed from template.yaml; `aws cloudformation list-stacks` lists all stacks.")
            })
        };
        Ok(Self {
            name: name.to_owned(),
            inputs_bucket: output("InputsBucketName")?,
            results_bucket: output("ResultsBucketName")?,
            s3: aws_sdk_s3::Client::new(&config),
            store: DynamoStore::new(
                aws_sdk_dynamodb::Client::new(&config),
                output("RunsTableName")?,
            ),
            config,
            outputs,
            local: None,
        })
    }

    /// An output that a stack from an older template may lack.
    pub fn output(&self, name: &str) -> Result<&str, CliError> {
        self.outputs.get(name).map(String::as_str).ok_or_else(|| {
            CliError::new(
                Exit::NoStack,
                format!("The stack {} has no output {name}.", self.name),
            )
            .advice("It was deployed from an older template. Deploy it again.")
        })
    }
}

/// The name of this program in commands that are shown to users: its path, if it was called by its
/// path.
pub fn program() -> String {
    let called = std::env::args_os().next().unwrap_or_default();
    let called = Path::new(&called);
    if called.components().count() < 2 {
        return "dropcast".to_owned();
    }
    let here = std::env::current_dir().unwrap_or_default();
    let short = called.strip_prefix(here).unwrap_or(called);
    short.display().to_string()
}

/// The beginning of a command for the local stack in a state folder.
pub fn local_command(state_dir: &Path) -> String {
    let is_default = std::env::var_os("DROPCAST_STATE_DIR").is_some()
        || std::path::absolute(state_dir).ok() == std::path::absolute(DEFAULT_STATE_DIR).ok();
    if is_default {
        program()
    } else {
        format!("{} --state-dir {}", program(), state_dir.display())
    }
}

/// Attaches to the local stack that is running in a state folder.
pub fn attach(state_dir: &Path) -> Result<Connection, CliError> {
    Connection::attach(state_dir).map_err(|error| match error {
        dropcast_local_stack::Error::NotUp { .. } => CliError::new(
            Exit::NoStack,
            format!(
                "No stack was found: no local stack is running in {}, and --stack is not given.",
                state_dir.display()
            ),
        )
        .advice(format!(
            "Start a local stack with `{} local up`, or name a deployed one with --stack NAME.",
            program()
        )),
        other => CliError::new(
            Exit::NoStack,
            format!(
                "The state of the local stack in {} cannot be read: {other}.",
                state_dir.display()
            ),
        )
        .advice(format!(
            "Stop the stack with `{} local down` and start it again.",
            program()
        )),
    })
}

/// Loads the outputs of a CloudFormation stack.
async fn load_outputs(config: &SdkConfig, name: &str) -> anyhow::Result<BTreeMap<String, String>> {
    let region = config
        .region()
        .map_or("no region", |region| region.as_ref());
    let answer = aws_sdk_cloudformation::Client::new(config)
        .describe_stacks()
        .stack_name(name)
        .send()
        .await
        .map_err(|error| match error.as_service_error() {
            // CloudFormation returns ValidationError for a stack that does not exist.
            Some(refusal) if refusal.code() == Some("ValidationError") => CliError::new(
                Exit::NoStack,
                format!("There is no CloudFormation stack {name} in {region}."),
            )
            .advice("Check the name, and the account and region with AWS_PROFILE and AWS_REGION."),
            _ => CliError::new(
                Exit::NoStack,
                format!(
                    "The stack {name} in {region} could not be read from CloudFormation: {}.",
                    join_causes(&error)
                ),
            )
            .advice(REACH_ADVICE),
        })?;
    Ok(answer
        .stacks()
        .iter()
        .flat_map(aws_sdk_cloudformation::types::Stack::outputs)
        .filter_map(|output| {
            Some((
                output.output_key()?.to_owned(),
                output.output_value()?.to_owned(),
            ))
        })
        .collect())
}
