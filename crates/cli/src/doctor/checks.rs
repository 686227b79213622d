//! What is looked at, and how it is judged.

use std::net::IpAddr;

use aws_sdk_batch::types::{CeState, CeStatus, JqState, JqStatus};
use aws_sdk_cloudwatch::types::StateValue;
use aws_sdk_ses::types::{IdentityVerificationAttributes, VerificationStatus};
use aws_sdk_sqs::types::QueueAttributeName;
use dropcast_api_types::{Check, CheckName};
use futures::{StreamExt as _, stream};

use super::patient::Patient;
use crate::{exit::causes, words};

/// Alarms that CloudWatch describes at once:
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarms.html>.
const ALARMS_AT_ONCE: usize = 100;

/// Everything, in the order in which it is told.
pub(super) async fn all(patient: &Patient) -> Vec<Check> {
    let (sender, sandbox, queues, links, dead_letters, alarms) = futures::join!(
        sender(patient),
        sandbox(patient),
        queues(patient),
        links(patient),
        dead_letters(patient),
        alarms(patient),
    );
    let mut checks = vec![stack(patient), sender, sandbox];
    checks.extend(queues);
    checks.extend([egress(patient), links, dead_letters, alarms]);
    checks
}

/// A call that did not answer is no good news and no bad news.
fn unanswered(name: CheckName, service: &str, error: &(dyn std::error::Error + 'static)) -> Check {
    Check::not_checked(
        name,
        format!("{service} did not answer: {}.", causes(error)),
    )
    .advice("Check that your credentials may ask for it, and try again.")
}

fn stack(patient: &Patient) -> Check {
    const NAME: CheckName = CheckName::Stack;
    let Patient { name, status, .. } = patient;
    let reason = patient
        .reason
        .as_ref()
        .map_or_else(String::new, |reason| format!(" {reason}"));
    let message = format!("The stack {name} is {status}.{reason}");
    match status.as_str() {
        "CREATE_COMPLETE" | "UPDATE_COMPLETE" | "IMPORT_COMPLETE" => Check::ok(NAME, message),
        "UPDATE_ROLLBACK_COMPLETE" | "IMPORT_ROLLBACK_COMPLETE" => Check::warn(
            NAME,
            message,
            "The last deployment was rolled back. The stack's events say why; fix it and deploy again.",
        ),
        status if status.ends_with("_IN_PROGRESS") => {
            Check::warn(NAME, message, "Wait until it is done, and look again.")
        }
        _ => Check::fail(
            NAME,
            message,
            "The stack's events say why; fix it and deploy again.",
        ),
    }
}

async fn sender(patient: &Patient) -> Check {
    const NAME: CheckName = CheckName::Sender;
    let Some(address) = patient.parameters.get("SenderAddress") else {
        return Check::not_checked(NAME, "The stack has no parameter SenderAddress.");
    };
    let domain = address.rsplit('@').next().unwrap_or_default();
    // Mail may come from an address, or from any address of a domain or of one below it, that is
    // verified: https://docs.aws.amazon.com/ses/latest/dg/creating-identities.html
    let identities: Vec<&str> = std::iter::once(address.as_str())
        .chain(with_parents(domain))
        .collect();
    let asked = patient.identities.get_identity_verification_attributes();
    let asked = asked.set_identities(Some(identities.iter().map(ToString::to_string).collect()));
    let answer = match asked.send().await {
        Ok(answer) => answer.verification_attributes,
        Err(error) => return unanswered(NAME, "SES", &error),
    };
    let mut refused = Vec::new();
    for identity in identities {
        let found = answer.get(identity);
        match found.map(IdentityVerificationAttributes::verification_status) {
            Some(VerificationStatus::Success) => {
                return Check::ok(
                    NAME,
                    format!("SES may send as {address}: {identity} is verified."),
                );
            }
            Some(status) => {
                let status = status.as_str().to_lowercase();
                refused.push(format!("the verification of {identity} is {status}"));
            }
            None => refused.push(format!("{identity} is no identity of this account")),
        }
    }
    Check::fail(
        NAME,
        format!(
            "SES does not send as {address}: {}.",
            refused.join(", and ")
        ),
        format!(
            "Verify it: aws sesv2 create-email-identity --email-identity {domain}, and follow what SES answers."
        ),
    )
}

/// A domain and those above it, but for the last: `mail.corp.example`, `corp.example`.
fn with_parents(domain: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(domain), |domain| {
        domain.split_once('.').map(|(_, parent)| parent)
    })
    .filter(|domain| domain.contains('.'))
}

