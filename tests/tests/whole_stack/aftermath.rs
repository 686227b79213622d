//! What must hold after all scenarios, for all of them together. The last check stops the
//! stack.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Result, ensure};
use dropcast_aws::{ports::RecentUploads as _, s3::Bucket};
use dropcast_domain::{
    event::{BUILD_FINISHED, RUN_STATUS_CHANGED, SOURCE},
    failure::ErrorCode,
    ids::RunId,
    run::Run,
    status::Status,
    upload::RunKind,
};
use dropcast_local_stack::processes_of;
use dropcast_store::{History as _, Runs as _};
use dropcast_tests::{Call, Grant, OPERATOR, Privileges, Stack, until};
use jiff::Timestamp;
use libtest_mimic::Trial;
use serde_json::Value;

use crate::{
    again::UNDROPPED,
    checks::fits,
    world::{runs_all, scenario},
};

/// Queues, by the template's outputs.
const QUEUES: [&str; 4] = [
    "IntakeQueueUrl",
    "JobEventsQueueUrl",
    "BuildsQueueUrl",
    "NoticesQueueUrl",
];
const DEAD_LETTERS: [&str; 5] = [
    "IntakeDeadLettersUrl",
    "JobEventsDeadLettersUrl",
    "BuildsDeadLettersUrl",
    "NoticesDeadLettersUrl",
    "AnnouncementsDeadLettersUrl",
];
/// What a delivery says that meets another one at the same mail, and comes back for it.
const MET_ANOTHER: &str = "another delivery of the message is sending this mail";
/// What a log line of a function that broke says.
const BROKEN: [&str; 6] = [
    "panicked",
    "Task timed out",
    "Runtime.ExitError",
    "Runtime.UnhandledPromiseRejection",
    "stack overflow",
    "memory allocation",
];
/// How AWS says that a job may not use its role.
const ROLE_REFUSED: &str = "unable to assume the role";
const REFUSED: [&str; 4] = [
    "AccessDenied",
    "not authorized",
    "UnauthorizedOperation",
    "InvalidClientTokenId",
];

pub(crate) fn checks() -> Vec<Trial> {
    vec![
        scenario("aftermath", "every_queue_is_emptied", queues),
        scenario("aftermath", "no_dead_letter_is_left", dead_letters),
        scenario("aftermath", "invariant_4_no_run_is_left_open", open_runs),
        scenario(
            "aftermath",
            "invariant_5_every_change_was_announced",
            announcements,
        ),
        scenario(
            "aftermath",
            "invariant_1_every_upload_that_s3_lists_has_the_run_of_its_event",
            uploads,
        ),
        scenario("aftermath", "invariant_5_every_mail_was_sent_once", mails),
        scenario("aftermath", "no_function_broke_or_logged_an_error", errors),
        scenario(
            "aftermath",
            "invariant_8_no_function_was_refused_anything",
            refusals,
        ),
        scenario(
            "aftermath",
            "invariant_8_every_role_allows_what_its_function_calls_and_no_more",
            privileges,
        ),
        scenario("aftermath", "every_record_fits_its_schema", records),
        scenario("aftermath", "no_execution_failed", executions),
        scenario(
            "aftermath",
            "validate_inputs_never_held_a_large_file",
            memory,
        ),
        scenario("aftermath", "nothing_outlives_the_stack", nothing_is_left),
    ]
}

async fn queues(stack: &Stack) -> Result<()> {
    for queue in QUEUES {
        stack.until_empty(queue).await?;
    }
    Ok(())
}

async fn dead_letters(stack: &Stack) -> Result<()> {
    for queue in DEAD_LETTERS {
        let depth = stack.depth(queue).await?;
        ensure!(depth == 0, "{queue} holds {depth}");
    }
    Ok(())
}

async fn open_runs(stack: &Stack) -> Result<()> {
    // A command that gave up waiting leaves its run to end by itself.
    until("every run is over", || async {
        let open = stack.store.open_runs(100).await?;
        Ok(open.is_empty().then_some(()))
    })
    .await
}

