//! The program against a whole local stack: every document fits its schema and
//! every end has its exit code.
//!
//! Needs `make setup` and the binaries of `cargo build --workspace`.

#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

mod support;

use std::{fs, path::Path};

use aws_sdk_batch::types::{
    ContainerProperties, JobDefinitionType, ResourceRequirement, ResourceType,
};
use dropcast_test_support::repository;
use serde_json::Value;
use support::{Answer, assert_fits, json, text};

/// A local stack that is stopped whatever happens.
struct LocalStack {
    state: tempfile::TempDir,
}

impl LocalStack {
    fn up() -> Self {
        let stack = Self {
            state: tempfile::tempdir().unwrap(),
        };
        let answer = json(stack.path(), &["local", "up", "--detach"]);
        assert_eq!(answer.code, 0, "{answer:?}");
        assert_fits("local", &answer.document);
        stack
    }

    fn path(&self) -> &Path {
        self.state.path()
    }

    fn json(&self, args: &[&str]) -> Answer {
        json(self.path(), args)
    }
}

impl Drop for LocalStack {
    fn drop(&mut self) {
        let _ = support::dropcast(self.state.path())
            .args(["local", "down"])
            .output();
    }
}

/// A model without a language runtime: does what its input says.
fn model(folder: &Path) {
    let files = [
        (
            "model.toml",
            r#"name = "echo"
title = "Echo"

[input]
accepts = ["json"]
schema = "input.schema.json"

[job]
command = ["sh", "main.sh"]
vcpus = 1
memory_mib = 64
timeout_minutes = 1
attempts = 1

[[outputs]]
path = "answer.txt"
title = "The answer"
kind = "document"
required = true
"#,
        ),
        (
            "input.schema.json",
            r#"{"$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object",
"additionalProperties": false, "properties": {"do": {"type": "string", "enum": ["answer", "fail", "sleep"], "default": "answer"}}}"#,
        ),
        (
            "main.sh",
            r#"case "$(cat "$DROPCAST_INPUT_FILE")" in
*fail*) printf 'it \033[2J does not work\n' >&2; exit 3 ;;
*sleep*) sleep 6 ;;
esac
echo 42 > "$DROPCAST_OUTPUT_DIR/answer.txt"
"#,
        ),
    ];
    for (name, text) in files {
        fs::write(folder.join(name), text).unwrap();
    }
}

fn id(run: &Value) -> &str {
    run["id"].as_str().unwrap()
}

