//! The processes of the local Batch: what they see, and that none outlives its job.

mod batch_support;

use std::{os::unix::fs::PermissionsExt, time::Duration};

use aws_sdk_batch::types::{JobStatus, JobTimeout};
use batch_support::{Local, lives, shell, until};
use serde_json::json;

/// Prints its own id and that of a child that has left the process group, then waits.
const FAMILY: &str = "setsid sleep 300 >/dev/null & echo child $!; echo parent $$; wait";

fn pids(output: &str) -> Vec<String> {
    ["child ", "parent "]
        .iter()
        .filter_map(|word| {
            let line = output.lines().find(|line| line.starts_with(word))?;
            line.strip_prefix(word).map(str::to_owned)
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_sees_the_environment_of_its_container_and_nothing_else_of_ours() {
    let local = Local::start_with(|config| {
        config.emulator = Some("http://127.0.0.1:9".to_owned());
        config.job_runner_folder = Some("/opt/runner".into());
        config
            .environment
            .insert("COMMON".to_owned(), "yes".to_owned());
    })
    .await;
    local.define("model", "env | sort; pwd; echo the end").await;
    let id = local.submit("model").await;
    // The emulator does not exist, so that the job's end waits a little for its log lines.
    let output = local.printed(&id, "the end\n").await;
    let value = |name: &str| {
        output
            .lines()
            .find_map(|line| line.strip_prefix(&format!("{name}=")).map(str::to_owned))
    };
    let snapshot = local.snapshot().display().to_string();
    assert!(
        value("PATH")
            .unwrap()
            .starts_with(&format!("{snapshot}/.venv/bin:/opt/runner:"))
    );
    assert!(output.ends_with(&format!("\n{snapshot}\nthe end\n")));
    assert_eq!(value("AWS_ENDPOINT_URL").unwrap(), "http://127.0.0.1:9");
    assert_eq!(value("AWS_REGION").unwrap(), "us-east-1");
    assert_eq!(value("AWS_ACCESS_KEY_ID").unwrap(), "test");
    assert_eq!(value("AWS_BATCH_JOB_ID").unwrap(), id);
    assert_eq!(value("AWS_BATCH_JOB_ATTEMPT").unwrap(), "1");
    assert_eq!(value("AWS_BATCH_JQ_NAME").unwrap(), "dropcast-local");
    assert_eq!(value("AWS_BATCH_CE_NAME").unwrap(), "dropcast-local");
    assert_eq!(value("COMMON").unwrap(), "yes");
    // Cargo sets this one for us.
    assert!(std::env::var_os("CARGO_MANIFEST_DIR").is_some());
    assert_eq!(value("CARGO_MANIFEST_DIR"), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_of_the_image_comes_before_others_of_its_name() {
    let local = Local::start().await;
    let bin = local.snapshot().join(".venv/bin");
    std::fs::create_dir_all(&bin).unwrap();
    std::fs::write(
        bin.join("python"),
        "#!/bin/sh\necho the image has its own\n",
    )
    .unwrap();
    std::fs::set_permissions(bin.join("python"), PermissionsExt::from_mode(0o755)).unwrap();
    local.define("model", "python model.py").await;
    let id = local.submit("model").await;
    local.reach(&id, JobStatus::Succeeded).await;
    assert_eq!(local.output(&id, 1), "the image has its own\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn temporary_files_go_with_their_attempt() {
    let local = Local::start().await;
    local
        .define("model", "touch $TMPDIR/big; echo $TMPDIR")
        .await;
    let id = local.submit("model").await;
    local.reach(&id, JobStatus::Succeeded).await;
    let folder = local.output(&id, 1).trim().to_owned();
    assert!(folder.contains(&id), "{folder}");
    until("the end of the folder", || {
        (!std::path::Path::new(&folder).exists()).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_image_is_not_pulled_and_a_missing_program_is_not_started() {
    let local = Local::start().await;
    let container = |image: &str, program: &str| {
        let mut container = shell("true");
        container.image = Some(image.to_owned());
        container.command = Some(vec![program.to_owned()]);
        container
    };
    let cases = [
        (container("busybox", "true"), "CannotPullContainerError: "),
        (
            container("local/model@sha256:beef", "true"),
            "CannotPullContainerError: ",
        ),
        (
            container(batch_support::IMAGE, "no-such-program"),
            "CannotStartContainerError: ",
        ),
    ];
    for (container, beginning) in cases {
        local
            .client
            .register_job_definition()
            .job_definition_name("model")
            .r#type(aws_sdk_batch::types::JobDefinitionType::Container)
            .container_properties(container)
            .send()
            .await
            .unwrap();
        let id = local.submit("model").await;
        let job = local.reach(&id, JobStatus::Failed).await;
        assert_eq!(job.status_reason(), Some("Task failed to start"));
        let reason = job.container().unwrap().reason().unwrap();
        assert!(reason.starts_with(beginning), "{reason}");
        let [attempt] = job.attempts() else {
            panic!("{job:?}");
        };
        assert_eq!(attempt.started_at(), None);
        assert!(attempt.stopped_at().is_some());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_terminated_job_gets_sigterm_and_may_finish_its_work() {
    let local = Local::start().await;
    local
        .define(
            "model",
            "trap 'echo saved; exit 7' TERM; echo ready; while :; do sleep 0.01; done",
        )
        .await;
    let id = local.submit("model").await;
    local.printed(&id, "ready").await;
    local
        .client
        .terminate_job()
        .job_id(&id)
        .reason("no longer needed")
        .send()
        .await
        .unwrap();
    let job = local.reach(&id, JobStatus::Failed).await;
    assert_eq!(job.status_reason(), Some("no longer needed"));
    assert_eq!(job.container().unwrap().exit_code(), Some(7));
    assert_eq!(job.is_terminated(), Some(true));
    assert!(local.output(&id, 1).ends_with("saved\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_ignores_sigterm_is_killed_after_the_grace() {
    let local = Local::start_with(|config| {
        config.timings.second = Duration::from_millis(1);
        config.timings.kill_grace = Duration::from_millis(100);
    })
    .await;
    local
        .client
        .register_job_definition()
        .job_definition_name("model")
        .r#type(aws_sdk_batch::types::JobDefinitionType::Container)
        .container_properties(shell(
            "trap '' TERM; echo ready; while :; do sleep 0.01; done",
        ))
        .timeout(JobTimeout::builder().attempt_duration_seconds(60).build())
        .send()
        .await
        .unwrap();
    let id = local.submit("model").await;
    let job = local.reach(&id, JobStatus::Failed).await;
    assert_eq!(
        job.status_reason(),
        Some("Job attempt duration exceeded timeout")
    );
    assert_eq!(job.container().unwrap().exit_code(), Some(137));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_host_takes_all_processes_of_the_job_along() {
    let local = Local::start().await;
    local.define("model", FAMILY).await;
    local
        .fault(json!({"jobDefinition": "model", "fault": "host-lost"}))
        .await;
    let id = local.submit("model").await;
    let job = local.reach(&id, JobStatus::Failed).await;
    assert!(
        job.status_reason()
            .unwrap()
            .starts_with("Host EC2 (instance i-")
    );
    let pids = pids(&local.output(&id, 1));
    assert_eq!(pids.len(), 2);
    for pid in pids {
        until("the end of a process", || (!lives(&pid)).then_some(())).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_job_leaves_behind_ends_with_it() {
    let local = Local::start().await;
    // The second child holds the job's output open.
    local
        .define(
            "model",
            "setsid sleep 300 >/dev/null 2>&1 & echo child $!; setsid sleep 300 & echo parent $!",
        )
        .await;
    let id = local.submit("model").await;
    local.reach(&id, JobStatus::Succeeded).await;
    let pids = pids(&local.output(&id, 1));
    assert_eq!(pids.len(), 2);
    for pid in pids {
        until("the end of a process", || (!lives(&pid)).then_some(())).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_end_of_the_service_is_the_end_of_every_process() {
    let mut local = Local::start().await;
    local.define("model", FAMILY).await;
    let id = local.submit("model").await;
    let pids = pids(&local.printed(&id, "parent").await);
    assert!(pids.iter().all(|pid| lives(pid)));
    local.shutdown().await;
    for pid in pids {
        until("the end of a process", || (!lives(&pid)).then_some(())).await;
    }
    assert!(
        reqwest::get(format!("{}/_dropcast/faults", local.endpoint))
            .await
            .is_err()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_service_leaves_no_process_behind() {
    let mut local = Local::start().await;
    local.define("model", FAMILY).await;
    let id = local.submit("model").await;
    let pids = pids(&local.printed(&id, "parent").await);
    drop(local.service.take());
    for pid in pids {
        until("the end of a process", || (!lives(&pid)).then_some(())).await;
    }
}
