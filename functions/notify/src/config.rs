use dropcast_lambda_kit::config::{ConfigError, Settings};

#[derive(Debug)]
pub struct Config {
    pub runs_table: String,
    pub results_bucket: String,
    /// The secret with the link-signing keys.
    pub link_secret_arn: String,
    /// The URL that links begin with, without a slash at the end.
    pub link_base_url: String,
    /// How long links are valid, in days.
    pub link_lifetime_days: u32,
    /// The address that mails come from.
    pub sender_address: String,
    /// The address that is mailed if no recipient can be.
    pub operator_address: String,
    /// Domains that may be mailed, with their subdomains; at least one.
    pub allowed_recipient_domains: Vec<String>,
}

impl Config {
    /// Reads the settings, and reports all problems at once.
    pub fn read(mut settings: Settings) -> Result<Self, ConfigError> {
        let config = Self {
            runs_table: settings.text("RUNS_TABLE"),
            results_bucket: settings.text("RESULTS_BUCKET"),
            link_secret_arn: settings.text("LINK_SECRET_ARN"),
            link_base_url: settings.text("LINK_BASE_URL"),
            link_lifetime_days: settings.parsed("LINK_LIFETIME_DAYS"),
            sender_address: settings.text("SENDER_ADDRESS"),
            operator_address: settings.text("OPERATOR_ADDRESS"),
            allowed_recipient_domains: settings.list("ALLOWED_RECIPIENT_DOMAINS"),
        };
        settings.finish().map(|()| config)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deployment_that_may_mail_no_domain_does_not_start() {
        let read = |domains| {
            Config::read(Settings::from_pairs([
                ("RUNS_TABLE", "runs"),
                ("RESULTS_BUCKET", "results"),
                ("LINK_SECRET_ARN", "secret"),
                ("LINK_BASE_URL", "https://links.corp.example"),
                ("LINK_LIFETIME_DAYS", "30"),
                ("SENDER_ADDRESS", "forecasts@corp.example"),
                ("OPERATOR_ADDRESS", "operator@corp.example"),
                ("ALLOWED_RECIPIENT_DOMAINS", domains),
            ]))
        };
        let config = read("corp.example, corp.test").unwrap();
        assert_eq!(
            config.allowed_recipient_domains,
            ["corp.example", "corp.test"]
        );
        let fault = read(" ,").unwrap_err().to_string();
        assert!(
            fault.ends_with(
                "ALLOWED_RECIPIENT_DOMAINS is an empty list; it needs at least one entry"
            ),
            "{fault}"
        );
    }
}
