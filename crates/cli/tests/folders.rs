//! `dropcast model init`, `test` and `describe`: they need no stack.

#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

mod support;

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{self, Signal},
    unistd::Pid,
};
use serde_json::{Value, json as value};
use support::{Answer, assert_fits, dropcast, json, json_of, text};

/// A folder to write into, and a cache of its own.
struct Workspace {
    folder: tempfile::TempDir,
}

const MANIFEST: &str = r#"name = "m"
title = "M"
[input]
schema = "in.json"
[job]
command = ["sh", "main.sh"]
timeout_minutes = 1
[[outputs]]
path = "*.txt"
title = "Texts"
kind = "document"
"#;

impl Workspace {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    /// With a model whose program is this script.
    fn with_model(script: &str) -> Self {
        let workspace = Self::new();
        workspace.file("m/model.toml", MANIFEST);
        workspace.file(
            "m/in.json",
            r#"{"properties": {"n": {"type": "integer", "default": 3}}}"#,
        );
        workspace.file("m/main.sh", script);
        workspace.file("in.json", "{}");
        workspace
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn file(&self, name: &str, content: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    fn name(&self, name: &str) -> String {
        self.path(name).to_str().unwrap().to_owned()
    }

    fn program(&self) -> Command {
        let mut program = dropcast(self.folder.path());
        program.env("XDG_CACHE_HOME", self.path("cache"));
        program
    }

    fn test(&self, more: &[&str]) -> Answer {
        let (folder, input) = (self.name("m"), self.name("in.json"));
        let mut args = vec!["model", "test", &folder, "--input", &input];
        args.extend(more);
        let answer = json_of(self.program(), &args);
        if answer.document.get("error").is_none() {
            assert_fits("tested", &answer.document);
        }
        answer
    }
}

#[test]
fn a_new_model_works_as_it_stands() {
    let workspace = Workspace::new();
    let folder = workspace.name("churn-rate");
    let made = json(
        workspace.folder.path(),
        &["model", "init", "churn-rate", "--dir", &folder],
    );
    assert_eq!(made.code, 0, "{}", made.stderr);
    assert_fits("initialized", &made.document);
    let manifest = fs::read_to_string(workspace.path("churn-rate/model.toml")).unwrap();
    assert!(manifest.contains("name = \"churn-rate\"\ntitle = \"Churn rate\"\n"));

    let checked = json(workspace.folder.path(), &["validate", &folder]);
    assert_eq!(checked.code, 0, "{:#}", checked.document);
    let tested = json_of(workspace.program(), &["model", "test", &folder]);
    assert_eq!(tested.code, 0, "{:#}\n{}", tested.document, tested.stderr);
    assert_fits("tested", &tested.document);
    let outputs = &tested.document["inputs"][0]["outputs"];
    assert_eq!(outputs[1]["path"], "totals.csv");
    let unit_tests = Command::new("python3")
        .args(["-m", "unittest", "discover", "tests"])
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .current_dir(&folder)
        .output()
        .unwrap();
    assert!(unit_tests.status.success());

    let again = json(
        workspace.folder.path(),
        &["model", "init", "churn-rate", "--dir", &folder],
    );
    assert_eq!(again.code, 2);
    let message = again.document["error"]["message"].as_str().unwrap();
    assert!(message.contains("not empty"), "{message}");
}

#[test]
fn a_name_that_no_model_can_have_makes_nothing() {
    let workspace = Workspace::new();
    for name in ["Churn", "churn rate", "../churn", "", &"a".repeat(200)] {
        let made = json(
            workspace.folder.path(),
            &["model", "init", name, "--dir", &workspace.name("x")],
        );
        assert_eq!(made.code, 2, "{name}");
        assert_fits("error", &made.document);
        assert!(!workspace.path("x").exists());
    }
}

#[test]
fn a_model_finds_what_a_job_gives_it_and_its_outputs_are_kept_where_asked() {
    let workspace = Workspace::with_model(
        "set -eu
        cp $DROPCAST_INPUT_FILE $DROPCAST_OUTPUT_DIR/in.txt
        env | grep ^DROPCAST_ | sed 's/=.*//' | sort > $DROPCAST_OUTPUT_DIR/variables.txt
        echo $DROPCAST_MODEL $DROPCAST_VERSION ${OWN_VARIABLE-}
        echo x >> $DROPCAST_CACHE_DIR/runs; cp $DROPCAST_CACHE_DIR/runs $DROPCAST_OUTPUT_DIR/runs.bin
        touch left-behind\n",
    );
    let out = workspace.name("out");
    let (folder, input) = (workspace.name("m"), workspace.name("in.json"));
    let mut program = workspace.program();
    program.env("OWN_VARIABLE", "mine");
    let args = [
        "model",
        "test",
        &folder,
        "--input",
        &input,
        "--output",
        &out,
        "--keep-cache",
    ];
    let answer = json_of(program, &args);
    assert_eq!(answer.code, 0, "{}", answer.stderr);
    assert!(answer.stderr.contains("m 0 mine"), "{}", answer.stderr);
    let written: Vec<(&str, bool)> = answer.document["inputs"][0]["outputs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| {
            (
                it["path"].as_str().unwrap(),
                it["declared"].as_bool().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        written,
        [
            ("in.txt", true),
            ("runs.bin", false),
            ("variables.txt", true)
        ]
    );
    assert_eq!(
        fs::read_to_string(workspace.path("out/in.txt")).unwrap(),
        "{\"n\": 3}"
    );
    let variables = fs::read_to_string(workspace.path("out/variables.txt")).unwrap();
    for name in [
        "INPUT_FILE",
        "ORIGINAL_FILE",
        "OUTPUT_DIR",
        "CACHE_DIR",
        "RUN_ID",
    ] {
        assert!(
            variables.contains(&format!("DROPCAST_{name}\n")),
            "{variables}"
        );
    }
    assert!(
        !workspace.path("m/left-behind").exists(),
        "it runs in a copy"
    );

    let full = workspace.test(&["--output", &out]);
    assert_eq!(full.code, 2, "the folder is not empty by now");
    let kept = workspace.test(&["--keep-cache", "--output", &workspace.name("kept")]);
    assert_eq!(kept.code, 0);
    assert_eq!(
        fs::read_to_string(workspace.path("kept/runs.bin")).unwrap(),
        "x\nx\n"
    );
    workspace.test(&["--output", &workspace.name("fresh")]);
    assert_eq!(
        fs::read_to_string(workspace.path("fresh/runs.bin")).unwrap(),
        "x\n"
    );
}

#[test]
fn a_model_that_fails_is_reported_with_its_reason() {
    for (script, code, failure) in [
        ("exit 9", 9, "exit code 9"),
        ("true", 0, "did not write “Texts” (*.txt)"),
        ("kill -9 $$", 137, "exit code 137"),
        ("ln -s / $DROPCAST_OUTPUT_DIR/a.txt", 72, "leads out of it"),
    ] {
        let answer = Workspace::with_model(script).test(&[]);
        assert_eq!(answer.code, 1, "{script}");
        let tested = &answer.document["inputs"][0];
        assert_eq!(tested["exitCode"], code, "{script}");
        let text = tested["failure"].as_str().unwrap();
        assert!(text.contains(failure), "{script}: {text}");
    }
    let workspace = Workspace::with_model("true");
    workspace.file("in.json", r#"{"n": "x"}"#);
    let rejected = workspace.test(&[]);
    assert_eq!(rejected.code, 3);
    let tested = &rejected.document["inputs"][0];
    assert_eq!(tested["rejection"]["code"], "InputRejected");
    assert_eq!(tested["exitCode"], Value::Null);
    let (code, shown) = text(
        workspace.folder.path(),
        &["model", "test", &workspace.name("m")],
    );
    assert_eq!(code, 2, "it has no examples");
    assert!(shown.contains("--input FILE"), "{shown}");
}

#[test]
fn a_signal_reaches_the_model() {
    let workspace = Workspace::with_model(
        "trap 'echo bye; exit 4' TERM; touch $OUT/ready; while :; do sleep 0.01; done",
    );
    let mut program = workspace.program();
    program
        .args([
            "model",
            "test",
            &workspace.name("m"),
            "--input",
            &workspace.name("in.json"),
        ])
        .env("OUT", workspace.folder.path());
    let mut child = program.spawn().unwrap();
    let begin = Instant::now();
    while !workspace.path("ready").exists() {
        assert!(begin.elapsed() < Duration::from_secs(30));
        std::thread::sleep(Duration::from_millis(10));
    }
    let pid = Pid::from_raw(child.id().try_into().unwrap());
    signal::kill(pid, Signal::SIGTERM).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(1));
}

/// A `docker` that runs what it is given on this machine, in the place of a container.
const DOCKER: &str = r#"#!/bin/sh
printf '%s\n' "$@" > "$(dirname "$0")/called"
while [ $# -gt 0 ]; do
  case $1 in
    --volume=*:/dropcast-local-run) stage=${1#--volume=}; stage=${stage%:*} ;;
    --env=*) export "${1#--env=}" ;;
    dropcast-job) break ;;
  esac
  shift
done
shift 4
mkdir -p "$stage/output" "$stage/cache"
export DROPCAST_INPUT_FILE="$stage/input/in.json" DROPCAST_OUTPUT_DIR="$stage/output" DROPCAST_CACHE_DIR="$stage/cache"
cd "$(dirname "$0")/m" && "$@" || exit
printf '{"path":"a.txt","bytes":1,"mediaType":"text/plain"}\n' > "$stage/files.jsonl"
"#;

#[test]
fn an_image_is_run_by_docker_with_the_stage_mounted() {
    let workspace =
        Workspace::with_model("test -s $DROPCAST_INPUT_FILE; echo $DROPCAST_MODEL in a container");
    workspace.file("docker", DOCKER);
    let docker = workspace.path("docker");
    fs::set_permissions(&docker, fs::Permissions::from_mode(0o755)).unwrap();
    let tried = workspace.test(&["--image", "m:latest", "--docker", docker.to_str().unwrap()]);
    assert_eq!(tried.code, 0, "{:#}\n{}", tried.document, tried.stderr);
    assert!(tried.stderr.contains("m in a container"));
    assert_eq!(tried.document["image"], "m:latest");
    let called = fs::read_to_string(workspace.path("called")).unwrap();
    for argument in [
        "--rm",
        "--memory=2048m",
        "m:latest",
        "--local-run",
        "main.sh",
    ] {
        assert!(called.lines().any(|line| line == argument), "{called}");
    }
    let missing = workspace.test(&["--image", "m", "--docker", "/no/docker"]);
    assert_eq!(missing.code, 6);
    // As a container that never began.
    for (code, says) in [
        (125, "could not run the image m:gone"),
        (127, "The image m:gone has no dropcast-job"),
    ] {
        workspace.file("docker", &format!("#!/bin/sh\nexit {code}\n"));
        let not_run = workspace.test(&["--image", "m:gone", "--docker", docker.to_str().unwrap()]);
        let message = not_run.document["error"]["message"].as_str().unwrap();
        assert!(message.contains(says), "{message}");
    }
    // As a model that ends with Docker's own code.
    let began = DOCKER.replace("mkdir -p", ": > \"$stage/files.jsonl\"; mkdir -p");
    workspace.file("docker", &began.replace("&& \"$@\" || exit", "&& exit 125"));
    let ended = workspace.test(&["--image", "m", "--docker", docker.to_str().unwrap()]);
    assert_eq!(
        ended.document["inputs"][0]["exitCode"], 125,
        "{:#}",
        ended.document
    );
}

#[test]
fn the_record_of_a_version_is_what_its_folder_declares() {
    let workspace = Workspace::with_model("true");
    let image = format!("host/models@sha256:{}", "0a".repeat(32));
    let id = "0b69cfd5-1111-4222-8333-0123456789ab";
    let folder = workspace.name("m");
    let args = [
        "model",
        "describe",
        &folder,
        "--image",
        &image,
        "--build-id",
        id,
        "--commit",
        "",
    ];
    let answer = json(workspace.folder.path(), &args);
    assert_eq!(answer.code, 0);
    let mut record = answer.document;
    assert!(record["builtAt"].as_str().unwrap().ends_with('Z'));
    record.as_object_mut().unwrap().remove("builtAt");
    let schema = fs::read_to_string(Path::new(&folder).join("in.json")).unwrap();
    let wanted =
        value!({"buildId": id, "image": image, "manifest": MANIFEST, "inputSchema": schema});
    assert_eq!(record, wanted);
    let tag = [
        "model",
        "describe",
        &folder,
        "--image",
        "host/models:latest",
        "--build-id",
        id,
    ];
    assert_eq!(json(workspace.folder.path(), &tag).code, 2);
}
