//! From the table's changes to events.

#![expect(
    clippy::unwrap_used,
    reason = "A test that cannot go on fails, in its helpers too."
)]

use std::sync::Mutex;

use announce_run::{Change, DeadLetters, Deps, Error, TableChanges, handle};
use dropcast_aws::{
    CallError,
    ports::{NotPublished, PublishEvents},
};
use dropcast_domain::{
    event::{Announcement, BuildFinished, RunStatusChanged},
    failure::ErrorCode,
    status::Status,
};
use dropcast_test_support::fixture;
use serde_json::{Value, json};

/// A bus that takes events until it has so many.
#[derive(Debug)]
struct FakeBus {
    taken: Mutex<Vec<RunStatusChanged>>,
    builds: Mutex<Vec<BuildFinished>>,
    room: usize,
}

impl FakeBus {
    fn with_room(room: usize) -> Self {
        Self {
            taken: Mutex::default(),
            builds: Mutex::default(),
            room,
        }
    }

    fn statuses(&self) -> Vec<(Option<Status>, Status)> {
        let taken = self.taken.lock().unwrap();
        taken
            .iter()
            .map(|event| (event.previous_status, event.status))
            .collect()
    }
}

impl PublishEvents for &FakeBus {
    async fn publish(&self, events: &[Announcement]) -> Result<Vec<NotPublished>, CallError> {
        let mut taken = self.taken.lock().unwrap();
        let mut refused = Vec::new();
        for (index, event) in events.iter().enumerate() {
            if taken.len() >= self.room {
                let code = "ThrottlingException".to_owned();
                refused.push(NotPublished { index, code });
                continue;
            }
            match event.clone() {
                Announcement::Run(event) => taken.push(event),
                Announcement::Build(event) => self.builds.lock().unwrap().push(event),
            }
        }
        Ok(refused)
    }
}

/// Dead letters as they are kept.
#[derive(Debug, Default)]
struct FakeQueue(Mutex<Vec<Value>>);

impl DeadLetters for &FakeQueue {
    async fn send(&self, change: &Change) -> Result<(), Error> {
        let change = serde_json::to_value(change).unwrap();
        self.0.lock().unwrap().push(change);
        Ok(())
    }
}

fn recorded() -> Value {
    fixture("dynamodb-stream")
}

fn changes(event: &Value) -> TableChanges {
    serde_json::from_value(event.clone()).unwrap()
}

/// What Lambda is answered.
async fn answer(bus: &FakeBus, event: &Value) -> Value {
    answer_with(bus, &FakeQueue::default(), event).await
}

async fn answer_with(bus: &FakeBus, queue: &FakeQueue, event: &Value) -> Value {
    let deps = Deps {
        events: bus,
        dead_letters: queue,
    };
    serde_json::to_value(handle(&deps, changes(event)).await.unwrap()).unwrap()
}

#[tokio::test]
async fn every_status_change_is_announced_and_nothing_else() {
    let bus = FakeBus::with_room(100);
    let answer = answer(&bus, &recorded()).await;
    assert_eq!(answer, json!({ "batchItemFailures": [] }));
    // A new run, a step, a judgement (no change of status), a retry back to
    // waiting, a timeline item, the end, and the record's deletion.
    assert_eq!(
        bus.statuses(),
        [
            (None, Status::Received),
            (Some(Status::Received), Status::Validating),
            (Some(Status::Waiting), Status::Waiting),
            (Some(Status::Waiting), Status::Failed),
        ]
    );
    let taken = bus.taken.lock().unwrap();
    let attempts: Vec<u32> = taken.iter().map(|event| event.attempts).collect();
    assert_eq!(attempts, [0, 0, 1, 1]);
    let last = taken.last().unwrap();
    assert_eq!(last.error.as_ref().unwrap().code, ErrorCode::JobFailed);
    assert_eq!(last.title, "Q3 plan");
    assert_eq!(last.model, "revenue-forecast");
    assert_eq!(last.version.unwrap().number(), 7);
    assert_eq!(last.at, "2026-03-02T09:40:00Z".parse().unwrap());
}

#[tokio::test]
async fn an_event_contains_no_address_and_no_input() {
    let bus = FakeBus::with_room(100);
    answer(&bus, &recorded()).await;
    let taken = serde_json::to_string(&*bus.taken.lock().unwrap()).unwrap();
    for secret in [
        "corp.example",
        "inputs/",
        "corp-inputs",
        "3sL4kqtJlcpXroDTDmJ",
    ] {
        assert!(!taken.contains(secret), "{secret}");
    }
}

