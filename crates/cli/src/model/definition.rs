//! The job definition of an image that exists already. One that `submit-job` may not use would be found
//! out only by the version's first run.

use aws_sdk_batch::Client;
use dropcast_aws::batch::names::{STACK_TAG, definition_name, is_revision_of};
use dropcast_domain::model::ModelName;

use crate::{
    exit::{CliError, Exit, join_causes},
    stack::Stack,
};

/// Refuses a definition that is not active, or not the stack's own by its name and its tag.
pub(super) async fn check(stack: &Stack, arn: &str, model: &ModelName) -> anyhow::Result<()> {
    let name = definition_name(&stack.name, model);
    if !is_revision_of(arn, &name) {
        return Err(CliError::new(
            Exit::NotAccepted,
            format!("{arn} is not a revision of the job definition {name}, and the stack {} may run {model} with no other.", stack.name),
        )
        .advice(format!("Register the job definition in AWS Batch under the name {name}, and give the ARN with its revision, which ends in {name}:1."))
        .into());
    }
    let described = Client::new(&stack.config)
        .describe_job_definitions()
        .job_definitions(arn)
        .send()
        .await
        .map_err(|error| {
            let message = format!("AWS Batch cannot describe {arn}: {}.", join_causes(&error));
            CliError::new(Exit::NoStack, message)
                .advice("Check the network, the credentials and the region; registering needs batch:DescribeJobDefinitions.")
        })?;
    let found = described.job_definitions().first();
    let Some(found) = found.filter(|found| found.status() == Some("ACTIVE")) else {
        return Err(CliError::new(
            Exit::NotFound,
            format!("AWS Batch has no active job definition {arn}."),
        )
        .advice(format!("`aws batch describe-job-definitions --job-definition-name {name} --status ACTIVE` lists those that it has."))
        .into());
    };
    let tag = found.tags().and_then(|tags| tags.get(STACK_TAG));
    if tag != Some(&stack.name) {
        return Err(CliError::new(
            Exit::NotAccepted,
            format!("{arn} does not have the tag {STACK_TAG}={}, without which the stack may not run it.", stack.name),
        )
        .advice(format!("Add it: aws batch tag-resource --resource-arn {arn} --tags {STACK_TAG}={}", stack.name))
        .into());
    }
    Ok(())
}
