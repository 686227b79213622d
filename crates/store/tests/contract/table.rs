//! What only the table can show: where things lie, for how long, and how many writes a run takes.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
};

use aws_sdk_dynamodb::{
    Client,
    config::{
        ConfigBag, Intercept, RuntimeComponents, interceptors::BeforeTransmitInterceptorContextRef,
    },
    error::BoxError,
    types::{
        AttributeDefinition, AttributeValue, BillingMode, GlobalSecondaryIndex, KeySchemaElement,
        KeyType, Projection, ProjectionType, ScalarAttributeType,
    },
};
use dropcast_domain::{
    failure::{ErrorCode, Failure},
    job::{Attempt, Effect, JobChange, JobStatus, decide},
    mail::{MailKind, MailTopic},
    registry::AuditStamp,
    status::{Progress, Status, Transition},
};
use dropcast_store::{
    DynamoStore, Jobs as _, MailKey, Mails as _, Models as _, Outputs as _, Promotion as _,
    RunCompletion as _, Runs as _, StoreError, TaskTokens as _, Validation as _, ValidationOutcome,
};
use dropcast_test_support::{
    emulator,
    samples::{acceptance, at, attempt, job, metadata, new_run, now, output, step, version_spec},
};

/// A table of the test's own, with the keys and indexes of the template.
pub(crate) struct NewTable {
    pub(crate) store: DynamoStore,
    client: Client,
    name: String,
    calls: Calls,
}

pub(crate) async fn new_table() -> NewTable {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    let name = format!("runs-{}", NEXT.fetch_add(1, Ordering::Relaxed));
    let calls = Calls::default();
    let config = aws_sdk_dynamodb::config::Builder::from(&emulator::aws())
        .interceptor(calls.clone())
        .build();
    let client = Client::from_conf(config);
    let attribute = |name: &str| {
        AttributeDefinition::builder()
            .attribute_name(name)
            .attribute_type(ScalarAttributeType::S)
            .build()
            .unwrap()
    };
    let keys = |hash: &str, range: &str| {
        [(hash, KeyType::Hash), (range, KeyType::Range)]
            .map(|(name, kind)| {
                KeySchemaElement::builder()
                    .attribute_name(name)
                    .key_type(kind)
                    .build()
                    .unwrap()
            })
            .to_vec()
    };
    let index = |name: &str, hash: &str, range: &str| {
        GlobalSecondaryIndex::builder()
            .index_name(name)
            .set_key_schema(Some(keys(hash, range)))
            .projection(
                Projection::builder()
                    .projection_type(ProjectionType::All)
                    .build(),
            )
            .build()
            .unwrap()
    };
    client
        .create_table()
        .table_name(&name)
        .billing_mode(BillingMode::PayPerRequest)
        .set_attribute_definitions(Some(
            [
                "PK", "SK", "model_pk", "model_sk", "open_pk", "open_sk", "due_pk", "due_sk",
            ]
            .map(attribute)
            .to_vec(),
        ))
        .set_key_schema(Some(keys("PK", "SK")))
        .global_secondary_indexes(index("by-model", "model_pk", "model_sk"))
        .global_secondary_indexes(index("open-runs", "open_pk", "open_sk"))
        .global_secondary_indexes(index("mails-due", "due_pk", "due_sk"))
        .send()
        .await
        .unwrap();
    NewTable {
        store: DynamoStore::new(client.clone(), &name),
        client,
        name,
        calls,
    }
}

type Item = HashMap<String, AttributeValue>;

impl NewTable {
    /// Every item by its sort key.
    async fn items(&self) -> BTreeMap<String, Item> {
        let answer = self.client.scan().table_name(&self.name).send().await;
        let items = answer.unwrap().items.unwrap_or_default();
        items
            .into_iter()
            .map(|item| (item["SK"].as_s().unwrap().clone(), item))
            .collect()
    }
}

/// Counts the calls by action.
#[derive(Debug, Clone, Default)]
struct Calls(Arc<Mutex<BTreeMap<String, u32>>>);

impl Intercept for Calls {
    fn name(&self) -> &'static str {
        "Calls"
    }

    fn read_before_transmit(
        &self,
        context: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let target = context.request().headers().get("x-amz-target");
        let action = target.and_then(|target| target.rsplit('.').next());
        *self
            .0
            .lock()
            .unwrap()
            .entry(action.unwrap_or_default().to_owned())
            .or_default() += 1;
        Ok(())
    }
}

impl Calls {
    fn writes(&self) -> u32 {
        let calls = self.0.lock().unwrap();
        ["PutItem", "UpdateItem", "DeleteItem"]
            .map(|action| calls.get(action).copied().unwrap_or_default())
            .iter()
            .sum()
    }

    fn reads(&self) -> u32 {
        self.0
            .lock()
            .unwrap()
            .get("GetItem")
            .copied()
            .unwrap_or_default()
    }
}

