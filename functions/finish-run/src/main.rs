//! `finish-run`: see the library beside this file.

use dropcast_aws::batch::BatchJobs;
use dropcast_lambda_kit::{config::Settings, telemetry};
use dropcast_store::DynamoStore;
use finish_run::{Config, Deps, handle};
use lambda_runtime::{LambdaEvent, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    telemetry::start();
    let config = Config::read(Settings::from_env())?;
    let aws = dropcast_aws::load_in_lambda().await?;
    let deps = Deps {
        store: DynamoStore::new(aws_sdk_dynamodb::Client::new(&aws), config.runs_table),
        jobs: BatchJobs::new(aws_sdk_batch::Client::new(&aws)),
        now: dropcast_lambda_kit::clock::now,
    };
    lambda_runtime::run(service_fn(|event: LambdaEvent<_>| {
        handle(&deps, event.payload)
    }))
    .await
}
