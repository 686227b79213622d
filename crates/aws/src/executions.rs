//! The Step Functions execution of a run: started once, resumed once.

use std::error::Error;

use aws_sdk_sfn::{
    Client,
    config::http::HttpResponse,
    error::{ProvideErrorMetadata, SdkError},
    types::ExecutionStatus,
};
use dropcast_domain::{
    ids::{JobId, RunId},
    job::JobEnd,
    repair::{ExecutionOutput, ExecutionState},
    status::Status,
};
use serde_json::{Value, json};

use crate::{
    CallError,
    ports::{DescribeExecutions, ResumeExecutions, StartExecutions},
};

/// A state machine, to start executions of.
#[derive(Debug, Clone)]
pub struct StateMachine {
    client: Client,
    arn: String,
}

impl StateMachine {
    /// The machine of this ARN.
    pub fn new(client: Client, arn: impl Into<String>) -> Self {
        Self {
            client,
            arn: arn.into(),
        }
    }
}

impl StartExecutions for StateMachine {
    async fn start(&self, run: &RunId) -> Result<(), CallError> {
        let answer = self
            .client
            .start_execution()
            .state_machine_arn(&self.arn)
            // The name makes a second start harmless for 90 days:
            // https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html
            .name(run.as_str())
            .input(json!({ "runId": run }).to_string())
            .send()
            .await;
        match answer {
            Ok(_) => Ok(()),
            Err(error) if error.code() == Some("ExecutionAlreadyExists") => Ok(()),
            Err(error) => Err(CallError::of_sdk("states:StartExecution", error)),
        }
    }
}

impl DescribeExecutions for StateMachine {
    async fn state(&self, run: &RunId) -> Result<ExecutionState, CallError> {
        let arn = self.arn.replacen(":stateMachine:", ":execution:", 1);
        let answer = self
            .client
            .describe_execution()
            .execution_arn(format!("{arn}:{run}"))
            .send()
            .await;
        match answer {
            Ok(execution) => Ok(match execution.status {
                ExecutionStatus::Running | ExecutionStatus::PendingRedrive => {
                    ExecutionState::Running
                }
                _ => ExecutionState::Ended(execution.output.as_deref().and_then(output)),
            }),
            Err(error) if error.code() == Some("ExecutionDoesNotExist") => {
                Ok(ExecutionState::Absent)
            }
            Err(error) => Err(CallError::of_sdk("states:DescribeExecution", error)),
        }
    }
}

impl ResumeExecutions for StateMachine {
    async fn resume(&self, token: &str, job: &JobId, end: &JobEnd) -> Result<bool, CallError> {
        let waiting = WaitingExecutions::new(self.client.clone());
        waiting.resume(token, job, end).await
    }
}

/// How an execution says that its run ended.
fn output(json: &str) -> Option<ExecutionOutput> {
    let output: Value = serde_json::from_str(json).ok()?;
    let status: Status = serde_json::from_value(output.get("status")?.clone()).ok()?;
    let code = output.get("code");
    Some(ExecutionOutput {
        status: status.try_into().ok()?,
        code: code.and_then(|code| serde_json::from_value(code.clone()).ok()),
    })
}

/// Executions that wait, each known by its task token alone.
#[derive(Debug, Clone)]
pub struct WaitingExecutions {
    client: Client,
}

impl WaitingExecutions {
    /// The executions that this client reaches.
    pub fn new(client: Client) -> Self {
        Self { client }
    }
}

impl ResumeExecutions for WaitingExecutions {
    async fn resume(&self, token: &str, job: &JobId, end: &JobEnd) -> Result<bool, CallError> {
        if let Some(failure) = &end.failure {
            let call = self
                .client
                .send_task_failure()
                .task_token(token)
                .error(failure.code.as_str())
                .cause(&failure.message);
            settled(call.send().await.err(), "states:SendTaskFailure")
        } else {
            let output = json!({ "jobId": job, "attempt": end.attempts });
            let call = self
                .client
                .send_task_success()
                .task_token(token)
                .output(output.to_string());
            settled(call.send().await.err(), "states:SendTaskSuccess")
        }
    }
}

/// Whether the answer was taken. A second answer to a task is refused under one of two names.
fn settled<E>(
    refused: Option<SdkError<E, HttpResponse>>,
    call: &'static str,
) -> Result<bool, CallError>
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    match refused {
        None => Ok(true),
        Some(error) if matches!(error.code(), Some("TaskTimedOut" | "TaskDoesNotExist")) => {
            tracing::info!("the execution no longer waits with this token");
            Ok(false)
        }
        Some(error) => Err(CallError::of_sdk(call, error)),
    }
}