#[tokio::test]
async fn after_the_first_that_fails_the_rest_waits_behind_it() {
    let bus = FakeBus::with_room(2);
    let first = answer(&bus, &recorded()).await;
    let failed = "4421584500000000017450004";
    assert_eq!(
        first,
        json!({ "batchItemFailures": [{ "itemIdentifier": failed }] })
    );
    assert_eq!(bus.statuses().len(), 2);
    // Lambda begins again at that change.
    let mut again = recorded();
    let records = again["Records"].as_array_mut().unwrap();
    records.retain(|record| record["dynamodb"]["SequenceNumber"].as_str() >= Some(failed));
    let bus = FakeBus::with_room(100);
    let second = answer(&bus, &again).await;
    assert_eq!(second, json!({ "batchItemFailures": [] }));
    assert_eq!(bus.statuses().len(), 2);
}

#[tokio::test]
async fn a_record_that_cannot_be_parsed_goes_to_the_dead_letters_and_keeps_no_other() {
    let mut event = recorded();
    event["Records"][1]["dynamodb"]["NewImage"]["current"] = json!({ "S": "by hand" });
    let (bus, queue) = (FakeBus::with_room(100), FakeQueue::default());
    let answer = answer_with(&bus, &queue, &event).await;
    assert_eq!(answer, json!({ "batchItemFailures": [] }));
    assert_eq!(bus.statuses().len(), 3);
    let letters = queue.0.lock().unwrap();
    let [letter] = letters.as_slice() else {
        panic!("{letters:?}");
    };
    let images = |record: &Value| record["dynamodb"]["NewImage"].clone();
    assert_eq!(images(letter), images(&event["Records"][1]));
}

#[tokio::test]
async fn a_batch_delivered_twice_is_announced_twice_and_alike() {
    let bus = FakeBus::with_room(100);
    answer(&bus, &recorded()).await;
    answer(&bus, &recorded()).await;
    let taken = bus.taken.lock().unwrap();
    let (first, second) = taken.split_at(4);
    assert_eq!(first, second);
}

/// The stream's record of a build that was written.
fn build_written(number: &str, end: &Value) -> Value {
    let mut image = json!({
        "PK": { "S": "BUILD#5f1c3a2e-7f0d-4f6a-9c55-0b7c8a4f1d20" },
        "SK": { "S": "BUILD" },
        "buildId": { "S": "5f1c3a2e-7f0d-4f6a-9c55-0b7c8a4f1d20" },
        "model": { "S": "revenue-forecast" },
        "notify": { "L": [{ "S": "ana@corp.example" }] },
        "requestedBy": { "S": "arn:aws:iam::111122223333:user/ana" },
        "at": { "S": "2026-03-02T09:30:00Z" },
        "model_pk": { "S": "BUILDS#revenue-forecast" },
    });
    for (name, value) in end.as_object().unwrap() {
        image[name] = value.clone();
    }
    let mut record = recorded()["Records"][0].clone();
    record["dynamodb"] = json!({ "SequenceNumber": number, "NewImage": image });
    record
}

#[tokio::test]
async fn a_build_that_ended_is_announced_once_with_what_became_of_it() {
    let failed = json!({
        "status": { "S": "failed" },
        "code": { "S": "BuildFailed" },
        "phase": { "S": "BUILD" },
        "message": { "S": "The image could not be built." },
        "lines": { "L": [{ "S": "a secret of the build's log" }] },
    });
    let registered = json!({ "status": { "S": "registered" }, "version": { "N": "7" } });
    let mut changed = build_written("3", &registered);
    changed["dynamodb"]["OldImage"] = changed["dynamodb"]["NewImage"].clone();
    let mut deleted = changed.clone();
    deleted["dynamodb"]
        .as_object_mut()
        .unwrap()
        .remove("NewImage");
    let event = json!({ "Records": [
        build_written("1", &failed),
        build_written("2", &registered),
        changed,
        deleted,
    ] });
    let bus = FakeBus::with_room(100);
    let answer = answer(&bus, &event).await;
    assert_eq!(answer, json!({ "batchItemFailures": [] }));
    let builds = bus.builds.lock().unwrap();
    assert_eq!(builds.len(), 2);
    let schema: Value =
        serde_json::from_str(include_str!("../../../schemas/build-finished.schema.json")).unwrap();
    for build in &*builds {
        let detail = serde_json::to_value(Announcement::Build(build.clone())).unwrap();
        jsonschema::validate(&schema, &detail).unwrap();
        let text = detail.to_string();
        assert!(
            !text.contains("corp.example") && !text.contains("secret"),
            "{text}"
        );
    }
    assert_eq!(
        builds[0].error.as_ref().unwrap().message,
        "The image could not be built."
    );
    assert_eq!(builds[1].version.unwrap().number(), 7);
}
