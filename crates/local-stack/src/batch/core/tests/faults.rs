//! Every fault gives the states, codes and words that AWS gives.

use std::time::Duration;

use serde_json::{Value, json};

use super::world::{NO_CAPACITY, World};

/// A job of the definition `m` that meets a fault and ends with `code` of its own.
fn met(fault: &str, code: Option<i32>) -> Value {
    let mut world = World::new();
    world.fault(&format!(r#"{{"jobDefinition":"m","fault":"{fault}"}}"#));
    let job = world.submit("{}");
    world.run_all();
    world.pass(Duration::from_secs(1));
    if let Some(code) = code {
        world.exit(&job, code);
    }
    assert_eq!(world.status(&job), "FAILED");
    assert_eq!(world.announced(&job).last().unwrap(), "FAILED");
    world.job(&job)
}

#[test]
fn an_image_that_is_not_pulled_fails_before_the_start() {
    let job = met("image-not-pulled", None);
    assert_eq!(job["statusReason"], "Task failed to start");
    let reason = job["container"]["reason"].as_str().unwrap();
    assert!(reason.starts_with("CannotPullContainerError: "), "{reason}");
    let attempt = &job["attempts"][0];
    assert_eq!(attempt["statusReason"], "Task failed to start");
    assert_eq!(attempt["container"]["reason"], reason);
    assert!(attempt.get("startedAt").is_none());
    assert!(attempt["stoppedAt"].is_i64());
    assert!(attempt["container"].get("exitCode").is_none());
    assert!(job.get("startedAt").is_none());
}

#[test]
fn a_task_that_fails_to_start_says_why() {
    let job = met("task-failed-to-start", None);
    assert_eq!(job["statusReason"], "Task failed to start");
    assert!(
        job["attempts"][0]["container"]["reason"]
            .as_str()
            .unwrap()
            .starts_with("DockerTimeoutError")
    );
}

#[test]
fn a_role_that_is_not_assumed_is_the_status_reason() {
    let job = met("role-not-assumed", None);
    let reason = job["statusReason"].as_str().unwrap();
    assert!(reason.starts_with("ECS was unable to assume the role 'arn:aws:iam::"));
    assert_eq!(job["attempts"][0]["statusReason"], reason);
}

#[test]
fn a_lost_host_gives_no_exit_code() {
    let job = met("host-lost", Some(137));
    let reason = job["statusReason"].as_str().unwrap();
    assert!(reason.starts_with("Host EC2 (instance i-0"), "{reason}");
    assert!(reason.ends_with(") terminated."), "{reason}");
    let attempt = &job["attempts"][0];
    assert_eq!(attempt["statusReason"], reason);
    assert!(attempt["container"].get("exitCode").is_none());
    assert!(attempt["startedAt"].is_i64());
}

#[test]
fn memory_that_is_used_up_is_137_with_its_reason() {
    let job = met("out-of-memory", Some(137));
    assert_eq!(job["statusReason"], "Essential container in task exited");
    let container = &job["attempts"][0]["container"];
    assert_eq!(container["exitCode"], 137);
    assert_eq!(
        container["reason"],
        "OutOfMemoryError: Container killed due to memory usage"
    );
}

#[test]
fn a_container_that_cannot_be_inspected_has_no_exit_code_whatever_the_process_did() {
    let job = met("cannot-inspect", Some(0));
    assert_eq!(job["statusReason"], "Essential container in task exited");
    let container = &job["attempts"][0]["container"];
    assert!(container.get("exitCode").is_none());
    assert!(
        container["reason"]
            .as_str()
            .unwrap()
            .starts_with("CannotInspectContainerError: ")
    );
}

#[test]
fn a_fault_that_strikes_a_running_job_kills_it_at_once() {
    for (fault, kills) in [
        ("host-lost", true),
        ("out-of-memory", true),
        ("cannot-inspect", false),
    ] {
        let mut world = World::new();
        world.fault(&format!(r#"{{"jobName":"*","fault":"{fault}"}}"#));
        let job = world.submit("{}");
        world.run_all();
        world.pass(Duration::from_secs(1));
        let expected: Vec<_> = kills.then_some((job, true)).into_iter().collect();
        assert_eq!(world.stops, expected, "{fault}");
    }
}

#[test]
fn a_fault_meets_as_many_attempts_as_it_was_asked_for() {
    let mut world = World::new();
    world.fault(r#"{"jobName":"run","fault":"host-lost","times":2}"#);
    let job = world.submit(
        r#"{"retryStrategy":{"attempts":5,"evaluateOnExit":[
            {"onStatusReason":"Host EC2*","action":"RETRY"},{"onReason":"*","action":"EXIT"}]}}"#,
    );
    for code in [137, 137, 0] {
        world.run_all();
        world.exit(&job, code);
    }
    let detail = world.job(&job);
    assert_eq!(detail["status"], "SUCCEEDED");
    assert_eq!(detail["attempts"].as_array().unwrap().len(), 3);
    assert!(world.core.faults().is_empty());
}

#[test]
fn the_words_and_the_code_of_a_fault_can_be_chosen() {
    let mut world = World::new();
    world.fault(
        r#"{"jobName":"run","fault":"host-lost","exitCode":143,"statusReason":"Host EC2 (instance i-1) terminated.","reason":"gone"}"#,
    );
    let job = world.submit("{}");
    world.run_all();
    world.exit(&job, 137);
    let detail = world.job(&job);
    assert_eq!(
        detail["statusReason"],
        "Host EC2 (instance i-1) terminated."
    );
    assert_eq!(detail["container"]["exitCode"], 143);
    assert_eq!(detail["container"]["reason"], "gone");
}

#[test]
fn a_stuck_job_blocks_the_queue_until_it_is_terminated() {
    let mut world = World::new();
    world.fault(
        r#"{"jobName":"stuck","fault":"stuck-runnable","statusReason":"MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT - none fits"}"#,
    );
    let stuck = world.submit(r#"{"jobName":"stuck"}"#);
    let behind = world.submit("{}");
    world.run_all();
    world.pass(Duration::from_hours(1));
    assert_eq!(world.status(&stuck), "RUNNABLE");
    assert_eq!(
        world.job(&stuck)["statusReason"],
        "MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT - none fits"
    );
    assert_eq!(world.status(&behind), "RUNNABLE");
    let blocked: Vec<_> = world
        .events
        .iter()
        .filter(|(kind, _)| kind == "Batch Job Queue Blocked")
        .map(|(_, detail)| detail["jobId"].as_str().unwrap())
        .collect();
    assert_eq!(blocked, [stuck.as_str()]);
    world.terminate(&stuck, "no host");
    world.run_all();
    assert_eq!(world.job(&stuck)["statusReason"], "no host");
    assert_eq!(world.job(&stuck)["attempts"], json!([]));
    assert_eq!(world.status(&behind), "RUNNING");
}

#[test]
fn a_stuck_job_can_let_others_pass() {
    let mut world = World::new();
    world.fault(r#"{"jobName":"stuck","fault":"stuck-runnable","blocksQueue":false}"#);
    let stuck = world.submit(r#"{"jobName":"stuck"}"#);
    let behind = world.submit("{}");
    world.run_all();
    assert_eq!(world.status(&stuck), "RUNNABLE");
    assert_eq!(world.status(&behind), "RUNNING");
}

#[test]
fn the_time_limit_of_the_queue_cancels_a_stuck_job() {
    let mut world = World::new();
    world.fault(r#"{"jobName":"run","fault":"stuck-runnable"}"#);
    let job = world.submit("{}");
    world.run_all();
    assert!(
        world.job(&job)["statusReason"]
            .as_str()
            .unwrap()
            .starts_with(NO_CAPACITY)
    );
    world.pass(Duration::from_secs(599));
    assert_eq!(world.status(&job), "RUNNABLE");
    world.pass(Duration::from_secs(1));
    let detail = world.job(&job);
    assert_eq!(detail["status"], "FAILED");
    assert_eq!(detail["isCancelled"], true);
    assert_eq!(
        detail["statusReason"],
        format!("Canceled by JobStateTimeLimit action due to reason: {NO_CAPACITY}")
    );
}

#[test]
fn a_stuck_job_goes_on_when_the_faults_are_cleared() {
    let mut world = World::new();
    world.fault(r#"{"jobName":"run","fault":"stuck-runnable","times":3}"#);
    let job = world.submit("{}");
    world.run_all();
    world.core.clear_faults();
    world.perform();
    world.run_all();
    assert_eq!(world.status(&job), "RUNNING");
    world.pass(Duration::from_hours(1));
    assert_eq!(world.status(&job), "RUNNING");
}
