//! What must hold for the life of a job.

mod ending;
mod faults;
mod random;
mod world;

use std::time::Duration;

use serde_json::{Value, json};
use world::World;

#[test]
fn a_job_goes_from_submitted_to_succeeded_and_every_change_but_the_first_is_announced() {
    let mut world = World::new();
    let job = world.submit("{}");
    assert_eq!(world.status(&job), "SUBMITTED");
    assert!(world.events.is_empty());
    world.run_all();
    assert_eq!(world.status(&job), "RUNNING");
    world.exit(&job, 0);
    assert_eq!(
        world.announced(&job),
        ["RUNNABLE", "STARTING", "RUNNING", "SUCCEEDED"]
    );
    let detail = world.job(&job);
    assert_eq!(detail["statusReason"], "Essential container in task exited");
    assert_eq!(detail["container"]["exitCode"], 0);
    assert_eq!(detail["attempts"].as_array().unwrap().len(), 1);
    assert_eq!(detail["isTerminated"], false);
}

#[test]
fn an_event_has_the_fields_that_aws_sends() {
    let mut world = World::new();
    let job = world.submit(r#"{"tags":{"team":"sales"},"timeout":{"attemptDurationSeconds":60}}"#);
    world.run_all();
    world.exit(&job, 3);
    let runnable = &world.events[0].1;
    assert_eq!(runnable["attempts"], json!([]));
    assert_eq!(
        runnable["retryStrategy"],
        json!({"attempts": 1, "evaluateOnExit": []})
    );
    assert_eq!(runnable["dependsOn"], json!([]));
    assert_eq!(runnable["parameters"], json!({"script": "model.py"}));
    assert_eq!(runnable["timeout"], json!({"attemptDurationSeconds": 60}));
    assert_eq!(runnable["propagateTags"], false);
    assert_eq!(runnable["platformCapabilities"], json!(["EC2"]));
    assert_eq!(runnable["eksAttempts"], json!([]));
    assert_eq!(runnable["tags"]["team"], "sales");
    assert_eq!(runnable["tags"]["resourceArn"], runnable["jobArn"]);
    assert_eq!(
        runnable["jobDefinition"],
        "arn:aws:batch:us-east-1:000000000000:job-definition/m:1"
    );
    assert_eq!(
        runnable["jobQueue"],
        "arn:aws:batch:us-east-1:000000000000:job-queue/queue"
    );
    for list in [
        "volumes",
        "mountPoints",
        "ulimits",
        "networkInterfaces",
        "secrets",
    ] {
        assert_eq!(runnable["container"][list], json!([]), "{list}");
    }
    assert!(runnable.get("startedAt").is_none());
    assert!(runnable.get("isCancelled").is_none());

    let starting = &world.events[1].1["container"];
    assert!(
        starting["taskArn"]
            .as_str()
            .unwrap()
            .starts_with("arn:aws:ecs:")
    );
    assert!(starting.get("logStreamName").is_none());
    let running = &world.events[2].1;
    let stream = running["container"]["logStreamName"].as_str().unwrap();
    assert!(stream.starts_with("m/default/"), "{stream}");
    assert!(running["startedAt"].is_i64());

    let failed = &world.events[3].1;
    assert_eq!(failed["statusReason"], "Essential container in task exited");
    let attempt = &failed["attempts"][0];
    assert_eq!(attempt["container"]["exitCode"], 3);
    assert_eq!(attempt["container"]["logStreamName"], stream);
    assert_eq!(attempt["container"]["networkInterfaces"], json!([]));
    assert_eq!(attempt["container"]["taskArn"], starting["taskArn"]);
    assert_eq!(
        attempt["statusReason"],
        "Essential container in task exited"
    );
    assert_eq!(attempt["startedAt"], failed["startedAt"]);
    assert_eq!(attempt["stoppedAt"], failed["stoppedAt"]);
}

#[test]
fn overrides_reach_the_process_beside_what_batch_sets() {
    let mut world = World::new();
    let job = world.submit(
        r#"{"parameters":{"script":"other.py"},"containerOverrides":{
            "environment":[{"name":"B","value":"3"},{"name":"C","value":"4"}],
            "resourceRequirements":[{"type":"VCPU","value":"2"}]}}"#,
    );
    world.pass(Duration::from_millis(50));
    let launch = world.launches.pop().unwrap();
    assert_eq!(launch.command, ["dropcast-job", "--", "python", "other.py"]);
    assert_eq!(launch.attempt, 1);
    let environment: Value = launch.environment.into_iter().collect();
    assert_eq!(
        environment,
        json!({
            "A": "1", "B": "3", "C": "4",
            "AWS_BATCH_JOB_ID": job, "AWS_BATCH_JOB_ATTEMPT": "1",
            "AWS_BATCH_JQ_NAME": "queue", "AWS_BATCH_CE_NAME": "hosts",
        })
    );
    let shown = &world.job(&job)["container"]["resourceRequirements"];
    assert_eq!(
        *shown,
        json!([{"type": "VCPU", "value": "2"}, {"type": "MEMORY", "value": "128"}])
    );
}

