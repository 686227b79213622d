//! The Step Functions execution of a run: started once, resumed once.

use std::future::Future;

use aws_sdk_sfn::{Client, error::ProvideErrorMetadata};
use dropcast_domain::{
    job::JobEnd,
    run_id::{JobId, RunId},
};
use dropcast_lambda_kit::error::CallError;
use serde_json::json;

/// What functions do with executions.
pub trait Executions: Send + Sync {
    /// Starts the run's execution unless it was started.
    fn start(&self, run: &RunId) -> impl Future<Output = Result<(), CallError>> + Send;

    /// Hands the end of the job to the execution that waits with this token;
    /// an execution that no longer waits is left alone.
    fn resume(
        &self,
        token: &str,
        job: &JobId,
        end: &JobEnd,
    ) -> impl Future<Output = Result<(), CallError>> + Send;
}

/// Executions of one state machine.
#[derive(Debug, Clone)]
pub struct StateMachine {
    client: Client,
    arn: String,
}

impl StateMachine {
    /// The machine of this ARN. A function that only resumes has no need of it.
    pub fn new(client: Client, arn: impl Into<String>) -> Self {
        Self {
            client,
            arn: arn.into(),
        }
    }
}

impl Executions for StateMachine {
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

    async fn resume(&self, token: &str, job: &JobId, end: &JobEnd) -> Result<(), CallError> {
        let refused = if let Some(failure) = &end.failure {
            self.client
                .send_task_failure()
                .task_token(token)
                .error(failure.code.as_str())
                .cause(&failure.message)
                .send()
                .await
                .err()
                .map(|error| {
                    (
                        no_longer_waits(error.code()),
                        CallError::of_sdk("states:SendTaskFailure", error),
                    )
                })
        } else {
            self.client
                .send_task_success()
                .task_token(token)
                .output(json!({ "jobId": job, "attempt": end.attempts }).to_string())
                .send()
                .await
                .err()
                .map(|error| {
                    (
                        no_longer_waits(error.code()),
                        CallError::of_sdk("states:SendTaskSuccess", error),
                    )
                })
        };
        match refused {
            None => Ok(()),
            Some((true, _)) => {
                tracing::info!("the execution no longer waits for this job");
                Ok(())
            }
            Some((false, error)) => Err(error),
        }
    }
}

/// A second answer to a task is refused by one of these names: the first one counted.
fn no_longer_waits(code: Option<&str>) -> bool {
    matches!(code, Some("TaskTimedOut" | "TaskDoesNotExist"))
}
