//! The message, read back by a parser that did not write it.

use dropcast_mail::{
    MailContent,
    mime::{Attachment, Chart, Email, message},
    render::Rendered,
};
use dropcast_test_support::mails as fixtures;
use jiff::Timestamp;
use mail_parser::{MessageParser, MimeHeaders as _, PartType};

use crate::rendered;

/// The smallest file that begins as a PNG does.
const PNG: &[u8] = b"\x89PNG\r\n\x1a\nand so on";

pub(crate) fn email<'a>(
    content: &'a MailContent,
    rendered: &'a Rendered,
    chart: Option<&'a [u8]>,
) -> Email<'a> {
    Email {
        sender: "forecasts@corp.example",
        recipient: "ana@corp.example",
        content,
        rendered,
        chart: chart.map(|bytes| Chart {
            media_type: "image/png",
            bytes,
        }),
        attachment: None,
        date: fixtures::at(),
    }
}

pub(crate) fn sent(email: &Email) -> Vec<u8> {
    message(email).unwrap_or_else(|error| panic!("{error}"))
}

/// The names of a message's headers, in order.
pub(crate) fn headers(mail: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(mail);
    let (head, _) = text.split_once("\r\n\r\n").unwrap_or_default();
    head.split("\r\n")
        .filter(|line| !line.starts_with([' ', '\t']))
        .map(|line| line.split(':').next().unwrap_or_default().to_owned())
        .collect()
}

/// The media types of a message's parts, in order.
fn types(mail: &[u8]) -> Vec<String> {
    let parsed = MessageParser::default()
        .parse(mail)
        .unwrap_or_else(|| panic!("no message"));
    let parts = parsed.parts.iter().filter_map(|part| part.content_type());
    parts
        .map(|kind| format!("{}/{}", kind.ctype(), kind.subtype().unwrap_or_default()))
        .collect()
}

#[test]
fn a_mail_with_a_chart_is_text_or_a_page_with_its_image() {
    let content = fixtures::succeeded().content();
    let rendered = rendered(&content);
    let mail = sent(&email(&content, &rendered, Some(PNG)));
    assert_eq!(
        types(&mail),
        [
            "multipart/alternative",
            "text/plain",
            "multipart/related",
            "text/html",
            "image/png"
        ]
    );
    let parsed = MessageParser::default().parse(&mail).unwrap();
    assert_eq!(
        parsed
            .body_text(0)
            .unwrap()
            .replace("\r\n", "\n")
            .trim_end(),
        rendered.text.trim_end()
    );
    let page = parsed.body_html(0).unwrap().replace("\r\n", "\n");
    assert_eq!(
        page.trim_end(),
        rendered.html_with_chart.as_deref().unwrap().trim_end()
    );
    let image = &parsed.parts[4];
    assert_eq!(image.content_id(), Some("chart@dropcast"));
    assert_eq!(image.attachment_name(), Some("chart.png"));
    assert!(image.content_disposition().unwrap().is_inline());
    assert!(
        matches!(&image.body, PartType::Binary(bytes) | PartType::InlineBinary(bytes) if bytes.as_ref() == PNG)
    );
}

#[test]
fn a_chart_that_cannot_be_shown_is_left_out_and_its_link_stays() {
    let content = fixtures::succeeded().content();
    let rendered = rendered(&content);
    let large = [PNG, &vec![0; 300_000]].concat();
    for unfit in [None, Some(&b"<svg/>"[..]), Some(&[]), Some(&large)] {
        let mail = sent(&email(&content, &rendered, unfit));
        assert_eq!(
            types(&mail),
            ["multipart/alternative", "text/plain", "text/html"]
        );
        let parsed = MessageParser::default().parse(&mail).unwrap();
        let page = parsed.body_html(0).unwrap();
        assert!(!page.contains("cid:"));
        assert!(page.contains(content.outputs[0].link.as_deref().unwrap()));
    }
    let misnamed = Email {
        chart: Some(Chart {
            media_type: "image/jpeg",
            bytes: PNG,
        }),
        ..email(&content, &rendered, None)
    };
    assert_eq!(types(&sent(&misnamed)).len(), 3);
}

