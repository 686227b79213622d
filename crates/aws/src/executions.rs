//! The Step Functions execution of a run: started once, resumed once.

use std::{error::Error, future::Future};

use aws_sdk_sfn::{
    Client,
    config::http::HttpResponse,
    error::{ProvideErrorMetadata, SdkError},
};
use dropcast_domain::{
    ids::{JobId, RunId},
    job::JobEnd,
};
use serde_json::json;

use crate::{CallError, ports::StartExecutions};

/// Resumes executions that wait for a job.
pub trait ResumeExecutions: Send + Sync {
    /// Hands the end of the job to the execution that waits with this token;
    /// an execution that no longer waits is left alone.
    fn resume(
        &self,
        token: &str,
        job: &JobId,
        end: &JobEnd,
    ) -> impl Future<Output = Result<(), CallError>> + Send;
}

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
    async fn resume(&self, token: &str, job: &JobId, end: &JobEnd) -> Result<(), CallError> {
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

/// A second answer to a task is refused by one of two names: the first one counted.
fn settled<E>(
    refused: Option<SdkError<E, HttpResponse>>,
    call: &'static str,
) -> Result<(), CallError>
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    match refused {
        None => Ok(()),
        Some(error) if matches!(error.code(), Some("TaskTimedOut" | "TaskDoesNotExist")) => {
            tracing::info!("the execution no longer waits for this job");
            Ok(())
        }
        Some(error) => Err(CallError::of_sdk(call, error)),
    }
}
