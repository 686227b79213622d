use dropcast_lambda_kit::config::{ConfigError, Settings};

#[derive(Debug)]
pub struct Config {
    pub runs_table: String,
    /// The runs table's ARN, which the events that are published name.
    pub runs_table_arn: String,
    pub inputs_bucket: String,
    pub state_machine_arn: String,
    pub job_queues: Vec<String>,
    /// The log group that jobs write to.
    pub job_log_group: String,
    pub event_bus_name: String,
    /// How long a record is kept, in days.
    pub retention_days: u32,
}

impl Config {
    /// Reads the settings, and reports all problems at once.
    pub fn read(mut settings: Settings) -> Result<Self, ConfigError> {
        let config = Self {
            runs_table: settings.text("RUNS_TABLE"),
            runs_table_arn: settings.text("RUNS_TABLE_ARN"),
            inputs_bucket: settings.text("INPUTS_BUCKET"),
            state_machine_arn: settings.text("STATE_MACHINE_ARN"),
            job_queues: settings.job_queues(),
            job_log_group: settings.text("JOB_LOG_GROUP"),
            event_bus_name: settings.text("EVENT_BUS_NAME"),
            retention_days: settings.parsed("RETENTION_DAYS"),
        };
        settings.finish().map(|()| config)
    }
}
