//! One stack, and the clients to reach it.

use std::{
    collections::BTreeSet,
    path::Path,
    sync::Mutex,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use aws_sdk_s3::config::RequestChecksumCalculation;
use dropcast_local_stack::{
    Connection, LocalStack, Options, Progress,
    batch::{LimitAction, TimeLimitAction},
};
use dropcast_store::DynamoStore;

use crate::{events::EventCapture, mails::Mailbox, programs};

/// The address that mails come from.
pub const SENDER: &str = "forecasts@corp.example";
/// The operator's address.
pub const OPERATOR: &str = "operator@corp.example";
/// The longest that anything is waited for.
pub const LIMIT: Duration = Duration::from_secs(100);
/// The pause between two looks at something that tells nobody when it changes.
const GLANCE: Duration = Duration::from_millis(100);

/// A stack of this process.
#[derive(Debug)]
pub struct Stack {
    pub(crate) connection: Connection,
    /// Inputs, results and packages.
    pub s3: aws_sdk_s3::Client,
    /// The queues.
    pub sqs: aws_sdk_sqs::Client,
    /// The executions.
    pub sfn: aws_sdk_sfn::Client,
    /// The deployment.
    pub cloudformation: aws_sdk_cloudformation::Client,
    /// The functions' and the jobs' logs.
    pub logs: aws_sdk_cloudwatchlogs::Client,
    /// The link-signing keys.
    pub secrets: aws_sdk_secretsmanager::Client,
    /// The roles.
    pub iam: aws_sdk_iam::Client,
    /// The jobs.
    pub batch: aws_sdk_batch::Client,
    /// The runs table, item by item.
    pub table: aws_sdk_dynamodb::Client,
    /// The runs table, in the domain's words.
    pub store: DynamoStore,
    pub(crate) http: reqwest::Client,
    pub(crate) events: EventCapture,
    pub(crate) mailbox: Mailbox,
    pub(crate) models: tokio::sync::Mutex<BTreeSet<String>>,
    pub(crate) forecast: tokio::sync::OnceCell<()>,
    local: Mutex<Option<LocalStack>>,
}

/// The options of a stack for tests: state in a folder of its own, and what a cloud takes minutes
/// for in moments.
pub fn options(state: &Path) -> Result<Options> {
    let mut options = Options::new(programs::repository());
    state.clone_into(&mut options.state);
    options.binaries = programs::folder()?;
    for (name, value) in [("SenderAddress", SENDER), ("OperatorAddress", OPERATOR)] {
        options.parameters.insert(name.to_owned(), value.to_owned());
    }
    // Jobs of tests wait for conditions, not for processors.
    options.max_vcpus = Some(64);
    // A job's shortest time limit is a minute: three seconds here.
    options.timings.second = Duration::from_millis(50);
    options.timings.kill_grace = Duration::from_secs(1);
    options.timings.fault_delay = Duration::from_millis(20);
    options.time_limit_actions = vec![TimeLimitAction {
        reason: "CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY".to_owned(),
        max_time_seconds: 10,
        action: LimitAction::Cancel,
    }];
    // Scales the pauses between a state's attempts, and nothing else of this state machine.
    options
        .emulator_environment
        .insert("SFN_WAIT_SCALE".to_owned(), "0.01".to_owned());
    Ok(options)
}

impl Stack {
    /// Starts a stack.
    pub async fn start(options: Options) -> Result<Self> {
        for (program, source) in programs::outdated()? {
            eprintln!(
                "warning: {program} is older than {}: build it with `{}`",
                source.display(),
                programs::BUILD
            );
        }
        let steps = |progress: Progress| {
            if let Some(took) = progress.took {
                eprintln!("{}: {:.1} s", progress.step, took.as_secs_f64());
            }
        };
        let local = Box::pin(LocalStack::start(options, &steps)).await?;
        let connection = local.connection().clone();
        let config = connection.sdk_config();
        let s3 = aws_sdk_s3::config::Builder::from(&config)
            // Bodies travel within the machine, and a debug build is slow at checksums.
            .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
            .build();
        let table = aws_sdk_dynamodb::Client::new(&config);
        let sqs = aws_sdk_sqs::Client::new(&config);
        let events = aws_sdk_eventbridge::Client::new(&config);
        Ok(Self {
            s3: aws_sdk_s3::Client::from_conf(s3),
            sfn: aws_sdk_sfn::Client::new(&config),
            cloudformation: aws_sdk_cloudformation::Client::new(&config),
            logs: aws_sdk_cloudwatchlogs::Client::new(&config),
            secrets: aws_sdk_secretsmanager::Client::new(&config),
            iam: aws_sdk_iam::Client::new(&config),
            batch: aws_sdk_batch::Client::new(&connection.batch_sdk_config()),
            store: DynamoStore::new(table.clone(), connection.output("RunsTableName")?),
            table,
            http: reqwest::Client::builder()
                .redirect(reqwest::redirect::Policy::none())
                .build()?,
            events: EventCapture::open(sqs.clone(), &events).await?,
            sqs,
            mailbox: Mailbox::default(),
            models: tokio::sync::Mutex::default(),
            forecast: tokio::sync::OnceCell::new(),
            connection,
            local: Mutex::new(Some(local)),
        })
    }

    /// Stops it; what it kept on disk stays.
    pub async fn stop(&self) {
        self.events.close();
        let local = self.local.lock().map_or(None, |mut local| local.take());
        if let Some(local) = local {
            local.stop().await;
        }
    }

    /// Where it is.
    pub fn connection(&self) -> &Connection {
        &self.connection
    }

    /// An output of the deployed template.
    pub fn output(&self, name: &str) -> Result<&str> {
        Ok(self.connection.output(name)?)
    }

    /// How many messages a queue holds, those in flight included. The queue is named by the
    /// template's output for its URL.
    pub async fn depth(&self, output: &str) -> Result<u32> {
        use aws_sdk_sqs::types::QueueAttributeName::{
            ApproximateNumberOfMessages, ApproximateNumberOfMessagesDelayed,
            ApproximateNumberOfMessagesNotVisible,
        };
        let names = [
            ApproximateNumberOfMessages,
            ApproximateNumberOfMessagesDelayed,
            ApproximateNumberOfMessagesNotVisible,
        ];
        let answer = self
            .sqs
            .get_queue_attributes()
            .queue_url(self.output(output)?)
            .set_attribute_names(Some(names.to_vec()))
            .send()
            .await?;
        let attributes = answer.attributes.unwrap_or_default();
        let mut depth = 0;
        for name in names {
            let count = attributes.get(&name).map_or("0", String::as_str);
            depth += count.parse::<u32>().context("a queue's depth")?;
        }
        Ok(depth)
    }

    /// Waits until a queue holds nothing more, in flight or not.
    pub async fn until_empty(&self, output: &str) -> Result<()> {
        until(&format!("the queue {output} is empty"), || async {
            Ok((self.depth(output).await? == 0).then_some(()))
        })
        .await
    }

    /// Sends a message into a queue.
    pub async fn send(&self, output: &str, body: &serde_json::Value) -> Result<()> {
        self.sqs
            .send_message()
            .queue_url(self.output(output)?)
            .message_body(body.to_string())
            .send()
            .await?;
        Ok(())
    }
}

/// Looks again and again until something is there.
pub async fn until<T, F>(what: &str, mut look: impl FnMut() -> F) -> Result<T>
where
    F: Future<Output = Result<Option<T>>>,
{
    let began = Instant::now();
    loop {
        if let Some(found) = look().await? {
            return Ok(found);
        }
        if began.elapsed() > LIMIT {
            bail!("waited in vain for {} s: {what}", LIMIT.as_secs());
        }
        tokio::time::sleep(GLANCE).await;
    }
}
