//! The stack on this machine.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Serialize;

/// What `dropcast local up|down|status --json` prints.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(title = "Local stack")]
pub struct LocalStatus {
    /// Whether a stack is up.
    pub up: bool,
    /// The state folder.
    pub state_dir: PathBuf,
    /// Where it is; null when none is up.
    pub stack: Option<LocalEndpoints>,
}

/// Where a local stack is.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LocalEndpoints {
    /// The process that runs it; SIGTERM stops it.
    pub pid: u32,
    /// Endpoint of every AWS service but Batch and CodeBuild.
    pub endpoint: String,
    /// Endpoint of the Batch API.
    pub batch_endpoint: String,
    /// Endpoint of the CodeBuild API.
    pub codebuild_endpoint: String,
    /// The region that the emulator reports.
    pub region: String,
    /// Name of the CloudFormation stack.
    pub stack_name: String,
    /// The bucket that input files are uploaded to.
    pub inputs_bucket: String,
    /// The bucket that results are kept in.
    pub results_bucket: String,
    /// The DynamoDB table of runs and models.
    pub runs_table: String,
    /// The state machine of runs.
    pub state_machine_arn: String,
    /// The queue that runs the models.
    pub job_queue_arn: String,
    /// Base of the links in mails.
    pub link_base_url: String,
}
