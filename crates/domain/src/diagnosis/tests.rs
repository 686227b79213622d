mod catalogue;
mod states;
mod texts;

use super::*;
use crate::job::{Attempt, JobStatus};

/// A job that has ended with these reasons.
fn ended(status_reason: &str, container_reason: Option<&str>, exit_code: Option<i32>) -> Evidence {
    Evidence {
        status: Some(JobStatus::Failed),
        status_reason: Some(status_reason.to_owned()),
        attempts: vec![Attempt {
            finished: true,
            exit_code,
            container_reason: container_reason.map(ToOwned::to_owned),
            status_reason: Some(status_reason.to_owned()),
            log_stream: None,
        }],
        ..Evidence::default()
    }
}

/// A job that waits for a machine.
fn waiting() -> Evidence {
    Evidence {
        status: Some(JobStatus::Runnable),
        ..Evidence::default()
    }
}

/// A compute environment that is as it should be.
fn environment() -> ComputeEnvironment {
    ComputeEnvironment {
        name: "main".to_owned(),
        enabled: true,
        valid: true,
        status_reason: Some("ComputeEnvironment Healthy".to_owned()),
        fargate: false,
        max_vcpus: Some(16),
        largest: Some(Size {
            milli_vcpus: 8_000,
            memory_mib: 31_000,
            gpus: 0,
        }),
    }
}
