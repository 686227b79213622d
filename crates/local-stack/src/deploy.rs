//! Deploys the packaged template through CloudFormation and reads what it made.

use std::{collections::BTreeMap, time::Duration};

use aws_config::SdkConfig;
use aws_sdk_cloudformation as cloudformation;
use aws_sdk_s3 as s3;
use cloudformation::types::{Capability, Parameter, Stack, StackStatus, Tag};
use s3::{
    config::RequestChecksumCalculation,
    error::ProvideErrorMetadata,
    primitives::ByteStream,
    types::{BucketLocationConstraint, CreateBucketConfiguration},
};
use tokio::{task::JoinSet, time::sleep};

use crate::{
    Error,
    package::{Artifact, Packaged, TEMPLATE},
};

/// The bucket for packages and templates.
pub(crate) const BUCKET: &str = "dropcast-artifacts";
/// The id that the emulator gives the links' API, so that the links' address is known before.
pub(crate) const API_ID: &str = "links";
/// The tag of a stack that the emulator takes such an id from.
const API_ID_TAG: &str = "ms-custom-id";
const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// Where the links' API answers: by path, because no name resolves to an API of the emulator.
pub(crate) fn link_base_url(endpoint: &str) -> String {
    format!("{endpoint}/_aws/execute-api/{API_ID}")
}

/// Puts the templates and everything that they need into the artifact bucket.
pub(crate) async fn upload(config: &SdkConfig, packaged: Packaged) -> Result<(), Error> {
    // Packages travel within the machine, and a debug build is slow at checksums.
    let config = s3::config::Builder::from(config)
        .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
        .force_path_style(true)
        .build();
    let client = s3::Client::from_conf(config);
    // S3 wants a bucket's region said twice.
    let region = client
        .config()
        .region()
        .map_or("us-east-1", s3::config::Region::as_ref);
    let place = CreateBucketConfiguration::builder()
        .location_constraint(BucketLocationConstraint::from(region))
        .build();
    let created = client
        .create_bucket()
        .bucket(BUCKET)
        .create_bucket_configuration(place)
        .send()
        .await;
    if let Err(error) = created
        && error.code() != Some("BucketAlreadyOwnedByYou")
    {
        return Err(Error::call("creating the bucket for packages")(error));
    }
    let mut uploads = JoinSet::new();
    for (key, artifact) in packaged.artifacts {
        let client = client.clone();
        uploads.spawn(async move {
            let doing = || format!("uploading {key}");
            let body = match artifact {
                Artifact::File(file) => ByteStream::from_path(&file)
                    .await
                    .map_err(Error::call(doing()))?,
                Artifact::Template(text) => ByteStream::from(text.into_bytes()),
            };
            let put = client.put_object().bucket(BUCKET).key(&key).body(body);
            put.send().await.map_err(Error::call(doing()))?;
            Ok::<(), Error>(())
        });
    }
    while let Some(done) = uploads.join_next().await {
        done.map_err(Error::call("uploading the packages"))??;
    }
    Ok(())
}

/// Creates or updates the stack, and returns its outputs by name.
pub(crate) async fn deploy(
    config: &SdkConfig,
    name: &str,
    parameters: &BTreeMap<String, String>,
) -> Result<BTreeMap<String, String>, Error> {
    let client = cloudformation::Client::new(config);
    let url = format!(
        "{}/{BUCKET}/{TEMPLATE}",
        config.endpoint_url().unwrap_or_default()
    );
    let parameters: Vec<Parameter> = parameters
        .iter()
        .map(|(key, value)| {
            Parameter::builder()
                .parameter_key(key)
                .parameter_value(value)
                .build()
        })
        .collect();
    let tag = Tag::builder().key(API_ID_TAG).value(API_ID).build();
    let capabilities = [Capability::CapabilityIam, Capability::CapabilityAutoExpand];
    if find(&client, name).await?.is_none() {
        let create = client
            .create_stack()
            .stack_name(name)
            .template_url(url)
            .set_parameters(Some(parameters))
            .set_capabilities(Some(capabilities.to_vec()))
            .tags(tag)
            // What failed is then still there to be looked at.
            .disable_rollback(true);
        create.send().await.map_err(|error| refused(&error))?;
    } else {
        let update = client
            .update_stack()
            .stack_name(name)
            .template_url(url)
            .set_parameters(Some(parameters))
            .set_capabilities(Some(capabilities.to_vec()))
            .tags(tag);
        match update.send().await {
            Err(error) if !says(&error, "No updates are to be performed") => {
                return Err(refused(&error));
            }
            _ => {}
        }
    }
    wait_until_settled(&client, name).await
}

