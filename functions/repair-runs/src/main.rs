//! `repair-runs`: see the library beside this file.

use dropcast_aws::load_in_lambda;
use dropcast_lambda_kit::{config::Settings, telemetry};
use lambda_runtime::{LambdaEvent, service_fn};
use repair_runs::{Config, deps, handle};
use serde_json::Value;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    telemetry::start();
    let config = Config::read(Settings::from_env())?;
    let deps = deps(&load_in_lambda().await?, config);
    lambda_runtime::run(service_fn(|_: LambdaEvent<Value>| {
        handle(&deps, dropcast_lambda_kit::clock::now)
    }))
    .await
}