/// Every run that S3's events name.
async fn all_runs(stack: &Stack) -> Result<BTreeMap<RunId, Run>> {
    let events = stack.events();
    let models: BTreeSet<String> = events
        .iter()
        .filter(|event| event.source == SOURCE && event.detail_type == RUN_STATUS_CHANGED)
        .filter_map(|event| event.detail["model"].as_str().map(str::to_owned))
        .collect();
    let mut runs = BTreeMap::new();
    for model in models {
        for run in stack.store.runs_of(&model, 1_000).await? {
            runs.insert(run.id.clone(), run);
        }
    }
    ensure!(!(runs.is_empty() && runs_all()), "there were runs");
    Ok(runs)
}

/// repair-runs starts a run for each upload whose id has no record.
async fn uploads(stack: &Stack) -> Result<()> {
    let inputs = stack.output("InputsBucketName")?;
    let inputs = Bucket::new(stack.s3.clone(), inputs);
    let listed = inputs.uploaded(Timestamp::MIN, Timestamp::MAX).await?;
    ensure!(!(listed.is_empty() && runs_all()), "there were uploads");
    for upload in listed.iter().filter(|upload| !upload.is_folder()) {
        let run = stack.store.get(&upload.run_id()).await?;
        ensure!(run.is_some(), "{upload:?} has no run");
    }
    Ok(())
}

async fn announcements(stack: &Stack) -> Result<()> {
    let runs = all_runs(stack).await?;
    let mut announced = until("every beginning and every end is announced", || async {
        let announced = announced(stack);
        let missing = runs.values().any(|run| {
            let statuses = announced
                .get(run.id.as_str())
                .map_or(&[][..], Vec::as_slice);
            [Status::Received, run.status()]
                .iter()
                .any(|status| !statuses.contains(status))
        });
        Ok((!missing).then_some(announced))
    })
    .await?;
    announced.retain(|id, _| !runs.keys().any(|run| run.as_str() == id));
    ensure!(
        announced.is_empty(),
        "announced without a record: {announced:?}"
    );
    for event in stack.events() {
        if event.source == SOURCE {
            let schema = match event.detail_type.as_str() {
                BUILD_FINISHED => "build-finished.schema.json",
                _ => "run-status-changed.schema.json",
            };
            fits(schema, &event.detail)?;
            // What people call their run is theirs to choose.
            let mut event_text = event.whole.clone();
            event_text["detail"]["title"] = Value::Null;
            let text = event_text.to_string();
            ensure!(!text.contains('@'), "an event names no address: {text}");
        }
    }
    Ok(())
}

/// The statuses that were announced, by the runs' ids.
fn announced(stack: &Stack) -> BTreeMap<String, Vec<Status>> {
    let mut announced: BTreeMap<String, Vec<Status>> = BTreeMap::new();
    for event in stack.events() {
        let text = |field: &str| event.detail[field].as_str().unwrap_or_default().to_owned();
        if event.source == SOURCE
            && event.detail_type == RUN_STATUS_CHANGED
            && let Ok(status) = text("status").parse()
        {
            announced.entry(text("runId")).or_default().push(status);
        }
    }
    announced
}

async fn mails(stack: &Stack) -> Result<()> {
    let runs = all_runs(stack).await?;
    let expected = |run: &Run| match (run.kind, run.status()) {
        (RunKind::Refresh, Status::Succeeded) => 0,
        _ => 1,
    };
    until("every run's mails are sent", || async {
        let mails = stack.mails().await?;
        let missing = runs.values().any(|run| {
            let about = mails.iter().filter(|it| it.text.contains(run.id.as_str()));
            about.count() < expected(run)
        });
        Ok((!missing).then_some(()))
    })
    .await?;
    let builds: Vec<String> = stack
        .events()
        .iter()
        .filter(|event| event.detail_type == BUILD_FINISHED)
        .filter_map(|event| event.detail["buildId"].as_str().map(str::to_owned))
        .collect();
    let mut sent: BTreeMap<(String, String), usize> = BTreeMap::new();
    for mail in stack.mails().await? {
        ensure!(mail.to.len() == 1, "{:?}", mail.to);
        let run = runs
            .values()
            .find(|run| mail.text.contains(run.id.as_str()));
        let to = mail.to.concat();
        let Some(run) = run else {
            let Some(build) = builds
                .iter()
                .find(|build| mail.text.contains(build.as_str()))
            else {
                anyhow::bail!("a mail about no run and no build: {mail:?}");
            };
            *sent.entry((build.clone(), to)).or_default() += 1;
            continue;
        };
        ensure!(
            to == OPERATOR || run.notify.contains(&to),
            "{} was mailed to {to}",
            run.id
        );
        ensure!(expected(run) > 0, "{} was {}", run.id, run.status());
        *sent.entry((run.id.to_string(), to)).or_default() += 1;
    }
    let twice: Vec<_> = sent.iter().filter(|(_, count)| **count != 1).collect();
    ensure!(twice.is_empty(), "{twice:?}");
    Ok(())
}

