//! The queue of changes that cannot be read.

use std::future::Future;

use aws_sdk_sqs::Client;
use dropcast_aws::CallError;

use crate::{Change, Error};

/// Where changes go that cannot be read; an alarm tells the operator.
pub trait DeadLetters: Send + Sync {
    /// Sends a change as the stream delivered it.
    fn send(&self, change: &Change) -> impl Future<Output = Result<(), Error>> + Send;
}

/// A queue of SQS.
#[derive(Debug)]
pub struct Queue {
    client: Client,
    url: String,
}

impl Queue {
    /// The queue at this URL.
    pub fn new(client: Client, url: impl Into<String>) -> Self {
        Self {
            client,
            url: url.into(),
        }
    }
}

impl DeadLetters for Queue {
    async fn send(&self, change: &Change) -> Result<(), Error> {
        let body = serde_json::to_string(change).map_err(Error::Unwritable)?;
        let message = self.client.send_message().queue_url(&self.url);
        let answer = message.message_body(body).send().await;
        let answer = answer.map_err(|error| CallError::of_sdk("sqs:SendMessage", error))?;
        drop(answer);
        Ok(())
    }
}
