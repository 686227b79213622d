//! The reasons that Batch keeps for jobs that Dropcast stops.

/// The run has ended, and nobody waits for the job.
pub const RUN_ENDED: &str = "Dropcast: the run has ended.";

/// Somebody cancelled the run; its record says who and why.
pub const CANCELLED: &str = "Dropcast: the run was cancelled.";

/// The run has another job, which counts.
pub const OTHER_JOB: &str = "Dropcast: the run already has another job.";
