//! Runs, models and versions to test with.

use dropcast_domain::{
    ids::{JobId, RunId, Version},
    keys::RunKeys,
    model::{InputFormat, InputSpec, JobSpec, Manifest, NotifySpec, OutputKind, OutputSpec, Vcpus},
    output::Output,
    registry::VersionSpec,
    run::{Acceptance, AcceptedInput, Run, UploadMetadata},
    status::{Progress, Status, Transition},
    task::TaskAttempt,
    upload::Upload,
};
use jiff::Timestamp;

/// The model that the samples are of.
pub const MODEL: &str = "revenue-forecast";
/// The id of [`job`].
pub const JOB: &str = "4f0f3c1e-8c5b-4c0e-9d5e-0f6a4b1c2d3e";

/// `2026-03-02T09:30:00Z` and some milliseconds.
pub fn at(milliseconds: i64) -> Timestamp {
    let start: Timestamp = "2026-03-02T09:30:00Z".parse().unwrap();
    Timestamp::from_millisecond(start.as_millisecond() + milliseconds).unwrap()
}

/// A clock that always shows `at(500)`.
pub fn now() -> Timestamp {
    at(500)
}

/// What was dropped: `inputs/<folder>/<file>` in its first version.
pub fn upload(folder: &str, file: &str) -> Upload {
    Upload {
        bucket: "inputs".into(),
        key: format!("inputs/{folder}/{file}"),
        version_id: Some("v1".into()),
        sequencer: Some("0055AED6DCD90281E5".into()),
        bytes: 20,
        at: at(0),
    }
}

/// The run of a file of [`MODEL`].
pub fn new_run(file: &str) -> Run {
    run_of(upload(MODEL, file))
}

/// The run of an upload that was just seen, kept for 90 days.
pub fn run_of(upload: Upload) -> Run {
    let expires_at = upload.at + jiff::SignedDuration::from_hours(90 * 24);
    Run::received(upload, expires_at)
}

/// The one job of a run.
pub fn job() -> JobId {
    JOB.parse().unwrap()
}

/// A status after so many finished attempts, at `at(milliseconds)`.
pub fn step(attempts: u32, status: Status, milliseconds: i64) -> Transition {
    Transition {
        progress: Progress { attempts, status },
        at: at(milliseconds),
    }
}

/// An attempt at a task after so many retries.
pub fn attempt(retry_count: u32) -> TaskAttempt {
    TaskAttempt {
        entered_at: at(0),
        retry_count,
    }
}

/// An uploader's metadata with these recipients, one that is no address and one too many.
pub fn metadata(notify: &[&str]) -> UploadMetadata {
    UploadMetadata {
        title: "Q3 plan".into(),
        notify: notify.iter().map(ToString::to_string).collect(),
        notify_unusable: vec!["junk".into()],
        notify_left_out: vec!["late@corp.example".into()],
    }
}

/// That `plan.json` may run, as version 1.
pub fn acceptance(run: &RunId) -> Acceptance {
    Acceptance {
        version: Version::FIRST,
        input: Some(AcceptedInput {
            key: keys(run).input("plan.json"),
            prepared_key: keys(run).prepared("plan.json"),
            defaults: vec!["/horizon_months".into()],
            table: None,
        }),
    }
}

/// The keys of a run of [`MODEL`].
pub fn keys(run: &RunId) -> RunKeys {
    RunKeys::of(&upload(MODEL, "plan.json").request(), run)
}

/// A declared output of 12 bytes at this path, from the first attempt of [`job`].
pub fn output(run: &RunId, path: &str) -> Output {
    let prefix = keys(run).attempt(&job(), 1);
    Output {
        path: path.into(),
        title: "Forecast".into(),
        kind: OutputKind::Table,
        bytes: 12,
        sha256: Some("ab".repeat(32)),
        media_type: "text/csv".into(),
        key: format!("{prefix}{path}"),
        version_id: Some("1".into()),
    }
}

/// A model that reads `{"horizon_months": 1–36}` and must write `forecast.csv`.
pub fn version_spec(model: &str) -> VersionSpec {
    let outputs = [
        ("forecast.csv", "Forecast", OutputKind::Table, true),
        ("charts/*.png", "Charts", OutputKind::Chart, false),
    ];
    let outputs = outputs.map(|(path, title, kind, required)| OutputSpec {
        path: path.into(),
        title: title.into(),
        kind,
        required,
    });
    VersionSpec {
        manifest: Manifest {
            name: model.parse().unwrap(),
            title: "Revenue forecast".into(),
            description: String::new(),
            input: InputSpec {
                accepts: vec![InputFormat::Json],
                schema: "input.schema.json".into(),
                max_bytes: 10_000,
                table: None,
            },
            job: JobSpec {
                command: vec!["python".into(), "main.py".into()],
                vcpus: Vcpus::ONE,
                memory_mib: 512,
                timeout_minutes: 10,
                attempts: 2,
                secrets: std::collections::BTreeMap::new(),
            },
            refresh: None,
            outputs: outputs.into(),
            notify: NotifySpec::default(),
        },
        input_schema: r#"{
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "type": "object",
            "additionalProperties": false,
            "required": ["lines"],
            "properties": {
                "lines": { "type": "array", "items": { "type": "string" } },
                "horizon_months": { "type": "integer", "minimum": 1, "maximum": 36, "default": 12 }
            }
        }"#
        .into(),
        row_schema: None,
        image: format!("local/{model}@sha256:{}", "0".repeat(64)),
        job_definition: format!("arn:aws:batch:eu-west-1:000000000000:job-definition/{model}:1"),
        commit: None,
        built_at: at(-1_000),
    }
}
