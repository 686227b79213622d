use dropcast_lambda_kit::config::{ConfigError, Settings};

#[derive(Debug)]
pub struct Config {
    pub event_bus_name: String,
}

impl Config {
    /// Reads the settings; every fault is reported together.
    pub fn read(mut settings: Settings) -> Result<Self, ConfigError> {
        let config = Self {
            event_bus_name: settings.text("EVENT_BUS_NAME"),
        };
        settings.finish().map(|()| config)
    }
}
