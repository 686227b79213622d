//! `announce-run`: see the library beside this file.

use announce_run::{Config, Deps, Queue, handle};
use dropcast_aws::events::EventBus;
use dropcast_lambda_kit::{config::Settings, telemetry};
use lambda_runtime::{LambdaEvent, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    telemetry::start();
    let config = Config::read(Settings::from_env())?;
    let aws = dropcast_aws::load_in_lambda().await?;
    let bus = aws_sdk_eventbridge::Client::new(&aws);
    let queue = aws_sdk_sqs::Client::new(&aws);
    let deps = Deps {
        events: EventBus::new(bus, config.event_bus_name, config.runs_table_arn),
        dead_letters: Queue::new(queue, config.dead_letters_url),
    };
    lambda_runtime::run(service_fn(|event: LambdaEvent<_>| {
        handle(&deps, event.payload)
    }))
    .await
}
