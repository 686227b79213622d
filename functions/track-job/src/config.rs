use dropcast_lambda_kit::config::{ConfigError, Settings};

#[derive(Debug)]
pub struct Config {
    pub runs_table: String,
    pub job_queues: Vec<String>,
    /// The log group that jobs write to.
    pub job_log_group: String,
}

impl Config {
    /// Reads the settings, and reports all problems at once.
    pub fn read(mut settings: Settings) -> Result<Self, ConfigError> {
        let config = Self {
            runs_table: settings.text("RUNS_TABLE"),
            job_queues: settings.job_queues(),
            job_log_group: settings.text("JOB_LOG_GROUP"),
        };
        settings.finish().map(|()| config)
    }
}
