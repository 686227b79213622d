//! Following runs to their end.

use std::{fmt::Write as _, time::Duration};

use anyhow::{Context, Result, bail};
use aws_sdk_sfn::operation::describe_execution::DescribeExecutionOutput;
use dropcast_domain::{
    event::{RUN_STATUS_CHANGED, RunStatusChanged, SOURCE},
    ids::RunId,
    run::Run,
    status::{Status, Transition},
    upload,
};
use dropcast_store::{History as _, Runs as _};
use serde_json::Value;

use crate::{
    Dropped, Event, Stack, Upload,
    stack::{LIMIT, until},
};

/// How many of a model's newest runs are looked at.
const NEWEST: u16 = 500;

/// A run that is over.
#[derive(Debug, Clone)]
pub struct Ended {
    /// Its record.
    pub run: Run,
    /// Its timeline.
    pub timeline: Vec<Transition>,
    /// How its execution ended: `SUCCEEDED` or what went wrong with Dropcast itself.
    pub execution: String,
}

impl Ended {
    /// The statuses of its timeline, in their order.
    pub fn statuses(&self) -> Vec<Status> {
        self.timeline
            .iter()
            .map(|step| step.progress.status)
            .collect()
    }

    /// Why it did not succeed, as `code: message`; empty when it did.
    pub fn failure(&self) -> String {
        let failure = self.run.failure.as_ref();
        failure.map_or_else(String::new, |failure| {
            format!("{}: {}", failure.code, failure.message)
        })
    }
}

impl Stack {
    /// Drops a file and follows its run to the end.
    pub async fn run(&self, file: &Upload) -> Result<(Dropped, Ended)> {
        let dropped = self.submit(file).await?;
        let ended = self.ended(&dropped.run).await?;
        Ok((dropped, ended))
    }

    /// Waits until a run is over and its execution has ended.
    pub async fn ended(&self, run: &RunId) -> Result<Ended> {
        if !self
            .announced(run, LIMIT, |change| change.status.is_terminal())
            .await
        {
            bail!(
                "the run {run} is not over after {} s.\n{}",
                LIMIT.as_secs(),
                self.diagnosis(run).await
            );
        }
        let record = self.record(run).await?;
        let execution = until("the execution has ended", || async {
            let status = self.execution(run).await?;
            Ok((status != "RUNNING").then_some(status))
        })
        .await?;
        Ok(Ended {
            run: record,
            timeline: self.store.timeline(run).await?,
            execution,
        })
    }

    /// Waits until a run reaches a status.
    pub async fn reached(&self, run: &RunId, status: Status) -> Result<()> {
        if self
            .announced(run, LIMIT, |change| change.status == status)
            .await
        {
            return Ok(());
        }
        bail!(
            "the run {run} never was {status}.\n{}",
            self.diagnosis(run).await
        );
    }

    /// A run's record.
    pub async fn record(&self, run: &RunId) -> Result<Run> {
        let found = self.store.get(run).await?;
        found.with_context(|| format!("the run {run} has no record"))
    }

    /// Every run that was started under an upload's key.
    pub async fn runs_of_key(&self, upload: &upload::Upload) -> Result<Vec<Run>> {
        let model = upload.request().model;
        let runs = self.store.runs_of(&model, NEWEST).await?;
        let of_key = |run: &Run| run.upload.key == upload.key;
        Ok(runs.into_iter().filter(of_key).collect())
    }

    /// The status of a run's execution.
    pub async fn execution(&self, run: &RunId) -> Result<String> {
        let answer = self
            .sfn
            .describe_execution()
            .execution_arn(self.execution_arn(run)?)
            .send()
            .await?;
        Ok(answer.status.as_str().to_owned())
    }

    /// Starts an execution of a machine and waits for its end.
    pub async fn executed(&self, machine: &str, input: &Value) -> Result<DescribeExecutionOutput> {
        let start = self.sfn.start_execution().state_machine_arn(machine);
        let started = start.input(input.to_string()).send().await?;
        until(&format!("the execution of {input} has ended"), || async {
            let describe = self.sfn.describe_execution();
            let answer = describe
                .execution_arn(&started.execution_arn)
                .send()
                .await?;
            Ok((answer.status.as_str() != "RUNNING").then_some(answer))
        })
        .await
    }

    fn execution_arn(&self, run: &RunId) -> Result<String> {
        let machine = self.output("StateMachineArn")?;
        let of_executions = machine.replacen(":stateMachine:", ":execution:", 1);
        Ok(format!("{of_executions}:{run}"))
    }

    async fn announced(
        &self,
        run: &RunId,
        limit: Duration,
        fits: impl Fn(&RunStatusChanged) -> bool,
    ) -> bool {
        let fits = |event: &Event| {
            event.source == SOURCE
                && event.detail_type == RUN_STATUS_CHANGED
                && event.detail["runId"] == run.as_str()
                && serde_json::from_value(event.detail.clone()).is_ok_and(|change| fits(&change))
        };
        !self.heard(1, limit, fits).await.is_empty()
    }

    /// What is known about a run that is not where it should be.
    pub async fn diagnosis(&self, run: &RunId) -> String {
        let mut text = String::new();
        let mut say = |line: String| {
            let _ = writeln!(text, "  {line}");
        };
        match self.store.get(run).await {
            Ok(Some(record)) => say(format!("record: {record:?}")),
            other => say(format!("record: {other:?}")),
        }
        for step in self.store.timeline(run).await.unwrap_or_default() {
            say(format!("step: {step:?}"));
        }
        say(format!("execution: {:?}", self.execution(run).await));
        for line in self.function_logs().await.unwrap_or_default() {
            if line.text.contains(run.as_str()) {
                say(format!("{}: {}", line.function, line.text));
            }
        }
        text
    }
}
