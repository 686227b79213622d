//! Clients of the emulator that events and logs go to, and files and secrets come from.

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};
use aws_sdk_cloudwatchlogs as logs;
use aws_sdk_eventbridge as events;
use aws_sdk_s3 as s3;
use aws_sdk_secretsmanager as secrets;
use aws_smithy_http_client::Builder;
use s3::config::RequestChecksumCalculation;

/// Keys that an emulator takes from anybody; jobs get the same.
pub(crate) const ACCESS_KEY: &str = "test";
pub(crate) const SECRET_KEY: &str = "test";

/// Clients for one endpoint on this machine. They speak plain HTTP.
#[derive(Debug, Clone)]
pub(crate) struct Clients {
    pub(crate) events: events::Client,
    pub(crate) logs: logs::Client,
    pub(crate) s3: s3::Client,
    pub(crate) secrets: secrets::Client,
}

impl Clients {
    /// Clients of the emulator at `endpoint`.
    pub(crate) fn new(endpoint: &str, region: &str) -> Self {
        let credentials = Credentials::new(ACCESS_KEY, SECRET_KEY, None, None, "local-service");
        let config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(region.to_owned()))
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .endpoint_url(endpoint)
            .http_client(Builder::new().build_http())
            .build();
        let for_s3 = s3::config::Builder::from(&config)
            .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
            .force_path_style(true)
            .build();
        Self {
            events: events::Client::new(&config),
            logs: logs::Client::new(&config),
            s3: s3::Client::from_conf(for_s3),
            secrets: secrets::Client::new(&config),
        }
    }
}
