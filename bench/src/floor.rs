//! The floor: the same template and wiring with an empty function in the place of all those of a run. What
//! the emulator and the local Batch take for a run, hop by hop.
//!
//! An empty function moves nothing on. Where a function's effect drives the next hop, the bench
//! makes that one call itself, and the hop is measured from the start of the call.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::Context as _;
use aws_sdk_batch::types::ContainerOverrides;
use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_eventbridge::types::PutEventsRequestEntry;
use aws_sdk_ses::{primitives::Blob, types::RawMessage};
use dropcast_local_stack::Connection;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    init::EMPTY,
    numbers::{Nanos, Spread, millis, now},
    stack::{Bench, Setup, is_function, link_programs, model_moments, until},
    table::{Table, figure},
};

/// The hops before the model, and those after it.
const BEFORE: [&str; 4] = [
    "PutObject returned → start-run",
    "StartExecution → validate-inputs",
    "validate-inputs → submit-job",
    "SubmitJob → model's first line",
];
const AFTER: [&str; 6] = [
    "model's last line → track-job",
    "SendTaskSuccess → index-outputs",
    "index-outputs → finish-run",
    "table write → announce-run",
    "PutEvents → notify",
    "SendRawEmail → mail",
];
const HOP_LIMIT: Duration = Duration::from_secs(30);
const JOURNAL: &str = "EMPTY_FUNCTION_JOURNAL";

/// What the floor comes to.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Floor {
    pub(crate) drop_to_start: Spread,
    pub(crate) end_to_mail: Spread,
    hops: BTreeMap<&'static str, Spread>,
}

impl Floor {
    /// The hops, in their order.
    pub(crate) fn table(&self) -> Table {
        let mut table = Table::new(
            "The floor: the emulator and the local Batch with empty functions (ms)",
            ["hop", "p50", "p90"],
        );
        for hop in BEFORE.into_iter().chain(AFTER) {
            if let Some(spread) = self.hops.get(hop) {
                table.row([hop.to_owned(), figure(spread.p50), figure(spread.p90)]);
            }
        }
        table
    }
}

/// Measures the hops so many times, and once before to warm the functions.
pub(crate) async fn measure(
    repository: &Path,
    binaries: &Path,
    runs: usize,
) -> anyhow::Result<Floor> {
    let folder = link_programs(|_| binaries.join(EMPTY), binaries)?;
    let journal = Journal(folder.path().join("journal.jsonl"));
    let variable = (JOURNAL.to_owned(), journal.0.display().to_string());
    let setup = Setup {
        environment: [variable].into(),
        ..Setup::default()
    };
    let bench = Bench::start(repository, folder.path(), setup).await?;
    let job_definition = bench.register().await?;
    let calls = Calls::new(bench.connection(), job_definition)?;
    let mut all = Vec::new();
    for number in 0..=runs {
        let hops = one_run(&bench, &calls, &journal, number).await?;
        if number > 0 {
            all.push(hops);
        }
    }
    bench.stop().await;
    let spread_of = |at: usize| Spread::of(all.iter().filter_map(|hops| hops.get(at).copied()));
    let names = BEFORE.into_iter().chain(AFTER).enumerate();
    Ok(Floor {
        drop_to_start: Spread::of(all.iter().map(|hops| hops[..BEFORE.len()].iter().sum())),
        end_to_mail: Spread::of(all.iter().map(|hops| hops[BEFORE.len()..].iter().sum())),
        hops: names.map(|(at, name)| (name, spread_of(at))).collect(),
    })
}

/// The hops of one run, in milliseconds.
async fn one_run(
    bench: &Bench,
    calls: &Calls,
    journal: &Journal,
    number: usize,
) -> anyhow::Result<[f64; 10]> {
    let name = format!("floor-{number}");
    let any = |_: &Entry| true;

    let before_drop = now();
    let dropped = bench.drop_file(&name, "floor@corp.example").await?;
    let start_run = journal.after("start-run", before_drop, any).await?;

    let started = now();
    calls.start_execution(&name).await?;
    let validate = journal.after("validate-inputs", started, any).await?;
    let submit = journal.after("submit-job", validate.at, any).await?;
    let token = submit.event["taskToken"]
        .as_str()
        .context("submit-job was given no task token")?
        .to_owned();

    let submitted = now();
    let job = calls.submit_job(&name).await?;
    let ended = |entry: &Entry| {
        let event = entry.event.to_string();
        event.contains(&job) && event.contains("SUCCEEDED")
    };
    let track = journal.after("track-job", submitted, ended).await?;
    let folder = bench.connection().state.join("batch/jobs").join(&job);
    let (model_began, model_ended) = model_moments(&folder)?;

    let resumed = now();
    calls.resume(&token).await?;
    let index = journal.after("index-outputs", resumed, any).await?;
    let finish = journal.after("finish-run", index.at, any).await?;

    let wrote = now();
    calls.write_record(&name).await?;
    let announce = journal.after("announce-run", wrote, any).await?;

    let put = now();
    calls.announce(&name).await?;
    let notify = journal.after("notify", put, any).await?;

    let sent = now();
    calls.send_mail(&name).await?;
    let mails = bench.connection().mailbox().await?;
    let mail = mails.last().context("a mail that was sent is not there")?;

    Ok([
        millis(dropped, start_run.at),
        millis(started, validate.at),
        millis(validate.at, submit.at),
        millis(submitted, model_began),
        millis(model_ended, track.at),
        millis(resumed, index.at),
        millis(index.at, finish.at),
        millis(wrote, announce.at),
        millis(put, notify.at),
        millis(sent, mail.at.as_nanosecond()),
    ])
}

