//! What a pass did, for the log and for its caller.

use std::{error::Error, fmt};

use dropcast_app::repair::RepairReport;
use dropcast_lambda_kit::{
    error::{Class, FunctionError},
    telemetry,
};
use serde::Serialize;

/// What a pass did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// How many open runs were looked at.
    pub examined: usize,
    /// How many runs were repaired.
    pub repaired: usize,
    /// How many jobs were stopped that no run waits for.
    pub stopped: usize,
}

/// Some runs could not be repaired in this pass.
#[derive(Debug)]
pub struct Incomplete(usize);

impl fmt::Display for Incomplete {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} could not be repaired; the next pass tries again",
            self.0
        )
    }
}

impl Error for Incomplete {}

impl FunctionError for Incomplete {
    fn class(&self) -> Class {
        Class::Transient
    }
}

/// Logs what was done, and counts it.
pub(crate) fn conclude(report: &RepairReport) -> Result<Summary, Incomplete> {
    for (run, reason) in &report.repaired {
        tracing::warn!(run.id = %run, reason, "repaired");
    }
    for job in &report.stopped {
        tracing::warn!(batch.job_id = %job, "stopped a job that no run waits for");
    }
    for (run, error) in &report.failures {
        let context = match run {
            Some(run) => format!("run {run} could not be repaired"),
            None => "part of the pass failed".to_owned(),
        };
        telemetry::log_failure(error, &context);
    }
    let summary = Summary {
        examined: report.examined,
        repaired: report.repaired.len(),
        stopped: report.stopped.len(),
    };
    tracing::info!(?summary, "pass completed");
    match report.failures.len() {
        0 => Ok(summary),
        failures => Err(Incomplete(failures)),
    }
}

#[cfg(test)]
mod tests {
    use dropcast_domain::ids::RunId;

    use super::*;

    #[test]
    fn a_pass_that_could_not_repair_something_fails_and_says_how_much() {
        let mut report = RepairReport::default();
        let run = RunId::derive("inputs", "inputs/m/a.json", "v1");
        report.repaired.push((run.clone(), "A reason."));
        let summary = conclude(&report).unwrap();
        assert_eq!((summary.repaired, summary.stopped), (1, 0));
        let missing = dropcast_store::StoreError::NoSuchRun(run.clone());
        report.failures.push((Some(run), missing.into()));
        let error = conclude(&report).unwrap_err();
        assert!(error.to_string().starts_with("1 could not be repaired"));
    }
}
