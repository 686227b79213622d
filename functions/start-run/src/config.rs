use dropcast_lambda_kit::config::{ConfigError, Settings};

#[derive(Debug)]
pub struct Config {
    pub runs_table: String,
    pub state_machine_arn: String,
    /// How long a record is kept, in days.
    pub retention_days: u32,
}

impl Config {
    /// Reads the settings, and reports all problems at once.
    pub fn read(mut settings: Settings) -> Result<Self, ConfigError> {
        let config = Self {
            runs_table: settings.text("RUNS_TABLE"),
            state_machine_arn: settings.text("STATE_MACHINE_ARN"),
            retention_days: settings.parsed("RETENTION_DAYS"),
        };
        settings.finish().map(|()| config)
    }
}