#[test]
fn wrong_submissions_are_refused_and_leave_no_job() {
    let mut world = World::new();
    for wrong in [
        r#"{"jobName":null}"#,
        r#"{"jobName":"-run"}"#,
        r#"{"jobName":"a run"}"#,
        r#"{"jobQueue":"another"}"#,
        r#"{"jobQueue":null}"#,
        r#"{"jobDefinition":"nobody"}"#,
        r#"{"jobDefinition":"m:2"}"#,
        r#"{"jobDefinition":null}"#,
        r#"{"arrayProperties":{"size":2}}"#,
        r#"{"shareIdentifier":"a"}"#,
        r#"{"dependsOn":[{"jobId":"nobody"}]}"#,
        r#"{"dependsOn":[{"type":"SEQUENTIAL"}]}"#,
        r#"{"timeout":{"attemptDurationSeconds":59}}"#,
        r#"{"retryStrategy":{"attempts":0}}"#,
        r#"{"containerOverrides":{"environment":[{"name":"AWS_BATCH_JOB_ID","value":"x"}]}}"#,
        r#"{"containerOverrides":{"command":["Ref::nobody"]}}"#,
        r#"{"containerOverrides":{"resourceRequirements":[{"type":"VCPU","value":"0.3"}]}}"#,
        r#"{"containerOverrides":{"resourceRequirements":[{"type":"DISK","value":"1"}]}}"#,
    ] {
        assert!(world.try_submit(wrong).is_err(), "{wrong}");
    }
    world.pass(Duration::from_secs(1));
    assert!(world.events.is_empty());
    let arn = r#"{"jobQueue":"arn:aws:batch:us-east-1:000000000000:job-queue/queue"}"#;
    assert!(world.try_submit(arn).is_ok());
}

#[test]
fn jobs_wait_in_their_order_for_vcpus() {
    let mut world = World::new();
    let wide = r#"{"containerOverrides":{"resourceRequirements":[{"type":"VCPU","value":"3"}]}}"#;
    let first = world.submit(wide);
    let second = world.submit(wide);
    let third = world.submit("{}");
    world.run_all();
    let statuses = |world: &World| [&first, &second, &third].map(|job| world.status(job));
    // The third would fit beside the first, but the second is before it.
    assert_eq!(statuses(&world), ["RUNNING", "RUNNABLE", "RUNNABLE"]);
    assert!(world.job(&second).get("statusReason").is_none());
    world.exit(&first, 0);
    world.run_all();
    assert_eq!(statuses(&world), ["SUCCEEDED", "RUNNING", "RUNNING"]);
}

#[test]
fn a_job_that_needs_more_than_there_is_stays_runnable_and_says_so() {
    let mut world = World::new();
    let huge = r#"{"containerOverrides":{"resourceRequirements":[{"type":"VCPU","value":"5"}]}}"#;
    let job = world.submit(huge);
    let behind = world.submit("{}");
    world.run_all();
    let reason = world.job(&job)["statusReason"].as_str().unwrap().to_owned();
    assert!(reason.starts_with("MISCONFIGURATION:COMPUTE_ENVIRONMENT_MAX_RESOURCE - "));
    assert_eq!(world.status(&behind), "RUNNABLE");
    let (kind, detail) = world.events.last().unwrap();
    assert_eq!(kind, "Batch Job Queue Blocked");
    assert_eq!(detail["statusReason"], reason);
    world.cancel(&job, "too large");
    world.run_all();
    assert_eq!(world.status(&behind), "RUNNING");
    assert_eq!(world.job(&job)["statusReason"], "too large");
}

