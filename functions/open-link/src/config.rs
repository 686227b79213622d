use dropcast_lambda_kit::config::{ConfigError, Settings};

#[derive(Debug)]
pub struct Config {
    pub runs_table: String,
    pub results_bucket: String,
    /// The secret with the link-signing keys.
    pub link_secret_arn: String,
}

impl Config {
    /// Reads the settings, and reports all problems at once.
    pub fn read(mut settings: Settings) -> Result<Self, ConfigError> {
        let config = Self {
            runs_table: settings.text("RUNS_TABLE"),
            results_bucket: settings.text("RESULTS_BUCKET"),
            link_secret_arn: settings.text("LINK_SECRET_ARN"),
        };
        settings.finish().map(|()| config)
    }
}
