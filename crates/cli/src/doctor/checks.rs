//! The checks.

use std::net::IpAddr;

use aws_sdk_cloudwatch::types::StateValue;
use aws_sdk_ses::types::{IdentityVerificationAttributes, VerificationStatus};
use aws_sdk_sqs::types::QueueAttributeName;
use dropcast_api_types::{Check, CheckName};
use futures::{StreamExt as _, stream};

use super::{queues::check_queues, snapshot::StackSnapshot};
use crate::{exit::join_causes, messages};

/// The most alarms that one call of CloudWatch describes:
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarms.html>.
const MAX_ALARMS_PER_CALL: usize = 100;

/// Runs all checks; their order is that of the report.
pub(super) async fn run_all(snapshot: &StackSnapshot) -> Vec<Check> {
    let (sender, sandbox, queues, links, dead_letters, alarms) = futures::join!(
        check_sender(snapshot),
        check_sandbox(snapshot),
        check_queues(snapshot),
        check_links(snapshot),
        check_dead_letters(snapshot),
        check_alarms(snapshot),
    );
    let mut checks = vec![check_stack(snapshot), sender, sandbox];
    checks.extend(queues);
    checks.extend([check_egress(snapshot), links, dead_letters, alarms]);
    checks
}

/// A check whose call failed: the result is unknown.
pub(super) fn no_answer(
    name: CheckName,
    service: &str,
    error: &(dyn std::error::Error + 'static),
) -> Check {
    Check::not_checked(
        name,
        format!("The call to {service} failed: {}.", join_causes(error)),
    )
    .advice("Check that your credentials allow this call, and try again.")
}

fn check_stack(snapshot: &StackSnapshot) -> Check {
    const NAME: CheckName = CheckName::Stack;
    let StackSnapshot { name, status, .. } = snapshot;
    let reason = snapshot
        .reason
        .as_ref()
        .map_or_else(String::new, |reason| format!(" {reason}"));
    let message = format!("The stack {name} is {status}.{reason}");
    match status.as_str() {
        "CREATE_COMPLETE" | "UPDATE_COMPLETE" | "IMPORT_COMPLETE" => Check::ok(NAME, message),
        "UPDATE_ROLLBACK_COMPLETE" | "IMPORT_ROLLBACK_COMPLETE" => Check::warn(
            NAME,
            message,
            "The last deployment was rolled back. Find the cause in the stack's events, fix it and deploy again.",
        ),
        status if status.ends_with("_IN_PROGRESS") => Check::warn(
            NAME,
            message,
            "Wait until the operation has finished, and check again.",
        ),
        _ => Check::fail(
            NAME,
            message,
            "Find the cause in the stack's events, fix it and deploy again.",
        ),
    }
}

async fn check_sender(snapshot: &StackSnapshot) -> Check {
    const NAME: CheckName = CheckName::Sender;
    let Some(address) = snapshot.parameters.get("SenderAddress") else {
        return Check::not_checked(NAME, "The stack has no parameter SenderAddress.");
    };
    let domain = address.rsplit('@').next().unwrap_or_default();
    // Mail may be sent from a verified address, and from any address of a verified domain or of a
    // subdomain of it: https://docs.aws.amazon.com/ses/latest/dg/creating-identities.html
    let identities: Vec<&str> = std::iter::once(address.as_str())
        .chain(list_domains(domain))
        .collect();
    let asked = snapshot.identities.get_identity_verification_attributes();
    let asked = asked.set_identities(Some(identities.iter().map(ToString::to_string).collect()));
    let answer = match asked.send().await {
        Ok(answer) => answer.verification_attributes,
        Err(error) => return no_answer(NAME, "SES", &error),
    };
    let mut refused = Vec::new();
    for identity in identities {
        let found = answer.get(identity);
        match found.map(IdentityVerificationAttributes::verification_status) {
            Some(VerificationStatus::Success) => {
                return Check::ok(
                    NAME,
                    format!("SES sends mail from {address}: {identity} is verified."),
                );
            }
            Some(status) => {
                let status = status.as_str().to_lowercase();
                refused.push(format!("the verification of {identity} is {status}"));
            }
            None => refused.push(format!("{identity} is not an identity of this account")),
        }
    }
    Check::fail(
        NAME,
        format!(
            "SES does not send mail from {address}: {}.",
            refused.join(", and ")
        ),
        format!(
            "Verify the domain with `aws sesv2 create-email-identity --email-identity {domain}`, and follow the instructions in the response."
        ),
    )
}

/// A domain and its parents, except the top-level domain: `mail.corp.example`, `corp.example`.
fn list_domains(domain: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(domain), |domain| {
        domain.split_once('.').map(|(_, parent)| parent)
    })
    .filter(|domain| domain.contains('.'))
}

async fn check_sandbox(snapshot: &StackSnapshot) -> Check {
    const NAME: CheckName = CheckName::Sandbox;
    if snapshot.local {
        return Check::not_checked(NAME, "Mails of the local stack do not leave this machine.");
    }
    match snapshot.mailing.get_account().send().await {
        Err(error) => no_answer(NAME, "SES", &error),
        Ok(account) if !account.sending_enabled() => Check::fail(
            NAME,
            "SES has paused sending for this account.",
            "Find the cause in the reputation dashboard of the SES console.",
        ),
        Ok(account) if !account.production_access_enabled() => Check::fail(
            NAME,
            "This account is in the SES sandbox: it can only send to verified recipients, 200 mails a day.",
            "Request production access: https://docs.aws.amazon.com/ses/latest/dg/request-production-access.html",
        ),
        Ok(account) => {
            let quota = account.send_quota();
            let (most, sent) = quota.map_or((0.0, 0.0), |quota| {
                (quota.max24_hour_send(), quota.sent_last24_hours())
            });
            let message = format!(
                "SES sends to all recipients; {sent} of {most} mails were sent in the last 24 hours."
            );
            // The quota is -1 where there is no limit.
            if most > 0.0 && sent > 0.8 * most {
                let advice = "Request a higher sending quota from SES before mails are delayed.";
                Check::warn(NAME, message, advice)
            } else {
                Check::ok(NAME, message)
            }
        }
    }
}

