//! How jobs end: retries, timeouts, `TerminateJob` and `CancelJob`.

use std::time::Duration;

use serde_json::json;

use super::world::World;

const TWICE: &str = r#"{"retryStrategy":{"attempts":2}}"#;

#[test]
fn a_retry_goes_back_to_runnable_with_one_more_attempt() {
    let mut world = World::new();
    let job = world.submit(TWICE);
    world.run_all();
    world.exit(&job, 1);
    assert_eq!(world.status(&job), "RUNNABLE");
    let (_, runnable) = world.events.last().unwrap();
    assert_eq!(runnable["attempts"].as_array().unwrap().len(), 1);
    assert!(runnable["attempts"][0]["stoppedAt"].is_i64());
    assert!(runnable.get("stoppedAt").is_none());
    world.pass(Duration::from_millis(50));
    let second = world.launches.last().unwrap();
    assert_eq!(second.attempt, 2);
    assert!(
        second
            .environment
            .contains(&("AWS_BATCH_JOB_ATTEMPT".to_owned(), "2".to_owned()))
    );
    world.run_all();
    world.exit(&job, 0);
    assert_eq!(
        world.announced(&job),
        [
            "RUNNABLE",
            "STARTING",
            "RUNNING",
            "RUNNABLE",
            "STARTING",
            "RUNNING",
            "SUCCEEDED"
        ]
    );
    let attempts = &world.job(&job)["attempts"];
    assert_eq!(attempts[0]["container"]["exitCode"], 1);
    assert_eq!(attempts[1]["container"]["exitCode"], 0);
    assert_ne!(
        attempts[0]["container"]["logStreamName"],
        attempts[1]["container"]["logStreamName"]
    );
}

#[test]
fn a_rule_that_says_exit_ends_the_job_at_once() {
    let mut world = World::new();
    let job = world.submit(
        r#"{"retryStrategy":{"attempts":5,"evaluateOnExit":[
            {"onStatusReason":"Host EC2*","action":"RETRY"},{"onReason":"*","action":"EXIT"}]}}"#,
    );
    world.run_all();
    world.exit(&job, 1);
    assert_eq!(world.status(&job), "FAILED");
}

