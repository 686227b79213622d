//! What reaches the reader: the sentences of each mail, and nothing that a user smuggled in.

#![expect(
    clippy::panic,
    reason = "A test that cannot go on stops, in its helpers too."
)]

mod hostile;
mod structure;

use dropcast_domain::{
    failure::ErrorCode,
    model::OutputKind,
    problem::{Problem, ProblemList},
};
use dropcast_mail::{
    MAX_VALUES, MailContent, MarkedCopy,
    render::{COLUMNS, Rendered, render},
};
use dropcast_test_support::mails as fixtures;
use serde_json::json;

/// Gmail hides what comes after so many bytes of HTML behind a link.
const GMAIL_BYTES: usize = 102_000;

fn rendered(content: &MailContent) -> Rendered {
    render(content, true).unwrap_or_else(|error| panic!("{error}"))
}

/// The HTML's text as a reader sees it.
fn seen(html: &str) -> String {
    let (_, body) = html.split_once("<body").unwrap_or(("", html));
    let mut text = String::new();
    let mut in_tag = true;
    for c in body.chars() {
        match c {
            '<' => in_tag = true,
            '>' => in_tag = false,
            c if !in_tag => text.push(c),
            _ => {}
        }
    }
    text.replace("&#39;", "'")
        .replace("&#34;", "\"")
        .replace("&#60;", "<")
        .replace("&#62;", ">")
        .replace("&#38;", "&")
}

/// Checks that both forms of a mail say something, wherever the lines break.
fn both_say(content: &MailContent, sentences: &[&str]) {
    let rendered = rendered(content);
    let folded = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let (html, text) = (folded(&seen(&rendered.html)), folded(&rendered.text));
    for sentence in sentences {
        assert!(
            html.contains(sentence),
            "the HTML does not say “{sentence}”:\n{html}"
        );
        assert!(
            text.contains(sentence),
            "the text does not say “{sentence}”:\n{text}"
        );
    }
}

#[test]
fn a_success_says_what_when_and_where() {
    let content = fixtures::succeeded().content();
    both_say(
        &content,
        &[
            "Your results are ready",
            "“Plan 2027” took 3 min 12 s. 3 files are ready to open.",
            "Forecast table",
            "forecast.csv",
            "14.2 kB",
            "2027 = 4.5, 2028 = 3",
            "Revenue forecast, version 3",
            "2 November 2026 at 09:30 UTC",
            "2 December 2026",
            "consultant@elsewhere.example",
        ],
    );
    let rendered = rendered(&content);
    assert!(
        rendered
            .text
            .contains("Prediction interval in percent: 90 (default)")
    );
    assert!(seen(&rendered.html).contains("90 default"));
    for output in &content.outputs {
        let link = output.link.as_deref().unwrap_or_default();
        assert!(
            rendered.html.contains(&format!("href=\"{link}\"")) && rendered.text.contains(link)
        );
    }
}

#[test]
fn a_failure_says_what_happened_and_what_to_do_and_shows_the_last_lines() {
    let content = fixtures::failed().content();
    both_say(
        &content,
        &[
            "Your run did not finish",
            "The model stopped with exit code 2.",
            ErrorCode::JobFailed.advice(),
            "JobFailed",
        ],
    );
    let rendered = rendered(&content);
    assert!(
        rendered.text.contains("\n  |     sys.exit(main())\n"),
        "{}",
        rendered.text
    );
    let code = "\u{a0}\u{a0}\u{a0}\u{a0}sys.exit(main())<br>";
    assert!(
        rendered.html.contains(code),
        "a mail program keeps the indentation"
    );
}

#[test]
fn a_rejection_shows_every_problem_and_how_many_more_there_are() {
    both_say(
        &fixtures::rejected().content(),
        &[
            "Please correct your file",
            "5 things in your file have to be corrected.",
            "growth_percent › Services › 2027",
            "-120",
            "a number from -90 to 300",
            "Did you mean horizon_months?",
            "And 1 more problem.",
            ErrorCode::InputRejected.advice(),
        ],
    );
}

#[test]
fn a_rejected_table_shows_each_group_with_its_first_cell_and_its_number() {
    both_say(
        &fixtures::rejected_table().content(),
        &[
            "Please correct your file",
            "216 things in your file have to be corrected.",
            "The attached workbook shows what to correct",
            "Plan!C7 and 213 more",
            "\"ten\"",
            "a number from -90 to 300",
            "Column growth_percent: 214 cells are not numbers: C7 (\"ten\"), C9, C12 and 211 more. Write for example 4.5.",
            "Plan!D1",
            "Did you mean remark?",
            "Plan!B14",
            "#REF!",
        ],
    );
}

