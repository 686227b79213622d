//! What a mail must say, and what must never get into it.

mod other_ends;
mod tables;

use std::collections::BTreeMap;

use dropcast_domain::{
    failure::Failure,
    run::{AcceptedInput, Run},
    status::{Progress, Status, Transition},
    upload::Upload,
};
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use serde_json::json;

use super::*;

fn run(status: Status) -> Run {
    let uploaded: Timestamp = "2026-03-01T09:30:00Z".parse().unwrap();
    let upload = Upload {
        bucket: "in".into(),
        key: "inputs/revenue-forecast/plan-2027.json".into(),
        version_id: Some("v1".into()),
        sequencer: None,
        bytes: 312,
        at: uploaded,
    };
    let mut run = Run::received(upload, uploaded + SignedDuration::from_hours(24 * 365));
    run.title = "Plan 2027".into();
    run.version = Some("3".parse().unwrap());
    run.current = Transition {
        progress: Progress {
            attempts: 1,
            status,
        },
        at: uploaded + SignedDuration::from_secs(192),
    };
    run.input = Some(AcceptedInput {
        key: "k".into(),
        prepared_key: "p".into(),
        defaults: vec!["/horizon_months".into()],
        table: None,
    });
    run
}

fn output(path: &str, kind: OutputKind, bytes: u64, media_type: &str) -> Output {
    Output {
        path: path.into(),
        title: format!("The {path}"),
        kind,
        bytes,
        sha256: None,
        media_type: media_type.into(),
        key: format!("runs/x/outputs/j/1/{path}"),
        version_id: None,
    }
}

fn links(paths: &[&str]) -> BTreeMap<String, String> {
    paths
        .iter()
        .map(|path| {
            (
                (*path).to_owned(),
                format!("https://links.example/r/{path}"),
            )
        })
        .collect()
}

fn input<'a>(run: &'a Run, links: &'a BTreeMap<String, String>) -> MailInput<'a> {
    MailInput {
        run,
        model_title: Some("Revenue forecast"),
        schema: None,
        inputs: None,
        problems: None,
        copy: None,
        log: &[],
        links,
        links_until: Some("2026-03-31T09:33:12Z".parse().unwrap()),
        refused: &[],
        operator_only: false,
        now: "2026-03-01T10:00:00Z".parse().unwrap(),
    }
}

/// The mail that is sent about a run that ended.
fn composed(input: &MailInput) -> MailContent {
    compose(MailKind::of(input.run).unwrap(), input)
}

fn fact<'a>(content: &'a MailContent, label: &str) -> Option<&'a str> {
    content
        .facts
        .iter()
        .find(|fact| fact.label == label)
        .map(|fact| fact.value.as_str())
}

#[test]
fn only_an_end_that_somebody_waits_for_is_mailed() {
    for status in Status::ALL {
        let mailed = status.is_terminal();
        let kind = MailKind::of(&run(status));
        assert_eq!(kind.is_some(), mailed, "{status}");
        assert!(
            kind.is_none_or(|kind| kind.as_str() == status.as_str()),
            "{status}"
        );
        // Nobody waits for a refresh, but that it failed somebody must know.
        let kind = MailKind::of(&other_ends::refresh(status));
        let mailed = mailed && status != Status::Succeeded;
        assert_eq!(kind.is_some(), mailed, "{status}");
    }
}

/// A refresh of the model's data.
#[test]
fn a_success_says_what_was_asked_how_long_it_took_and_where_the_results_are() {
    let mut run = run(Status::Succeeded);
    run.outputs = vec![
        output("forecast.png", OutputKind::Chart, 80_000, "image/png"),
        output("forecast.csv", OutputKind::Table, 14_230, "text/csv"),
    ];
    run.output_count = Some(5);
    let inputs = json!({"horizon_months": 18, "growth_percent": {"Hardware": {"2027": 4.5}}});
    let links = links(&["forecast.png", "forecast.csv"]);
    let content = composed(&MailInput {
        inputs: Some(&inputs),
        ..input(&run, &links)
    });
    assert_eq!(content.subject, "Ready: Plan 2027 (Revenue forecast)");
    assert_eq!(
        content.lead,
        "“Plan 2027” took 3 min 12 s. 2 files are ready to open."
    );
    assert_eq!(content.outputs[1].size, "14.2 kB");
    assert_eq!(
        content.outputs[1].link.as_deref(),
        Some("https://links.example/r/forecast.csv")
    );
    assert_eq!(
        content.chart.unwrap().key,
        "runs/x/outputs/j/1/forecast.png"
    );
    assert!(content.input.unwrap().sections[0].rows[0].is_default);
    assert_eq!(
        content.notes,
        ["The run wrote 5 files. This mail lists 2; the other 3 are kept with the run."]
    );
    assert!(content.advice.is_none() && content.happened.is_none());
    let content = composed(&input(&run, &links));
    assert_eq!(fact(&content, "Model"), Some("Revenue forecast, version 3"));
    assert_eq!(fact(&content, "File"), Some("plan-2027.json, 312 bytes"));
    assert_eq!(
        fact(&content, "Uploaded"),
        Some("1 March 2026 at 09:30 UTC")
    );
    assert_eq!(fact(&content, "Duration"), Some("3 min 12 s"));
    assert_eq!(fact(&content, "Links valid until"), Some("31 March 2026"));
    assert_eq!(fact(&content, "Run"), Some(run.id.as_str()));
}

