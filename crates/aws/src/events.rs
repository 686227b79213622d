//! The event bus.

use aws_sdk_eventbridge::{Client, types::PutEventsRequestEntry};
use dropcast_domain::event::{Announcement, SOURCE};

use crate::{
    CallError,
    ports::{NotPublished, PublishEvents},
};

/// How many events one call takes.
///
/// <https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html>
pub const MAX_ENTRIES: usize = 10;

/// An EventBridge bus, for events about the items of one table.
#[derive(Debug, Clone)]
pub struct EventBus {
    client: Client,
    bus: String,
    table: String,
}

impl EventBus {
    /// The bus of this name. The table's ARN tells deployments that share a bus apart.
    pub fn new(client: Client, bus: impl Into<String>, table: impl Into<String>) -> Self {
        Self {
            client,
            bus: bus.into(),
            table: table.into(),
        }
    }
}

impl EventBus {
    fn entry(&self, event: &Announcement) -> Result<PutEventsRequestEntry, CallError> {
        let detail = serde_json::to_string(event).map_err(|error| CallError {
            call: "events:PutEvents",
            transient: false,
            source: Box::new(error),
        })?;
        Ok(PutEventsRequestEntry::builder()
            .event_bus_name(&self.bus)
            .source(SOURCE)
            .detail_type(event.detail_type())
            .resources(&self.table)
            .detail(detail)
            .build())
    }
}

impl PublishEvents for EventBus {
    async fn publish(&self, events: &[Announcement]) -> Result<Vec<NotPublished>, CallError> {
        let mut refused = Vec::new();
        for (chunk, events) in events.chunks(MAX_ENTRIES).enumerate() {
            let entries: Vec<_> = events
                .iter()
                .map(|event| self.entry(event))
                .collect::<Result<_, _>>()?;
            let call = self.client.put_events().set_entries(Some(entries));
            let answer = call.send().await;
            let answer = answer.map_err(|error| CallError::of_sdk("events:PutEvents", error))?;
            // The call succeeds even when the bus did not take every entry.
            let entries = answer.entries.unwrap_or_default().into_iter().enumerate();
            refused.extend(entries.filter_map(|(index, entry)| {
                Some(NotPublished {
                    index: chunk * MAX_ENTRIES + index,
                    code: entry.error_code?,
                })
            }));
            if !refused.is_empty() {
                // What comes behind waits, so that events keep their order.
                break;
            }
        }
        Ok(refused)
    }
}