#[test]
fn an_accepted_table_is_summarized_by_how_it_was_read() {
    both_say(
        &fixtures::succeeded_table().content(),
        &[
            "plan-2027.csv",
            "1,204 rows × 4 columns",
            "product_line, year, growth_percent, remark",
            "separated by semicolons, Windows-1252",
            "in de-DE notation, such as 1.234,5",
            "Empty cells filled in",
            "12 cells",
        ],
    );
}

#[test]
fn a_marked_copy_that_is_too_large_to_attach_is_a_link() {
    let mut story = fixtures::rejected_table();
    story.copy = Some(MarkedCopy::Linked("https://links.example/r/copy"));
    let content = story.content();
    both_say(&content, &["The workbook at the link below"]);
    let rendered = rendered(&content);
    assert!(rendered.text.contains("\n  https://links.example/r/copy\n"));
    assert!(
        rendered
            .html
            .contains("href=\"https://links.example/r/copy\"")
    );
}

#[test]
fn the_chart_is_shown_with_its_title_as_text_and_its_link() {
    let content = fixtures::succeeded().content();
    let rendered = rendered(&content);
    let html = rendered.html_with_chart.as_deref().unwrap_or_default();
    assert!(html.contains("src=\"cid:chart@dropcast\" alt=\"Forecast chart\""));
    assert!(html.contains("width:100%"));
    assert!(!rendered.html.contains("<img"));
    assert!(render(&content, false).is_ok_and(|rendered| rendered.html_with_chart.is_none()));
}

#[test]
fn the_html_loads_nothing_from_anywhere() {
    for story in [
        fixtures::succeeded(),
        fixtures::failed(),
        fixtures::rejected(),
    ] {
        let rendered = rendered(&story.content());
        let html = rendered.html_with_chart.unwrap_or(rendered.html);
        assert!(html.matches("src=").count() == html.matches("src=\"cid:").count());
        for loader in ["<link", "<script", "url(", "@import", "background="] {
            assert!(!html.contains(loader), "{loader}");
        }
    }
}

#[test]
fn plain_text_stays_within_its_columns() {
    let mut story = fixtures::failed();
    story.log.push("x".repeat(5_000));
    for story in [fixtures::succeeded(), story, fixtures::rejected()] {
        for line in rendered(&story.content()).text.lines() {
            assert!(
                line.chars().count() <= COLUMNS || line.trim_start().starts_with("https://"),
                "{line}"
            );
            assert_eq!(line, line.trim_end());
        }
    }
}

#[test]
fn the_fullest_mails_are_shown_whole_by_gmail() {
    let mut success = fixtures::succeeded();
    let output = success.run.outputs[1].clone();
    let link = success.links[&output.path].clone();
    for number in 0..60 {
        let mut output = output.clone();
        output.path = format!("by-line/product-line-{number}/forecast.csv");
        output.kind = OutputKind::Table;
        success.links.insert(output.path.clone(), link.clone());
        success.run.outputs.push(output);
    }
    let lines: serde_json::Map<_, _> = (0..200)
        .map(|number| {
            (
                format!("Product line {number}"),
                json!({"2027": 4.5, "2028": 3}),
            )
        })
        .collect();
    success.inputs = Some(json!({"growth_percent": lines}));
    let content = success.content();
    assert_eq!(content.outputs.len(), 50);
    assert_eq!(
        content
            .input
            .as_ref()
            .map(|summary| summary.sections[0].rows.len()),
        Some(MAX_VALUES)
    );

    let mut rejection = fixtures::rejected();
    let problem = |number: u32| {
        Problem::new(
            &format!("/growth_percent/Product line {number}/2027"),
            "\"4.5 %\"",
            "a number from -90 to 300",
        )
        .with_hint("Leave out the percent sign and the quotation marks.")
    };
    rejection.problems = Some(ProblemList {
        problems: (0..100).map(problem).collect(),
        more: 900,
    });

    let mut failure = fixtures::failed();
    failure.log = vec![
        "    File \"/app/main.py\", line 212, in forecast_for_every_product_line"
            .repeat(3);
        60
    ];
    failure.inputs = success.inputs.clone();

    for content in [content, rejection.content(), failure.content()] {
        let bytes = rendered(&content).html.len();
        assert!(
            bytes < GMAIL_BYTES,
            "{} has {bytes} bytes",
            content.kind.as_str()
        );
    }
}