#[test]
fn a_failure_says_what_happened_what_to_do_and_shows_the_last_lines() {
    let mut run = run(Status::Failed);
    run.current.progress.attempts = 2;
    run.failure = Some(Failure::new(
        ErrorCode::JobFailed,
        "The model stopped with exit code 2.",
    ));
    run.outputs = vec![output("left-over.csv", OutputKind::Table, 1, "text/csv")];
    let log: Vec<_> = (0..100)
        .map(|line| format!("line {line}\u{1b}[0m"))
        .chain([String::new()])
        .collect();
    let none = BTreeMap::new();
    let content = composed(&MailInput {
        log: &log,
        ..input(&run, &none)
    });
    assert_eq!(content.subject, "Failed: Plan 2027 (Revenue forecast)");
    assert_eq!(
        content.happened.as_deref(),
        Some("The model stopped with exit code 2.")
    );
    assert_eq!(
        content.advice.as_deref(),
        Some(ErrorCode::JobFailed.advice())
    );
    assert_eq!(content.log.last().unwrap(), "line 99");
    assert_eq!(content.log.len(), MAX_LOG_LINES - 1);
    assert!(content.outputs.is_empty() && content.notes.is_empty());
    assert_eq!(fact(&content, "Error code"), Some("JobFailed"));
    assert_eq!(
        fact(&content, "Attempts"),
        Some("2 (retried after a failure)")
    );
    let content = composed(&input(&run, &none));
    assert_eq!(content.notes, ["The model wrote no log lines."]);
}

#[test]
fn every_code_gives_a_failed_and_a_rejected_mail_its_advice() {
    let none = BTreeMap::new();
    for (status, code) in [Status::Failed, Status::Rejected, Status::Cancelled]
        .into_iter()
        .flat_map(|s| ErrorCode::ALL.map(|c| (s, c)))
    {
        let mut run = run(status);
        run.failure = Some(Failure::new(code, "It went wrong."));
        let content = composed(&input(&run, &none));
        assert_eq!(content.advice.as_deref(), Some(code.advice()));
        assert_eq!(content.happened.as_deref(), Some("It went wrong."));
    }
}

#[test]
fn a_rejection_shows_each_problem_once_with_its_hint() {
    let mut run = run(Status::Rejected);
    run.failure = Some(Failure::new(
        ErrorCode::InputRejected,
        "The input has problems.",
    ));
    let mut problems = ProblemList::of(
        Problem::new("/growth_percent/A~1B/2027", "\"4.5 %\"", "a number")
            .with_hint("Leave the % out."),
    );
    problems.push(Problem::with_message(
        "",
        "nothing",
        "a JSON document",
        "The file is empty.",
    ));
    problems.more = 1_998;
    let none = BTreeMap::new();
    let content = composed(&MailInput {
        problems: Some(&problems),
        ..input(&run, &none)
    });
    assert_eq!(
        content.subject,
        "Not accepted: Plan 2027 (Revenue forecast)"
    );
    assert_eq!(content.headline, "Please correct your file");
    assert_eq!(
        content.lead,
        "“Plan 2027” was not started. 2,000 things in your file have to be corrected."
    );
    assert_eq!(content.problems[0].place, "growth_percent › A/B › 2027");
    assert_eq!(content.problems[0].found, "\"4.5 %\"");
    assert_eq!(content.problems[0].hint, "Leave the % out.");
    assert_eq!(content.problems[1].place, "The whole file");
    assert_eq!(content.problems[1].hint, "The file is empty.");
    assert_eq!(content.more_problems, 1_998);
    assert!(content.happened.is_none(), "the table says it better");
}

#[test]
fn a_rejection_without_problems_says_what_happened() {
    let mut run = run(Status::Rejected);
    run.version = None;
    run.request.model = String::new();
    run.failure = Some(Failure::new(
        ErrorCode::ModelUnknown,
        "No model is called “”.",
    ));
    let none = BTreeMap::new();
    let content = composed(&MailInput {
        model_title: None,
        ..input(&run, &none)
    });
    assert_eq!(content.subject, "Not accepted: Plan 2027");
    assert_eq!(content.headline, "Your file was not accepted");
    assert_eq!(content.happened.as_deref(), Some("No model is called “”."));
    assert_eq!(fact(&content, "Model"), None);
    assert_eq!(fact(&content, "Duration"), None);
}

