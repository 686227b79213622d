//! Settings of this function.

use dropcast_lambda_kit::config::{ConfigError, Settings};

/// Settings of this function.
#[derive(Debug)]
pub struct Config {
    /// The runs table's name.
    pub runs_table: String,
    /// The runs table's ARN, which the events that are published name.
    pub runs_table_arn: String,
    /// The inputs bucket's name.
    pub inputs_bucket: String,
    /// The state machine's ARN.
    pub state_machine_arn: String,
    /// The ARNs of the job queues.
    pub job_queues: Vec<String>,
    /// The jobs' log group.
    pub job_log_group: String,
    /// The event bus.
    pub event_bus_name: String,
    /// How long a record is kept, in days.
    pub retention_days: u32,
}

impl Config {
    /// Reads the settings; every fault is reported together.
    pub fn read(mut settings: Settings) -> Result<Self, ConfigError> {
        let queue = settings.text("JOB_QUEUE_ARN");
        let large_queue = settings.text_if_any("LARGE_JOB_QUEUE_ARN");
        let config = Self {
            runs_table: settings.text("RUNS_TABLE"),
            runs_table_arn: settings.text("RUNS_TABLE_ARN"),
            inputs_bucket: settings.text("INPUTS_BUCKET"),
            state_machine_arn: settings.text("STATE_MACHINE_ARN"),
            job_queues: [queue].into_iter().chain(large_queue).collect(),
            job_log_group: settings.text("JOB_LOG_GROUP"),
            event_bus_name: settings.text("EVENT_BUS_NAME"),
            retention_days: settings.parsed("RETENTION_DAYS"),
        };
        settings.finish().map(|()| config)
    }
}
