//! Which stack the command talks to, and how.

use std::{collections::BTreeMap, path::Path};

use aws_config::SdkConfig;
use aws_sdk_cloudformation::error::ProvideErrorMetadata as _;
use dropcast_local_stack::Connection;
use dropcast_store::DynamoStore;

use clap::ValueEnum as _;

use crate::{
    args::{Common, Platform},
    caller::Caller,
    exit::{Exit, REACH_ADVICE, Stop, causes},
};

/// How the local stack is called where a stack's name is asked for.
pub const LOCAL: &str = "local";

/// Region, credentials and endpoints as AWS's own tools find them.
pub(crate) async fn aws_config() -> Result<SdkConfig, Stop> {
    let loaded = dropcast_aws::load().await;
    loaded.map_err(|error| Stop::new(Exit::Usage, format!("{error}.")))
}

/// A stack that the command talks to. Clients are built once.
#[derive(Debug)]
pub struct Stack {
    /// The CloudFormation stack's name, or [`LOCAL`].
    pub name: String,
    /// The bucket that files are dropped in.
    pub inputs_bucket: String,
    /// The bucket that results are kept in.
    pub results_bucket: String,
    /// The outputs of the template, by name.
    pub outputs: BTreeMap<String, String>,
    /// What further clients are made of.
    pub config: SdkConfig,
    /// S3.
    pub s3: aws_sdk_s3::Client,
    /// The runs table.
    pub store: DynamoStore,
    /// The local stack, if it is that.
    pub local: Option<Connection>,
}

impl Stack {
    /// The stack that the command line asks for: the deployed one that `--stack`
    /// names, otherwise the local one if it is up.
    pub async fn find(common: &Common) -> anyhow::Result<Self> {
        match common.stack.as_deref() {
            Some(name) if name != LOCAL => Self::deployed(name).await,
            _ => Self::of_connection(attach(&common.state_dir)?),
        }
    }

    /// A local stack that is up.
    pub fn of_connection(connection: Connection) -> anyhow::Result<Self> {
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

    /// Who does this, and when.
    pub async fn caller(&self) -> Result<Caller, Stop> {
        Caller::ask(&self.config).await
    }

    /// What its jobs run on, where it says so.
    pub fn platform(&self) -> Option<Platform> {
        let output = self.outputs.get("JobPlatform")?;
        Platform::from_str(output, true).ok()
    }

    /// How a command for this stack begins.
    pub fn command(&self) -> String {
        match self.local {
            Some(_) => program(),
            None => format!("{} --stack {}", program(), self.name),
        }
    }

    async fn deployed(name: &str) -> anyhow::Result<Self> {
        let config = aws_config().await?;
        let outputs = outputs_of(&config, name).await?;
        let output = |wanted: &str| {
            outputs.get(wanted).cloned().ok_or_else(|| {
                Stop::new(
                    Exit::NoStack,
                    format!("The CloudFormation stack {name} is no stack of Dropcast: it has no output {wanted}."),
                )
                .advice("Name the stack that template.yaml was deployed as; `aws cloudformation list-stacks` lists all.")
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

    /// An output that an older deployment may lack.
    pub fn output(&self, name: &str) -> Result<&str, Stop> {
        self.outputs.get(name).map(String::as_str).ok_or_else(|| {
            Stop::new(
                Exit::NoStack,
                format!("The stack {} has no output {name}.", self.name),
            )
            .advice("It was deployed from an older template: deploy it again.")
        })
    }
}

/// How this program was called, for commands that are shown to be typed: a
/// build that is on no `PATH` is called by its path.
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

/// The local stack that is up in a state folder.
pub fn attach(state_dir: &Path) -> Result<Connection, Stop> {
    Connection::attach(state_dir).map_err(|error| match error {
        dropcast_local_stack::Error::NotUp { .. } => Stop::new(
            Exit::NoStack,
            format!("No stack was found: none is up on this machine (looked in {}), and --stack names no deployed one.", state_dir.display()),
        )
        .advice(format!("Start one with `{} local up`, or name a deployed one with --stack NAME.", program())),
        other => Stop::new(
            Exit::NoStack,
            format!("The local stack in {} does not read back: {other}.", state_dir.display()),
        )
        .advice(format!("Stop it with `{} local down` and start it again.", program())),
    })
}

/// The outputs of a CloudFormation stack.
async fn outputs_of(config: &SdkConfig, name: &str) -> anyhow::Result<BTreeMap<String, String>> {
    let region = config
        .region()
        .map_or("no region at all", |region| region.as_ref());
    let answer = aws_sdk_cloudformation::Client::new(config)
        .describe_stacks()
        .stack_name(name)
        .send()
        .await
        .map_err(|error| match error.as_service_error() {
            // CloudFormation says ValidationError for a stack that does not exist.
            Some(refusal) if refusal.code() == Some("ValidationError") => Stop::new(
                Exit::NoStack,
                format!("There is no CloudFormation stack {name} in {region}."),
            )
            .advice("Check the name, and the account and region with AWS_PROFILE and AWS_REGION."),
            _ => Stop::new(
                Exit::NoStack,
                format!(
                    "CloudFormation was asked for the stack {name} in {region} and did not answer: {}.",
                    causes(&error)
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
