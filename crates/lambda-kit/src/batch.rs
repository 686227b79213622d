//! The loop over an SQS batch: one bad message never drags good ones along.

use std::future::Future;

use aws_lambda_events::sqs::{BatchItemFailure, SqsBatchResponse, SqsEvent};
use serde::{Deserialize, de::DeserializeOwned};
use tracing::Instrument as _;

use crate::error::{Class, FunctionError};

/// The envelope of an EventBridge event, as far as it is used.
///
/// See <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-events-structure.html>.
#[derive(Debug, Clone, Deserialize)]
pub struct Envelope<T> {
    /// When the source says that it happened.
    pub time: jiff::Timestamp,
    /// What happened.
    pub detail: T,
}

/// Handles each message of a batch, an [`Envelope`] most often, and returns which to deliver again.
///
/// A body that does not parse is reported as failed too: it ends in the
/// dead-letter queue, which has an alarm, and is not lost.
pub async fn each<M, E, F, Handled>(event: SqsEvent, handle: F) -> SqsBatchResponse
where
    M: DeserializeOwned,
    E: FunctionError,
    F: Fn(M) -> Handled,
    Handled: Future<Output = Result<(), E>>,
{
    let mut answer = SqsBatchResponse::default();
    for message in event.records {
        let id = message.message_id.unwrap_or_default();
        let span = tracing::info_span!("message", sqs.message_id = %id);
        let body = message.body.unwrap_or_default();
        let done = async {
            let started = std::time::Instant::now();
            let done = match serde_json::from_str(&body) {
                // Boxed: the handlers' futures are deep, and the loop would double them.
                Ok(message) => Box::pin(handle(message)).await.map_err(|error| {
                    let again = error.class() != Class::Permanent;
                    crate::telemetry::log_failure(
                        &error,
                        if again {
                            "will be retried"
                        } else {
                            "cannot be processed"
                        },
                    );
                }),
                Err(error) => {
                    crate::telemetry::log_failure(
                        &error,
                        "the message is not an event of the kind that this queue receives",
                    );
                    Err(())
                }
            };
            let duration_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
            tracing::info!(duration_ms, ok = done.is_ok(), "message processed");
            done
        }
        .instrument(span)
        .await;
        if done.is_err() {
            let mut failure = BatchItemFailure::default();
            failure.item_identifier = id;
            answer.batch_item_failures.push(failure);
        }
    }
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("poison")]
    struct Poison;

    impl FunctionError for Poison {
        fn class(&self) -> Class {
            Class::Permanent
        }
    }

    #[tokio::test]
    async fn one_poison_message_does_not_drag_the_others_along() {
        let record = |id: &str, body: &str| serde_json::json!({ "messageId": id, "body": body });
        let event = serde_json::from_value(serde_json::json!({ "Records": [
            record("good", r#"{"time":"2026-03-01T09:30:00Z","detail":1}"#),
            record("poison", r#"{"time":"2026-03-01T09:30:00Z","detail":2}"#),
            record("junk", "not an event"),
        ]}))
        .unwrap();
        let answer = each(event, |envelope: Envelope<u8>| async move {
            if envelope.detail == 2 {
                Err(Poison)
            } else {
                Ok(())
            }
        })
        .await;
        let failed: Vec<_> = answer
            .batch_item_failures
            .iter()
            .map(|failure| failure.item_identifier.as_str())
            .collect();
        assert_eq!(failed, ["poison", "junk"]);
    }
}