async fn errors(stack: &Stack) -> Result<()> {
    let lines = stack.function_logs().await?;
    ensure!(
        lines.len() > 100 || !runs_all(),
        "the functions log: {}",
        lines.len()
    );
    let bad: Vec<String> = lines
        .iter()
        .filter(|line| {
            let fields: Value = serde_json::from_str(&line.text).unwrap_or_default();
            // The runtime repeats each error's name as an error of its own.
            let is_told = fields["fields"]["message"]
                .as_str()
                .and_then(|name| name.parse::<ErrorCode>().ok())
                .is_some_and(|code| code != ErrorCode::Internal);
            let is_error = fields["level"] == "ERROR" && !is_told;
            is_error || BROKEN.iter().any(|words| line.text.contains(words))
        })
        .filter(|line| !line.text.contains(MET_ANOTHER))
        .map(|line| format!("{}: {}", line.function, line.text))
        .collect();
    ensure!(bad.is_empty(), "{} lines:\n{}", bad.len(), bad.join("\n"));
    Ok(())
}

async fn refusals(stack: &Stack) -> Result<()> {
    let lines = stack.function_logs().await?;
    let refused: Vec<String> = lines
        .iter()
        .filter(|line| REFUSED.iter().any(|words| line.text.contains(words)))
        .map(|line| format!("{}: {}", line.function, line.text))
        .collect();
    ensure!(refused.is_empty(), "{}", refused.join("\n"));
    Ok(())
}

/// What Lambda does with a function's role by itself: it writes the function's log, reads its queue
/// or stream, and hands on what the function could not handle.
const DONE_BY_LAMBDA: [&str; 10] = [
    "logs:CreateLogStream",
    "logs:PutLogEvents",
    "sqs:ReceiveMessage",
    "sqs:DeleteMessage",
    "sqs:GetQueueAttributes",
    "sqs:SendMessage",
    "dynamodb:DescribeStream",
    "dynamodb:GetRecords",
    "dynamodb:GetShardIterator",
    "dynamodb:ListStreams",
];

/// Permissions that no call is seen to need, by how their resource ends: what makes S3 answer that an
/// object is missing, instead of denying access; what lets Batch be given a role; and the version of
/// an object of which only the metadata is read, which the emulator does not distinguish from the
/// object. And what `repair-runs` and `track-job` do about lost events: the schedule rings every five minutes, and nothing
/// is lost here. The simulation (`crates/simulation`) provokes each repair.
const NEVER_SEEN: [(&str, &str, &str); 21] = [
    ("ValidateInputs", "s3:ListBucket", ""),
    ("IndexOutputs", "s3:ListBucket", ""),
    ("RegisterVersion", "s3:ListBucket", ""),
    ("RegisterVersion", "iam:PassRole", ""),
    ("ValidateInputs", "s3:GetObjectVersion", "/refresh/*"),
    ("TrackJob", "batch:DescribeJobs", ""),
    ("RepairRuns", "dynamodb:Query", ""),
    ("RepairRuns", "dynamodb:GetItem", ""),
    ("RepairRuns", "dynamodb:PutItem", ""),
    ("RepairRuns", "dynamodb:UpdateItem", ""),
    ("RepairRuns", "dynamodb:DeleteItem", ""),
    ("RepairRuns", "states:StartExecution", ""),
    ("RepairRuns", "states:DescribeExecution", ""),
    ("RepairRuns", "states:SendTaskSuccess", ""),
    ("RepairRuns", "states:SendTaskFailure", ""),
    ("RepairRuns", "batch:DescribeJobs", ""),
    ("RepairRuns", "batch:ListJobs", ""),
    ("RepairRuns", "batch:TerminateJob", ""),
    ("RepairRuns", "logs:GetLogEvents", ""),
    ("RepairRuns", "s3:ListBucketVersions", ""),
    ("RepairRuns", "events:PutEvents", ""),
];

