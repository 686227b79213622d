//! `register-version`: see the library beside this file.

use dropcast_aws::s3::Bucket;
use dropcast_lambda_kit::{config::Settings, telemetry};
use dropcast_store::DynamoStore;
use lambda_runtime::{LambdaEvent, service_fn};
use register_version::{AwsProject, AwsServices, BatchDefinitions, Config, Deps, IamRoles};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    telemetry::start();
    let config = Config::read(Settings::from_env())?;
    let aws = dropcast_aws::load_in_lambda().await?;
    let deps = Deps::<AwsServices> {
        store: DynamoStore::new(aws_sdk_dynamodb::Client::new(&aws), &config.runs_table),
        files: Bucket::new(aws_sdk_s3::Client::new(&aws), &config.models_bucket),
        definitions: BatchDefinitions::of(&aws, config.jobs.clone()),
        roles: IamRoles::new(aws_sdk_iam::Client::new(&aws), &config),
        project: AwsProject::of(&aws, &config),
        config,
        now: dropcast_lambda_kit::clock::now,
    };
    lambda_runtime::run(service_fn(|event: LambdaEvent<_>| {
        register_version::handle(&deps, event.payload)
    }))
    .await
}