async fn sandbox(patient: &Patient) -> Check {
    const NAME: CheckName = CheckName::Sandbox;
    if patient.local {
        return Check::not_checked(NAME, "Mails of the local stack do not leave this machine.");
    }
    match patient.mailing.get_account().send().await {
        Err(error) => unanswered(NAME, "SES", &error),
        Ok(account) if !account.sending_enabled() => Check::fail(
            NAME,
            "SES has paused this account's sending.",
            "The account's reputation dashboard in the SES console says why.",
        ),
        Ok(account) if !account.production_access_enabled() => Check::fail(
            NAME,
            "SES keeps this account in its sandbox: only verified recipients are mailed, 200 a day.",
            "Ask for production access: https://docs.aws.amazon.com/ses/latest/dg/request-production-access.html",
        ),
        Ok(account) => {
            let quota = account.send_quota();
            let (most, sent) = quota.map_or((0.0, 0.0), |quota| {
                (quota.max24_hour_send(), quota.sent_last24_hours())
            });
            let message = format!(
                "SES sends to everybody; {sent} of {most} mails were sent in the last 24 hours."
            );
            // The quota is -1 where there is no limit.
            if most > 0.0 && sent > 0.8 * most {
                let advice =
                    "Ask SES for a larger quota before mails have to wait for the next day.";
                Check::warn(NAME, message, advice)
            } else {
                Check::ok(NAME, message)
            }
        }
    }
}

/// The queues that jobs go to, and what runs them.
async fn queues(patient: &Patient) -> Vec<Check> {
    let wanted = [
        (
            CheckName::Queue,
            CheckName::Compute,
            patient.output("JobQueueArn"),
        ),
        (
            CheckName::LargeQueue,
            CheckName::LargeCompute,
            patient.output("LargeJobQueueArn"),
        ),
    ];
    let mut checks = Vec::new();
    for (name, compute, queue) in wanted {
        match queue {
            Some(queue) => checks.extend(one_queue(patient, name, compute, queue).await),
            None if name == CheckName::Queue => checks.push(Check::fail(
                name,
                "The stack names no job queue.",
                "Deploy the template of this release.",
            )),
            None => {}
        }
    }
    checks
}

