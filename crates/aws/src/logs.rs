//! CloudWatch log streams: their last lines, or all of them.

use aws_sdk_cloudwatchlogs::{
    Client, error::SdkError, operation::get_log_events::GetLogEventsError,
};
use jiff::Timestamp;

use crate::{
    CallError,
    ports::{LogLine, LogPage, LogPages},
};

/// The log group of jobs, or of builds.
#[derive(Debug, Clone)]
pub struct LogGroup {
    client: Client,
    name: String,
}

impl LogGroup {
    /// The group of this name.
    pub fn new(client: Client, name: impl Into<String>) -> Self {
        Self {
            client,
            name: name.into(),
        }
    }

    /// The last lines of a stream, `most` of them at most, oldest first; none where there is no
    /// such stream: what fails before it starts has logged nothing.
    pub async fn last_lines(
        &self,
        stream: &str,
        most: usize,
    ) -> Result<Vec<String>, SdkError<GetLogEventsError>> {
        let answer = self
            .client
            .get_log_events()
            .log_group_name(&self.name)
            .log_stream_name(stream)
            .limit(i32::try_from(most).unwrap_or(i32::MAX))
            .start_from_head(false)
            .send()
            .await;
        match answer {
            Ok(answer) => Ok(answer
                .events
                .unwrap_or_default()
                .into_iter()
                .filter_map(|event| event.message)
                .collect()),
            Err(error) if is_missing(&error) => {
                tracing::warn!(stream, "the log stream does not exist");
                Ok(Vec::new())
            }
            Err(error) => Err(error),
        }
    }
}

impl LogPages for LogGroup {
    async fn page(&self, stream: &str, token: Option<&str>) -> Result<LogPage, CallError> {
        let answer = self
            .client
            .get_log_events()
            .log_group_name(&self.name)
            .log_stream_name(stream)
            .set_next_token(token.map(ToOwned::to_owned))
            .start_from_head(true)
            .send()
            .await;
        let answer = match answer {
            Ok(answer) => answer,
            Err(error) if is_missing(&error) => {
                return Ok(LogPage::default());
            }
            Err(error) => return Err(CallError::of_sdk("logs:GetLogEvents", error)),
        };
        let lines = answer.events.unwrap_or_default().into_iter();
        Ok(LogPage {
            lines: lines
                .filter_map(|event| {
                    Some(LogLine {
                        at: Timestamp::from_millisecond(event.timestamp?).ok()?,
                        message: event.message?,
                    })
                })
                .collect(),
            token: answer.next_forward_token,
        })
    }
}

/// Whether there is no such stream, which is so until something is logged.
fn is_missing(error: &SdkError<GetLogEventsError>) -> bool {
    let error = error.as_service_error();
    error.is_some_and(GetLogEventsError::is_resource_not_found_exception)
}