#[test]
fn the_strategy_of_the_definition_holds_unless_the_request_has_one() {
    let mut world = World::new();
    world.define("m", TWICE);
    let own = world.submit("{}");
    let other = world.submit(r#"{"retryStrategy":{"attempts":1}}"#);
    world.run_all();
    world.exit(&own, 1);
    world.exit(&other, 1);
    assert_eq!(world.status(&own), "RUNNABLE");
    assert_eq!(world.status(&other), "FAILED");
}

#[test]
fn an_attempt_that_lasts_too_long_is_stopped_and_not_tried_again() {
    let mut world = World::new();
    let job =
        world.submit(r#"{"retryStrategy":{"attempts":3},"timeout":{"attemptDurationSeconds":60}}"#);
    world.run_all();
    world.pass(Duration::from_secs(59));
    assert!(world.stops.is_empty());
    world.pass(Duration::from_secs(1));
    assert_eq!(world.stops, [(job.clone(), false)]);
    assert_eq!(world.status(&job), "RUNNING");
    world.exit(&job, 143);
    let detail = world.job(&job);
    assert_eq!(detail["status"], "FAILED");
    assert_eq!(
        detail["statusReason"],
        "Job attempt duration exceeded timeout"
    );
    assert_eq!(detail["attempts"].as_array().unwrap().len(), 1);
    assert_eq!(detail["attempts"][0]["container"]["exitCode"], 143);
}

#[test]
fn the_timeout_of_one_attempt_does_not_reach_the_next() {
    let mut world = World::new();
    let job =
        world.submit(r#"{"retryStrategy":{"attempts":2},"timeout":{"attemptDurationSeconds":60}}"#);
    world.run_all();
    world.pass(Duration::from_secs(50));
    world.exit(&job, 1);
    world.run_all();
    world.pass(Duration::from_secs(50));
    assert!(world.stops.is_empty());
    assert_eq!(world.status(&job), "RUNNING");
}

#[test]
fn a_terminated_job_fails_with_the_reason_even_if_its_process_exits_with_0() {
    let mut world = World::new();
    let job = world.submit(TWICE);
    world.run_all();
    world.terminate(&job, "no longer needed");
    world.terminate(&job, "again");
    assert_eq!(world.stops, [(job.clone(), false)]);
    assert_eq!(world.status(&job), "RUNNING");
    assert_eq!(world.job(&job)["isTerminated"], true);
    world.exit(&job, 0);
    let detail = world.job(&job);
    assert_eq!(detail["status"], "FAILED");
    assert_eq!(detail["statusReason"], "no longer needed");
    world.terminate(&job, "after its end");
    assert_eq!(world.job(&job), detail);
}

#[test]
fn a_job_is_terminated_in_any_state() {
    let mut world = World::new();
    let submitted = world.submit("{}");
    world.terminate(&submitted, "stop");
    assert_eq!(world.status(&submitted), "FAILED");
    world.pass(Duration::from_secs(1));
    assert_eq!(world.announced(&submitted), ["FAILED"]);
    assert_eq!(world.job(&submitted)["attempts"], json!([]));

    let runnable = world.submit("{}");
    world.pass(Duration::from_millis(10));
    assert_eq!(world.status(&runnable), "RUNNABLE");
    world.terminate(&runnable, "stop");
    assert_eq!(world.announced(&runnable), ["RUNNABLE", "FAILED"]);

    let starting = world.submit("{}");
    world.pass(Duration::from_millis(20));
    assert_eq!(world.status(&starting), "STARTING");
    world.terminate(&starting, "stop");
    world.run_all();
    let detail = world.job(&starting);
    assert_eq!(detail["status"], "FAILED");
    assert!(detail["attempts"][0].get("startedAt").is_none());
    assert!(world.launches.is_empty());

    let launched = world.submit("{}");
    world.pass(Duration::from_millis(50));
    world.terminate(&launched, "stop");
    world.run_all();
    assert_eq!(world.stops, [(launched.clone(), false)]);
    world.exit(&launched, 143);
    assert_eq!(world.job(&launched)["statusReason"], "stop");
    assert_eq!(
        world.core.describe_compute_environments(None)["computeEnvironments"][0]["computeResources"]
            ["desiredvCpus"],
        0
    );
}

#[test]
fn a_running_job_is_not_cancelled() {
    let mut world = World::new();
    let waiting = world.submit("{}");
    world.cancel(&waiting, "stop");
    world.cancel(&waiting, "again");
    assert_eq!(world.job(&waiting)["statusReason"], "stop");
    assert_eq!(world.job(&waiting)["isCancelled"], true);
    let running = world.submit("{}");
    world.run_all();
    world.cancel(&running, "stop");
    assert_eq!(world.status(&running), "RUNNING");
    assert!(world.stops.is_empty());
    world.exit(&running, 0);
    assert_eq!(world.status(&running), "SUCCEEDED");
    assert_eq!(world.job(&running)["isCancelled"], false);
}

#[test]
fn an_unknown_job_cannot_be_stopped() {
    let mut world = World::new();
    for wrong in [
        json!({"jobId": "nobody", "reason": "stop"}),
        json!({"reason": "stop"}),
        json!({"jobId": "nobody"}),
    ] {
        let request = serde_json::from_value(wrong).unwrap();
        assert!(world.core.terminate(&request, 0).is_err());
        assert!(world.core.cancel(&request, 0).is_err());
    }
    let job = world.submit("{}");
    let long = json!({"jobId": job, "reason": "x".repeat(1025)});
    assert!(
        world
            .core
            .terminate(&serde_json::from_value(long).unwrap(), 0)
            .is_err()
    );
}

#[test]
fn an_end_that_is_reported_for_another_attempt_changes_nothing() {
    let mut world = World::new();
    let job = world.submit(TWICE);
    world.run_all();
    world.exit(&job, 1);
    world.run_all();
    let before = world.job(&job);
    let now = world.now;
    world.core.exited(&job, 1, 0, now);
    world.core.could_not_start(&job, 1, "late", now);
    world.core.started(&job, 1, now);
    world.perform();
    assert_eq!(world.job(&job), before);
}