async fn privileges(stack: &Stack) -> Result<()> {
    let mut unlike = Vec::new();
    for (function, Privileges { grants, calls }) in stack.privileges().await? {
        let grants: Vec<Grant> = grants
            .into_iter()
            .filter(|grant| !DONE_BY_LAMBDA.contains(&grant.action.as_str()))
            .collect();
        ensure!(!grants.is_empty(), "{function} may do something");
        for grant in &grants {
            let mut used = false;
            for call in &calls {
                used |= grant.covers(call)?;
            }
            let Grant { action, resource } = grant;
            let unseen = NEVER_SEEN.iter().any(|(of, may, end)| {
                (*of, *may) == (function.as_str(), action.as_str()) && resource.ends_with(end)
            });
            if !used && !unseen && runs_all() {
                unlike.push(format!(
                    "{function} may {action} on {resource}, but never does"
                ));
            }
        }
        for call in calls {
            let mut allowed = false;
            for grant in &grants {
                allowed |= grant.covers(&call)?;
            }
            if !allowed {
                let Call { action, resource } = call;
                unlike.push(format!(
                    "{function} does {action} on {resource}, but may not"
                ));
            }
        }
    }
    ensure!(unlike.is_empty(), "{}", unlike.join("\n"));
    Ok(())
}

async fn records(stack: &Stack) -> Result<()> {
    for run in all_runs(stack).await?.values() {
        fits("run-record.schema.json", &serde_json::to_value(run)?)?;
    }
    Ok(())
}

async fn executions(stack: &Stack) -> Result<()> {
    let mut pages = stack
        .sfn
        .list_executions()
        .state_machine_arn(stack.output("StateMachineArn")?)
        .into_paginator()
        .send();
    let mut runs = all_runs(stack).await?;
    runs.retain(|_, run| run.request.model != UNDROPPED);
    let mut count = 0;
    while let Some(page) = pages.next().await {
        for execution in page?.executions {
            count += 1;
            let run = runs.get(&execution.name.parse::<RunId>()?);
            let end = run.and_then(|run| run.job_end.as_ref());
            let failure = end.and_then(|end| end.failure.as_ref());
            // One scenario takes the job's role away, which the operator has to hear of.
            let alarms = failure.is_some_and(|failure| failure.message.contains(ROLE_REFUSED));
            ensure!(
                execution.status.as_str() == if alarms { "FAILED" } else { "SUCCEEDED" },
                "the execution {} has {}",
                execution.name,
                execution.status
            );
        }
    }
    ensure!(
        count == runs.len(),
        "{count} executions of {} runs",
        runs.len()
    );
    Ok(())
}

/// A file of 100 MB is refused by its size: it never was in the function's memory.
async fn memory(stack: &Stack) -> Result<()> {
    let mut peaks = Vec::new();
    for process in processes_of(&stack.connection().mark) {
        let read = |name: &str| std::fs::read(format!("/proc/{process}/{name}"));
        let (Ok(environment), Ok(status)) = (read("environ"), read("status")) else {
            continue;
        };
        // Only this function knows the bucket.
        if !String::from_utf8_lossy(&environment).contains("\0INPUTS_BUCKET=") {
            continue;
        }
        let status = String::from_utf8_lossy(&status).into_owned();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kilobytes = peak.and_then(|it| it.split_whitespace().next()?.parse::<u64>().ok());
        peaks.extend(kilobytes);
    }
    ensure!(!(peaks.is_empty() && runs_all()), "its processes are found");
    ensure!(
        peaks.iter().all(|kilobytes| *kilobytes < 80_000),
        "in kB: {peaks:?}"
    );
    Ok(())
}

async fn nothing_is_left(stack: &Stack) -> Result<()> {
    let connection = stack.connection();
    ensure!(!processes_of(&connection.mark).is_empty());
    stack.stop().await;
    let left = processes_of(&connection.mark);
    ensure!(left.is_empty(), "processes {left:?} are left");
    ensure!(
        dropcast_local_stack::Connection::attach(&connection.state).is_err(),
        "it is not found any more"
    );
    Ok(())
}
