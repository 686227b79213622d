//! Finds runs whose events were lost, and does what the events would have done.
//!
//! A schedule invokes it every five minutes. What is missed is decided in
//! [`dropcast_domain::repair`] and done in [`dropcast_app::repair`].

mod config;
mod report;

use dropcast_app::repair::{RepairDeps, repair_runs};
use dropcast_aws::{
    SdkConfig,
    events::EventBus,
    executions::StateMachine,
    jobs::AwsJobs,
    logs::LogGroup,
    ports::{
        DescribeExecutions, DescribeJobs, JobLogs, PublishEvents, RecentUploads, ResumeExecutions,
        StartExecutions, StopJobs,
    },
    s3::Bucket,
};
use dropcast_lambda_kit::error::HandlerError;
use dropcast_store::{
    DueMails, DynamoStore, History, Jobs, Repairs, RunCompletion, Runs, TaskTokens,
};
use jiff::Timestamp;

pub use config::Config;
pub use report::{Incomplete, Summary};

/// The use case over AWS.
pub fn deps(
    aws: &SdkConfig,
    config: Config,
) -> RepairDeps<DynamoStore, StateMachine, AwsJobs, Bucket, EventBus> {
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
pub async fn handle<S, X, J, U, E>(
    deps: &RepairDeps<S, X, J, U, E>,
    now: fn() -> Timestamp,
) -> Result<Summary, HandlerError>
where
    S: Runs + Jobs + TaskTokens + RunCompletion + Repairs + DueMails + History,
    X: StartExecutions + ResumeExecutions + DescribeExecutions,
    J: DescribeJobs + JobLogs + StopJobs,
    U: RecentUploads,
    E: PublishEvents,
{
    Ok(report::conclude(&repair_runs(deps, now()).await)?)
}