#[test]
fn only_a_small_chart_that_mail_programs_show_is_inline() {
    let none = BTreeMap::new();
    let inline = |outputs: Vec<Output>| {
        let mut run = run(Status::Succeeded);
        run.outputs = outputs;
        composed(&input(&run, &none)).chart.map(|chart| chart.title)
    };
    assert_eq!(
        inline(vec![output(
            "a.png",
            OutputKind::Chart,
            299_999,
            "image/png"
        )])
        .as_deref(),
        Some("The a.png")
    );
    assert_eq!(
        inline(vec![output(
            "a.png",
            OutputKind::Chart,
            300_000,
            "image/png"
        )]),
        None
    );
    assert_eq!(
        inline(vec![output(
            "a.svg",
            OutputKind::Chart,
            10,
            "image/svg+xml"
        )]),
        None
    );
    assert_eq!(
        inline(vec![output("a.png", OutputKind::Data, 10, "image/png")]),
        None
    );
    let both = vec![
        output("a.svg", OutputKind::Chart, 10, "image/svg+xml"),
        output("b.jpg", OutputKind::Chart, 10, "Image/JPEG; q=1"),
    ];
    assert_eq!(inline(both).as_deref(), Some("The b.jpg"));
}

#[test]
fn a_link_that_is_no_web_address_is_dropped() {
    let mut run = run(Status::Succeeded);
    run.outputs = vec![
        output("a", OutputKind::Data, 1, "x"),
        output("b", OutputKind::Data, 1, "x"),
    ];
    let links = [
        ("a", "javascript:alert(1)"),
        ("b", "https://x/\" onclick=\"y z"),
    ];
    let links = links
        .map(|(path, link)| (path.to_owned(), link.to_owned()))
        .into();
    let content = composed(&input(&run, &links));
    assert!(content.outputs.iter().all(|output| output.link.is_none()));
}

#[test]
fn the_reader_learns_who_was_not_mailed_and_why() {
    let mut run = run(Status::Succeeded);
    run.notify_unusable = vec!["ana at corp".into()];
    run.notify_left_out = vec!["zoe@corp.example".into()];
    let refused: Vec<_> = (0..12).map(|n| format!("eve{n}@evil.example")).collect();
    let none = BTreeMap::new();
    let content = composed(&MailInput {
        refused: &refused,
        operator_only: true,
        ..input(&run, &none)
    });
    assert_eq!(content.notes.len(), 4);
    assert!(content.notes[0].contains("as the operator"));
    assert!(content.notes[1].contains("eve9@evil.example and 2 more"));
    assert!(content.notes[2].ends_with("ana at corp."));
    assert!(content.notes[3].contains("at most 20 addresses: zoe@corp.example."));
}

/// Every text of a mail.
fn texts(content: &MailContent) -> Vec<&str> {
    let mut texts = vec![
        content.subject.as_str(),
        &content.title,
        &content.model,
        &content.lead,
        &content.headline,
    ];
    texts.extend(content.happened.as_deref());
    texts.extend(
        content
            .problems
            .iter()
            .flat_map(|row| [row.place.as_str(), &row.found, &row.allowed, &row.hint]),
    );
    texts.extend(content.log.iter().map(String::as_str));
    texts.extend(
        content
            .outputs
            .iter()
            .flat_map(|row| [row.title.as_str(), &row.file]),
    );
    texts.extend(content.chart.iter().map(|chart| chart.title.as_str()));
    for group in content.input.iter().flat_map(|summary| &summary.sections) {
        texts.push(&group.heading);
        texts.extend(
            group
                .rows
                .iter()
                .flat_map(|row| [row.label.as_str(), &row.value]),
        );
    }
    texts.extend(content.facts.iter().map(|fact| fact.value.as_str()));
    texts.extend(content.notes.iter().map(String::as_str));
    texts
}

proptest! {
    #[test]
    fn whatever_a_user_gives_every_text_is_one_short_visible_line(
        text in any::<String>(), times in 1usize..400, status in prop::sample::select(vec![Status::Succeeded, Status::Failed, Status::Rejected])
    ) {
        let text = text.repeat(times);
        let mut run = run(status);
        run.title.clone_from(&text);
        run.request.model.clone_from(&text);
        run.failure = Some(Failure { code: ErrorCode::JobFailed, message: text.clone() });
        run.outputs = vec![Output { title: text.clone(), ..output(&text, OutputKind::Chart, 10, "image/png") }];
        run.notify_unusable = vec![text.clone()];
        run.notify_left_out = vec![text.clone()];
        let inputs = json!({&text: {&text: text, "list": [text, text]}, "a": text});
        let hostile = Problem { at: format!("/{text}"), found: text.clone(), allowed: text.clone(), message: text.clone(), count: 1, others: vec![text.clone()] };
        let problems = ProblemList::of(hostile);
        let links = BTreeMap::from([(text.clone(), text.clone())]);
        let content = composed(&MailInput {
            inputs: Some(&inputs),
            problems: Some(&problems),
            log: std::slice::from_ref(&text),
            refused: std::slice::from_ref(&text),
            model_title: None,
            ..input(&run, &links)
        });
        for text in texts(&content) {
            prop_assert!(text.chars().count() <= 1_200);
            prop_assert!(!text.chars().any(|c| c.is_control() || ('\u{202a}'..='\u{202e}').contains(&c)), "{text:?}");
        }
        prop_assert!(content.subject.chars().count() <= 300);
        prop_assert!(!content.title.is_empty());
        prop_assert!(content.outputs.iter().all(|output| !output.title.is_empty() && !output.file.is_empty()));
    }
}
