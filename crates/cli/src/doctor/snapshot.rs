//! The state of a stack, and the clients that the checks need.

use std::collections::BTreeMap;

use anyhow::Context as _;
use aws_config::SdkConfig;
use aws_sdk_cloudformation as cloudformation;

use crate::{
    exit::{CliError, Exit, REACH_ADVICE, join_causes},
    stack::{Stack, aws_config},
};

/// The state of a stack as CloudFormation describes it, and the clients that the checks need.
#[derive(Debug)]
pub(super) struct StackSnapshot {
    /// The CloudFormation stack's name.
    pub(super) name: String,
    /// Its status in CloudFormation.
    pub(super) status: String,
    /// The reason for the status, if CloudFormation gives one.
    pub(super) reason: Option<String>,
    /// Its outputs.
    pub(super) outputs: BTreeMap<String, String>,
    /// Its parameters.
    pub(super) parameters: BTreeMap<String, String>,
    /// Whether it is the local stack.
    pub(super) local: bool,
    pub(super) cloudformation: cloudformation::Client,
    pub(super) batch: aws_sdk_batch::Client,
    pub(super) sqs: aws_sdk_sqs::Client,
    /// Verified identities, by the older of SES's two APIs, which emulators support better.
    pub(super) identities: aws_sdk_ses::Client,
    /// The account's sending limits, which only the newer API returns.
    pub(super) mailing: aws_sdk_sesv2::Client,
    pub(super) cloudwatch: aws_sdk_cloudwatch::Client,
    pub(super) http: reqwest::Client,
}

impl StackSnapshot {
    /// Loads the state of the stack that the command uses.
    pub(super) async fn load(stack: &Stack) -> anyhow::Result<Self> {
        let (name, aws, batch): (String, SdkConfig, SdkConfig) = if let Some(local) = &stack.local {
            let (aws, batch) = (local.sdk_config(), local.batch_sdk_config());
            (local.stack_name.clone(), aws, batch)
        } else {
            let aws = aws_config().await?;
            (stack.name.clone(), aws.clone(), aws)
        };
        let cloudformation = cloudformation::Client::new(&aws);
        let described = cloudformation
            .describe_stacks()
            .stack_name(&name)
            .send()
            .await
            .map_err(|error| {
                let message = format!(
                    "The stack {name} could not be read from CloudFormation: {}.",
                    join_causes(&error)
                );
                CliError::new(Exit::NoStack, message).advice(REACH_ADVICE)
            })?;
        let described = described
            .stacks
            .and_then(|mut stacks| stacks.pop())
            .with_context(|| format!("CloudFormation returned no stack {name}"))?;
        let outputs = described.outputs().iter();
        let outputs = outputs
            .filter_map(|one| Some((one.output_key()?.to_owned(), one.output_value()?.to_owned())));
        let parameters = described.parameters().iter();
        let parameters = parameters.filter_map(|one| {
            let value = one.resolved_value().or(one.parameter_value())?;
            Some((one.parameter_key()?.to_owned(), value.to_owned()))
        });
        Ok(Self {
            status: described
                .stack_status()
                .map_or_else(String::new, |status| status.as_str().to_owned()),
            reason: described.stack_status_reason().map(str::to_owned),
            outputs: outputs.collect(),
            parameters: parameters.collect(),
            local: stack.local.is_some(),
            batch: aws_sdk_batch::Client::new(&batch),
            sqs: aws_sdk_sqs::Client::new(&aws),
            identities: aws_sdk_ses::Client::new(&aws),
            mailing: aws_sdk_sesv2::Client::new(&aws),
            cloudwatch: aws_sdk_cloudwatch::Client::new(&aws),
            http: reqwest::Client::builder()
                .redirect(reqwest::redirect::Policy::none())
                .timeout(std::time::Duration::from_secs(20))
                .build()?,
            cloudformation,
            name,
        })
    }

    /// An output, unless it is empty or `none`.
    pub(super) fn output(&self, name: &str) -> Option<&str> {
        let output = self.outputs.get(name)?;
        (!output.is_empty() && output != "none").then_some(output)
    }
}
