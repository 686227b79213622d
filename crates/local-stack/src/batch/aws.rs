//! Clients of the emulator that events and logs go to, and that secrets come from.

use aws_config::{Region, SdkConfig};
use aws_sdk_cloudwatchlogs as logs;
use aws_sdk_eventbridge as events;
use aws_sdk_secretsmanager as secrets;
use aws_smithy_http_client::Builder;
use events::config::{BehaviorVersion, Credentials, SharedCredentialsProvider};

/// Keys that an emulator takes from anybody; jobs get the same.
pub(crate) const ACCESS_KEY: &str = "test";
pub(crate) const SECRET_KEY: &str = "test";

/// What the local Batch asks of the emulator.
pub(crate) struct Clients {
    pub(crate) events: events::Client,
    pub(crate) logs: logs::Client,
    pub(crate) secrets: secrets::Client,
}

/// The clients for one endpoint on this machine. They speak plain HTTP.
pub(crate) fn clients(endpoint: &str, region: &str) -> Clients {
    let credentials = Credentials::new(ACCESS_KEY, SECRET_KEY, None, None, "local-batch");
    let config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(region.to_owned()))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .endpoint_url(endpoint)
        .http_client(Builder::new().build_http())
        .build();
    Clients {
        events: events::Client::new(&config),
        logs: logs::Client::new(&config),
        secrets: secrets::Client::new(&config),
    }
}
