//! The checks of the job queues and their compute environments.

use aws_sdk_batch::types::{CeState, CeStatus, JqState, JqStatus};
use dropcast_api_types::{Check, CheckName};

use super::{checks::no_answer, snapshot::StackSnapshot};
use crate::messages;

/// Checks the job queues and their compute environments.
pub(super) async fn check_queues(snapshot: &StackSnapshot) -> Vec<Check> {
    let wanted = [
        (
            CheckName::Queue,
            CheckName::Compute,
            snapshot.output("JobQueueArn"),
        ),
        (
            CheckName::LargeQueue,
            CheckName::LargeCompute,
            snapshot.output("LargeJobQueueArn"),
        ),
    ];
    let mut checks = Vec::new();
    for (name, compute, queue) in wanted {
        match queue {
            Some(queue) => checks.extend(check_queue(snapshot, name, compute, queue).await),
            None if name == CheckName::Queue => checks.push(Check::fail(
                name,
                "The stack has no job queue.",
                "Deploy the template of this release.",
            )),
            None => {}
        }
    }
    checks
}

async fn check_queue(
    snapshot: &StackSnapshot,
    name: CheckName,
    compute: CheckName,
    queue: &str,
) -> Vec<Check> {
    let answer = snapshot.batch.describe_job_queues().job_queues(queue);
    let found = match answer.send().await {
        Ok(answer) => answer.job_queues.and_then(|mut queues| queues.pop()),
        Err(error) => return vec![no_answer(name, "Batch", &error)],
    };
    let Some(found) = found else {
        return vec![Check::fail(
            name,
            format!("The job queue {queue} does not exist."),
            "Deploy again, or set JobQueueArn to an existing queue.",
        )];
    };
    let (state, status) = (found.state(), found.status());
    let reason = found.status_reason().unwrap_or_default();
    let describe_state = |what: &str, state: &str, status: &str, reason: &str| {
        let reason = if reason.is_empty() {
            String::new()
        } else {
            format!(" {reason}")
        };
        format!("{what} is {state} and {status}.{reason}")
    };
    let word = |word: Option<&str>| word.unwrap_or("of unknown state").to_owned();
    let message = describe_state(
        &format!("The job queue {}", shorten_arn(queue)),
        &word(state.map(JqState::as_str)),
        &word(status.map(JqStatus::as_str)),
        reason,
    );
    let is_usable = state == Some(&JqState::Enabled) && status == Some(&JqStatus::Valid);
    let mut checks = vec![if is_usable {
        Check::ok(name, message)
    } else {
        Check::fail(
            name,
            message,
            "Jobs wait until it is ENABLED and VALID; fix what the reason says.",
        )
    }];
    let environments: Vec<&str> = found
        .compute_environment_order()
        .iter()
        .filter_map(|order| order.compute_environment())
        .collect();
    if environments.is_empty() {
        checks.push(Check::fail(
            compute,
            "The queue has no compute environment, so jobs cannot start.",
            "Deploy again, or add a compute environment to the queue.",
        ));
        // Without names, Batch would describe all environments of the account.
        return checks;
    }
    let mut describe = snapshot.batch.describe_compute_environments();
    for environment in &environments {
        describe = describe.compute_environments(*environment);
    }
    let described = match describe.send().await {
        Ok(answer) => answer.compute_environments.unwrap_or_default(),
        Err(error) => {
            checks.push(no_answer(compute, "Batch", &error));
            return checks;
        }
    };
    if described.len() < environments.len() {
        checks.push(Check::fail(
            compute,
            format!(
                "The queue refers to {}, of which {} exist.",
                messages::format_count(environments.len() as u64, "compute environment"),
                described.len()
            ),
            "Deploy again, or remove the deleted ones from the queue.",
        ));
    }
    for environment in described {
        let (state, status) = (environment.state(), environment.status());
        let message = describe_state(
            &format!(
                "The compute environment {}",
                environment.compute_environment_name().unwrap_or_default()
            ),
            &word(state.map(CeState::as_str)),
            &word(status.map(CeStatus::as_str)),
            environment.status_reason().unwrap_or_default(),
        );
        let is_usable = state == Some(&CeState::Enabled) && status == Some(&CeStatus::Valid);
        checks.push(if is_usable {
            Check::ok(compute, message)
        } else {
            Check::fail(
                compute,
                message,
                "Jobs wait until it is ENABLED and VALID. The reason names the role, subnet or instance type to fix: https://docs.aws.amazon.com/batch/latest/userguide/invalid_compute_environment.html",
            )
        });
    }
    checks
}

/// The last part of an ARN.
fn shorten_arn(arn: &str) -> &str {
    arn.rsplit(['/', ':']).next().unwrap_or(arn)
}
