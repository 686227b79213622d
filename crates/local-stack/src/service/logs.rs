//! Brings the output of processes into CloudWatch Logs.

use std::time::Duration;

use aws_sdk_cloudwatchlogs::{
    Client,
    error::{DisplayErrorContext, SdkError},
    operation::create_log_stream::CreateLogStreamError,
    types::InputLogEvent,
};
use tokio::{sync::mpsc, task::JoinHandle, time::Instant};

use super::clock;

/// What `PutLogEvents` takes at once: events, and bytes with 26 more for each event.
const MAX_EVENTS: usize = 10_000;
const MAX_BYTES: usize = 1_048_576;
const BYTES_PER_EVENT: usize = 26;
/// Lines that wait here before the job's own output is held up.
const BACKLOG: usize = 8192;
const MAX_TRIES: u32 = 6;

/// One log stream. It is created with its first lines, its group too if that is missing.
pub(crate) struct LogStream {
    lines: mpsc::Sender<InputLogEvent>,
    sending: JoinHandle<()>,
}

impl LogStream {
    /// Opens a stream; lines are sent at most `interval` after they were written.
    pub(crate) fn open(
        client: Client,
        group: impl Into<String>,
        name: String,
        interval: Duration,
    ) -> Self {
        let (lines, waiting) = mpsc::channel(BACKLOG);
        let stream = Stream {
            client,
            group: group.into(),
            name,
        };
        let sending = tokio::spawn(async move { stream.send(interval, waiting).await });
        Self { lines, sending }
    }

    /// Adds a line with the present time.
    pub(crate) async fn write(&self, message: String) {
        let event = InputLogEvent::builder()
            .timestamp(clock::now())
            .message(message)
            .build();
        if let Ok(event) = event {
            // Fails only when the sending task is gone, and then nothing waits for it.
            let _ = self.lines.send(event).await;
        }
    }

    /// Sends what is left, for at most `within`.
    pub(crate) async fn close(self, within: Duration) {
        drop(self.lines);
        let abort = self.sending.abort_handle();
        if tokio::time::timeout(within, self.sending).await.is_err() {
            abort.abort();
            tracing::warn!("the last lines of a stream did not reach CloudWatch Logs in time");
        }
    }
}

/// Where lines go.
struct Stream {
    client: Client,
    group: String,
    name: String,
}

impl Stream {
    async fn send(&self, interval: Duration, mut waiting: mpsc::Receiver<InputLogEvent>) {
        let mut created = false;
        let mut open = true;
        let mut carried = None;
        while open {
            let first = match carried.take() {
                Some(event) => Some(event),
                None => waiting.recv().await,
            };
            let Some(first) = first else {
                return;
            };
            let due = Instant::now() + interval;
            let mut bytes = first.message().len() + BYTES_PER_EVENT;
            let mut batch = vec![first];
            while batch.len() < MAX_EVENTS {
                tokio::select! {
                    event = waiting.recv() => if let Some(event) = event {
                        let size = event.message().len() + BYTES_PER_EVENT;
                        if bytes + size > MAX_BYTES {
                            carried = Some(event);
                            break;
                        }
                        bytes += size;
                        batch.push(event);
                    } else {
                        open = false;
                        break;
                    },
                    () = tokio::time::sleep_until(due) => break,
                }
            }
            open |= carried.is_some();
            created = created || self.create().await;
            self.put(batch).await;
        }
    }

    /// Creates the stream, and the group when it is missing.
    async fn create(&self) -> bool {
        for _ in 0..2 {
            let answer = self
                .client
                .create_log_stream()
                .log_group_name(&self.group)
                .log_stream_name(&self.name)
                .send()
                .await;
            match answer.map_err(SdkError::into_service_error) {
                Ok(_) | Err(CreateLogStreamError::ResourceAlreadyExistsException(_)) => {
                    return true;
                }
                Err(CreateLogStreamError::ResourceNotFoundException(_)) => {
                    // Another job may create it at the same time; the second round shows it.
                    let _ = self
                        .client
                        .create_log_group()
                        .log_group_name(&self.group)
                        .send()
                        .await;
                }
                Err(error) => {
                    tracing::warn!(error = %DisplayErrorContext(&error), stream = self.name, "a log stream could not be created");
                    return false;
                }
            }
        }
        false
    }

    async fn put(&self, batch: Vec<InputLogEvent>) {
        for _ in 0..MAX_TRIES {
            let answer = self
                .client
                .put_log_events()
                .log_group_name(&self.group)
                .log_stream_name(&self.name)
                .set_log_events(Some(batch.clone()))
                .send()
                .await;
            match answer {
                Ok(_) => return,
                Err(error) => {
                    tracing::debug!(error = %DisplayErrorContext(&error), stream = self.name, "lines could not be put");
                }
            }
            self.create().await;
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        tracing::error!(
            lines = batch.len(),
            stream = self.name,
            "lines are discarded: CloudWatch Logs does not accept them"
        );
    }
}