async fn one_queue(
    patient: &Patient,
    name: CheckName,
    compute: CheckName,
    queue: &str,
) -> Vec<Check> {
    let answer = patient.batch.describe_job_queues().job_queues(queue);
    let found = match answer.send().await {
        Ok(answer) => answer.job_queues.and_then(|mut queues| queues.pop()),
        Err(error) => return vec![unanswered(name, "Batch", &error)],
    };
    let Some(found) = found else {
        return vec![Check::fail(
            name,
            format!("There is no job queue {queue}."),
            "Deploy again, or name a queue that exists with JobQueueArn.",
        )];
    };
    let (state, status) = (found.state(), found.status());
    let reason = found.status_reason().unwrap_or_default();
    let said = |what: &str, state: &str, status: &str, reason: &str| {
        let reason = if reason.is_empty() {
            String::new()
        } else {
            format!(" {reason}")
        };
        format!("{what} is {state} and {status}.{reason}")
    };
    let word = |word: Option<&str>| word.unwrap_or("of unknown state").to_owned();
    let message = said(
        &format!("The job queue {}", short(queue)),
        &word(state.map(JqState::as_str)),
        &word(status.map(JqStatus::as_str)),
        reason,
    );
    let fit = state == Some(&JqState::Enabled) && status == Some(&JqStatus::Valid);
    let mut checks = vec![if fit {
        Check::ok(name, message)
    } else {
        Check::fail(
            name,
            message,
            "Jobs wait until it is ENABLED and VALID; the reason says what it lacks.",
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
            "The queue has no compute environment: no job will ever start.",
            "Deploy again, or give the queue a compute environment.",
        ));
        // Asked for none, Batch would describe all of the account's.
        return checks;
    }
    let mut describe = patient.batch.describe_compute_environments();
    for environment in &environments {
        describe = describe.compute_environments(*environment);
    }
    let described = match describe.send().await {
        Ok(answer) => answer.compute_environments.unwrap_or_default(),
        Err(error) => {
            checks.push(unanswered(compute, "Batch", &error));
            return checks;
        }
    };
    if described.len() < environments.len() {
        checks.push(Check::fail(
            compute,
            format!(
                "The queue names {}, and Batch knows {} of them.",
                words::counted(environments.len() as u64, "compute environment"),
                described.len()
            ),
            "Deploy again, or take what is gone off the queue.",
        ));
    }
    for environment in described {
        let (state, status) = (environment.state(), environment.status());
        let message = said(
            &format!(
                "The compute environment {}",
                environment.compute_environment_name().unwrap_or_default()
            ),
            &word(state.map(CeState::as_str)),
            &word(status.map(CeStatus::as_str)),
            environment.status_reason().unwrap_or_default(),
        );
        let fit = state == Some(&CeState::Enabled) && status == Some(&CeStatus::Valid);
        checks.push(if fit {
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
fn short(arn: &str) -> &str {
    arn.rsplit(['/', ':']).next().unwrap_or(arn)
}

/// The address that databases see.
fn egress(patient: &Patient) -> Check {
    const NAME: CheckName = CheckName::Egress;
    let Some(said) = patient.output("EgressAddresses") else {
        return Check::not_checked(
            NAME,
            "The stack brings no network: jobs leave from the addresses of whatever runs them.",
        );
    };
    let addresses: Vec<&str> = said
        .split([',', ' '])
        .filter(|one| !one.is_empty())
        .collect();
    if !addresses.is_empty() && addresses.iter().all(|one| one.parse::<IpAddr>().is_ok()) {
        Check::ok(
            NAME,
            format!(
                "Jobs leave from {}: what a database's firewall has to allow.",
                addresses.join(" and ")
            ),
        )
    } else {
        Check::not_checked(
            NAME,
            format!("The addresses that jobs leave from are {said}."),
        )
    }
}

/// A link that nobody signed must be answered by open-link, with a refusal.
async fn links(patient: &Patient) -> Check {
    const NAME: CheckName = CheckName::Links;
    let Some(base) = patient.output("LinkBaseUrl") else {
        return Check::fail(
            NAME,
            "The stack has no LinkBaseUrl.",
            "Deploy the template of this release.",
        );
    };
    let url = format!("{}/r/forged-by-dropcast-doctor", base.trim_end_matches('/'));
    match patient.http.get(&url).send().await {
        Ok(answer) if answer.status() == 403 => {
            Check::ok(NAME, format!("{base} answers, and refuses a forged link."))
        }
        Ok(answer) if answer.status().is_server_error() => Check::fail(
            NAME,
            format!(
                "{base} answers {} to a forged link: links in mails do not open.",
                answer.status()
            ),
            "The log of open-link says why.",
        ),
        Ok(answer) => Check::fail(
            NAME,
            format!(
                "{base} answers {} to a forged link; 403 was due.",
                answer.status()
            ),
            "Whoever answers there is not this stack: correct LinkBaseUrl, or the domain name that stands before the API.",
        ),
        Err(error) => Check::fail(
            NAME,
            format!("{base} does not answer: {}.", causes(&error)),
            "Check LinkBaseUrl, the domain name that it holds, and that this machine may reach it.",
        ),
    }
}

async fn dead_letters(patient: &Patient) -> Check {
    const NAME: CheckName = CheckName::DeadLetters;
    let queues: Vec<(&String, &String)> = patient
        .outputs
        .iter()
        .filter(|(name, _)| name.ends_with("DeadLettersUrl"))
        .collect();
    let depths: Vec<_> = stream::iter(&queues)
        .map(async |(name, url)| {
            let attributes = patient.sqs.get_queue_attributes().queue_url(*url);
            let answer = attributes
                .attribute_names(QueueAttributeName::ApproximateNumberOfMessages)
                .send()
                .await;
            let name = name.trim_end_matches("DeadLettersUrl");
            answer.map(|answer| {
                let count = answer
                    .attributes
                    .and_then(|mut all| {
                        all.remove(&QueueAttributeName::ApproximateNumberOfMessages)
                    })
                    .unwrap_or_default();
                (name, count)
            })
        })
        .buffered(queues.len().max(1))
        .collect()
        .await;
    let mut held = Vec::new();
    for depth in depths {
        match depth {
            Ok((_, count)) if count == "0" => {}
            Ok((name, count)) => held.push(format!("{name}: {count}")),
            Err(error) => return unanswered(NAME, "SQS", &error),
        }
    }
    if queues.is_empty() {
        Check::not_checked(NAME, "The stack names no dead-letter queues.")
    } else if held.is_empty() {
        Check::ok(
            NAME,
            format!("All {} dead-letter queues are empty.", queues.len()),
        )
    } else {
        Check::fail(
            NAME,
            format!("Messages were given up on ({}).", held.join(", ")),
            "Mend what the log of the function behind the queue says, then redrive the queue; docs/OPERATIONS.md has the commands.",
        )
    }
}

async fn alarms(patient: &Patient) -> Check {
    const NAME: CheckName = CheckName::Alarms;
    if patient.local {
        return Check::not_checked(
            NAME,
            "The local stack measures nothing that an alarm could look at.",
        );
    }
    let mut names = Vec::new();
    // The root stack has none of its own: a function's alarms are in the function's stack.
    let mut stacks = vec![patient.name.clone()];
    while let Some(stack) = stacks.pop() {
        let resources = patient.cloudformation.list_stack_resources();
        let resources = resources.stack_name(stack).into_paginator().items();
        let mut pages = resources.send();
        while let Some(resource) = pages.next().await {
            let resource = match resource {
                Ok(resource) => resource,
                Err(error) => return unanswered(NAME, "CloudFormation", &error),
            };
            let name = resource.physical_resource_id;
            match resource.resource_type.as_deref() {
                Some("AWS::CloudWatch::Alarm") => names.extend(name),
                Some("AWS::CloudFormation::Stack") => stacks.extend(name),
                _ => {}
            }
        }
    }
    let (mut raised, mut unmeasured) = (Vec::new(), 0);
    for some in names.chunks(ALARMS_AT_ONCE) {
        let describe = patient.cloudwatch.describe_alarms();
        let describe = describe.set_alarm_names(Some(some.to_vec()));
        match describe.send().await {
            Err(error) => return unanswered(NAME, "CloudWatch", &error),
            Ok(answer) => {
                for alarm in answer.metric_alarms() {
                    match alarm.state_value() {
                        Some(StateValue::Alarm) => {
                            raised.push(
                                alarm
                                    .alarm_description()
                                    .or(alarm.alarm_name())
                                    .unwrap_or_default()
                                    .to_owned(),
                            );
                        }
                        Some(StateValue::InsufficientData) => unmeasured += 1,
                        _ => {}
                    }
                }
            }
        }
    }
    let all = words::counted(names.len() as u64, "alarm");
    if names.is_empty() {
        Check::not_checked(NAME, "The stack has no alarms.")
    } else if raised.is_empty() {
        let lately = match unmeasured {
            0 => String::new(),
            some => format!(" {some} had nothing to measure lately."),
        };
        Check::ok(NAME, format!("None of {all} is raised.{lately}"))
    } else {
        Check::fail(
            NAME,
            format!("{} of {all} are raised. {}", raised.len(), raised.join(" ")),
            "Each alarm's description says what it means; docs/OPERATIONS.md what to do.",
        )
    }
}
