//! On which terms a job runs: what its version's manifest says, whatever its job definition says.
//!
//! The limit of the wait is derived from the manifest, so that the job has to keep to it too. All of
//! these may be overridden at submission; image and roles may not:
//! <https://docs.aws.amazon.com/batch/latest/APIReference/API_SubmitJob.html>.

use aws_sdk_batch::types::{
    EvaluateOnExit, JobTimeout, ResourceRequirement, ResourceType, RetryAction, RetryStrategy,
    builders::EvaluateOnExitBuilder,
};
use dropcast_domain::model::JobSpec;

/// How long one attempt may run.
pub fn timeout(job: &JobSpec) -> JobTimeout {
    let seconds = job.timeout_minutes.saturating_mul(60);
    JobTimeout::builder()
        .attempt_duration_seconds(i32::try_from(seconds).unwrap_or(i32::MAX))
        .build()
}

/// What one attempt is given.
pub fn resources(job: &JobSpec) -> Vec<ResourceRequirement> {
    let requirement = |kind, value: String| {
        ResourceRequirement::builder()
            .r#type(kind)
            .value(value)
            .build()
    };
    vec![
        requirement(ResourceType::Vcpu, job.vcpus.to_string()),
        requirement(ResourceType::Memory, job.memory_mib.to_string()),
    ]
}

/// Tries again what its host or the cloud broke, and nothing that the model did: a job that met no
/// rule would be retried, so the last one ends it. Batch takes five rules.
pub fn retries(job: &JobSpec) -> RetryStrategy {
    let rule = |action: RetryAction| EvaluateOnExit::builder().action(action);
    let rules = [
        rule(RetryAction::Retry).on_status_reason("Host EC2*"),
        rule(RetryAction::Retry).on_status_reason("Your Spot Task was interrupted*"),
        rule(RetryAction::Retry).on_reason("CannotInspectContainerError*"),
        rule(RetryAction::Retry).on_status_reason("Task failed to start*"),
        rule(RetryAction::Exit).on_reason("*"),
    ];
    RetryStrategy::builder()
        .attempts(i32::try_from(job.attempts).unwrap_or(i32::MAX))
        .set_evaluate_on_exit(Some(rules.map(EvaluateOnExitBuilder::build).to_vec()))
        .build()
}
