//! The logs of runs' jobs.

use dropcast_aws::{
    CallError,
    ports::{LogLine, LogPages, LogStreams},
};
use dropcast_domain::run::Run;

/// Finds the log stream of the latest attempt of a run's job; none if none has started.
pub async fn find_log<J: LogStreams>(jobs: &J, run: &Run) -> Result<Option<String>, CallError> {
    let end = run.job_end.as_ref();
    if let Some(stream) = end.and_then(|end| end.log_stream.as_ref()) {
        return Ok(Some(stream.clone()));
    }
    match &run.job {
        Some(job) => jobs.log_stream(job).await,
        None => Ok(None),
    }
}

/// Reads a log from its beginning, and then the lines that are added to it.
#[derive(Debug)]
pub struct LogReader {
    stream: String,
    token: Option<String>,
}

impl LogReader {
    /// A reader at the beginning of a stream.
    pub fn new(stream: String) -> Self {
        Self {
            stream,
            token: None,
        }
    }

    /// The stream.
    pub fn stream(&self) -> &str {
        &self.stream
    }

    /// The next lines; none at the end of the log, which may grow.
    pub async fn next<L: LogPages>(&mut self, logs: &L) -> Result<Option<Vec<LogLine>>, CallError> {
        loop {
            let page = logs.page(&self.stream, self.token.as_deref()).await?;
            // The end of the log is where a page gives the token with which it was read, not where
            // a page is empty:
            // https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_GetLogEvents.html
            let ended = page.token.is_none() || page.token == self.token;
            if page.token.is_some() {
                self.token = page.token;
            }
            if !page.lines.is_empty() {
                return Ok(Some(page.lines));
            }
            if ended {
                return Ok(None);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use dropcast_aws::ports::LogPage;
    use jiff::Timestamp;

    use super::*;

    /// Pages by the token with which they are read.
    struct Pages(Vec<(Option<&'static str>, &'static [&'static str], &'static str)>);

    impl LogPages for Pages {
        async fn page(&self, _: &str, token: Option<&str>) -> Result<LogPage, CallError> {
            let found = self.0.iter().find(|(read_with, ..)| *read_with == token);
            let line = |message: &&str| LogLine {
                at: Timestamp::UNIX_EPOCH,
                message: (*message).to_owned(),
            };
            Ok(
                found.map_or_else(LogPage::default, |(_, lines, next)| LogPage {
                    lines: lines.iter().map(line).collect(),
                    token: Some((*next).to_owned()),
                }),
            )
        }
    }

    async fn read(reader: &mut LogReader, pages: &Pages) -> Vec<String> {
        let mut all = Vec::new();
        while let Some(lines) = reader.next(pages).await.unwrap() {
            all.extend(lines.into_iter().map(|line| line.message));
        }
        all
    }

    #[tokio::test]
    async fn an_empty_page_in_the_middle_is_not_the_end_and_a_log_that_grows_is_read_on() {
        let mut reader = LogReader::new("model/default/1".to_owned());
        assert!(read(&mut reader, &Pages(vec![])).await.is_empty());
        let mut pages = Pages(vec![
            (None, &["one", "two"], "f/1"),
            (Some("f/1"), &[], "f/2"),
            (Some("f/2"), &["three"], "f/3"),
            (Some("f/3"), &[], "f/3"),
        ]);
        assert_eq!(read(&mut reader, &pages).await, ["one", "two", "three"]);
        assert!(read(&mut reader, &pages).await.is_empty());
        pages.0.pop();
        pages.0.push((Some("f/3"), &["four"], "f/4"));
        pages.0.push((Some("f/4"), &[], "f/4"));
        assert_eq!(read(&mut reader, &pages).await, ["four"]);
    }
}