/// Verifies the sender's address: SES refuses addresses that are not verified.
pub(crate) async fn verify_sender(config: &SdkConfig, address: &str) -> Result<(), Error> {
    let client = aws_sdk_ses::Client::new(config);
    let verify = client.verify_email_identity().email_address(address);
    verify
        .send()
        .await
        .map_err(Error::call(format!("verifying the sender {address}")))?;
    Ok(())
}

async fn wait_until_settled(
    client: &cloudformation::Client,
    name: &str,
) -> Result<BTreeMap<String, String>, Error> {
    loop {
        let stack = find(client, name).await?.ok_or_else(|| Error::Deployment {
            status: format!("the stack {name} no longer exists"),
            reasons: String::new(),
        })?;
        match stack.stack_status() {
            Some(StackStatus::CreateComplete | StackStatus::UpdateComplete) => {
                return Ok(outputs(&stack));
            }
            Some(status) if status.as_str().ends_with("_IN_PROGRESS") => sleep(POLL_INTERVAL).await,
            status => {
                return Err(Error::Deployment {
                    status: format!(
                        "the stack {name} is {}",
                        status.map_or("without a status", StackStatus::as_str)
                    ),
                    reasons: reasons(client, name, &stack).await,
                });
            }
        }
    }
}

async fn find(client: &cloudformation::Client, name: &str) -> Result<Option<Stack>, Error> {
    match client.describe_stacks().stack_name(name).send().await {
        Ok(answer) => Ok(answer.stacks.unwrap_or_default().pop()),
        Err(error) if says(&error, "does not exist") => Ok(None),
        Err(error) => Err(Error::call(format!("looking for the stack {name}"))(error)),
    }
}

fn outputs(stack: &Stack) -> BTreeMap<String, String> {
    let named = stack.outputs().iter().filter_map(|output| {
        let (key, value) = (output.output_key()?, output.output_value()?);
        Some((key.to_owned(), value.to_owned()))
    });
    named.collect()
}

/// Why resources failed, in the order in which they did, those of nested stacks included; the stack's own
/// reason when none did.
async fn reasons(client: &cloudformation::Client, name: &str, stack: &Stack) -> String {
    let mut failed = Vec::new();
    for nested in nested_stacks(client, stack).await {
        failed.extend(failures(client, &nested).await);
    }
    failed.extend(failures(client, name).await);
    if failed.is_empty() {
        failed.extend(stack.stack_status_reason().map(str::to_owned));
    }
    failed.join("\n")
}

/// The names of the stacks that a stack nests, at any depth.
async fn nested_stacks(client: &cloudformation::Client, stack: &Stack) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut parents: Vec<String> = stack.stack_id().map(str::to_owned).into_iter().collect();
    let mut pages = client.describe_stacks().into_paginator().send();
    let mut all = Vec::new();
    while let Some(Ok(page)) = pages.next().await {
        all.extend(page.stacks.unwrap_or_default());
    }
    while let Some(parent) = parents.pop() {
        for nested in all.iter().filter(|one| one.parent_id() == Some(&parent)) {
            parents.extend(nested.stack_id().map(str::to_owned));
            found.extend(nested.stack_name().map(str::to_owned));
        }
    }
    found
}

/// Why resources of one stack failed, in the order in which they did.
async fn failures(client: &cloudformation::Client, name: &str) -> Vec<String> {
    let events = client.describe_stack_events().stack_name(name).send().await;
    let mut failed: Vec<String> = events
        .map(|answer| answer.stack_events.unwrap_or_default())
        .unwrap_or_default()
        .iter()
        .filter(|event| {
            let status = event.resource_status().map_or("", |status| status.as_str());
            status.ends_with("_FAILED") && event.logical_resource_id() != Some(name)
        })
        .map(|event| {
            format!(
                "{} ({}): {}",
                event.logical_resource_id().unwrap_or("?"),
                event.resource_type().unwrap_or("?"),
                event.resource_status_reason().unwrap_or("no reason given")
            )
        })
        .collect();
    // Events come with the newest first.
    failed.reverse();
    failed
}

fn says(error: &impl ProvideErrorMetadata, words: &str) -> bool {
    error.message().is_some_and(|text| text.contains(words))
}

fn refused(error: &impl ProvideErrorMetadata) -> Error {
    Error::Deployment {
        status: "CloudFormation refused the template".to_owned(),
        reasons: error
            .message()
            .or(error.code())
            .unwrap_or("It did not respond.")
            .to_owned(),
    }
}
