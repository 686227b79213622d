//! The last lines of a CloudWatch log stream.

use aws_sdk_cloudwatchlogs::{
    Client, error::SdkError, operation::get_log_events::GetLogEventsError,
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
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(GetLogEventsError::is_resource_not_found_exception) =>
            {
                tracing::warn!(stream, "the log stream does not exist");
                Ok(Vec::new())
            }
            Err(error) => Err(error),
        }
    }
}
