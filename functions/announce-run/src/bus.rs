use std::future::Future;

use aws_sdk_eventbridge::{Client, types::PutEventsRequestEntry};
use dropcast_aws::CallError;
use dropcast_domain::event::{Announcement, SOURCE};

use crate::Error;

pub trait Announcements: Send + Sync {
    /// Publishes one event about an item of this table. The table's ARN goes into the event, so that
    /// deployments can share a bus.
    fn publish(
        &self,
        table: &str,
        event: &Announcement,
    ) -> impl Future<Output = Result<(), Error>> + Send;
}

#[derive(Debug)]
pub struct EventBus {
    client: Client,
    bus: String,
}

impl EventBus {
    pub fn new(client: Client, bus: impl Into<String>) -> Self {
        Self {
            client,
            bus: bus.into(),
        }
    }
}

impl Announcements for EventBus {
    async fn publish(&self, table: &str, event: &Announcement) -> Result<(), Error> {
        let detail = serde_json::to_string(event).map_err(Error::Unwritable)?;
        let entry = PutEventsRequestEntry::builder()
            .event_bus_name(&self.bus)
            .source(SOURCE)
            .detail_type(event.detail_type())
            .resources(table)
            .detail(detail)
            .build();
        let answer = self.client.put_events().entries(entry).send().await;
        let answer = answer.map_err(|error| CallError::of_sdk("events:PutEvents", error))?;
        // The call succeeds even when the bus did not take the entry.
        match answer
            .entries
            .unwrap_or_default()
            .into_iter()
            .find_map(|entry| entry.error_code)
        {
            Some(code) => Err(Error::NotTaken(code)),
            None => Ok(()),
        }
    }
}
