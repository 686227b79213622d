//! A deployment in memory: its table, bucket and keys, and an SES that can fail.
//!
//! Each yields before it answers, so that concurrent deliveries interleave.

use std::{
    cell::Cell,
    collections::BTreeMap,
    io,
    sync::{Arc, Mutex},
};

use dropcast_aws::{
    CallError,
    secrets::{KeySource, KeysError},
};
use dropcast_domain::{
    event::RunStatusChanged,
    failure::{ErrorCode, Failure},
    link::LinkKeys,
    mail::{MailKind, MailTopic},
    model::OutputKind,
    output::Output,
    problem::{Problem, ProblemList},
    run::{Run, UploadMetadata},
    status::Status,
};
use dropcast_store::{
    Jobs as _, Models as _, Outputs as _, RunCompletion as _, Runs as _, Validation as _,
    ValidationOutcome, memory::MemoryStore,
};
use dropcast_test_support::{
    events::{failed, sqs},
    samples::{MODEL, acceptance, at, job, metadata, new_run, output, step, version_spec},
};
use jiff::Timestamp;
use notify::{Config, Deps, Files, Mailer, SendError, handle};
use serde_json::{Value, json};
use tokio::task::yield_now;

pub(crate) const ANA: &str = "ana@corp.example";
pub(crate) const BO: &str = "bo@corp.example";
pub(crate) const OPERATOR: &str = "operator@corp.example";

thread_local! {
    /// Milliseconds after the upload; every test has a thread of its own.
    static NOW: Cell<i64> = const { Cell::new(10_000) };
}

pub(crate) fn clock() -> Timestamp {
    at(NOW.get())
}

pub(crate) fn wait_seconds(seconds: i64) {
    NOW.set(NOW.get() + 1_000 * seconds);
}

#[derive(Debug, Clone, Default)]
pub(crate) struct FakeFiles(pub(crate) BTreeMap<String, Vec<u8>>);

/// Where the fake bucket keeps one version of an object; the newest is under the key itself.
pub(crate) fn versioned(key: &str, version: &str) -> String {
    format!("{key}?versionId={version}")
}

impl Files for FakeFiles {
    async fn read(
        &self,
        key: &str,
        version: Option<&str>,
        at_most: u64,
    ) -> Result<Option<Vec<u8>>, CallError> {
        yield_now().await;
        let place = version.map_or_else(|| key.to_owned(), |version| versioned(key, version));
        let content = self.0.get(&place).cloned();
        Ok(content.filter(|content| content.len() as u64 <= at_most))
    }
}

#[derive(Debug)]
pub(crate) struct FakeKeys;

pub(crate) fn keys() -> LinkKeys {
    LinkKeys::parse(&json!({ "current": "k1", "k1": "a".repeat(64) }).to_string()).unwrap()
}

impl KeySource for FakeKeys {
    async fn keys(&self, _now: Timestamp) -> Result<LinkKeys, KeysError> {
        yield_now().await;
        Ok(keys())
    }
}

/// SES: the mails that it accepted, and how it behaves for each recipient.
#[derive(Debug, Clone, Default)]
pub(crate) struct FakeSes(Arc<Mutex<SesState>>);

#[derive(Debug, Default)]
pub(crate) struct SesState {
    sent: Vec<Sent>,
    behaviors: BTreeMap<String, SendBehavior>,
}

#[derive(Debug, Clone)]
pub(crate) struct Sent {
    pub(crate) to: String,
    pub(crate) message: Vec<u8>,
    pub(crate) topic: MailTopic,
    pub(crate) kind: MailKind,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum SendBehavior {
    /// Refuses the mail.
    Refuses,
    /// Accepts the mail, but the answer is lost.
    LosesAnswer,
    /// Accepts the mail and never answers: the function is stopped.
    Hangs,
}

impl FakeSes {
    pub(crate) fn set_behavior(&self, recipient: &str, how: Option<SendBehavior>) {
        let mut state = self.0.lock().unwrap();
        match how {
            Some(how) => state.behaviors.insert(recipient.to_owned(), how),
            None => state.behaviors.remove(recipient),
        };
    }

    pub(crate) fn sent(&self) -> Vec<Sent> {
        self.0.lock().unwrap().sent.clone()
    }

