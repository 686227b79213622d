//! Whatever happens in whatever order, the books are right in the end.

use std::time::Duration;

use proptest::prelude::*;

use super::world::World;

/// Something that happens to one of the jobs.
#[derive(Debug, Clone)]
enum RandomEvent {
    Submit {
        vcpus: u32,
        attempts: u32,
        depends: bool,
    },
    Pass(u64),
    Start,
    Exit(usize, i32),
    Terminate(usize),
    Cancel(usize),
    Fault(usize),
    ClearFaults,
}

const FAULTS: [&str; 7] = [
    "image-not-pulled",
    "host-lost",
    "out-of-memory",
    "stuck-runnable",
    "task-failed-to-start",
    "cannot-inspect",
    "role-not-assumed",
];

fn random_event() -> impl Strategy<Value = RandomEvent> {
    prop_oneof![
        4 => (1..=5_u32, 1..=3_u32, any::<bool>()).prop_map(|(vcpus, attempts, depends)| {
            RandomEvent::Submit { vcpus, attempts, depends }
        }),
        4 => (0..100_000_u64).prop_map(RandomEvent::Pass),
        4 => Just(RandomEvent::Start),
        4 => (any::<prop::sample::Index>(), 0..3).prop_map(|(job, code)| {
            RandomEvent::Exit(job.index(1000), code)
        }),
        1 => (0..1000_usize).prop_map(RandomEvent::Terminate),
        1 => (0..1000_usize).prop_map(RandomEvent::Cancel),
        1 => (0..7_usize).prop_map(RandomEvent::Fault),
        1 => Just(RandomEvent::ClearFaults),
    ]
}

/// The changes of status that AWS documents.
fn follows(before: &str, after: &str) -> bool {
    matches!(
        (before, after),
        ("SUBMITTED", "PENDING" | "RUNNABLE" | "FAILED")
            | ("PENDING", "RUNNABLE" | "FAILED")
            | ("RUNNABLE", "STARTING" | "FAILED")
            | ("STARTING", "RUNNING" | "RUNNABLE" | "FAILED")
            | ("RUNNING", "SUCCEEDED" | "FAILED" | "RUNNABLE")
    )
}

fn used(world: &World) -> i64 {
    let hosts = world.core.describe_compute_environments(None);
    hosts["computeEnvironments"][0]["computeResources"]["desiredvCpus"]
        .as_i64()
        .unwrap()
}

fn holds_a_host(world: &World, job: &str) -> bool {
    ["STARTING", "RUNNING"].contains(&world.status(job).as_str())
}

/// Lets everything that was asked for start.
fn start(world: &mut World) {
    for launch in std::mem::take(&mut world.launches) {
        let now = world.now;
        world.core.started(&launch.job_id, launch.attempt, now);
        world.perform();
    }
}

fn perform(world: &mut World, jobs: &mut Vec<String>, event: &RandomEvent) {
    let pick = |index: usize| jobs.get(index % jobs.len().max(1)).cloned();
    match event {
        RandomEvent::Submit {
            vcpus,
            attempts,
            depends,
        } => {
            let depends_on: Vec<_> = jobs
                .last()
                .filter(|_| *depends)
                .map(|id| serde_json::json!({ "jobId": id }))
                .into_iter()
                .collect();
            let request = serde_json::json!({
                "dependsOn": depends_on,
                "retryStrategy": {"attempts": attempts},
                "timeout": {"attemptDurationSeconds": 60},
                "containerOverrides": {"resourceRequirements": [
                    {"type": "VCPU", "value": vcpus.to_string()}
                ]},
            });
            jobs.push(world.submit(&request.to_string()));
        }
        RandomEvent::Pass(milliseconds) => world.pass(Duration::from_millis(*milliseconds)),
        RandomEvent::Start => start(world),
        RandomEvent::Exit(index, code) => {
            if let Some(job) = pick(*index).filter(|job| world.status(job) == "RUNNING") {
                world.exit(&job, *code);
            }
        }
        RandomEvent::Terminate(index) => {
            if let Some(job) = pick(*index) {
                world.terminate(&job, "enough");
            }
        }
        RandomEvent::Cancel(index) => {
            if let Some(job) = pick(*index) {
                world.cancel(&job, "not needed");
            }
        }
        RandomEvent::Fault(index) => {
            world.fault(&format!(
                r#"{{"jobName":"*","fault":"{}"}}"#,
                FAULTS[*index]
            ));
        }
        RandomEvent::ClearFaults => {
            world.core.clear_faults();
            world.perform();
        }
    }
}

proptest! {
    #[test]
    fn every_job_ends_once_and_gives_back_what_it_held(
        events in prop::collection::vec(random_event(), 1..60)
    ) {
        let mut world = World::new();
        let mut jobs = Vec::new();
        for event in &events {
            perform(&mut world, &mut jobs, event);
            prop_assert!(used(&world) <= 4, "more vCPUs are used than there are");
            let holding = jobs.iter().any(|job| holds_a_host(&world, job));
            prop_assert_eq!(used(&world) > 0, holding);
        }
        // From here on nothing is stuck and every process ends; what is too large is given up.
        world.core.clear_faults();
        world.perform();
        for _ in 0..=jobs.len() * 4 {
            world.pass(Duration::from_millis(50));
            start(&mut world);
            for job in &jobs {
                if world.status(job) == "RUNNING" {
                    world.exit(job, 0);
                }
                let too_large = world.job(job)["statusReason"]
                    .as_str()
                    .is_some_and(|reason| reason.starts_with("MISCONFIGURATION"));
                if too_large && world.status(job) == "RUNNABLE" {
                    world.cancel(job, "too large");
                }
            }
        }
        prop_assert_eq!(used(&world), 0);
        for job in &jobs {
            let statuses = world.announced(job);
            let mut before = "SUBMITTED".to_owned();
            for after in &statuses {
                prop_assert!(follows(&before, after), "{} {:?}", job, statuses);
                before.clone_from(after);
            }
            let detail = world.job(job);
            prop_assert!(["SUCCEEDED", "FAILED"].contains(&before.as_str()), "{}", detail);
            prop_assert_eq!(&before, detail["status"].as_str().unwrap());
            let attempts = detail["attempts"].as_array().unwrap();
            let allowed = detail["retryStrategy"]["attempts"].as_u64().unwrap();
            prop_assert!(attempts.len() as u64 <= allowed);
            prop_assert!(attempts.iter().all(|attempt| attempt["stoppedAt"].is_i64()));
            prop_assert!(detail["stoppedAt"].is_i64());
        }
    }
}
