//! Whatever a user, a model or a file gives, it stays text.

use std::collections::BTreeMap;

use dropcast_domain::{
    failure::{ErrorCode, Failure},
    output::Output,
    problem::{Problem, ProblemList},
};
use dropcast_mail::MailContent;
use dropcast_test_support::mails::{self as fixtures, MailSample};
use mail_parser::MessageParser;
use proptest::prelude::*;
use serde_json::json;

use crate::{
    rendered,
    structure::{email, headers, sent},
};

/// The three stories with one text wherever a user, a model or a file can put one.
fn stories_of(text: &str) -> [MailSample; 3] {
    let (mut success, mut failure, mut rejection) = (
        fixtures::succeeded(),
        fixtures::failed(),
        fixtures::rejected(),
    );
    for story in [&mut success, &mut failure, &mut rejection] {
        story.run.title = text.into();
        story.run.upload.key = format!("inputs/m/{text}");
        story.model_title = Some(text.into());
        story.schema = json!({"properties": {"b": {"title": text}}});
        story.inputs = Some(
            json!({"a": text, "b": {"c": [text], "d": text, format!("k{text}"): {"e": [[]]}}}),
        );
        story.run.notify_unusable = vec![text.into()];
        story.run.notify_left_out = vec![text.into()];
        story.refused = vec![text.into()];
        story.log = vec![format!("  {text}"), text.into()];
    }
    let key = "runs/r/outputs/j/1/x".to_owned();
    let output = success.run.outputs[0].clone();
    success.run.outputs = vec![Output {
        path: text.into(),
        title: text.into(),
        key,
        ..output
    }];
    success.links = BTreeMap::from([(text.to_owned(), "https://links.example/r/t".to_owned())]);
    failure.run.failure = Some(Failure::new(ErrorCode::JobFailed, text));
    rejection.run.failure = Some(Failure::new(ErrorCode::InputRejected, text));
    let problem = Problem {
        at: format!("/{text}"),
        found: text.into(),
        allowed: text.into(),
        message: text.into(),
        count: 1,
        others: vec![text.into()],
    };
    rejection.problems = Some(ProblemList::of(problem));
    [success, failure, rejection]
}

/// How often each character that can open or close markup occurs in a text.
fn markup(html: &str) -> [usize; 4] {
    ['<', '>', '"', '\''].map(|sign| html.matches(sign).count())
}

/// A text that begins and ends visibly, so that a mail about it has the same
/// parts as one about a plain text.
fn any_text() -> impl Strategy<Value = String> {
    let nasty = prop::sample::select(vec![
        "<script>alert(1)</script>",
        "\"><img src=x onerror=alert(1)>",
        "' style='display:none",
        "</td></tr></table>",
        "<!--[if mso]>",
        "]]>",
        "{{ content.title }}",
        "{% raw %}",
        "&lt;b&gt;",
        "\r\nBcc: eve@evil.example\r\n\r\n<b>",
        "\nSubject: other",
        "\u{202e}gpj.exe",
        "=?utf-8?Q?=0ABcc:_eve?=",
        "é ü 予測 📈",
        "--",
    ]);
    let part = prop_oneof![nasty.prop_map(str::to_owned), any::<String>()];
    prop::collection::vec(part, 0..6).prop_map(|parts| format!("x{}x", parts.concat()))
}

/// Checks one text in all three mails against a plain one.
fn stays_text(text: &str) -> Result<(), TestCaseError> {
    for (hostile, plain) in stories_of(text).iter().zip(stories_of("plain")) {
        let (hostile, plain) = (hostile.content(), plain.content());
        let (shown, expected) = (rendered(&hostile), rendered(&plain));
        prop_assert_eq!(
            markup(&shown.html),
            markup(&expected.html),
            "{}",
            shown.html
        );
        let pages = (
            shown.html_with_chart.as_deref(),
            expected.html_with_chart.as_deref(),
        );
        prop_assert_eq!(pages.0.map(markup), pages.1.map(markup));
        let hidden = ['\r', '\u{202e}', '\u{1b}', '\0'];
        prop_assert!(!shown.text.contains(hidden));
        same_headers(&hostile, &plain)?;
    }
    Ok(())
}

fn same_headers(hostile: &MailContent, plain: &MailContent) -> Result<(), TestCaseError> {
    let (hostile_mail, plain_mail) = (
        sent(&email(hostile, &rendered(hostile), None)),
        sent(&email(plain, &rendered(plain), None)),
    );
    prop_assert_eq!(headers(&hostile_mail), headers(&plain_mail));
    let parsed = MessageParser::default()
        .parse(&hostile_mail)
        .ok_or_else(|| TestCaseError::fail("no message"))?;
    let subject = hostile.subject.replace("=?", "= ?");
    prop_assert_eq!(parsed.subject(), Some(subject.as_str()));
    prop_assert_eq!(parsed.parts.len(), 3);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, ..ProptestConfig::default() })]

    #[test]
    fn no_text_of_a_user_becomes_markup_or_a_header(text in any_text()) {
        stays_text(&text)?;
    }
}

