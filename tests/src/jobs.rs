//! The local Batch and the local CodeBuild: faults to ask for, and jobs to look at.

use anyhow::{Context, Result, ensure};
use aws_sdk_batch::types::JobDetail;
use serde_json::Value;

use crate::Stack;

impl Stack {
    /// Asks the local Batch for a fault.
    pub async fn fault(&self, fault: &Value) -> Result<()> {
        self.fault_of(&self.connection.batch_endpoint, fault).await
    }

    /// Asks the local `CodeBuild` for a fault.
    pub async fn build_fault(&self, fault: &Value) -> Result<()> {
        self.fault_of(&self.connection.codebuild_endpoint, fault)
            .await
    }

    async fn fault_of(&self, endpoint: &str, fault: &Value) -> Result<()> {
        let request = self.http.post(format!("{endpoint}/_dropcast/faults"));
        let answer = request.json(fault).send().await?;
        let status = answer.status();
        ensure!(
            status.is_success(),
            "{fault}: {status} {}",
            answer.text().await?
        );
        Ok(())
    }

    /// A job as Batch describes it.
    pub async fn job(&self, id: &str) -> Result<JobDetail> {
        let answer = self.batch.describe_jobs().jobs(id).send().await?;
        let job = answer.jobs.unwrap_or_default().pop();
        job.with_context(|| format!("Batch knows no job {id}"))
    }
}
