use dropcast_lambda_kit::config::{ConfigError, Settings};

use crate::Queues;

#[derive(Debug)]
pub struct Config {
    pub runs_table: String,
    pub results_bucket: String,
    /// The stack's name, which jobs are tagged with.
    pub stack: String,
    pub queues: Queues,
}

impl Config {
    /// Reads the settings, and reports all problems at once.
    pub fn read(mut settings: Settings) -> Result<Self, ConfigError> {
        let config = Self {
            runs_table: settings.text("RUNS_TABLE"),
            results_bucket: settings.text("RESULTS_BUCKET"),
            stack: settings.text("STACK_NAME"),
            queues: Queues {
                usual: settings.text("JOB_QUEUE_ARN"),
                large: settings.text_if_any("LARGE_JOB_QUEUE_ARN"),
                large_from_mib: settings.parsed("LARGE_JOB_MEMORY_MIB"),
            },
        };
        settings.finish().map(|()| config)
    }
}
