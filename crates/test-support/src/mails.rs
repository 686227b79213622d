//! Runs as they happen, for looking at and for testing what is said about them.

use std::collections::BTreeMap;

use dropcast_domain::{
    failure::{ErrorCode, Failure},
    mail::MailKind,
    model::{InputFormat, Locale, OutputKind, TableEncoding},
    output::Output,
    problem::{Problem, ProblemList},
    run::{AcceptedInput, Run},
    status::{Progress, Status, Transition},
    table::{FilledColumn, ReadingRemarks, TableReading},
    upload::Upload,
};
use dropcast_mail::{MailContent, MailInput, MarkedCopy, compose};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

/// A run with everything that its mail can show.
#[derive(Debug, Clone)]
pub struct MailSample {
    /// The record.
    pub run: Run,
    /// The title of its model, where that is known.
    pub model_title: Option<String>,
    /// The schema of its input.
    pub schema: Value,
    /// The input as the model read it.
    pub inputs: Option<Value>,
    /// What is wrong with a rejected input.
    pub problems: Option<ProblemList>,
    /// How the reader gets the marked copy.
    pub copy: Option<MarkedCopy<'static>>,
    /// The job's last lines.
    pub log: Vec<String>,
    /// Links by output path.
    pub links: BTreeMap<String, String>,
    /// Addresses that are not mailed.
    pub refused: Vec<String>,
    /// Whether only the operator is mailed.
    pub operator_only: bool,
}

impl MailSample {
    /// What its mail says.
    pub fn content(&self) -> MailContent {
        let known = MailInput {
            run: &self.run,
            model_title: self.model_title.as_deref(),
            schema: Some(&self.schema),
            inputs: self.inputs.as_ref(),
            problems: self.problems.as_ref(),
            copy: self.copy,
            log: &self.log,
            links: &self.links,
            links_until: Some(at() + SignedDuration::from_hours(24 * 30)),
            refused: &self.refused,
            operator_only: self.operator_only,
            now: at() + SignedDuration::from_hours(1),
        };
        compose(MailKind::of(&self.run).unwrap(), &known)
    }
}

/// When every story's file was dropped.
pub fn at() -> Timestamp {
    "2026-11-02T09:30:00Z".parse().unwrap()
}

fn story(status: Status) -> MailSample {
    let upload = Upload {
        bucket: "inputs".into(),
        key: "inputs/revenue-forecast/plan-2027.json".into(),
        version_id: Some("3HL4kqtJlcpXroDTDmJ".into()),
        sequencer: None,
        bytes: 312,
        at: at(),
    };
    let mut run = Run::received(upload, at() + SignedDuration::from_hours(24 * 365));
    run.title = "Plan 2027".into();
    run.version = Some("3".parse().unwrap());
    run.current = Transition {
        progress: Progress {
            attempts: 1,
            status,
        },
        at: at() + SignedDuration::from_secs(192),
    };
    MailSample {
        run,
        model_title: Some("Revenue forecast".into()),
        schema: json!({"properties": {
            "title": {"title": "Title"},
            "horizon_months": {"title": "Horizon in months"},
            "interval_percent": {"title": "Prediction interval in percent"},
            "growth_percent": {"title": "Growth projections in percent"},
        }}),
        inputs: Some(json!({
            "title": "Plan 2027",
            "horizon_months": 26,
            "interval_percent": 90,
            "growth_percent": {
                "Cloud subscriptions": {"2027": 22, "2028": 15},
                "Hardware": {"2027": 4.5, "2028": 3},
                "Software licences": {"2027": -8}
            }
        })),
        problems: None,
        copy: None,
        log: Vec::new(),
        links: BTreeMap::new(),
        refused: Vec::new(),
        operator_only: false,
    }
}

/// A run that ended well, with three outputs and somebody who is not mailed.
pub fn succeeded() -> MailSample {
    let mut story = story(Status::Succeeded);
    let output = |path: &str, title: &str, kind, bytes, media_type: &str| Output {
        path: path.into(),
        title: title.into(),
        kind,
        bytes,
        sha256: None,
        media_type: media_type.into(),
        key: format!("{}outputs/5e0a1c9e/1/{path}", story.run.keys().prefix()),
        version_id: None,
    };
    story.run.outputs = vec![
        output(
            "forecast.png",
            "Forecast chart",
            OutputKind::Chart,
            86_412,
            "image/png",
        ),
        output(
            "forecast.csv",
            "Forecast table",
            OutputKind::Table,
            14_230,
            "text/csv",
        ),
        output(
            "summary.md",
            "Summary",
            OutputKind::Document,
            2_140,
            "text/markdown",
        ),
    ];
    story.run.output_count = Some(3);
    story.run.input = Some(AcceptedInput {
        key: String::new(),
        prepared_key: String::new(),
        defaults: vec!["/interval_percent".into()],
        table: None,
    });
    for output in &story.run.outputs {
        let link = format!(
            "https://a1b2c3d4e5.execute-api.eu-central-1.amazonaws.com/r/{}",
            "Zm9yZWNhc3Q".repeat(18)
        );
        story.links.insert(output.path.clone(), link);
    }
    story.refused = vec!["consultant@elsewhere.example".into()];
    story
}

