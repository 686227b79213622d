//! Why a job ends.

use super::{
    Cause, Facts,
    Owner::{Author, Aws, Nobody, Operator, Uploader},
    Platform::Both,
};

/// The facts, in the order of the causes.
pub(super) static ROWS: [Facts; 11] = [
    Facts {
        cause: Cause::OutOfMemory,
        platform: Both,
        owners: &[Author],
        sentence: "The model needed more memory than its version is allowed and was killed.",
        fix: "Give the model more memory in model.toml, or run it on less data.",
        source: Some(
            "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/out-of-memory.html",
        ),
    },
    Facts {
        cause: Cause::Killed,
        platform: Both,
        owners: &[Author],
        sentence: "The model was killed by a signal, and not by a memory limit that AWS reports.",
        fix: "Look for who stopped it (exit code 143 or 137), or for a fault in native code (exit code 139).",
        source: None,
    },
    Facts {
        cause: Cause::ModelFailed,
        platform: Both,
        owners: &[Uploader, Author],
        sentence: "The model ended with an error.",
        fix: "Read its last lines: correct the file if they name something in it, else give them to the owner of the model.",
        source: None,
    },
    Facts {
        cause: Cause::SpotReclaimed,
        platform: Both,
        owners: &[Operator],
        sentence: "AWS took the machine back while the model ran.",
        fix: "Allow more attempts, or run long models on a queue without Spot.",
        source: Some(
            "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/stopped-task-error-codes.html",
        ),
    },
    Facts {
        cause: Cause::TimeLimit,
        platform: Both,
        owners: &[Author],
        sentence: "The model ran longer than its version's time limit and was stopped.",
        fix: "Raise timeout_minutes in model.toml.",
        source: Some("https://docs.aws.amazon.com/batch/latest/userguide/job_timeouts.html"),
    },
    Facts {
        cause: Cause::Cancelled,
        platform: Both,
        owners: &[Operator],
        sentence: "The job was cancelled, or its queue cancelled it when the queue's time limit was reached.",
        fix: "If nobody meant to cancel it, look at the reason that the queue gives.",
        source: Some(
            "https://docs.aws.amazon.com/batch/latest/userguide/job_stuck_in_runnable.html",
        ),
    },
    Facts {
        cause: Cause::HostReplaced,
        platform: Both,
        owners: &[Aws],
        sentence: "AWS replaced the machine while the model ran.",
        fix: "Try again.",
        source: Some(
            "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-maintenance.html",
        ),
    },
    Facts {
        cause: Cause::ModelRoleDenied,
        platform: Both,
        owners: &[Operator],
        sentence: "The model's role was denied something that the model needs.",
        fix: "Add to the model's role what its last lines name.",
        source: None,
    },
    Facts {
        cause: Cause::DatabaseUnreachable,
        platform: Both,
        owners: &[Operator],
        sentence: "A server outside AWS did not answer the model.",
        fix: "Ask the server's owner to allow the address that dropcast doctor shows.",
        source: None,
    },
    Facts {
        cause: Cause::JobVanished,
        platform: Both,
        owners: &[Aws],
        sentence: "AWS Batch no longer knows the job, and no event reported how it ended.",
        fix: "Run it again.",
        source: None,
    },
    Facts {
        cause: Cause::SubmitThrottled,
        platform: Both,
        owners: &[Nobody],
        sentence: "AWS Batch is throttling submissions, so the run has to wait before its job is submitted.",
        fix: "Do nothing; the job is submitted again automatically.",
        source: Some("https://docs.aws.amazon.com/batch/latest/userguide/service_limits.html"),
    },
];
