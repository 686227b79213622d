//! The local CodeBuild: builds that go well and builds that fail in each phase.

mod batch_support;
mod codebuild_support;

use std::time::Duration;

use aws_sdk_codebuild::types::{SourceType, StatusType};
use batch_support::{AwsCli, lives, until};
use codebuild_support::{
    Builder, MANIFEST, PROJECT, bomb, end_event, exists_below, failure, model, uuid, zip_of,
};
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn a_build_that_goes_well_leaves_a_version_its_log_and_an_event() {
    let builder = Builder::start().await;
    builder.put("sources/copy.zip", model(&[])).await;
    let variables = [("DROPCAST_MODEL", "copy"), ("DROPCAST_COMMIT", "0123abc")];
    let build = builder.begin("sources/copy.zip", &variables).await;
    assert_eq!(build.build_status(), Some(&StatusType::InProgress));
    let build = builder.end(&build).await;
    let log = builder.log(&build).await;
    assert_eq!(build.build_status(), Some(&StatusType::Succeeded), "{log}");
    // The first accepted example of each format.
    for line in [
        "running on a.json",
        "running on c.csv",
        "It wrote copy.csv.",
    ] {
        assert!(log.contains(line), "{log}");
    }
    assert!(!log.contains("running on b.json"), "{log}");
    let version = builder.version(&build).await.unwrap();
    assert_eq!(version["buildId"], uuid(&build));
    assert_eq!(version["commit"], "0123abc");
    assert_eq!(version["manifest"], MANIFEST);
    assert_eq!(version["inputSchema"], "{}");
    let image = version["image"].as_str().unwrap();
    assert!(image.starts_with("local/copy@sha256:"), "{image}");

    let event = end_event(&builder, &build).await;
    assert_eq!(event["source"], "dropcast.codebuild");
    assert_eq!(event["detail-type"], "CodeBuild Build State Change");
    let detail = &event["detail"];
    assert_eq!(detail["build-status"], "SUCCEEDED");
    assert_eq!(detail["project-name"], PROJECT);
    let more = &detail["additional-information"];
    assert_eq!(more["logs"]["stream-name"], uuid(&build));
    let given: Vec<(&str, &str)> = more["environment"]["environment-variables"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            (
                one["name"].as_str().unwrap(),
                one["value"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(given, variables);
    assert_eq!(more["phases"].as_array().unwrap().len(), 11);

    // The very same source is the very same image.
    let again = builder.build("copy", model(&[])).await;
    assert_eq!(builder.version(&again).await.unwrap()["image"], image);
}

#[tokio::test(flavor = "multi_thread")]
#[expect(clippy::too_many_lines, reason = "It is a table of builds.")]
async fn builds_that_fail_say_in_which_phase_and_why() {
    let builder = Builder::start().await;
    let command = |command: &str| {
        format!(
            "COMMAND_EXECUTION_ERROR: Error while executing command: {command}. Reason: exit status 1"
        )
    };
    let validate = command("dropcast validate .");
    let local_run = command("dropcast model test . --input examples/a.json");
    let cases: &[(&str, Vec<u8>, &str, &str, &str)] = &[
        (
            "no-zip",
            b"<html>".to_vec(),
            "DOWNLOAD_SOURCE",
            "CLIENT_ERROR: the zip file is not valid: it is no zip file that can be read",
            "",
        ),
        (
            "climbs",
            zip_of("../../climbed", b"x"),
            "DOWNLOAD_SOURCE",
            "\"../../climbed\" is outside the folder for primary source",
            "",
        ),
        (
            "bomb",
            bomb(),
            "DOWNLOAD_SOURCE",
            "may contain at most 2 GiB",
            "",
        ),
        (
            "no-model",
            model(&[("model.toml", None)]),
            "PRE_BUILD",
            &validate,
            "it has no model.toml",
        ),
        (
            "bad-manifest",
            model(&[("model.toml", Some("nmae = \"m\"\n"))]),
            "PRE_BUILD",
            &validate,
            "model.toml",
        ),
        (
            "bad-schema",
            model(&[("in.json", Some("{"))]),
            "PRE_BUILD",
            &validate,
            "in.json",
        ),
        (
            "bad-example",
            model(&[("examples/c.csv", Some("n\nx\n"))]),
            "PRE_BUILD",
            &validate,
            "examples/c.csv:\n  ",
        ),
        (
            "no-example",
            model(&[
                ("examples/a.json", None),
                ("examples/b.json", None),
                ("examples/c.csv", None),
            ]),
            "PRE_BUILD",
            &validate,
            "no example to test the image with",
        ),
        (
            "no-dockerfile",
            model(&[("Dockerfile", None)]),
            "PRE_BUILD",
            &validate,
            "no Dockerfile",
        ),
        (
            "no-package",
            model(&[("requirements.txt", Some("./no-such-package\n"))]),
            "BUILD",
            &command("docker build ."),
            "no-such-package",
        ),
        (
            "ends-badly",
            model(&[("main.sh", Some("echo what went wrong >&2; exit 7\n"))]),
            "BUILD",
            &local_run,
            "what went wrong\nThe model stopped with an error (exit code 7).",
        ),
        (
            "no-command",
            model(&[(
                "model.toml",
                Some(&MANIFEST.replace("\"sh\"", "\"no-such\"")),
            )]),
            "BUILD",
            &local_run,
            "\"no-such\" was not found\nThe model stopped because a program was not found (exit code 127)",
        ),
        (
            "no-output",
            model(&[("main.sh", Some("true\n"))]),
            "BUILD",
            &local_run,
            "did not write “The copy” (copy.*).",
        ),
        (
            "leads-out",
            model(&[(
                "main.sh",
                Some("ln -s /etc/passwd $DROPCAST_OUTPUT_DIR/copy.json\n"),
            )]),
            "BUILD",
            &local_run,
            "leads out of it",
        ),
    ];
    for (name, zip, phase, context, line) in cases {
        let build = builder.build(name, zip.clone()).await;
        let log = builder.log(&build).await;
        assert_eq!(
            build.build_status(),
            Some(&StatusType::Failed),
            "{name}: {log}"
        );
        let (failed, why) = failure(&build);
        assert_eq!(&failed, phase, "{name}: {why}");
        assert!(why.contains(context), "{name}: {why}");
        assert!(log.contains(line), "{name}: {log}");
        assert!(
            log.contains(&format!("Phase complete: {phase} State: FAILED")),
            "{name}: {log}"
        );
        // Nobody reads where this machine keeps things.
        assert!(!log.contains("/source/"), "{name}: {log}");
        assert!(builder.version(&build).await.is_none(), "{name}");
        let event = end_event(&builder, &build).await;
        let told = &event["detail"]["additional-information"]["phases"];
        let told = told.as_array().unwrap().iter();
        let told: Vec<&Value> = told.filter(|it| it["phase-status"] == "FAILED").collect();
        assert_eq!(told.len(), 1, "{name}");
        assert_eq!(told[0]["phase-context"], json!([why]), "{name}");
    }
    assert!(!exists_below(builder.folder.path(), "climbed"));
    assert!(
        !exists_below(builder.folder.path(), "big"),
        "what was unpacked is cleared away"
    );
    let gone = builder.begin("sources/gone.zip", &[]).await;
    let (phase, why) = failure(&builder.end(&gone).await);
    assert_eq!(phase, "DOWNLOAD_SOURCE");
    assert!(why.starts_with("CLIENT_ERROR: NoSuchKey: "), "{why}");
    assert!(
        why.ends_with("arn:aws:s3:::models/sources/gone.zip"),
        "{why}"
    );
    builder.put("sources/copy.zip", model(&[])).await;
    let other = builder
        .begin("sources/copy.zip", &[("DROPCAST_MODEL", "other")])
        .await;
    assert_eq!(failure(&builder.end(&other).await).0, "PRE_BUILD");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_build_that_is_stopped_or_takes_too_long_leaves_no_process() {
    let builder = Builder::start_with(|config| config.second = Duration::from_millis(50)).await;
    let pid = builder.folder.path().join("pid");
    let script = format!(
        "setsid sleep 300 & echo $! > {}; sleep 300\n",
        pid.display()
    );
    // Its own limit is a minute, three seconds here; the build's are three minutes.
    let slow = model(&[("main.sh", Some(&script))]);
    let slow_build = builder.build("slow", slow.clone()).await;
    assert_eq!(failure(&slow_build).0, "BUILD");
    assert!(
        builder
            .log(&slow_build)
            .await
            .contains("time limit of 1 minute ")
    );
    let sleeper = std::fs::read_to_string(&pid).unwrap();
    until("the sleeper's end", || {
        (!lives(sleeper.trim())).then_some(())
    })
    .await;

    std::fs::remove_file(&pid).unwrap();
    let build = builder.begin("sources/slow.zip", &[]).await;
    let sleeper = until("the model's start", || {
        std::fs::read_to_string(&pid)
            .ok()
            .filter(|text| text.ends_with('\n'))
    })
    .await;
    builder
        .client
        .stop_build()
        .id(build.id().unwrap())
        .send()
        .await
        .unwrap();
    let build = builder.end(&build).await;
    assert_eq!(build.build_status(), Some(&StatusType::Stopped));
    assert_eq!(
        end_event(&builder, &build).await["detail"]["build-status"],
        "STOPPED"
    );
    until("the sleeper's end", || {
        (!lives(sleeper.trim())).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_aws_cli_starts_lists_describes_and_stops() {
    let builder = Builder::start().await;
    builder.put("sources/copy.zip", model(&[])).await;
    let aws = AwsCli::new(builder.endpoint());
    let started = aws
        .codebuild(&[
            "start-build",
            "--project-name",
            PROJECT,
            "--source-type-override",
            "S3",
            "--source-location-override",
            "models/sources/copy.zip",
            "--environment-variables-override",
            "name=DROPCAST_MODEL,value=copy",
        ])
        .unwrap();
    let id = started["build"]["id"].as_str().unwrap();
    assert_eq!(started["build"]["buildStatus"], "IN_PROGRESS");
    let build = builder
        .client
        .batch_get_builds()
        .ids(id)
        .send()
        .await
        .unwrap();
    builder.end(&build.builds()[0]).await;
    let listed = aws
        .codebuild(&["list-builds-for-project", "--project-name", PROJECT])
        .unwrap();
    assert_eq!(listed["ids"], json!([id]));
    let described = aws
        .codebuild(&["batch-get-builds", "--ids", id, "nobody:1"])
        .unwrap();
    assert_eq!(described["builds"][0]["buildStatus"], "SUCCEEDED");
    assert_eq!(
        described["builds"][0]["phases"][10]["phaseType"],
        "COMPLETED"
    );
    assert_eq!(described["buildsNotFound"], json!(["nobody:1"]));
    let stopped = aws.codebuild(&["stop-build", "--id", id]).unwrap();
    assert_eq!(stopped["build"]["buildStatus"], "SUCCEEDED", "it is over");
    let refused = aws
        .codebuild(&["start-build", "--project-name", "nobody"])
        .unwrap_err();
    assert!(
        refused.contains("(ResourceNotFoundException) when calling the StartBuild operation: Project cannot be found"),
        "{refused}"
    );
    let unsupported = aws.codebuild(&["list-projects"]).unwrap_err();
    assert!(unsupported.contains("ListProjects"), "{unsupported}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_events_of_a_build_can_be_lost_and_the_build_is_still_listed() {
    let builder = Builder::start().await;
    let fault = reqwest::Client::new()
        .post(format!("{}/_dropcast/faults", builder.endpoint()))
        .json(&json!({"fault": "lost-events", "builds": 1}))
        .send()
        .await
        .unwrap();
    assert_eq!(fault.status(), 201);
    let unheard = builder.build("copy", model(&[])).await;
    let heard = builder.build("copy", model(&[])).await;
    let event = end_event(&builder, &heard).await;
    assert_eq!(event["detail"]["build-id"], json!(heard.arn()));
    let listed = builder
        .client
        .list_builds_for_project()
        .project_name(PROJECT);
    let listed = listed.send().await.unwrap();
    assert_eq!(listed.ids(), [heard.id().unwrap(), unheard.id().unwrap()]);
    assert_eq!(
        unheard
            .source()
            .map(aws_sdk_codebuild::types::ProjectSource::r#type),
        Some(&SourceType::S3)
    );
}
