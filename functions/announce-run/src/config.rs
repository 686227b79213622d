use dropcast_lambda_kit::config::{ConfigError, Settings};

#[derive(Debug)]
pub struct Config {
    pub event_bus_name: String,
    /// The table's ARN, which the events name.
    pub runs_table_arn: String,
    /// The queue of changes that cannot be read.
    pub dead_letters_url: String,
}

impl Config {
    /// Reads the settings, and reports all problems at once.
    pub fn read(mut settings: Settings) -> Result<Self, ConfigError> {
        let config = Self {
            event_bus_name: settings.text("EVENT_BUS_NAME"),
            runs_table_arn: settings.text("RUNS_TABLE_ARN"),
            dead_letters_url: settings.text("DEAD_LETTERS_URL"),
        };
        settings.finish().map(|()| config)
    }
}
