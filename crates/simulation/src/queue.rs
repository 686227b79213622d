//! SQS standard queues: any order, copies, redelivery after the visibility timeout even while the
//! first delivery is still being handled, and dead letters.
//!
//! <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-visibility-timeout.html>

use serde_json::{Value, json};

use crate::clock;

/// A queue and its dead letters.
#[derive(Debug)]
pub(crate) struct Queue {
    pub(crate) name: &'static str,
    visibility_ms: i64,
    max_receives: u32,
    messages: Vec<Message>,
    pub(crate) dead: Vec<Message>,
    sent: u64,
}

#[derive(Debug)]
pub(crate) struct Message {
    id: String,
    pub(crate) body: Value,
    visible_at: i64,
    receives: u32,
}

impl Queue {
    pub(crate) fn new(name: &'static str, visibility_seconds: i64, max_receives: u32) -> Self {
        Self {
            name,
            visibility_ms: visibility_seconds * 1_000,
            max_receives,
            messages: Vec::new(),
            dead: Vec::new(),
            sent: 0,
        }
    }

    /// Sends a message that arrives after a delay.
    pub(crate) fn send(&mut self, body: Value, delay_ms: i64) {
        self.sent += 1;
        self.messages.push(Message {
            id: format!("{}-{}", self.name, self.sent),
            body,
            visible_at: clock::milliseconds() + delay_ms,
            receives: 0,
        });
    }

    /// When a message can next be received.
    pub(crate) fn next_at(&self) -> Option<i64> {
        self.messages.iter().map(|message| message.visible_at).min()
    }

    /// Receives up to so many of the visible messages, beginning at a random one; answers their
    /// ids and the event for the function.
    pub(crate) fn receive(&mut self, from: u64, at_most: u64) -> Option<(Vec<String>, Value)> {
        let now = clock::milliseconds();
        let mut visible: Vec<usize> = (0..self.messages.len())
            .filter(|index| self.messages[*index].visible_at <= now)
            .collect();
        if visible.is_empty() {
            return None;
        }
        let start = usize::try_from(from).unwrap_or(0) % visible.len();
        visible.rotate_left(start);
        visible.truncate(usize::try_from(at_most).unwrap_or(1));
        let (mut ids, mut records, mut dead) = (Vec::new(), Vec::new(), Vec::new());
        for index in visible {
            let message = &mut self.messages[index];
            if message.receives >= self.max_receives {
                dead.push(index);
                continue;
            }
            message.receives += 1;
            message.visible_at = now + self.visibility_ms;
            ids.push(message.id.clone());
            records.push(json!({
                "messageId": message.id,
                "body": message.body.to_string(),
                "attributes": {},
                "messageAttributes": {},
                "eventSource": "aws:sqs",
            }));
        }
        dead.sort_unstable();
        for index in dead.into_iter().rev() {
            self.dead.push(self.messages.remove(index));
        }
        (!ids.is_empty()).then(|| (ids, json!({ "Records": records })))
    }

    /// Deletes handled messages.
    pub(crate) fn delete(&mut self, ids: &[String]) {
        self.messages.retain(|message| !ids.contains(&message.id));
    }
}