/// Does to the table what the functions do for one run whose job takes these events.
async fn live(store: &DynamoStore, events: &[JobChange]) {
    let run = new_run("plan.json");
    let id = &run.id;
    store.create_if_absent(&run).await.unwrap();
    // validate-inputs
    store
        .advance(id, step(0, Status::Validating, 10))
        .await
        .unwrap();
    let outcome = ValidationOutcome::Accepted(acceptance(id));
    store
        .record_validation(id, &metadata(&["ana@corp.example"]), &outcome)
        .await
        .unwrap();
    // submit-job
    store
        .put_task_token(id, "the secret token", attempt(0))
        .await
        .unwrap();
    store.assign_job(id, &job()).await.unwrap();
    store
        .advance(id, step(0, Status::Submitted, 20))
        .await
        .unwrap();
    // track-job
    for event in events {
        let run = store.get(id).await.unwrap().unwrap();
        for effect in decide(&run, event) {
            match effect {
                Effect::AssignJob(job) => drop(store.assign_job(id, &job).await.unwrap()),
                Effect::Advance(step) => drop(store.advance(id, step).await.unwrap()),
                Effect::KeepLog(_) => {
                    store.put_log(id, &["a line".into()]).await.unwrap();
                }
                Effect::RecordJobEnd(end) => store.record_job_end(id, &end).await.unwrap(),
                Effect::Resume(_) => {
                    if let Some(token) = store.task_token(id).await.unwrap() {
                        store.delete_task_token(id, &token).await.unwrap();
                    }
                }
                Effect::Terminate(..) => panic!("there is no second job"),
            }
        }
    }
    let run = store.get(id).await.unwrap().unwrap();
    let failure = run.job_end.as_ref().and_then(|end| end.failure.clone());
    // index-outputs
    if failure.is_none() {
        store
            .advance(
                id,
                Transition {
                    progress: run.progress_to(Status::Collecting),
                    at: at(800),
                },
            )
            .await
            .unwrap();
        store
            .publish(id, &[output(id, "forecast.csv")], 1)
            .await
            .unwrap();
    }
    // finish-run
    let status = match failure {
        None => Status::Succeeded,
        Some(_) => Status::Failed,
    };
    let end = Transition {
        progress: run.progress_to(status),
        at: at(900),
    };
    let ended = store.finish(id, end, failure.as_ref()).await.unwrap();
    // notify
    let mail = MailKey {
        topic: MailTopic::Run(id.clone()),
        kind: MailKind::of(&ended).unwrap(),
        recipient: "ana@corp.example".into(),
    };
    store.claim(&mail, now()).await.unwrap();
    store.mark_sent(&mail, "message-1", now()).await.unwrap();
}

fn event(status: &str, finished: usize, second: i64) -> JobChange {
    let attempt = Attempt {
        finished: true,
        exit_code: None,
        container_reason: None,
        status_reason: Some("Host EC2 (instance i-0a1b2c3d4e5f) terminated.".into()),
        log_stream: Some("revenue-forecast/default/0a1b2c".into()),
    };
    JobChange {
        job: job(),
        status: JobStatus::from_name(status),
        stopped_on_request: None,
        status_reason: Some("Host EC2 (instance i-0a1b2c3d4e5f) terminated.".into()),
        attempts: vec![attempt; finished],
        at: at(100 + second),
    }
}

#[tokio::test]
async fn a_finished_run_writes_at_most_thirty_items() {
    let table = new_table().await;
    let events = [
        event("RUNNABLE", 0, 1),
        event("STARTING", 0, 2),
        event("RUNNING", 0, 3),
        event("SUCCEEDED", 1, 4),
    ];
    live(&table.store, &events).await;
    let (writes, reads) = (table.calls.writes(), table.calls.reads());
    assert_eq!(writes, 24, "and {reads} reads");
    assert!(reads <= 12, "{reads}");
}

#[tokio::test]
async fn a_run_with_a_retry_writes_at_most_thirty_items_too() {
    let table = new_table().await;
    let events = [
        event("RUNNABLE", 0, 1),
        event("STARTING", 0, 2),
        event("RUNNING", 0, 3),
        event("RUNNABLE", 1, 4),
        event("STARTING", 1, 5),
        event("RUNNING", 1, 6),
        event("SUCCEEDED", 2, 7),
    ];
    live(&table.store, &events).await;
    let writes = table.calls.writes();
    assert_eq!(writes, 30);
}

#[tokio::test]
async fn invariant_7_the_token_is_in_its_own_item_alone_and_is_deleted_after_use() {
    let table = new_table().await;
    let run = new_run("plan.json");
    table.store.create_if_absent(&run).await.unwrap();
    table
        .store
        .put_task_token(&run.id, "the secret token", attempt(0))
        .await
        .unwrap();
    table.store.assign_job(&run.id, &job()).await.unwrap();
    for (sort_key, item) in table.items().await {
        let holds = format!("{item:?}").contains("the secret token");
        assert_eq!(holds, sort_key == "TOKEN", "{sort_key}");
        // In a partition of its own, for roles end at partitions.
        let partition = item["PK"].as_s().unwrap();
        assert_eq!(
            holds,
            *partition == format!("TOKEN#{}", run.id),
            "{partition}"
        );
    }
    let table = new_table().await;
    let events = [event("RUNNING", 0, 3), event("FAILED", 2, 7)];
    live(&table.store, &events).await;
    for (sort_key, item) in table.items().await {
        assert!(!format!("{item:?}").contains("token"), "{sort_key}");
    }
}

