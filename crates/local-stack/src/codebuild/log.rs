//! The log of a build: in CloudWatch Logs, and in a file of its own.

use std::{path::Path, sync::Mutex, time::Duration};

use jiff::Timestamp;
use tokio::{fs::File, io::AsyncWriteExt};

use super::core::build::{Outcome, PhaseKind};
use crate::{
    Progress, Reporter,
    service::{clock, logs::LogStream},
};

/// How long the last lines may take to reach CloudWatch Logs before the build is called ended.
const LAST_LINES: Duration = Duration::from_secs(5);

/// Takes the lines of one build.
pub(crate) struct Log {
    stream: LogStream,
    file: Option<File>,
}

impl Log {
    /// A log that goes to a stream and to a file.
    pub(crate) async fn new(stream: LogStream, path: &Path) -> Self {
        let file = File::create(path).await;
        if let Err(error) = &file {
            tracing::warn!(%error, file = %path.display(), "a build's log could not be stored");
        }
        Self {
            stream,
            file: file.ok(),
        }
    }

    /// What a command prints: each line as it is.
    pub(crate) async fn say(&mut self, text: &str) {
        for line in text.lines().filter(|line| !line.trim().is_empty()) {
            if let Some(file) = &mut self.file {
                // A full disk must not end the build; its lines are in CloudWatch Logs.
                let _ = file.write_all(format!("{line}\n").as_bytes()).await;
            }
            self.stream.write(line.to_owned()).await;
        }
    }

    /// What CodeBuild itself says.
    pub(crate) async fn note(&mut self, text: &str) {
        let now = Timestamp::from_millisecond(clock::now()).unwrap_or_default();
        let now = now.strftime("%Y/%m/%d %H:%M:%S%.6f");
        self.say(&format!("[Container] {now} {text}")).await;
    }

    pub(crate) async fn ended(&mut self, phase: PhaseKind, outcome: &Outcome) {
        let (phase, state) = (phase.as_str(), outcome.as_str());
        self.note(&format!("Phase complete: {phase} State: {state}"))
            .await;
        let (code, message) = outcome.context().unwrap_or_default();
        self.note(&format!(
            "Phase context status code: {code} Message: {message}"
        ))
        .await;
    }

    /// Sends what is left.
    pub(crate) async fn close(mut self) {
        if let Some(file) = &mut self.file {
            let _ = file.flush().await;
        }
        self.stream.close(LAST_LINES).await;
    }
}

/// Keeps the steps of making an image, for the log.
#[derive(Debug, Default)]
pub(crate) struct Steps(Mutex<Vec<String>>);

impl Reporter for Steps {
    fn report(&self, progress: Progress) {
        if progress.took.is_none()
            && let Ok(mut steps) = self.0.lock()
        {
            steps.push(progress.step);
        }
    }
}

impl Steps {
    /// The steps so far, one a line.
    pub(crate) fn text(self) -> String {
        self.0.into_inner().unwrap_or_default().join("\n")
    }
}
