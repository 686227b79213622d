//! `dropcast validate` by models' folders: it needs no stack.

#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

mod support;

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde_json::{Value, json as value};
use support::{Answer, assert_fits, json, text};

const REVENUE: &str = "models/revenue-forecast";

/// A folder to write into, and a state folder without a stack.
struct Workspace {
    folder: tempfile::TempDir,
}

impl Workspace {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    /// With a model that takes JSON and tables of up to 100 bytes.
    fn with_model() -> Self {
        let workspace = Self::new();
        let row = r#"{"type": "object", "additionalProperties": false, "required": ["line"],
            "properties": {"line": {"type": "string"}, "growth": {"type": "number", "default": 1.5}}}"#;
        workspace.file("m/model.toml", MANIFEST);
        workspace.file("m/row.json", row);
        workspace.file("m/in.json", r#"{"properties": {"n": {"default": 3}}}"#);
        workspace
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn file(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        self.name(name)
    }

    fn name(&self, name: &str) -> String {
        self.path(name).to_str().unwrap().to_owned()
    }

    fn validate(&self, args: &[&str]) -> Answer {
        let args: Vec<&str> = ["validate"].iter().chain(args).copied().collect();
        json(self.folder.path(), &args)
    }

    /// Checks a file by the model.
    fn check(&self, file: &str) -> Answer {
        let answer = self.validate(&[file, "-m", &self.name("m")]);
        assert_fits("validated", &answer.document);
        answer
    }

    /// Checks the model's folder, and returns the failures of each example.
    fn examples(&self) -> (i32, Vec<Value>) {
        let answer = self.validate(&[&self.name("m")]);
        assert_fits("validated-model", &answer.document);
        let examples = answer.document["examples"].as_array().unwrap().clone();
        (answer.code, examples)
    }
}

const MANIFEST: &str = r#"name = "m"
title = "M"
[job]
command = ["true"]
[input]
accepts = ["json", "csv"]
schema = "in.json"
max_bytes = 100
[input.table]
schema = "row.json"
key = ["line"]
"#;

#[test]
fn each_example_of_the_revenue_forecast_does_as_it_should() {
    let workspace = Workspace::new();
    let answer = workspace.validate(&[REVENUE]);
    assert_eq!(answer.code, 0, "{:#}", answer.document);
    assert_fits("validated-model", &answer.document);
    assert_eq!(answer.document["model"], "revenue-forecast");
    let examples = answer.document["examples"].as_array().unwrap();
    for kind in ["json", "csv", "xlsx", "xls"] {
        let of_kind = |expected: &str| {
            examples.iter().any(|example| {
                let file = Path::new(example["file"].as_str().unwrap());
                example["expected"] == expected && file.extension().unwrap() == kind
            })
        };
        assert!(of_kind("accepted") && of_kind("rejected"), "{kind}");
    }
    let (code, page) = text(workspace.folder.path(), &["validate", REVENUE]);
    assert_eq!(code, 0);
    assert!(
        page.contains("accepted: xlsx, 6 rows × 4 columns"),
        "{page}"
    );
}

#[test]
fn an_accepted_file_says_how_it_was_read_and_leaves_what_the_model_would_get() {
    let workspace = Workspace::with_model();
    let file = workspace.file("plan.csv", "Line;Growth\r\nHardware;4.5\r\nServices;\r\n");
    let (clean, marked) = (workspace.name("clean.csv"), workspace.name("marked.xlsx"));
    let model = workspace.name("m");
    let answer = workspace.validate(&[&file, "-m", &model, "--clean", &clean, "--marked", &marked]);
    assert_eq!(answer.code, 0, "{answer:?}");
    assert_fits("validated", &answer.document);
    let reading = &answer.document["reading"];
    assert_eq!(reading["defaults"], value!([{"at": "growth", "count": 1}]));
    assert_eq!(
        (&reading["rows"], &reading["delimiter"]),
        (&2.into(), &";".into())
    );
    assert_eq!(
        fs::read_to_string(clean).unwrap(),
        "line,growth\nHardware,4.5\nServices,1.5\n"
    );
    assert!(!Path::new(&marked).exists());
    assert!(answer.stderr.contains("marked.xlsx is not written"));
    let (_, page) = text(workspace.folder.path(), &["validate", &file, "-m", &model]);
    for part in [
        "accepted",
        "2 rows × 2 columns",
        "semicolon",
        "growth (1 cell)",
    ] {
        assert!(page.contains(part), "{page}");
    }
}

#[test]
fn a_growth_that_is_written_or_shown_as_a_percentage_arrives_in_points() {
    let workspace = Workspace::new();
    let plan = "product_line,year,growth_percent\nHardware,2027,4.5 %\n";
    let written = workspace.file("plan.csv", plan);
    let shown = format!("{REVENUE}/examples/shown-as-percentages.xlsx");
    for (file, row) in [
        (written, "\nHardware,2027,4.5\n"),
        (shown, "\nHardware,2027,4.5,Two new distributors\n"),
    ] {
        let clean = workspace.name("clean.csv");
        let answer = workspace.validate(&[&file, "-m", REVENUE, "--clean", &clean]);
        assert_eq!(answer.code, 0, "{answer:?}");
        let clean = fs::read_to_string(clean).unwrap();
        assert!(clean.contains(row), "{clean}");
    }
}

#[test]
fn a_document_comes_out_with_its_defaults() {
    let workspace = Workspace::with_model();
    let (file, clean) = (
        workspace.file("plan.json", "{}"),
        workspace.name("clean.json"),
    );
    let answer = workspace.validate(&[&file, "-m", &workspace.name("m"), "--clean", &clean]);
    assert_eq!(answer.code, 0, "{answer:?}");
    assert_fits("validated", &answer.document);
    assert_eq!(
        answer.document["reading"]["defaults"],
        value!([{"at": "/n", "count": 1}])
    );
    let document: Value = serde_json::from_str(&fs::read_to_string(clean).unwrap()).unwrap();
    assert_eq!(document, value!({"n": 3}));
}

#[test]
fn a_rejected_file_says_what_the_mail_would_and_can_be_marked() {
    let workspace = Workspace::with_model();
    let file = workspace.file("plan.csv", "line,growth\na,x\nb,y\nc,\u{202e}3\nd,1\nd,2\n");
    let (clean, marked) = (workspace.name("clean.csv"), workspace.name("marked.xlsx"));
    let model = workspace.name("m");
    let answer = workspace.validate(&[&file, "-m", &model, "--clean", &clean, "--marked", &marked]);
    assert_eq!(answer.code, 1, "{answer:?}");
    assert_fits("validated", &answer.document);
    let document = &answer.document;
    assert_eq!(document["rejection"]["code"], "InputRejected");
    assert_eq!(document["problemCount"], 4, "{document:#}");
    assert_eq!(document["problems"][0]["at"], "row 2, column growth");
    assert_eq!(document["problems"][0]["count"], 3);
    assert!(fs::read(&marked).unwrap().starts_with(b"PK"));
    assert!(
        !Path::new(&clean).exists(),
        "a rejected table has no clean form"
    );
    let (code, page) = text(workspace.folder.path(), &["validate", &file, "-m", &model]);
    assert_eq!(code, 1);
    assert!(
        page.contains("not accepted") && page.contains("and 2 more"),
        "{page}"
    );
    assert!(!page.contains('\u{202e}'), "{page}");
}

#[test]
fn a_file_is_refused_by_its_name_and_its_size_before_it_is_read() {
    let workspace = Workspace::with_model();
    let answer = workspace.check(&workspace.file("plan.xlsx", "PK"));
    assert_eq!(answer.code, 1);
    assert_eq!(answer.document["reading"], Value::Null);
    // Two gigabytes that take no room.
    let large = workspace.file("large.csv", "line\n");
    let opened = fs::File::options().write(true).open(&large).unwrap();
    opened.set_len(2 << 30).unwrap();
    let answer = workspace.check(&large);
    assert_eq!(answer.code, 1);
    assert_eq!(answer.document["rejection"]["code"], "InputTooLarge");
    assert_eq!(answer.document["bytes"], 2_u64 << 30);
}

#[test]
fn what_cannot_be_checked_ends_with_the_code_of_every_command() {
    let workspace = Workspace::with_model();
    let (file, model) = (workspace.file("plan.csv", "line\na\n"), workspace.name("m"));
    let ends_with = |code: i32, args: &[&str]| {
        let answer = workspace.validate(args);
        assert_eq!(answer.code, code, "{args:?}: {answer:?}");
        assert_fits("error", &answer.document);
    };
    ends_with(2, &[&file]);
    ends_with(2, &[&model, "-m", &model]);
    ends_with(2, &[&file, "-m", "No Model"]);
    ends_with(2, &[&file, "-m", &model, "--clean", &file]);
    ends_with(4, &[&file, "-m", "m"]);
    ends_with(6, &[&workspace.name("nothing.csv"), "-m", &model]);
    ends_with(6, &[&file, "-m", "models/nothing"]);
    ends_with(6, &[&workspace.name("")]);
    ends_with(
        6,
        &[&file, "-m", &model, "--clean", "/no/such/folder/clean.csv"],
    );
    assert_eq!(fs::read_to_string(&file).unwrap(), "line\na\n");
    workspace.file("m/row.json", "{");
    ends_with(3, &[&file, "-m", &model]);
}

#[test]
fn a_folder_that_is_not_a_model_is_reported_with_its_problems() {
    let workspace = Workspace::with_model();
    workspace.file("m/row.json", r#"{"type": "object", "propertys": {}}"#);
    let answer = workspace.validate(&[&workspace.name("m")]);
    assert_eq!(answer.code, 1, "{answer:?}");
    assert_fits("validated-model", &answer.document);
    assert_eq!(answer.document["model"], Value::Null);
    let failure = answer.document["failures"][0].as_str().unwrap();
    assert!(
        failure.contains("row.json") && failure.contains("propertys"),
        "{failure}"
    );
    workspace.file("m/model.toml", "nmae = \"m\"\n");
    let answer = workspace.validate(&[&workspace.name("m")]);
    assert_eq!(answer.code, 1);
    let failure = answer.document["failures"][0].as_str().unwrap();
    assert!(failure.contains("nmae"), "{failure}");
}

#[test]
fn a_model_without_examples_is_one() {
    let workspace = Workspace::with_model();
    assert_eq!(workspace.examples(), (0, vec![]));
    let (_, page) = text(workspace.folder.path(), &["validate", &workspace.name("m")]);
    assert!(page.contains("It has no examples."), "{page}");
}

#[test]
fn examples_with_unexpected_results_are_reported_with_the_reason() {
    let workspace = Workspace::with_model();
    workspace.file("m/examples/good.csv", "line\na\n");
    workspace.file("m/examples/bad.csv", "line,growth\na,x\n");
    workspace.file("m/examples/.hidden", "");
    workspace.file("m/examples/other/any.csv", "");
    let rejected = [
        (
            "exact.csv",
            "line,growth\na,x\n",
            Some(r#"[{"at": "row 2, column growth", "message": "\"x\""}]"#),
        ),
        ("fine.csv", "line\na\n", Some(r#"[{"at": ""}]"#)),
        ("lonely.csv", "line,growth\na,x\n", None),
        (
            "other.csv",
            "line,growth\na,x\n",
            Some(r#"[{"at": "row 3, column growth"}]"#),
        ),
        ("unclear.csv", "line,growth\na,x\n", Some("[{}]")),
    ];
    for (name, content, expected) in rejected {
        workspace.file(&format!("m/examples/rejected/{name}"), content);
        if let Some(expected) = expected {
            workspace.file(
                &format!("m/examples/rejected/{name}.problems.json"),
                expected,
            );
        }
    }
    workspace.file("m/examples/rejected/gone.csv.problems.json", "[]");
    let (code, examples) = workspace.examples();
    assert_eq!(code, 1);
    let reported: Vec<(&str, String)> = examples
        .iter()
        .map(|example| {
            let failures = example["failures"].as_array().unwrap();
            let failures: Vec<&str> = failures.iter().map(|it| it.as_str().unwrap()).collect();
            (example["file"].as_str().unwrap(), failures.join("\n"))
        })
        .collect();
    let expected = [
        ("examples/bad.csv", "At row 2, column growth: found \"x\""),
        ("examples/good.csv", ""),
        ("examples/rejected/exact.csv", ""),
        ("examples/rejected/fine.csv", "It is accepted"),
        (
            "examples/rejected/gone.csv.problems.json",
            "gone.csv, which does not exist",
        ),
        (
            "examples/rejected/lonely.csv",
            "if they are right:\n[\n  {\"at\":\"row 2, column growth\"",
        ),
        (
            "examples/rejected/other.csv",
            "No problem was found at row 3",
        ),
        ("examples/rejected/unclear.csv", "missing field `at`"),
    ];
    assert_eq!(reported.len(), expected.len(), "{reported:#?}");
    for ((file, text), (name, part)) in reported.iter().zip(expected) {
        assert_eq!(*file, name);
        assert!(text.contains(part), "{file}: {text}");
        assert_eq!(text.is_empty(), part.is_empty(), "{file}: {text}");
    }
    let (code, page) = text(workspace.folder.path(), &["validate", &workspace.name("m")]);
    assert_eq!(code, 1);
    assert!(page.contains("6 of 8 examples"), "{page}");
}

#[test]
fn a_size_that_fargate_lacks_is_a_failure_where_jobs_run_on_it() {
    let workspace = Workspace::with_model();
    let manifest = fs::read_to_string(workspace.path("m/model.toml")).unwrap();
    let manifest = manifest.replace("[job]\n", "[job]\nvcpus = 3\nmemory_mib = 2048\n");
    fs::write(workspace.path("m/model.toml"), manifest).unwrap();
    let folder = workspace.name("m");
    for platform in [&["--platform", "EC2"][..], &[]] {
        let answer = workspace.validate(&[&[folder.as_str()], platform].concat());
        assert_eq!(answer.code, 0, "{:#}", answer.document);
    }
    let answer = workspace.validate(&[&folder, "--platform", "FARGATE"]);
    assert_eq!(answer.code, 1);
    let failure = answer.document["failures"][0].as_str().unwrap();
    assert!(
        failure.contains("nearest size with at least as much of both is vcpus = 4"),
        "{failure}"
    );
}