#[tokio::test]
async fn all_that_belongs_to_a_run_expires_with_its_record() {
    let table = new_table().await;
    let events = [event("RUNNING", 0, 3), event("FAILED", 1, 7)];
    live(&table.store, &events).await;
    let run = new_run("plan.json");
    table
        .store
        .put_task_token(&run.id, "left over", attempt(0))
        .await
        .unwrap();
    let items = table.items().await;
    let kinds: Vec<&str> = items
        .keys()
        .map(|sort_key| sort_key.split('#').next().unwrap_or_default())
        .collect();
    for kind in ["LOG", "MAIL", "RUN", "STATUS", "TOKEN"] {
        assert!(kinds.contains(&kind), "{kinds:?}");
    }
    let expiry = AttributeValue::N(run.expires_at.as_second().to_string());
    for (sort_key, item) in items {
        assert_eq!(item.get("ttl"), Some(&expiry), "{sort_key}");
    }
}

#[tokio::test]
async fn no_key_contains_a_recipient() {
    let table = new_table().await;
    live(&table.store, &[event("FAILED", 1, 7)]).await;
    for sort_key in table.items().await.into_keys() {
        assert!(!sort_key.contains('@'), "{sort_key}");
    }
}

#[tokio::test]
async fn a_retry_completes_a_step_after_a_crash_between_its_two_writes() {
    let table = new_table().await;
    let run = new_run("plan.json");
    let (running, end) = (step(0, Status::Running, 5), step(1, Status::Failed, 9));
    let failure = Failure::new(ErrorCode::JobFailed, "The model stopped.");
    let all = async || {
        table.store.create_if_absent(&run).await.unwrap();
        table.store.advance(&run.id, running).await.unwrap();
        table
            .store
            .finish(&run.id, end, Some(&failure))
            .await
            .unwrap();
    };
    all().await;
    let expected = table.items().await;
    for lost in [
        Progress::first(Status::Received),
        running.progress,
        end.progress,
    ] {
        let sort_key = format!("STATUS#{:04}#{}", lost.attempts, lost.status.rank());
        assert!(expected.contains_key(&sort_key), "{sort_key}");
        table
            .client
            .delete_item()
            .table_name(&table.name)
            .key("PK", AttributeValue::S(format!("RUN#{}", run.id)))
            .key("SK", AttributeValue::S(sort_key))
            .send()
            .await
            .unwrap();
    }
    all().await;
    assert_eq!(table.items().await, expected);
}

#[tokio::test]
async fn an_item_that_does_not_read_is_named_and_not_retried() {
    let table = new_table().await;
    let run = new_run("plan.json");
    table
        .client
        .put_item()
        .table_name(&table.name)
        .item("PK", AttributeValue::S(format!("RUN#{}", run.id)))
        .item("SK", AttributeValue::S("RUN".into()))
        .send()
        .await
        .unwrap();
    let error = table.store.get(&run.id).await.unwrap_err();
    assert!(!error.is_transient());
    assert!(
        matches!(&error, StoreError::Invalid { key, .. } if key.ends_with(" RUN")),
        "{error}"
    );
}

#[tokio::test]
async fn the_default_of_a_model_without_its_default_entry_cannot_be_changed() {
    let table = new_table().await;
    let spec = version_spec("m");
    let name = spec.manifest.name.clone();
    for _ in 0..2 {
        table.store.register(&spec).await.unwrap();
    }
    let entry = table.store.defaults(&name).await.unwrap().entries.remove(0);
    table
        .client
        .delete_item()
        .table_name(&table.name)
        .key("PK", AttributeValue::S(format!("MODEL#{name}")))
        .key("SK", AttributeValue::S(format!("DEFAULT#{:.3}", entry.at)))
        .send()
        .await
        .unwrap();
    let before = table.items().await;
    let stamp = AuditStamp {
        by: None,
        at: at(0),
    };
    let promoted = table
        .store
        .promote(&name, "2".parse().unwrap(), stamp)
        .await;
    let error = promoted.unwrap_err();
    assert!(!error.is_transient());
    assert!(
        matches!(&error, StoreError::NoDefault { model } if *model == name),
        "{error}"
    );
    assert_eq!(table.items().await, before);
}

#[tokio::test]
async fn a_table_that_is_gone_is_no_reason_to_try_again() {
    let table = new_table().await;
    let store = DynamoStore::new(table.client.clone(), "no-such-table");
    let error = store
        .create_if_absent(&new_run("plan.json"))
        .await
        .unwrap_err();
    assert!(!error.is_transient(), "{error:?}");
}
