//! `announce-run`: see the library beside this file.

use announce_run::{Config, EventBus, handle};
use dropcast_lambda_kit::{config::Settings, telemetry};
use lambda_runtime::{LambdaEvent, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    telemetry::start();
    let config = Config::read(Settings::from_env())?;
    let aws = dropcast_aws::load_in_lambda().await?;
    let bus = EventBus::new(
        aws_sdk_eventbridge::Client::new(&aws),
        config.event_bus_name,
    );
    lambda_runtime::run(service_fn(|event: LambdaEvent<_>| {
        handle(&bus, event.payload)
    }))
    .await
}
