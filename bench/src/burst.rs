//! Many files at once: every run finishes, mails once, and nothing is left in a dead-letter queue.

use std::{
    collections::BTreeMap,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use aws_sdk_sqs::types::QueueAttributeName;
use dropcast_domain::status::Status;
use dropcast_store::{DynamoStore, History as _};
use serde::Serialize;
use tokio::task::JoinSet;

use crate::{
    numbers::{Spread, millis, round},
    report::Report,
    stack::{Bench, MODEL, Setup, model_moments},
    table::{Table, figure},
};

/// vCPUs of the local job queue: so many jobs run at once.
const VCPUS: u32 = 4;
const LIMIT: Duration = Duration::from_mins(5);
/// The queues that must be empty in the end.
const QUEUES: [&str; 7] = [
    "IntakeDeadLettersUrl",
    "JobEventsDeadLettersUrl",
    "NoticesDeadLettersUrl",
    "AnnouncementsDeadLettersUrl",
    "IntakeQueueUrl",
    "JobEventsQueueUrl",
    "NoticesQueueUrl",
];
/// Messages of these were given up; those of the others may still be on their way.
const DEAD_LETTERS: usize = 4;

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Figures {
    files: usize,
    vcpus: u32,
    /// From the first `PutObject` to the last one's answer.
    dropped_s: f64,
    /// From the first `PutObject` to the last mail.
    all_mailed_s: f64,
    runs_per_second: f64,
    succeeded: usize,
    mails: usize,
    recipients_mailed_once: usize,
    dead_letters: i64,
    /// Messages that still lie in the queues.
    left_in_queues: i64,
    /// From a file's `PutObject` to its model's first line.
    drop_to_start_ms: Spread,
}

/// Drops the files at once on a fresh stack, whose functions have never run.
pub(crate) async fn measure(
    repository: &Path,
    binaries: &Path,
    files: usize,
) -> anyhow::Result<Report> {
    let setup = Setup {
        max_vcpus: Some(VCPUS),
        ..Setup::default()
    };
    let bench = Arc::new(Bench::start(repository, binaries, setup).await?);
    bench.register().await?;
    let began = (Instant::now(), crate::numbers::now());
    let mut drops = JoinSet::new();
    for number in 0..files {
        let bench = Arc::clone(&bench);
        drops.spawn(async move {
            let (file, recipient) = (format!("{number}.json"), recipient(number));
            bench.drop_file(&file, &recipient).await
        });
    }
    while let Some(dropped) = drops.join_next().await {
        dropped??;
    }
    let dropped_s = began.0.elapsed().as_secs_f64();
    bench.until_mails(files, LIMIT).await?;
    let mails = bench.connection().mailbox().await?;
    let last = mails.last().context("there are no mails")?;
    let all_mailed_s = millis(began.1, last.at.as_nanosecond()) / 1e3;
    // Time for a mail too many to come, and for the queues to hear that their messages are done.
    tokio::time::sleep(Duration::from_secs(2)).await;
    let mails = bench.connection().mailbox().await?;
    let mut by_recipient: BTreeMap<&str, usize> = BTreeMap::new();
    for address in mails.iter().flat_map(|mail| &mail.to) {
        *by_recipient.entry(address).or_default() += 1;
    }
    let connection = bench.connection();
    let table = connection.output("RunsTableName")?;
    let store = DynamoStore::new(
        aws_sdk_dynamodb::Client::new(&connection.sdk_config()),
        table,
    );
    let runs = store.runs_of(MODEL, u16::MAX).await?;
    let messages = messages(&bench).await?;
    let moments = bench
        .job_folders()
        .iter()
        .map(|job| model_moments(job))
        .collect::<anyhow::Result<Vec<_>>>()?;
    let figures = Figures {
        files,
        vcpus: VCPUS,
        dropped_s: round(dropped_s),
        all_mailed_s: round(all_mailed_s),
        runs_per_second: round(f64::from(u32::try_from(files)?) / all_mailed_s),
        succeeded: runs
            .iter()
            .filter(|run| run.status() == Status::Succeeded)
            .count(),
        mails: mails.len(),
        recipients_mailed_once: by_recipient.values().filter(|count| **count == 1).count(),
        dead_letters: messages[..DEAD_LETTERS].iter().sum(),
        left_in_queues: messages[DEAD_LETTERS..].iter().sum(),
        drop_to_start_ms: Spread::of(moments.iter().map(|(start, _)| millis(began.1, *start))),
    };
    let bench = Arc::into_inner(bench).context("a drop still runs")?;
    bench.stop().await;
    report(&figures)
}

fn recipient(number: usize) -> String {
    format!("burst-{number}@corp.example")
}

/// How many messages each queue holds, in flight or not.
async fn messages(bench: &Bench) -> anyhow::Result<Vec<i64>> {
    let client = aws_sdk_sqs::Client::new(&bench.connection().sdk_config());
    let counted = [
        QueueAttributeName::ApproximateNumberOfMessages,
        QueueAttributeName::ApproximateNumberOfMessagesNotVisible,
    ];
    let mut found = Vec::new();
    for queue in QUEUES {
        let answer = client
            .get_queue_attributes()
            .queue_url(bench.connection().output(queue)?)
            .set_attribute_names(Some(counted.to_vec()))
            .send()
            .await?;
        let attributes = answer.attributes.unwrap_or_default();
        let counts = attributes
            .values()
            .filter_map(|count| count.parse::<i64>().ok());
        found.push(counts.sum());
    }
    Ok(found)
}

fn report(figures: &Figures) -> anyhow::Result<Report> {
    let files = figures.files;
    let mut table = Table::new(
        &format!(
            "{files} files at once, {} vCPUs, functions cold",
            figures.vcpus
        ),
        ["", "measured", "must be"],
    );
    let exactly = |wanted: usize, found: usize| {
        let outcome = if wanted == found { "ok" } else { "missed" };
        format!("{wanted}: {outcome}")
    };
    let nothing = |found: i64| if found == 0 { "0: ok" } else { "0: missed" }.to_owned();
    let none = String::new;
    table.row([
        "runs that succeeded".to_owned(),
        figures.succeeded.to_string(),
        exactly(files, figures.succeeded),
    ]);
    table.row([
        "mails".to_owned(),
        figures.mails.to_string(),
        exactly(files, figures.mails),
    ]);
    table.row([
        "recipients mailed once".to_owned(),
        figures.recipients_mailed_once.to_string(),
        exactly(files, figures.recipients_mailed_once),
    ]);
    table.row([
        "dead letters".to_owned(),
        figures.dead_letters.to_string(),
        nothing(figures.dead_letters),
    ]);
    table.row([
        "messages left in queues".to_owned(),
        figures.left_in_queues.to_string(),
        nothing(figures.left_in_queues),
    ]);
    table.row([
        "seconds until all are dropped".to_owned(),
        figure(figures.dropped_s),
        none(),
    ]);
    table.row([
        "seconds until all are mailed".to_owned(),
        figure(figures.all_mailed_s),
        none(),
    ]);
    table.row([
        "runs per second".to_owned(),
        figure(figures.runs_per_second),
        none(),
    ]);
    Report::new(figures, vec![table])
}
