//! `track-job`: see the library beside this file.

use dropcast_aws::{executions::WaitingExecutions, jobs::AwsJobs, logs::LogGroup};
use dropcast_lambda_kit::{config::Settings, telemetry};
use dropcast_store::DynamoStore;
use lambda_runtime::{LambdaEvent, service_fn};
use track_job::{Config, Deps, handle};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    telemetry::start();
    let config = Config::read(Settings::from_env())?;
    let aws = dropcast_aws::load_in_lambda().await?;
    let logs = aws_sdk_cloudwatchlogs::Client::new(&aws);
    let logs = LogGroup::new(logs, config.job_log_group);
    let deps = Deps {
        store: DynamoStore::new(aws_sdk_dynamodb::Client::new(&aws), config.runs_table),
        executions: WaitingExecutions::new(aws_sdk_sfn::Client::new(&aws)),
        jobs: AwsJobs::new(
            aws_sdk_batch::Client::new(&aws),
            logs,
            config.job_queues.clone(),
        ),
        job_queues: config.job_queues,
    };
    lambda_runtime::run(service_fn(|event: LambdaEvent<_>| {
        handle(&deps, event.payload)
    }))
    .await
}
