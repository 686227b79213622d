//! Finds runs whose events were lost, and does what the events would have done.
//!
//! A schedule invokes it every five minutes. What is missed is decided in
//! `dropcast_domain::repair` and done in [`dropcast_app::repair`].

mod config;
mod report;

pub use config::Config;
use dropcast_app::repair::{RepairDeps, repair_runs};
use dropcast_aws::{
    SdkConfig, events::EventBus, executions::StateMachine, jobs::AwsJobs, logs::LogGroup,
    s3::Bucket,
};
use dropcast_lambda_kit::error::HandlerError;
use dropcast_store::DynamoStore;
use jiff::Timestamp;
pub use report::{Incomplete, Summary};

/// What the use case works with on AWS.
pub type Deps = RepairDeps<DynamoStore, StateMachine, AwsJobs, Bucket, EventBus>;

/// The use case over AWS.
pub fn deps(aws: &SdkConfig, config: Config) -> Deps {
    let logs = aws_sdk_cloudwatchlogs::Client::new(aws);
    RepairDeps {
        store: DynamoStore::new(aws_sdk_dynamodb::Client::new(aws), config.runs_table),
        executions: StateMachine::new(aws_sdk_sfn::Client::new(aws), config.state_machine_arn),
        jobs: AwsJobs::new(
            aws_sdk_batch::Client::new(aws),
            LogGroup::new(logs, config.job_log_group),
            config.job_queues,
        ),
        uploads: Bucket::new(aws_sdk_s3::Client::new(aws), config.inputs_bucket),
        events: EventBus::new(
            aws_sdk_eventbridge::Client::new(aws),
            config.event_bus_name,
            config.runs_table_arn,
        ),
        retention_days: config.retention_days,
    }
}

/// One pass over all that is open. It fails, after all has been tried, if something could not be
/// repaired; the next pass tries that again.
pub async fn handle(deps: &Deps, now: fn() -> Timestamp) -> Result<Summary, HandlerError> {
    Ok(report::conclude(&repair_runs(deps, now()).await)?)
}
