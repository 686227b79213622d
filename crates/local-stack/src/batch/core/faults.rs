//! Faults that tests ask for: what only a cloud provokes.

use serde::{Deserialize, Serialize};

/// What goes wrong. AWS's strings for each are in [`super::outcome`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum FaultKind {
    /// The image cannot be pulled: the attempt fails before it starts.
    ImageNotPulled,
    /// The host is taken away while the job runs.
    HostLost,
    /// The container is killed for its memory while the job runs.
    OutOfMemory,
    /// No host is found: the job stays RUNNABLE.
    StuckRunnable,
    /// The container cannot be created.
    TaskFailedToStart,
    /// The process ends, and its exit code is not learnt.
    CannotInspect,
    /// The job's role cannot be assumed.
    RoleNotAssumed,
}

/// A fault as it is requested: `POST /_dropcast/faults`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Fault {
    /// Name of a job definition, without revision; `*` at the end matches any rest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) job_definition: Option<String>,
    /// Name of a job; `*` at the end matches any rest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) job_name: Option<String>,
    /// What goes wrong.
    #[serde(rename = "fault")]
    pub(crate) kind: FaultKind,
    /// How many attempts it meets; 1 when it is left out.
    #[serde(default = "once")]
    pub(crate) times: u32,
    /// Takes the place of the status reason that AWS gives.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) status_reason: Option<String>,
    /// Takes the place of the container's reason that AWS gives.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<String>,
    /// Takes the place of the exit code that AWS gives.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) exit_code: Option<i32>,
    /// Only for `stuck-runnable`: whether the jobs behind the stuck one wait for it too, as they
    /// do in AWS. True when it is left out.
    #[serde(default = "yes")]
    pub(crate) blocks_queue: bool,
}

const fn once() -> u32 {
    1
}

const fn yes() -> bool {
    true
}

impl Fault {
    fn meets(&self, job_name: &str, definition_name: &str) -> bool {
        let fits = |pattern: &Option<String>, name: &str| {
            pattern
                .as_ref()
                .is_none_or(|pattern| super::retry::glob(pattern, name))
        };
        fits(&self.job_name, job_name) && fits(&self.job_definition, definition_name)
    }

    /// Why this fault cannot be requested, if so.
    pub(crate) fn problem(&self) -> Option<&'static str> {
        if self.job_name.is_none() && self.job_definition.is_none() {
            Some("A fault needs a jobName or a jobDefinition; \"*\" is every job.")
        } else if self.times == 0 {
            Some("times must be at least 1.")
        } else {
            None
        }
    }
}

/// The faults that are still to come.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    waiting: Vec<Fault>,
}

impl Faults {
    pub(crate) fn add(&mut self, fault: Fault) {
        self.waiting.push(fault);
    }

    pub(crate) fn clear(&mut self) {
        self.waiting.clear();
    }

    pub(crate) fn list(&self) -> &[Fault] {
        &self.waiting
    }

    /// The next fault of this job before it is placed.
    pub(crate) fn take_stuck(&mut self, job_name: &str, definition_name: &str) -> Option<Fault> {
        self.take(|fault| {
            fault.kind == FaultKind::StuckRunnable && fault.meets(job_name, definition_name)
        })
    }

    /// The next fault of this job once it is placed.
    pub(crate) fn take_placed(&mut self, job_name: &str, definition_name: &str) -> Option<Fault> {
        self.take(|fault| {
            fault.kind != FaultKind::StuckRunnable && fault.meets(job_name, definition_name)
        })
    }

    fn take(&mut self, wanted: impl Fn(&Fault) -> bool) -> Option<Fault> {
        let place = self.waiting.iter().position(wanted)?;
        let fault = self.waiting.get_mut(place)?;
        fault.times -= 1;
        let taken = fault.clone();
        if taken.times == 0 {
            self.waiting.remove(place);
        }
        Some(taken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(text: &str) -> Fault {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn a_fault_is_used_up_after_its_times() {
        let mut faults = Faults::default();
        faults.add(fault(
            r#"{"jobDefinition":"m","fault":"host-lost","times":2}"#,
        ));
        assert!(faults.take_placed("run", "other").is_none());
        assert!(faults.take_stuck("run", "m").is_none());
        assert!(faults.take_placed("run", "m").is_some());
        assert!(faults.take_placed("run", "m").is_some());
        assert!(faults.take_placed("run", "m").is_none());
        assert!(faults.list().is_empty());
    }

    #[test]
    fn a_star_meets_every_job() {
        let mut faults = Faults::default();
        faults.add(fault(r#"{"jobName":"*","fault":"stuck-runnable"}"#));
        assert!(faults.take_placed("run", "m").is_none());
        assert!(
            faults
                .take_stuck("run", "m")
                .is_some_and(|it| it.blocks_queue)
        );
    }

    #[test]
    fn a_fault_without_a_target_is_rejected() {
        assert!(fault(r#"{"fault":"host-lost"}"#).problem().is_some());
        assert!(
            fault(r#"{"jobName":"a","fault":"host-lost","times":0}"#)
                .problem()
                .is_some()
        );
        assert!(
            fault(r#"{"jobName":"a","fault":"host-lost"}"#)
                .problem()
                .is_none()
        );
        assert!(serde_json::from_str::<Fault>(r#"{"jobName":"a","fault":"flood"}"#).is_err());
    }
}