#[test]
fn an_address_that_a_user_wrote_does_not_become_a_link() {
    let text = "=HYPERLINK(\"http://evil.example\") HTTPS://evil.example www.evil.example";
    for story in stories_of(text) {
        let shown = rendered(&story.content());
        let pages = [
            Some(&shown.html),
            shown.html_with_chart.as_ref(),
            Some(&shown.text),
        ];
        for page in pages.into_iter().flatten() {
            let lower = page.to_lowercase();
            assert!(lower.contains("evil.example"), "{page}");
            for link in ["://evil", "www.evil"] {
                assert!(!lower.contains(link), "{page}");
            }
        }
    }
}

#[test]
fn a_title_with_a_line_break_stays_one_subject() {
    let mut story = fixtures::succeeded();
    story.run.title = "Q3 plan\r\nBcc: eve@evil.example\r\n\r\n<h1>Pay here</h1>".into();
    let content = story.content();
    let mail = sent(&email(&content, &rendered(&content), None));
    let text = String::from_utf8_lossy(&mail);
    assert!(!text.contains("\r\nBcc:"));
    assert!(!rendered(&content).html.contains("<h1>Pay"));
    assert!(
        content
            .subject
            .starts_with("Ready: Q3 plan Bcc: eve@evil.example <h1>Pay here</h1>")
    );
}

#[test]
fn a_title_that_looks_encoded_is_not_decoded() {
    let mut story = fixtures::succeeded();
    story.run.title = "=?utf-8?Q?Q3=0D=0ABcc:_eve@evil.example?=".into();
    let content = story.content();
    let mail = sent(&email(&content, &rendered(&content), None));
    let parsed = MessageParser::default().parse(&mail).unwrap();
    assert_eq!(
        parsed.subject(),
        Some("Ready: = ?utf-8?Q?Q3=0D=0ABcc:_eve@evil.example?= (Revenue forecast)")
    );
}

#[test]
fn a_title_of_ten_kilobytes_is_cut() {
    let mut story = fixtures::failed();
    story.run.title = "é<b>".repeat(2_500);
    let content = story.content();
    assert!(content.subject.chars().count() < 200);
    assert!(rendered(&content).html.len() < 20_000);
    let mail = sent(&email(&content, &rendered(&content), None));
    let longest = mail.split(|byte| *byte == b'\n').map(<[u8]>::len).max();
    assert!(longest < Some(998), "RFC 5322 ends lines at 998 bytes");
}

#[test]
fn a_title_that_turns_text_round_is_straightened() {
    let mut story = fixtures::rejected();
    story.run.title = "plan \u{202e}txt.exe\u{2066}".into();
    let content = story.content();
    assert_eq!(content.title, "plan txt.exe");
    assert!(!rendered(&content).html.contains('\u{202e}'));
}

#[test]
fn a_script_in_a_problem_is_shown_and_not_run() {
    let mut story = fixtures::rejected();
    let script = "<script>alert(document.cookie)</script>";
    story.problems = Some(ProblemList::of(
        Problem::new(&format!("/{script}"), script, script).with_hint(script),
    ));
    let html = rendered(&story.content()).html;
    assert!(!html.contains("<script"));
    assert_eq!(
        html.matches("&#60;script&#62;alert(document.cookie)")
            .count(),
        4
    );
}

#[test]
fn a_model_that_prints_a_boundary_does_not_split_the_mail() {
    let mut story = fixtures::failed();
    let content = story.content();
    let mail =
        String::from_utf8_lossy(&sent(&email(&content, &rendered(&content), None))).into_owned();
    let boundary = mail
        .split("boundary=\"")
        .nth(1)
        .and_then(|rest| rest.split('"').next())
        .map(str::to_owned);
    let boundary = boundary.unwrap_or_else(|| panic!("no boundary in {mail}"));
    story.log.push(format!("--{boundary}--"));
    story.run.title = format!("--{boundary}");
    let content = story.content();
    let mail = sent(&email(&content, &rendered(&content), None));
    let parsed = MessageParser::default()
        .parse(&mail)
        .unwrap_or_else(|| panic!("no message"));
    assert_eq!(parsed.parts.len(), 3);
    assert!(
        parsed
            .body_text(0)
            .is_some_and(|text| text.contains(&format!("--{boundary}--")))
    );
}