/// Checks the addresses from which jobs connect.
fn check_egress(snapshot: &StackSnapshot) -> Check {
    const NAME: CheckName = CheckName::Egress;
    let Some(output) = snapshot.output("EgressAddresses") else {
        return Check::not_checked(
            NAME,
            "The stack does not create a network; the addresses from which jobs connect depend on yours.",
        );
    };
    let addresses: Vec<&str> = output
        .split([',', ' '])
        .filter(|one| !one.is_empty())
        .collect();
    if !addresses.is_empty() && addresses.iter().all(|one| one.parse::<IpAddr>().is_ok()) {
        Check::ok(
            NAME,
            format!(
                "Jobs connect from {}; allow this in the firewalls of databases.",
                addresses.join(" and ")
            ),
        )
    } else {
        Check::not_checked(
            NAME,
            format!("The addresses from which jobs connect: {output}."),
        )
    }
}

/// Checks that open-link answers, and that it refuses a forged link.
async fn check_links(snapshot: &StackSnapshot) -> Check {
    const NAME: CheckName = CheckName::Links;
    let Some(base) = snapshot.output("LinkBaseUrl") else {
        return Check::fail(
            NAME,
            "The stack has no LinkBaseUrl.",
            "Deploy the template of this release.",
        );
    };
    let url = format!("{}/r/forged-by-dropcast-doctor", base.trim_end_matches('/'));
    match snapshot.http.get(&url).send().await {
        Ok(answer) if answer.status() == 403 => {
            Check::ok(NAME, format!("{base} responds, and refuses a forged link."))
        }
        Ok(answer) if answer.status().is_server_error() => Check::fail(
            NAME,
            format!(
                "{base} returns {} for a forged link: links in mails do not work.",
                answer.status()
            ),
            "Find the cause in the log of open-link.",
        ),
        Ok(answer) => Check::fail(
            NAME,
            format!(
                "{base} returns {} for a forged link instead of 403.",
                answer.status()
            ),
            "Another server responds at this address: correct LinkBaseUrl, or the domain name in front of the API.",
        ),
        Err(error) => Check::fail(
            NAME,
            format!("{base} does not respond: {}.", join_causes(&error)),
            "Check LinkBaseUrl, its domain name, and that this machine can reach it.",
        ),
    }
}

async fn check_dead_letters(snapshot: &StackSnapshot) -> Check {
    const NAME: CheckName = CheckName::DeadLetters;
    let queues: Vec<(&String, &String)> = snapshot
        .outputs
        .iter()
        .filter(|(name, _)| name.ends_with("DeadLettersUrl"))
        .collect();
    let depths: Vec<_> = stream::iter(&queues)
        .map(async |(name, url)| {
            let attributes = snapshot.sqs.get_queue_attributes().queue_url(*url);
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
            Err(error) => return no_answer(NAME, "SQS", &error),
        }
    }
    if queues.is_empty() {
        Check::not_checked(NAME, "The stack has no dead-letter queues.")
    } else if held.is_empty() {
        Check::ok(
            NAME,
            format!("All {} dead-letter queues are empty.", queues.len()),
        )
    } else {
        Check::fail(
            NAME,
            format!(
                "There are messages in dead-letter queues ({}).",
                held.join(", ")
            ),
            "Find the cause in the log of the queue's function and fix it, then redrive the queue; docs/OPERATIONS.md has the commands.",
        )
    }
}

async fn check_alarms(snapshot: &StackSnapshot) -> Check {
    const NAME: CheckName = CheckName::Alarms;
    if snapshot.local {
        return Check::not_checked(
            NAME,
            "The local stack has no metrics that alarms could use.",
        );
    }
    let mut names = Vec::new();
    // The alarms of a function are in the nested stack of the function.
    let mut stacks = vec![snapshot.name.clone()];
    while let Some(stack) = stacks.pop() {
        let resources = snapshot.cloudformation.list_stack_resources();
        let resources = resources.stack_name(stack).into_paginator().items();
        let mut pages = resources.send();
        while let Some(resource) = pages.next().await {
            let resource = match resource {
                Ok(resource) => resource,
                Err(error) => return no_answer(NAME, "CloudFormation", &error),
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
    for some in names.chunks(MAX_ALARMS_PER_CALL) {
        let describe = snapshot.cloudwatch.describe_alarms();
        let describe = describe.set_alarm_names(Some(some.to_vec()));
        match describe.send().await {
            Err(error) => return no_answer(NAME, "CloudWatch", &error),
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
    let all = messages::format_count(names.len() as u64, "alarm");
    if names.is_empty() {
        Check::not_checked(NAME, "The stack has no alarms.")
    } else if raised.is_empty() {
        let lately = match unmeasured {
            0 => String::new(),
            some => format!(" {some} have insufficient data."),
        };
        Check::ok(
            NAME,
            format!("None of {all} is in the state ALARM.{lately}"),
        )
    } else {
        Check::fail(
            NAME,
            format!(
                "{} of {all} are in the state ALARM. {}",
                raised.len(),
                raised.join(" ")
            ),
            "The alarms' descriptions say what they mean; docs/OPERATIONS.md says what to do.",
        )
    }
}
