use std::future::Future;

use aws_sdk_ses::{
    Client, Config,
    config::retry::RetryConfig,
    error::SdkError,
    operation::send_raw_email::SendRawEmailError,
    primitives::Blob,
    types::{MessageTag, RawMessage},
};
use dropcast_aws::CallError;
use dropcast_domain::mail::{MailKind, MailTopic};
use dropcast_lambda_kit::telemetry;
use thiserror::Error;

/// A mail was not sent, as far as is known.
#[derive(Debug, Error)]
#[error("the mail was not sent")]
pub struct SendError {
    #[source]
    pub error: CallError,
    /// Whether SES refused the mail, so that it certainly was not sent.
    pub refused: bool,
}

pub trait Mailer: Send + Sync {
    /// Sends one MIME message to one recipient and returns the message's id.
    fn send(
        &self,
        sender: &str,
        recipient: &str,
        message: Vec<u8>,
        topic: &MailTopic,
        kind: MailKind,
    ) -> impl Future<Output = Result<String, SendError>> + Send;
}

#[derive(Debug)]
pub struct Ses {
    client: Client,
}

impl Ses {
    pub fn new(client: Client) -> Self {
        Self { client }
    }
}

impl Mailer for Ses {
    async fn send(
        &self,
        sender: &str,
        recipient: &str,
        message: Vec<u8>,
        topic: &MailTopic,
        kind: MailKind,
    ) -> Result<String, SendError> {
        let unbuilt = |error: aws_sdk_ses::error::BuildError| SendError {
            error: CallError {
                call: "ses:SendRawEmail",
                transient: false,
                source: Box::new(error),
            },
            refused: true,
        };
        let raw = RawMessage::builder()
            .data(Blob::new(message))
            .build()
            .map_err(unbuilt)?;
        // Tags come back in SES's bounce and delivery events.
        let tag = |name: &str, value: &str| {
            MessageTag::builder()
                .name(name)
                .value(value)
                .build()
                .map_err(unbuilt)
        };
        let answer = self
            .client
            .send_raw_email()
            .source(sender)
            .destinations(recipient)
            .raw_message(raw)
            .tags(tag(topic.noun(), topic.id())?)
            .tags(tag("kind", topic.mail_name(kind))?)
            .customize()
            // A repetition after an answer that got lost would send the mail twice, uncounted.
            .config_override(Config::builder().retry_config(RetryConfig::disabled()))
            .send()
            .await;
        match answer {
            Ok(answer) => Ok(answer.message_id),
            Err(error) => Err(not_sent(&error, recipient)),
        }
    }
}

/// What SES's failure means, without the recipient's address: SES names whom it refuses, and errors are logged.
fn not_sent(error: &SdkError<SendRawEmailError>, recipient: &str) -> SendError {
    let refused = match error {
        SdkError::ConstructionFailure(_) => true,
        // What failed on SES's own side may have been sent.
        SdkError::ServiceError(refusal) => refusal.raw().status().as_u16() < 500,
        _ => false,
    };
    let said = telemetry::chain(error).replace(recipient, "<the recipient>");
    SendError {
        error: CallError {
            call: "ses:SendRawEmail",
            transient: dropcast_aws::is_transient(error),
            source: said.into(),
        },
        refused,
    }
}
