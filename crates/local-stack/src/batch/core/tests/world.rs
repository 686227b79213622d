//! The rules with a clock that a test moves.

use std::{cell::Cell, time::Duration};

use serde_json::Value;
use uuid::Uuid;

use super::super::{Core, Effect, LaunchRequest, Settings, Timer, names::Arns};
use crate::batch::{
    config::{LimitAction, TimeLimitAction, Timings},
    error::ApiError,
};

pub(super) const NO_CAPACITY: &str = "CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY";

struct Set {
    due: i64,
    job: String,
    generation: u64,
    timer: Timer,
}

/// A queue with four vCPUs and a time that only moves when it is told to.
pub(super) struct World {
    pub(super) core: Core,
    pub(super) now: i64,
    /// Processes that were asked for.
    pub(super) launches: Vec<LaunchRequest>,
    /// Orders to stop: job and whether at once.
    pub(super) stops: Vec<(String, bool)>,
    /// Detail types and details of all events.
    pub(super) events: Vec<(String, Value)>,
    timers: Vec<Set>,
}

impl World {
    pub(super) fn new() -> Self {
        let settings = Settings {
            arns: Arns::new("000000000000", "us-east-1"),
            queue_name: "queue".to_owned(),
            compute_environment_name: "hosts".to_owned(),
            max_vcpus: 4,
            time_limit_actions: vec![TimeLimitAction {
                reason: NO_CAPACITY.to_owned(),
                max_time_seconds: 600,
                action: LimitAction::Cancel,
            }],
            timings: Timings::default(),
        };
        let count = Cell::new(0);
        let core = Core::new(settings, move || {
            count.set(count.get() + 1);
            Uuid::from_u128(count.get())
        });
        let mut world = Self {
            core,
            now: 1_000_000,
            launches: Vec::new(),
            stops: Vec::new(),
            events: Vec::new(),
            timers: Vec::new(),
        };
        world.define("m", "{}");
        world
    }

    /// Registers a definition; `more` is merged into it.
    pub(super) fn define(&mut self, name: &str, more: &str) {
        let mut definition = serde_json::json!({
            "jobDefinitionName": name,
            "type": "container",
            "containerProperties": {
                "image": "local/m@sha256:ab",
                "command": ["dropcast-job", "--", "python", "Ref::script"],
                "environment": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}],
                "resourceRequirements": [
                    {"type": "VCPU", "value": "1"}, {"type": "MEMORY", "value": "128"}
                ],
            },
            "parameters": {"script": "model.py"},
        });
        let more: Value = serde_json::from_str(more).unwrap();
        for (key, value) in more.as_object().unwrap() {
            definition[key] = value.clone();
        }
        self.core
            .register(serde_json::from_value(definition).unwrap())
            .unwrap();
    }

    /// Submits a job of the definition `m`; `more` is merged into the request.
    pub(super) fn try_submit(&mut self, more: &str) -> Result<String, ApiError> {
        let mut request = serde_json::json!({
            "jobName": "run", "jobQueue": "queue", "jobDefinition": "m",
        });
        let more: Value = serde_json::from_str(more).unwrap();
        for (key, value) in more.as_object().unwrap() {
            request[key] = value.clone();
        }
        let now = self.now;
        let answer = self
            .core
            .submit(serde_json::from_value(request).unwrap(), now);
        self.perform();
        answer.map(|answer| answer.job_id)
    }

    pub(super) fn submit(&mut self, more: &str) -> String {
        self.try_submit(more).unwrap()
    }

    /// Lets time pass, and rings what is due on the way.
    pub(super) fn pass(&mut self, time: Duration) {
        let end = self.now + i64::try_from(time.as_millis()).unwrap();
        loop {
            self.timers.sort_by_key(|set| set.due);
            match self.timers.first() {
                Some(set) if set.due <= end => {
                    let set = self.timers.remove(0);
                    self.now = self.now.max(set.due);
                    let now = self.now;
                    self.core
                        .fire_timer(&set.job, set.generation, set.timer, now);
                    self.perform();
                }
                _ => break,
            }
        }
        self.now = end;
    }

    /// Lets every job that can come to RUNNING get there.
    pub(super) fn run_all(&mut self) {
        loop {
            self.pass(Duration::from_millis(50));
            if self.launches.is_empty() {
                return;
            }
            for launch in std::mem::take(&mut self.launches) {
                let now = self.now;
                self.core.started(&launch.job_id, launch.attempt, now);
                self.perform();
            }
        }
    }

    /// The process of the job's present attempt ends.
    pub(super) fn exit(&mut self, job: &str, code: i32) {
        let attempt =
            u32::try_from(self.job(job)["attempts"].as_array().unwrap().len()).unwrap() + 1;
        let now = self.now;
        self.core.exited(job, attempt, code, now);
        self.perform();
    }

    pub(super) fn terminate(&mut self, job: &str, reason: &str) {
        let now = self.now;
        let request = serde_json::json!({"jobId": job, "reason": reason});
        self.core
            .terminate(&serde_json::from_value(request).unwrap(), now)
            .unwrap();
        self.perform();
    }

    pub(super) fn cancel(&mut self, job: &str, reason: &str) {
        let now = self.now;
        let request = serde_json::json!({"jobId": job, "reason": reason});
        self.core
            .cancel(&serde_json::from_value(request).unwrap(), now)
            .unwrap();
        self.perform();
    }

    pub(super) fn fault(&mut self, text: &str) {
        self.core.add_fault(serde_json::from_str(text).unwrap());
    }

    /// The job as `DescribeJobs` shows it.
    pub(super) fn job(&self, id: &str) -> Value {
        let request = serde_json::from_value(serde_json::json!({"jobs": [id]})).unwrap();
        let answer = serde_json::to_value(self.core.describe(&request).unwrap()).unwrap();
        answer["jobs"][0].clone()
    }

    pub(super) fn status(&self, id: &str) -> String {
        self.job(id)["status"].as_str().unwrap().to_owned()
    }

    /// The statuses that the events of a job announced.
    pub(super) fn announced(&self, id: &str) -> Vec<String> {
        self.events
            .iter()
            .filter(|(kind, detail)| kind == "Batch Job State Change" && detail["jobId"] == id)
            .map(|(_, detail)| detail["status"].as_str().unwrap().to_owned())
            .collect()
    }

    pub(super) fn perform(&mut self) {
        for effect in self.core.take_effects() {
            match effect {
                Effect::Announce(announcement) => self.events.push((
                    announcement.detail_type.to_owned(),
                    serde_json::from_str(&announcement.detail).unwrap(),
                )),
                Effect::Timer {
                    job,
                    generation,
                    timer,
                    after,
                } => self.timers.push(Set {
                    due: self.now + i64::try_from(after.as_millis()).unwrap(),
                    job,
                    generation,
                    timer,
                }),
                Effect::Launch(launch) => self.launches.push(launch),
                Effect::Stop { job, at_once, .. } => self.stops.push((job, at_once)),
            }
        }
    }
}