/// What the empty functions wrote down.
struct Journal(PathBuf);

/// One invocation.
#[derive(Debug, Deserialize)]
struct Entry {
    #[serde(deserialize_with = "nanos")]
    at: Nanos,
    function: String,
    event: Value,
}

fn nanos<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Nanos, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse().map_err(serde::de::Error::custom)
}

impl Journal {
    /// Waits for the first invocation of a function after a moment for which something holds.
    async fn after(
        &self,
        function: &str,
        moment: Nanos,
        holds: impl Fn(&Entry) -> bool,
    ) -> anyhow::Result<Entry> {
        let look = || {
            let text = std::fs::read_to_string(&self.0).ok()?;
            // A line that is not yet whole does not parse, and is read at the next look.
            let entries = text
                .lines()
                .filter_map(|line| serde_json::from_str(line).ok());
            let mut after = entries.filter(|entry: &Entry| entry.at >= moment);
            after.find(|entry| is_function(&entry.function, function) && holds(entry))
        };
        until(HOP_LIMIT, look)
            .await
            .with_context(|| format!("{function} was not invoked"))
    }
}

/// The calls that a function would have made to drive the next hop.
struct Calls {
    sfn: aws_sdk_sfn::Client,
    batch: aws_sdk_batch::Client,
    dynamodb: aws_sdk_dynamodb::Client,
    eventbridge: aws_sdk_eventbridge::Client,
    ses: aws_sdk_ses::Client,
    state_machine: String,
    queue: String,
    job_definition: String,
    table: String,
    table_arn: String,
}

impl Calls {
    fn new(stack: &Connection, job_definition: String) -> anyhow::Result<Self> {
        let config = stack.sdk_config();
        let state_machine = stack.output("StateMachineArn")?;
        let table = stack.output("RunsTableName")?;
        let [_, partition, _, region, account, ..] =
            state_machine.split(':').collect::<Vec<_>>()[..]
        else {
            anyhow::bail!("{state_machine} is no ARN");
        };
        Ok(Self {
            sfn: aws_sdk_sfn::Client::new(&config),
            batch: aws_sdk_batch::Client::new(&stack.batch_sdk_config()),
            dynamodb: aws_sdk_dynamodb::Client::new(&config),
            eventbridge: aws_sdk_eventbridge::Client::new(&config),
            ses: aws_sdk_ses::Client::new(&config),
            table_arn: format!("arn:{partition}:dynamodb:{region}:{account}:table/{table}"),
            state_machine: state_machine.to_owned(),
            queue: stack.output("JobQueueArn")?.to_owned(),
            job_definition,
            table: table.to_owned(),
        })
    }

    async fn start_execution(&self, run: &str) -> anyhow::Result<()> {
        let start = self.sfn.start_execution().name(run);
        let start = start.state_machine_arn(&self.state_machine);
        start
            .input(format!(r#"{{"runId":"{run}"}}"#))
            .send()
            .await?;
        Ok(())
    }

    /// The bare model, without `dropcast-job` around it.
    async fn submit_job(&self, run: &str) -> anyhow::Result<String> {
        let overrides = ContainerOverrides::builder()
            .command("sh")
            .command("-c")
            .command("date +%s%N; date +%s%N")
            .build();
        let submit = self.batch.submit_job().job_name(run);
        let answer = submit
            .job_queue(&self.queue)
            .job_definition(&self.job_definition)
            .container_overrides(overrides)
            .send()
            .await?;
        answer.job_id.context("Batch named no job")
    }

    async fn resume(&self, token: &str) -> anyhow::Result<()> {
        let answer = self.sfn.send_task_success().task_token(token);
        answer
            .output(r#"{"jobId":"job","attempt":1}"#)
            .send()
            .await?;
        Ok(())
    }

    async fn write_record(&self, run: &str) -> anyhow::Result<()> {
        let put = self.dynamodb.put_item().table_name(&self.table);
        let put = put.item("PK", AttributeValue::S(format!("RUN#{run}")));
        put.item("SK", AttributeValue::S("RUN".to_owned()))
            .send()
            .await?;
        Ok(())
    }

    async fn announce(&self, run: &str) -> anyhow::Result<()> {
        let entry = PutEventsRequestEntry::builder()
            .source("dropcast")
            .detail_type("Run Status Changed")
            .resources(&self.table_arn)
            .detail(format!(r#"{{"runId":"{run}","status":"succeeded"}}"#))
            .build();
        self.eventbridge.put_events().entries(entry).send().await?;
        Ok(())
    }

    async fn send_mail(&self, run: &str) -> anyhow::Result<()> {
        let text = format!(
            "From: forecasts@corp.example\r\nTo: floor@corp.example\r\nSubject: {run}\r\n\r\nFloor.\r\n"
        );
        let message = RawMessage::builder().data(Blob::new(text)).build()?;
        let send = self.ses.send_raw_email().raw_message(message);
        let send = send.source("forecasts@corp.example");
        send.destinations("floor@corp.example").send().await?;
        Ok(())
    }
}