    pub(crate) fn recipients(&self) -> Vec<String> {
        self.sent().into_iter().map(|sent| sent.to).collect()
    }
}

impl Mailer for FakeSes {
    async fn send(
        &self,
        _sender: &str,
        recipient: &str,
        message: Vec<u8>,
        topic: &MailTopic,
        kind: MailKind,
    ) -> Result<String, SendError> {
        yield_now().await;
        let (behavior, number) = {
            let mut state = self.0.lock().unwrap();
            let behavior = state.behaviors.get(recipient).copied();
            if !matches!(behavior, Some(SendBehavior::Refuses)) {
                state.sent.push(Sent {
                    to: recipient.to_owned(),
                    message,
                    topic: topic.clone(),
                    kind,
                });
            }
            (behavior, state.sent.len())
        };
        let not_sent = |refused: bool| SendError {
            error: CallError {
                call: "ses:SendRawEmail",
                transient: true,
                source: "no".into(),
            },
            refused,
        };
        match behavior {
            None => Ok(format!("message-{number}")),
            Some(SendBehavior::Refuses) => Err(not_sent(true)),
            Some(SendBehavior::LosesAnswer) => Err(not_sent(false)),
            Some(SendBehavior::Hangs) => std::future::pending().await,
        }
    }
}

pub(crate) type World = Deps<MemoryStore, FakeFiles, FakeKeys, FakeSes>;

pub(crate) async fn world() -> World {
    let store = MemoryStore::default();
    store.register(&version_spec(MODEL)).await.unwrap();
    Deps {
        store,
        files: FakeFiles::default(),
        keys: FakeKeys,
        mailer: FakeSes::default(),
        now: clock,
        config: Config {
            runs_table: "runs".into(),
            results_bucket: "results".into(),
            link_secret_arn: "secret".into(),
            link_base_url: "https://links.corp.example".into(),
            link_lifetime_days: 30,
            sender_address: "forecasts@corp.example".into(),
            operator_address: OPERATOR.into(),
            allowed_recipient_domains: vec!["corp.example".into()],
        },
    }
}

/// A run whose uploader wants these mailed, and that has ended so.
pub(crate) async fn ended(world: &mut World, end: Status, notify: &[&str]) -> Run {
    let run = new_run("plan.json");
    let id = &run.id;
    let store = &world.store;
    store.create_if_absent(&run).await.unwrap();
    let metadata = UploadMetadata {
        notify_unusable: Vec::new(),
        notify_left_out: Vec::new(),
        ..metadata(notify)
    };
    let outcome = match end {
        Status::Rejected => ValidationOutcome::Rejected {
            problem_count: 1,
            marked: false,
            version: None,
        },
        _ => ValidationOutcome::Accepted(acceptance(id)),
    };
    store
        .record_validation(id, &metadata, &outcome)
        .await
        .unwrap();
    let input = acceptance(id).input.unwrap().prepared_key;
    world.files.0.insert(
        input,
        br#"{"lines":["Hardware"],"horizon_months":12}"#.to_vec(),
    );
    let failure = match end {
        Status::Succeeded => {
            let chart = Output {
                kind: OutputKind::Chart,
                media_type: "image/png".into(),
                ..output(id, "charts/a b.png")
            };
            let published = versioned(&chart.key, chart.version_id.as_deref().unwrap());
            world
                .files
                .0
                .insert(published, b"\x89PNG\r\n\x1a\nx".to_vec());
            let outputs = [output(id, "forecast.csv"), chart];
            store.publish(id, &outputs, 2).await.unwrap();
            None
        }
        Status::Rejected => {
            let problems = ProblemList::of(Problem::new("/lines", "1", "a list"));
            let problems = serde_json::to_vec(&problems).unwrap();
            world.files.0.insert(
                dropcast_test_support::samples::keys(id).problems(),
                problems,
            );
            Some(Failure::new(
                ErrorCode::InputRejected,
                "The file has one problem.",
            ))
        }
        Status::Failed => {
            store.assign_job(id, &job()).await.unwrap();
            let lines = ["Traceback", "UnknownLine: Cloud"].map(ToOwned::to_owned);
            store.put_log(id, &lines).await.unwrap();
            Some(Failure::new(ErrorCode::JobFailed, "The model stopped."))
        }
        _ => None,
    };
    if end.is_terminal() {
        let end = step(1, end, 9_000);
        return store.finish(id, end, failure.as_ref()).await.unwrap();
    }
    store.advance(id, step(0, end, 9_000)).await.unwrap();
    store.get(id).await.unwrap().unwrap()
}

/// The notice as EventBridge delivers it.
pub(crate) fn notice(run: &Run) -> Value {
    json!({
        "version": "0",
        "id": "0f6a4b1c-2d3e-4c0e-9d5e-8c5b4f0f3c1e",
        "detail-type": "Run Status Changed",
        "source": "dropcast",
        "account": "111122223333",
        "time": "2026-03-02T09:30:09Z",
        "region": "eu-west-1",
        "resources": [],
        "detail": RunStatusChanged::between(None, run).unwrap(),
    })
}

/// Delivers a notice; says whether it is to be delivered again.
pub(crate) async fn deliver(world: &World, run: &Run) -> bool {
    let answer = handle(world, sqs([&notice(run)])).await.unwrap();
    !failed(&answer).is_empty()
}

/// What is logged on this thread.
#[derive(Debug, Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    pub(crate) async fn of<T>(&self, work: impl Future<Output = T>) -> T {
        let log = self.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::DEBUG)
            .with_ansi(false)
            .with_writer(move || log.clone())
            .finish();
        let _here = tracing::subscriber::set_default(subscriber);
        work.await
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
