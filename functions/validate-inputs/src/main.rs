//! `validate-inputs`: see the library beside this file.

use dropcast_lambda_kit::{config::Settings, telemetry};
use dropcast_store::DynamoStore;
use lambda_runtime::{LambdaEvent, service_fn};
use validate_inputs::{Config, Deps, S3Files, handle};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    telemetry::start();
    let config = Config::read(Settings::from_env())?;
    let aws = dropcast_aws::load_in_lambda().await?;
    let deps = Deps {
        store: DynamoStore::new(aws_sdk_dynamodb::Client::new(&aws), config.runs_table),
        files: S3Files::new(
            aws_sdk_s3::Client::new(&aws),
            config.inputs_bucket,
            config.results_bucket,
        ),
        now: dropcast_lambda_kit::clock::now,
    };
    lambda_runtime::run(service_fn(|event: LambdaEvent<_>| {
        Box::pin(handle(&deps, event.payload))
    }))
    .await
}
