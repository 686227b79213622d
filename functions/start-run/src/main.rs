//! `start-run`: see the library beside this file.

use dropcast_aws::executions::StateMachine;
use dropcast_lambda_kit::{config::Settings, telemetry};
use dropcast_store::DynamoStore;
use lambda_runtime::{LambdaEvent, service_fn};
use start_run::{Config, Deps, handle};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    telemetry::start();
    let config = Config::read(Settings::from_env())?;
    let aws = dropcast_aws::load_in_lambda().await?;
    let deps = Deps {
        store: DynamoStore::new(aws_sdk_dynamodb::Client::new(&aws), config.runs_table),
        executions: StateMachine::new(aws_sdk_sfn::Client::new(&aws), config.state_machine_arn),
        retention_days: config.retention_days,
    };
    lambda_runtime::run(service_fn(|event: LambdaEvent<_>| {
        handle(&deps, event.payload)
    }))
    .await
}
