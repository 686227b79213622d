//! From the table's changes to events.

#![expect(
    clippy::unwrap_used,
    reason = "A test that cannot go on fails, in its helpers too."
)]

use std::sync::Mutex;

use announce_run::{Announcements, Error, TableChanges, handle};
use dropcast_domain::{event::RunStatusChanged, failure::ErrorCode, status::Status};
use serde_json::{Value, json};

/// A bus that takes events until it has so many.
#[derive(Debug)]
struct FakeBus {
    taken: Mutex<Vec<RunStatusChanged>>,
    room: usize,
}

impl FakeBus {
    fn with_room(room: usize) -> Self {
        Self {
            taken: Mutex::default(),
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

impl Announcements for FakeBus {
    async fn publish(&self, table: &str, event: &RunStatusChanged) -> Result<(), Error> {
        assert_eq!(
            table,
            "arn:aws:dynamodb:eu-west-1:111122223333:table/dropcast-runs"
        );
        let mut taken = self.taken.lock().unwrap();
        if taken.len() >= self.room {
            return Err(Error::NotTaken("ThrottlingException".into()));
        }
        taken.push(event.clone());
        Ok(())
    }
}

fn recorded() -> Value {
    serde_json::from_str(include_str!("../../../tests/fixtures/dynamodb-stream.json")).unwrap()
}

fn changes(event: &Value) -> TableChanges {
    serde_json::from_value(event.clone()).unwrap()
}

/// What Lambda is answered.
async fn answer(bus: &FakeBus, event: &Value) -> Value {
    serde_json::to_value(handle(bus, changes(event)).await.unwrap()).unwrap()
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
async fn an_event_bears_no_address_and_no_input() {
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
async fn a_record_that_does_not_read_is_reported_so_that_it_reaches_the_dead_letters() {
    let mut event = recorded();
    event["Records"][1]["dynamodb"]["NewImage"]["current"] = json!({ "S": "by hand" });
    let failed = event["Records"][1]["dynamodb"]["SequenceNumber"].clone();
    let bus = FakeBus::with_room(100);
    let answer = answer(&bus, &event).await;
    assert_eq!(
        answer,
        json!({ "batchItemFailures": [{ "itemIdentifier": failed }] })
    );
    assert_eq!(bus.statuses().len(), 1);
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