#[test]
fn a_job_waits_pending_for_its_dependencies_and_fails_with_them() {
    let mut world = World::new();
    let first = world.submit("{}");
    let depends = format!(r#"{{"dependsOn":[{{"jobId":"{first}"}}]}}"#);
    let second = world.submit(&depends);
    let third = world.submit(&depends);
    world.run_all();
    assert_eq!(world.status(&second), "PENDING");
    world.cancel(&third, "not needed");
    assert_eq!(world.status(&third), "PENDING");
    world.exit(&first, 0);
    world.run_all();
    assert_eq!(world.status(&second), "RUNNING");
    assert_eq!(world.job(&third)["statusReason"], "not needed");
    assert_eq!(world.announced(&third), ["PENDING", "FAILED"]);

    let failing = world.submit("{}");
    let last = world.submit(&format!(r#"{{"dependsOn":[{{"jobId":"{failing}"}}]}}"#));
    world.run_all();
    world.exit(&failing, 1);
    assert_eq!(world.status(&last), "FAILED");
    assert_eq!(world.job(&last)["statusReason"], "Dependent Job failed");
    assert_eq!(world.job(&last)["attempts"], json!([]));
}

#[test]
fn jobs_are_listed_by_status_and_by_each_filter() {
    let mut world = World::new();
    world.define("other", "{}");
    let first = world.submit(r#"{"jobName":"Run-1"}"#);
    let noon = world.now;
    world.pass(Duration::from_millis(1));
    let second = world.submit(r#"{"jobName":"run-12","jobDefinition":"other"}"#);
    world.run_all();
    world.exit(&first, 1);
    let list = |text: &str| -> Vec<String> {
        let mut request: Value = serde_json::from_str(text).unwrap();
        request["jobQueue"] = "queue".into();
        let request = serde_json::from_value(request).unwrap();
        let answer = serde_json::to_value(world.core.list(&request).unwrap()).unwrap();
        answer["jobSummaryList"]
            .as_array()
            .unwrap()
            .iter()
            .map(|job| job["jobId"].as_str().unwrap().to_owned())
            .collect()
    };
    let (first, second) = (first.as_str(), second.as_str());
    let filter = |name: &str, value: &str| {
        list(&json!({"filters": [{"name": name, "values": [value]}]}).to_string())
    };
    assert_eq!(list("{}"), [second]);
    assert_eq!(list(r#"{"jobStatus":"FAILED"}"#), [first]);
    assert_eq!(filter("JOB_NAME", "RUN-1"), [first]);
    assert_eq!(filter("JOB_NAME", "run-1*"), [second, first]);
    assert_eq!(filter("JOB_DEFINITION", "other"), [second]);
    assert_eq!(filter("JOB_DEFINITION", "Other"), [] as [&str; 0]);
    let arn = "arn:aws:batch:us-east-1:000000000000:job-definition/m:1";
    assert_eq!(filter("JOB_DEFINITION", arn), [first]);
    assert_eq!(filter("AFTER_CREATED_AT", &noon.to_string()), [second]);
    assert_eq!(
        filter("BEFORE_CREATED_AT", &(noon + 1).to_string()),
        [first]
    );
}

#[test]
fn unknown_jobs_are_left_out_and_more_than_100_are_refused() {
    let mut world = World::new();
    let job = world.submit("{}");
    let describe = |ids: Vec<&str>| {
        let request = serde_json::from_value(json!({"jobs": ids})).unwrap();
        world
            .core
            .describe(&request)
            .map(|answer| answer.jobs.len())
    };
    assert_eq!(describe(vec!["nobody", &job]), Ok(1));
    assert!(describe(vec![&job; 101]).is_err());
}

#[test]
fn the_queue_and_its_hosts_are_described() {
    let mut world = World::new();
    world.submit("{}");
    world.run_all();
    let queue = &world.core.describe_queues(None)["jobQueues"][0];
    assert_eq!(queue["status"], "VALID");
    assert_eq!(queue["jobStateTimeLimitActions"][0]["action"], "CANCEL");
    let hosts = &world.core.describe_compute_environments(None)["computeEnvironments"][0];
    assert_eq!(hosts["computeResources"]["maxvCpus"], 4);
    assert_eq!(hosts["computeResources"]["desiredvCpus"], 1);
    let other = ["other".to_owned()];
    assert_eq!(
        world.core.describe_queues(Some(&other)),
        json!({"jobQueues": []})
    );
}
