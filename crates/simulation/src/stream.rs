//! The table's stream: the changes of one item in their order, in batches that are delivered again
//! until they are handled.
//!
//! <https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html>

use std::collections::VecDeque;

use dropcast_domain::run::Run;
use serde_dynamo::AttributeValue;
use serde_json::{Value, json};

use crate::clock;

const STREAM_ARN: &str =
    "arn:aws:dynamodb:eu-west-1:000000000000:table/runs/stream/2026-03-02T09:30:00.000";

/// How long Lambda waits before it delivers a failed batch again, in milliseconds.
const RETRY_MS: i64 = 1_000;

/// The one shard of the stream.
#[derive(Debug, Default)]
pub(crate) struct Stream {
    changes: VecDeque<(u64, Value)>,
    written: u64,
    in_flight: bool,
    not_before: i64,
}

impl Stream {
    /// Writes down that a run's record changed.
    pub(crate) fn push(&mut self, before: Option<&Run>, after: &Run) {
        self.written += 1;
        let mut images = json!({
            "SequenceNumber": self.written.to_string(),
            "NewImage": image(after),
        });
        if let Some(before) = before {
            images["OldImage"] = image(before);
        }
        let record = json!({ "eventSourceARN": STREAM_ARN, "dynamodb": images });
        self.changes.push_back((self.written, record));
    }

    pub(crate) fn is_due(&self) -> bool {
        self.next_at()
            .is_some_and(|next| next <= clock::milliseconds())
    }

    pub(crate) fn next_at(&self) -> Option<i64> {
        (!self.in_flight && !self.changes.is_empty()).then_some(self.not_before)
    }

    /// The next batch.
    pub(crate) fn receive(&mut self, at_most: u64) -> Value {
        self.in_flight = true;
        let at_most = usize::try_from(at_most).unwrap_or(1);
        let records: Vec<&Value> = self
            .changes
            .iter()
            .take(at_most)
            .map(|(_, record)| record)
            .collect();
        json!({ "Records": records })
    }

    /// The batch was handled up to, but not including, this change.
    pub(crate) fn handled(&mut self, delivered: usize, failed_from: Option<u64>) {
        self.in_flight = false;
        let handled = match failed_from {
            None => delivered,
            Some(failed) => self
                .changes
                .iter()
                .take_while(|(number, _)| *number < failed)
                .count(),
        };
        self.changes.drain(..handled.min(self.changes.len()));
        if failed_from.is_some() {
            self.not_before = clock::milliseconds() + RETRY_MS;
        }
    }

    /// The batch was not handled.
    pub(crate) fn not_handled(&mut self) {
        self.in_flight = false;
        self.not_before = clock::milliseconds() + RETRY_MS;
    }
}

fn image(run: &Run) -> Value {
    let item: serde_dynamo::Item = serde_dynamo::to_item(run).unwrap();
    let mut item = item.into_inner();
    let sort_key = dropcast_store::items::RUN_SK.to_owned();
    item.insert("SK".to_owned(), AttributeValue::S(sort_key));
    serde_json::to_value(serde_dynamo::Item::from(item)).unwrap()
}
