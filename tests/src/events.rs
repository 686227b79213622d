//! Every event that passes EventBridge, recorded from the stack's start.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use aws_sdk_eventbridge::types::Target;
use aws_sdk_sqs::types::{DeleteMessageBatchRequestEntry, QueueAttributeName};
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::{sync::watch, task::AbortHandle};

use crate::Stack;

/// Name of the rule and of the queue behind it.
const NAME: &str = "everything";
/// How long one look into the queue may last.
const POLL_SECONDS: i32 = 10;

/// One event.
#[derive(Debug, Clone)]
pub struct Event {
    /// The sender, for example `aws.batch`.
    pub source: String,
    /// The kind of event.
    pub detail_type: String,
    /// The event's own time.
    pub time: Timestamp,
    /// The event's body.
    pub detail: Value,
    /// The whole event.
    pub whole: Value,
}

impl Event {
    fn read(body: &str) -> Result<Self> {
        let whole: Value = serde_json::from_str(body)?;
        let text = |name: &str| -> Result<String> {
            Ok(whole[name].as_str().context("an event's text")?.to_owned())
        };
        Ok(Self {
            source: text("source")?,
            detail_type: text("detail-type")?,
            time: text("time")?.parse()?,
            detail: whole["detail"].clone(),
            whole,
        })
    }
}

/// Records all events of the stack's sources.
#[derive(Debug)]
pub(crate) struct EventCapture {
    heard: Arc<Mutex<Vec<Event>>>,
    count: watch::Receiver<usize>,
    listening: AbortHandle,
}

impl EventCapture {
    pub(crate) async fn open(
        sqs: aws_sdk_sqs::Client,
        events: &aws_sdk_eventbridge::Client,
    ) -> Result<Self> {
        let queue = sqs.create_queue().queue_name(NAME).send().await?;
        let queue = queue.queue_url.context("the queue's URL")?;
        let arn = sqs
            .get_queue_attributes()
            .queue_url(&queue)
            .attribute_names(QueueAttributeName::QueueArn)
            .send()
            .await?
            .attributes
            .and_then(|mut attributes| attributes.remove(&QueueAttributeName::QueueArn))
            .context("the queue's ARN")?;
        let policy = json!({
            "Version": "2012-10-17",
            "Statement": [{
                "Effect": "Allow",
                "Principal": { "Service": "events.amazonaws.com" },
                "Action": "sqs:SendMessage",
                "Resource": arn,
            }],
        });
        sqs.set_queue_attributes()
            .queue_url(&queue)
            .attributes(QueueAttributeName::Policy, policy.to_string())
            .send()
            .await?;
        let pattern = json!({ "source": ["aws.s3", "dropcast", "dropcast.batch"] });
        events
            .put_rule()
            .name(NAME)
            .event_pattern(pattern.to_string())
            .send()
            .await?;
        let target = Target::builder().id(NAME).arn(arn).build()?;
        events
            .put_targets()
            .rule(NAME)
            .targets(target)
            .send()
            .await?;
        let heard: Arc<Mutex<Vec<Event>>> = Arc::default();
        let (counter, count) = watch::channel(0);
        let listening = tokio::spawn(listen(sqs, queue, heard.clone(), counter));
        Ok(Self {
            heard,
            count,
            listening: listening.abort_handle(),
        })
    }

    pub(crate) fn close(&self) {
        self.listening.abort();
    }

    fn from(&self, first: usize) -> Vec<Event> {
        let heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        heard.iter().skip(first).cloned().collect()
    }
}

impl Drop for EventCapture {
    fn drop(&mut self) {
        self.close();
    }
}

async fn listen(
    sqs: aws_sdk_sqs::Client,
    queue: String,
    heard: Arc<Mutex<Vec<Event>>>,
    counter: watch::Sender<usize>,
) {
    loop {
        let answer = sqs
            .receive_message()
            .queue_url(&queue)
            .max_number_of_messages(10)
            .wait_time_seconds(POLL_SECONDS)
            .send()
            .await;
        let messages = match answer {
            Ok(answer) => answer.messages.unwrap_or_default(),
            Err(error) => {
                eprintln!("the events are not heard: {error:?}");
                tokio::time::sleep(Duration::from_secs(1)).await;
                continue;
            }
        };
        if messages.is_empty() {
            continue;
        }
        let mut done = Vec::new();
        for (at, message) in messages.into_iter().enumerate() {
            match Event::read(message.body().unwrap_or_default()) {
                Ok(event) => heard
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .push(event),
                Err(error) => eprintln!("an event does not read: {error:#}"),
            }
            let entry = DeleteMessageBatchRequestEntry::builder()
                .id(at.to_string())
                .set_receipt_handle(message.receipt_handle);
            done.extend(entry.build());
        }
        counter.send_modify(|count| *count += done.len());
        let delete = sqs.delete_message_batch().queue_url(&queue);
        if let Err(error) = delete.set_entries(Some(done)).send().await {
            eprintln!("events may be heard twice: {error:?}");
        }
    }
}

impl Stack {
    /// Every event heard so far, in the order of arrival.
    pub fn events(&self) -> Vec<Event> {
        self.events.from(0)
    }

    /// The first `count` events that fit, once that many are heard; fewer when the time is over.
    pub(crate) async fn heard(
        &self,
        count: usize,
        limit: Duration,
        fits: impl Fn(&Event) -> bool,
    ) -> Vec<Event> {
        let deadline = Instant::now() + limit;
        let mut news = self.events.count.clone();
        let (mut seen, mut found) = (0, Vec::new());
        loop {
            news.mark_unchanged();
            let fresh = self.events.from(seen);
            seen += fresh.len();
            found.extend(fresh.into_iter().filter(|event| fits(event)));
            if found.len() >= count {
                found.truncate(count);
                return found;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            match tokio::time::timeout(left, news.changed()).await {
                Ok(Ok(())) => {}
                _ => return found,
            }
        }
    }
}