/// A run whose model stopped with an error.
pub fn failed() -> MailSample {
    let mut story = story(Status::Failed);
    story.run.failure = Some(Failure::new(
        ErrorCode::JobFailed,
        "The model stopped with exit code 2.",
    ));
    story.log = [
        "2026-11-02 09:32:58 INFO reading history for 5 product lines, 96 months each",
        "2026-11-02 09:33:07 INFO fitting Cloud subscriptions",
        "Traceback (most recent call last):",
        "  File \"/app/main.py\", line 212, in <module>",
        "    sys.exit(main())",
        "  File \"/app/main.py\", line 174, in growth_factors",
        "    raise UnknownLine(line, nearest(line, history.lines))",
        "UnknownLine: The history has no product line \"Cloud subscription\". Did you mean \"Cloud subscriptions\"?",
    ]
    .map(str::to_owned)
    .into();
    story
}

/// A run whose file was not accepted.
pub fn rejected() -> MailSample {
    let mut story = story(Status::Rejected);
    story.inputs = None;
    story.run.failure = Some(Failure::new(
        ErrorCode::InputRejected,
        "The file breaks the model's rules in 5 places.",
    ));
    story.problems = Some(ProblemList {
        problems: vec![
            Problem::new(
                "/growth_percent/Hardware/next year",
                "\"next year\"",
                "a year such as 2027",
            ),
            Problem::new(
                "/growth_percent/Services/2027",
                "-120",
                "a number from -90 to 300",
            ),
            Problem::new(
                "/horizon_month",
                "a field with this name",
                "title, horizon_months, interval_percent or growth_percent",
            )
            .with_hint("Did you mean horizon_months?"),
            Problem::new("/interval_percent", "0.9", "a number from 50 to 99")
                .with_hint("Write 90 for 90 percent."),
        ],
        more: 1,
    });
    story
}

/// A run that ended well and whose file was a table.
pub fn succeeded_table() -> MailSample {
    let mut story = succeeded();
    story.inputs = None;
    story.run.upload.key = "inputs/revenue-forecast/plan-2027.csv".into();
    if let Some(input) = &mut story.run.input {
        input.defaults = Vec::new();
        input.table = Some(TableReading {
            format: InputFormat::Csv,
            sheet: None,
            rows: 1_204,
            column_count: 4,
            columns: ["product_line", "year", "growth_percent", "remark"]
                .map(str::to_owned)
                .into(),
            delimiter: Some(';'),
            encoding: Some(TableEncoding::Windows1252),
            locale: Some(Locale::DeDe),
            defaults: vec![FilledColumn {
                column: "growth_percent".into(),
                cells: 12,
            }],
            remarks: ReadingRemarks::default(),
        });
    }
    story
}

/// A run whose table was not accepted.
pub fn rejected_table() -> MailSample {
    let mut story = rejected();
    story.run.upload.key = "inputs/revenue-forecast/plan-2027.xlsx".into();
    story.run.marked = true;
    story.copy = Some(MarkedCopy::Attached);
    story.problems = Some(ProblemList {
        problems: vec![
            Problem::with_message(
                "Plan!C7",
                "\"ten\"",
                "a number from -90 to 300",
                "Column growth_percent: 214 cells are not numbers: C7 (\"ten\"), C9, C12 and 211 more. Write for example 4.5.",
            )
            .with_count(214, ["Plan!C9", "Plan!C12"]),
            Problem::with_message(
                "Plan!D1",
                "the column \"remak\"",
                "product_line, year, growth_percent or remark",
                "There is a column \"remak\", which the model does not read.",
            )
            .with_hint("Did you mean remark?"),
            Problem::new("Plan!B14", "#REF!", "a year such as 2027"),
        ],
        more: 0,
    });
    story
}
