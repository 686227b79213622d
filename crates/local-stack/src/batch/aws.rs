//! Clients of the emulator that events and logs go to.

use aws_sdk_cloudwatchlogs as logs;
use aws_sdk_eventbridge as events;
use aws_smithy_http_client::Builder;
use events::config::{BehaviorVersion, Credentials, Region};

/// Keys that an emulator takes from anybody; jobs get the same.
pub(crate) const ACCESS_KEY: &str = "test";
pub(crate) const SECRET_KEY: &str = "test";

/// Both clients, for one endpoint on this machine. They speak plain HTTP.
pub(crate) fn clients(endpoint: &str, region: &str) -> (events::Client, logs::Client) {
    let http = Builder::new().build_http();
    let credentials = Credentials::new(ACCESS_KEY, SECRET_KEY, None, None, "local-batch");
    let region = Region::new(region.to_owned());
    let for_events = events::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(region.clone())
        .credentials_provider(credentials.clone())
        .endpoint_url(endpoint)
        .http_client(http.clone())
        .build();
    let for_logs = logs::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(region)
        .credentials_provider(credentials)
        .endpoint_url(endpoint)
        .http_client(http)
        .build();
    (
        events::Client::from_conf(for_events),
        logs::Client::from_conf(for_logs),
    )
}
