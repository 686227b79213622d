//! Publishes events in their order, without ever holding up the scheduler.

use std::time::Duration;

use aws_sdk_eventbridge::{Client, error::DisplayErrorContext, types::PutEventsRequestEntry};
use tokio::sync::mpsc::UnboundedReceiver;

/// An event for EventBridge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Announcement {
    pub(crate) detail_type: &'static str,
    pub(crate) resources: Vec<String>,
    /// JSON.
    pub(crate) detail: String,
}

/// `PutEvents` takes up to ten entries.
const MAX_ENTRIES: usize = 10;
/// First and longest time between two tries.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const MAX_PAUSE: Duration = Duration::from_secs(2);
/// Tries before events are given up, about a minute and a half.
const MAX_TRIES: u32 = 50;

/// Publishes until the sender is gone and everything is sent.
pub(crate) async fn publish(
    client: Client,
    source: String,
    mut announcements: UnboundedReceiver<Announcement>,
) {
    let mut batch = Vec::with_capacity(MAX_ENTRIES);
    while announcements.recv_many(&mut batch, MAX_ENTRIES).await > 0 {
        let entries = batch
            .drain(..)
            .map(|announcement| {
                PutEventsRequestEntry::builder()
                    .source(&source)
                    .detail_type(announcement.detail_type)
                    .set_resources(Some(announcement.resources))
                    .detail(announcement.detail)
                    .build()
            })
            .collect();
        put(&client, entries).await;
    }
}

/// Puts entries until all are taken. Of a partly failed call the first failed entry and all after
/// it are put again: at least once, as EventBridge itself delivers, and in order.
async fn put(client: &Client, mut entries: Vec<PutEventsRequestEntry>) {
    let mut pause = FIRST_PAUSE;
    for _ in 0..MAX_TRIES {
        let answer = client
            .put_events()
            .set_entries(Some(entries.clone()))
            .send()
            .await;
        match answer {
            Ok(answer) => {
                let refused = answer
                    .entries()
                    .iter()
                    .enumerate()
                    .find(|(_, entry)| entry.error_code().is_some());
                let Some((first, entry)) = refused else {
                    return;
                };
                tracing::warn!(
                    code = entry.error_code(),
                    message = entry.error_message(),
                    "EventBridge did not accept an event of a local service"
                );
                entries.drain(..first);
            }
            Err(error) => tracing::debug!(
                error = %DisplayErrorContext(&error),
                "events of a local service could not be put"
            ),
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(MAX_PAUSE);
    }
    tracing::error!(
        events = entries.len(),
        "events of a local service are discarded: the emulator does not accept them"
    );
}