#[test]
fn a_marked_copy_goes_with_the_mail_as_a_workbook() {
    let content = fixtures::rejected_table().content();
    let rendered = rendered(&content);
    let workbook = b"PK\x03\x04and so on\0\xff";
    let with = Email {
        attachment: Some(Attachment {
            file_name: "marked.xlsx",
            media_type: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            bytes: workbook,
        }),
        ..email(&content, &rendered, None)
    };
    let mail = sent(&with);
    assert_eq!(mail, sent(&with), "the same email gives the same bytes");
    assert_eq!(
        types(&mail),
        [
            "multipart/mixed",
            "multipart/alternative",
            "text/plain",
            "text/html",
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
        ]
    );
    let parsed = MessageParser::default().parse(&mail).unwrap();
    assert_eq!(parsed.attachment_count(), 1);
    let attached = parsed.attachment(0).unwrap();
    assert_eq!(attached.attachment_name(), Some("marked.xlsx"));
    assert_eq!(attached.contents(), workbook);
    let html = parsed.body_html(0).unwrap();
    assert!(html.contains("The attached workbook"), "{html}");
}

#[test]
fn the_headers_say_who_when_and_that_a_machine_wrote_it() {
    let mut story = fixtures::succeeded();
    story.run.title = "Übersicht für März 📈".into();
    let content = story.content();
    let rendered = rendered(&content);
    let mail = sent(&email(&content, &rendered, None));
    let parsed = MessageParser::default().parse(&mail).unwrap();
    let from = parsed.from().unwrap().first().unwrap();
    assert_eq!(
        (from.name(), from.address()),
        (Some("Dropcast"), Some("forecasts@corp.example"))
    );
    assert_eq!(
        parsed.to().unwrap().first().unwrap().address(),
        Some("ana@corp.example")
    );
    assert_eq!(parsed.to().unwrap().iter().count(), 1);
    assert_eq!(
        parsed.subject(),
        Some("Ready: Übersicht für März 📈 (Revenue forecast)")
    );
    assert_eq!(
        parsed.date().unwrap().to_timestamp(),
        fixtures::at().as_second()
    );
    assert_eq!(
        parsed.header_raw("Auto-Submitted").map(str::trim),
        Some("auto-generated")
    );
    assert!(mail.is_ascii(), "every server takes it");
    assert_eq!(
        headers(&mail),
        [
            "Message-ID",
            "From",
            "To",
            "Subject",
            "Date",
            "Auto-Submitted",
            "X-Auto-Response-Suppress",
            "MIME-Version",
            "Content-Type"
        ]
    );
}

#[test]
fn one_mail_has_one_message_id_however_often_it_is_built() {
    let ids = |story: &fixtures::MailSample, recipient: &str| {
        let content = story.content();
        let rendered = rendered(&content);
        let build = |date: Timestamp| {
            sent(&Email {
                recipient,
                date,
                ..email(&content, &rendered, Some(PNG))
            })
        };
        assert_eq!(
            build(fixtures::at()),
            build(fixtures::at()),
            "the same email gives the same bytes"
        );
        let mail = build("2026-12-24T00:00:00Z".parse().unwrap());
        MessageParser::default()
            .parse(&mail)
            .unwrap()
            .message_id()
            .unwrap()
            .to_owned()
    };
    let (success, failure) = (fixtures::succeeded(), fixtures::failed());
    let id = ids(&success, "ana@corp.example");
    assert!(
        id.starts_with(&format!("{}.succeeded.", success.run.id)) && id.ends_with("@corp.example")
    );
    assert!(!id.contains("ana"));
    assert_eq!(id, ids(&success, "ana@corp.example"));
    assert_ne!(id, ids(&success, "bo@corp.example"));
    assert_ne!(id, ids(&failure, "ana@corp.example"));
}

#[test]
fn a_sender_may_have_a_name_and_an_unusable_address_is_refused_unnamed() {
    let content = fixtures::failed().content();
    let rendered = rendered(&content);
    let named = Email {
        sender: "Forecasts <forecasts@corp.example>",
        ..email(&content, &rendered, None)
    };
    let mail = sent(&named);
    assert_eq!(
        MessageParser::default()
            .parse(&mail)
            .unwrap()
            .from()
            .unwrap()
            .first()
            .unwrap()
            .name(),
        Some("Forecasts")
    );
    for recipient in [
        "",
        "ana",
        "ana@corp.example\r\nBcc: eve@evil.example",
        "a@b.example, c@d.example",
    ] {
        let error = message(&Email { recipient, ..named }).unwrap_err();
        assert_eq!(error.to_string(), "the recipient is not a mail address");
    }
    let error = message(&Email {
        sender: "nobody",
        ..named
    })
    .unwrap_err();
    assert_eq!(error.to_string(), "the sender is not a mail address");
}