#[test]
fn every_document_fits_its_schema_and_every_end_has_its_code() {
    let stack = LocalStack::up();
    let work = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = work.path().join(name);
        fs::write(&path, text).unwrap();
        path.to_string_lossy().into_owned()
    };
    let model_folder = work.path().join("echo");
    fs::create_dir(&model_folder).unwrap();
    model(&model_folder);
    let model_folder = model_folder.to_string_lossy().into_owned();

    status(&stack);
    models(&stack, &model_folder);
    is_checked_beforehand(&stack, &file("check.json", "{}"));
    succeeds(&stack, &file("é +%.json", r#"{"do": "answer"}"#));
    fails(&stack, &file("fail.json", r#"{"do": "fail"}"#));
    is_rejected(&stack, &file("bad.json", r#"{"do": "dance", "od": 1}"#));
    takes_too_long(&stack, &file("sleep.json", r#"{"do": "sleep"}"#));
    is_not_there(&stack, &file("any.json", "{}"));
    is_found_through_cloudformation(&stack, &model_folder);

    let answer = stack.json(&["local", "down"]);
    assert_eq!(answer.code, 0);
    assert_fits("local", &answer.document);
    assert_eq!(stack.json(&["local", "status"]).code, 4);
}

fn status(stack: &LocalStack) {
    let answer = stack.json(&["local", "status"]);
    assert_eq!((answer.code, &answer.document["up"]), (0, &true.into()));
    assert_fits("local", &answer.document);
    let again = stack.json(&["local", "up", "--detach"]);
    assert_eq!(
        (again.code, &again.document["stack"]["pid"]),
        (0, &answer.document["stack"]["pid"]),
        "a stack that is up is not started again"
    );
}

fn models(stack: &LocalStack, folder: &str) {
    let nothing = stack.json(&["model", "list"]);
    assert_fits("models", &nothing.document);
    assert_eq!(nothing.document["models"], Value::Array(vec![]));
    let answer = stack.json(&["model", "register", folder]);
    assert_eq!(answer.code, 0, "{answer:?}");
    assert_fits("registered", &answer.document);
    assert_eq!(
        (&answer.document["version"], &answer.document["new"]),
        (&1.into(), &true.into())
    );
    let again = stack.json(&["model", "register", folder]);
    assert_fits("registered", &again.document);
    assert_eq!(
        (&again.document["version"], &again.document["new"]),
        (&1.into(), &false.into())
    );
    let listed = stack.json(&["model", "list"]);
    assert_fits("models", &listed.document);
    assert_eq!(listed.document["models"][0]["name"], "echo");
    let shown = stack.json(&["model", "show", "echo"]);
    assert_fits("model", &shown.document);
    assert_eq!(
        shown.document["versions"][0]["manifest"]["job"]["memoryMib"],
        64
    );
    assert!(
        text(stack.path(), &["model", "show", "echo"])
            .1
            .contains("answer.txt")
    );
}

fn is_checked_beforehand(stack: &LocalStack, file: &str) {
    for model in ["echo", "echo@1"] {
        let answer = stack.json(&["validate", file, "-m", model]);
        assert_eq!(answer.code, 0, "{answer:?}");
        assert_fits("validated", &answer.document);
        let view = &answer.document["model"];
        assert_eq!(view["version"], 1, "{view}");
        assert_eq!(view["stack"], "local", "{view}");
    }
    for model in ["echo@9", "ecko"] {
        let answer = stack.json(&["validate", file, "-m", model]);
        assert_eq!(answer.code, 6, "{answer:?}");
        assert_fits("error", &answer.document);
    }
}

fn succeeds(stack: &LocalStack, file: &str) {
    let begun = stack.json(&["submit", file, "-m", "echo", "--notify", "ana@corp.example"]);
    assert_eq!(begun.code, 0, "{begun:?}");
    assert_fits("submitted", &begun.document);
    let run = id(&begun.document["run"]).to_owned();
    let waited = stack.json(&["wait", &run, "--timeout", "60s"]);
    assert_eq!(waited.code, 0, "{waited:?}");
    assert_fits("run", &waited.document);
    assert_eq!(waited.document["file"]["name"], "é +%.json");
    assert!(
        waited.stderr.contains("succeeded"),
        "one line per change: {}",
        waited.stderr
    );

    let ended = stack.json(&[
        "submit",
        file,
        "-m",
        "echo",
        "--version",
        "1",
        "--title",
        "Prévision 2027",
        "--notify",
        "ana@corp.example",
        "--wait",
    ]);
    assert_eq!(ended.code, 0, "{ended:?}");
    assert_fits("submitted", &ended.document);
    assert_eq!(ended.document["run"]["title"], "Prévision 2027");
    assert_eq!(ended.document["run"]["outputs"][0]["path"], "answer.txt");
    let run = id(&ended.document["run"]).to_owned();

    let shown = stack.json(&["show", &run, "--links-for", "5m"]);
    assert_eq!(shown.code, 0);
    assert_fits("run", &shown.document);
    let url = shown.document["outputs"][0]["url"].as_str().unwrap();
    assert!(url.contains("X-Amz-Expires=300"), "{url}");
    assert_eq!(downloaded(url), "42\n");
    let (code, page) = text(stack.path(), &["show", &run]);
    assert_eq!(code, 0);
    assert!(
        page.contains("Prévision 2027") && page.contains("The answer"),
        "{page}"
    );

    let listed = stack.json(&["runs"]);
    assert_fits("runs", &listed.document);
    assert_eq!(listed.document["runs"].as_array().unwrap().len(), 2);
    let one = stack.json(&["runs", "-m", "echo", "-n", "1"]);
    assert_eq!(id(&one.document["runs"][0]), run, "the newest comes first");

    mailed(stack, &run, "Prévision 2027");
}

/// A mail may follow its run's end by a moment.
fn mailed(stack: &LocalStack, run: &str, subject: &str) {
    let mut tries = 0;
    let answer = loop {
        let answer = stack.json(&["mail", "--run", run]);
        if answer.code == 0 || tries == 100 {
            break answer;
        }
        assert_fits("error", &answer.document);
        tries += 1;
        std::thread::sleep(std::time::Duration::from_millis(100));
    };
    assert_fits("mails", &answer.document);
    let mail = &answer.document["mails"][0];
    assert!(
        mail["subject"].as_str().unwrap().contains(subject),
        "{mail:#}"
    );
    assert_fits("mails", &stack.json(&["mail"]).document);
    let html = stack.path().join("mail.html");
    let (code, _) = text(
        stack.path(),
        &["mail", "--run", run, "--html", &html.to_string_lossy()],
    );
    assert_eq!(code, 0);
    assert!(fs::read_to_string(html).unwrap().contains("<html"));
}

fn fails(stack: &LocalStack, file: &str) {
    let answer = stack.json(&["submit", file, "-m", "echo", "--wait"]);
    assert_eq!(answer.code, 1, "{answer:?}");
    assert_fits("submitted", &answer.document);
    let run = &answer.document["run"];
    assert_eq!(run["failure"]["code"], "JobFailed");
    assert!(
        run["log"].as_array().is_some_and(|log| !log.is_empty()),
        "{run:#}"
    );
    let (code, page) = text(stack.path(), &["wait", id(run)]);
    assert_eq!(code, 1);
    assert!(
        page.contains("does not work") && !page.contains('\u{1b}'),
        "{page}"
    );
}

fn is_rejected(stack: &LocalStack, file: &str) {
    let answer = stack.json(&["submit", file, "-m", "echo", "--wait", "--timeout", "60s"]);
    assert_eq!(answer.code, 3, "{answer:?}");
    assert_fits("submitted", &answer.document);
    let run = &answer.document["run"];
    assert_eq!(run["problems"].as_array().unwrap().len(), 2, "{run:#}");
    let (code, page) = text(stack.path(), &["show", id(run)]);
    assert_eq!(code, 0, "showing a rejected run is no failure");
    assert!(page.contains("1  do\n") && page.contains("dance"), "{page}");
}

fn takes_too_long(stack: &LocalStack, file: &str) {
    let answer = stack.json(&["submit", file, "-m", "echo", "--wait", "--timeout", "2s"]);
    assert_eq!(answer.code, 5, "{answer:?}");
    assert_fits("error", &answer.document);
    let open = stack.json(&["runs", "--open"]);
    assert_fits("runs", &open.document);
    let run = id(&open.document["runs"][0]).to_owned();
    assert_fits("run", &stack.json(&["show", &run]).document);
    assert_eq!(stack.json(&["wait", &run]).code, 0, "it went on");
}

fn is_not_there(stack: &LocalStack, file: &str) {
    let nowhere = repository().join("nowhere");
    let nowhere = nowhere.to_string_lossy();
    for args in [
        &["show", "mfrggzdfmztwq2lknnwg23tpoa"][..],
        &["wait", "mfrggzdfmztwq2lknnwg23tpoa"],
        &["mail", "--run", "mfrggzdfmztwq2lknnwg23tpoa"],
        &["model", "show", "ecoh"],
        &["model", "register", &nowhere],
        &["submit", file, "-m", "ecoh"],
        &["submit", file, "-m", "echo", "--version", "7"],
        &["submit", &nowhere, "-m", "echo"],
    ] {
        let answer = stack.json(args);
        assert_eq!(answer.code, 6, "{args:?} {answer:?}");
        assert_fits("error", &answer.document);
    }
    let misspelt = stack.json(&["submit", file, "-m", "ecoh"]);
    assert_eq!(misspelt.document["error"]["advice"], "Did you mean echo?");
}

/// A deployed stack is found by its outputs; to CloudFormation's clients the local one is deployed.
fn is_found_through_cloudformation(stack: &LocalStack, folder: &str) {
    let status = stack.json(&["local", "status"]).document;
    let place = &status["stack"];
    let elsewhere = tempfile::tempdir().unwrap();
    let deployed = |name: &str, args: &[&str]| {
        let mut program = support::dropcast(elsewhere.path());
        program
            .args(["--stack", name])
            .env("AWS_ENDPOINT_URL", place["endpoint"].as_str().unwrap())
            .env(
                "AWS_ENDPOINT_URL_BATCH",
                place["batchEndpoint"].as_str().unwrap(),
            )
            .env("AWS_REGION", place["region"].as_str().unwrap())
            .env("AWS_ACCESS_KEY_ID", "test")
            .env("AWS_SECRET_ACCESS_KEY", "test");
        support::json_of(program, args)
    };
    let name = place["stackName"].as_str().unwrap();
    let runs = deployed(name, &["runs"]);
    assert_eq!(runs.code, 0, "{runs:?}");
    assert_fits("runs", &runs.document);
    assert_eq!(runs.document["stack"], name);
    assert_eq!(
        runs.document["runs"].as_array().unwrap().len(),
        stack.json(&["runs"]).document["runs"]
            .as_array()
            .unwrap()
            .len()
    );

    let without_image = deployed(name, &["model", "register", folder]);
    assert_eq!(without_image.code, 2);
    assert_fits("error", &without_image.document);
    let image = format!("registry.example/echo@sha256:{}", "0a".repeat(32));
    let register = |definition: &str| {
        let args = ["model", "register", folder, "--image", &image];
        deployed(
            name,
            &[&args[..], &["--job-definition", definition]].concat(),
        )
    };
    let untagged = without_tag(place, &image, &format!("{name}_echo"));
    let (own, _) = untagged.rsplit_once(':').unwrap();
    let foreign = own.replace(&format!("{name}_echo"), "echo");
    for (definition, code, says) in [
        (
            format!("{foreign}:9"),
            3,
            format!("job definition {name}_echo"),
        ),
        (own.to_owned(), 3, "is not a revision".to_owned()),
        (
            format!("{own}:99"),
            6,
            "no active job definition".to_owned(),
        ),
        (untagged.clone(), 3, format!("tag dropcast:stack={name}")),
    ] {
        let refused = register(&definition);
        assert_eq!(refused.code, code, "{definition} {refused:?}");
        assert_fits("error", &refused.document);
        let message = refused.document["error"]["message"].as_str().unwrap();
        assert!(message.contains(&says), "{message}");
    }
    // The one that the local stack made for version 1.
    let registered = register(&format!("{own}:1"));
    assert_eq!(registered.code, 0, "{registered:?}");
    assert_fits("registered", &registered.document);
    assert_eq!(registered.document["version"], 2);
    assert_eq!(registered.document["defaultVersion"], 1);

    let unknown = deployed("nowhere", &["runs"]);
    assert_eq!(unknown.code, 4, "{unknown:?}");
    assert_fits("error", &unknown.document);
    let message = unknown.document["error"]["message"].as_str().unwrap();
    assert!(
        message.contains("no CloudFormation stack nowhere"),
        "{message}"
    );
}

/// The ARN of a new job definition without tags.
fn without_tag(place: &Value, image: &str, name: &str) -> String {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let keys = aws_sdk_batch::config::Credentials::new("test", "test", None, None, "tests");
        let region = place["region"].as_str().unwrap().to_owned();
        let config = dropcast_aws::load().await.unwrap();
        let config = aws_sdk_batch::config::Builder::from(&config)
            .endpoint_url(place["batchEndpoint"].as_str().unwrap())
            .region(aws_sdk_batch::config::Region::new(region))
            .credentials_provider(keys)
            .build();
        let container = ContainerProperties::builder().image(image);
        let size =
            [(ResourceType::Vcpu, "1"), (ResourceType::Memory, "2048")].map(|(kind, value)| {
                ResourceRequirement::builder()
                    .r#type(kind)
                    .value(value)
                    .build()
            });
        let registered = aws_sdk_batch::Client::from_conf(config)
            .register_job_definition()
            .job_definition_name(name)
            .r#type(JobDefinitionType::Container)
            .container_properties(
                container
                    .set_resource_requirements(Some(size.into()))
                    .build(),
            )
            .send()
            .await
            .unwrap();
        registered.job_definition_arn.unwrap()
    })
}

/// What a link of `show` leads to.
fn downloaded(url: &str) -> String {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let answer = client.get(url).send().await.unwrap();
        answer.error_for_status().unwrap().text().await.unwrap()
    })
}
