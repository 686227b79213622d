//! Odd files, keys, titles and recipients that are accepted nevertheless.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result, ensure};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use dropcast_store::Runs as _;
use dropcast_tests::{OPERATOR, Stack, Upload, until};

use crate::{
    checks::{flat, is_the_only_run, succeeded},
    links::links_in,
    world::scenarios,
};

scenarios![
    utf16_is_read_whatever_its_byte_order,
    a_byte_order_mark_is_read_and_taken_off,
    a_key_with_plus_percent_space_and_accents_is_read,
    a_key_that_climbs_is_read_as_it_is,
    a_key_of_1024_bytes_is_read,
    the_same_file_dropped_twice_is_two_runs,
    a_folder_is_no_upload,
    a_title_with_line_breaks_is_one_line_and_no_header,
    a_title_with_html_is_text,
    junk_among_recipients_is_set_aside_and_the_others_are_mailed,
    the_operator_is_mailed_when_all_recipients_are_junk,
    twenty_recipients_get_a_mail_each,
];

const TEXT: &str = "{\"city\": \"Zürich 🏔\"}";

/// Drops a file for the model that gives it back, and compares what the model read.
async fn is_read_as(stack: &Stack, name: &str, content: Vec<u8>, read: &str) -> Result<()> {
    let model = stack.model("echo").await?;
    let (dropped, ended) = stack
        .run(&Upload::new(&model, name, content.clone()))
        .await?;
    succeeded(&ended).with_context(|| name.to_owned())?;
    is_the_only_run(stack, &dropped).await?;
    let run = &ended.run;
    assert_eq!(run.upload.key, dropped.upload.key);
    let copy = run.outputs.first().context("the copy")?;
    let copied = stack.result(&copy.key).await?;
    assert_eq!(String::from_utf8_lossy(&copied), read, "{name}");
    // The input as it was is kept beside it (invariant 6).
    let input = &run.input.as_ref().context("the accepted input")?.key;
    assert_eq!(stack.result(input).await?, content, "{name}");
    let mail = stack.mail(&run.id).await?;
    assert_eq!(mail.to, [OPERATOR]);
    let links = links_in(&mail.text);
    let link = links.first().context("a link")?;
    assert_eq!(stack.open(link).await?.status, 302, "{name}");
    Ok(())
}

async fn utf16_is_read_whatever_its_byte_order(stack: &Stack) -> Result<()> {
    let little = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let big = |text: &str| text.encode_utf16().flat_map(u16::to_be_bytes).collect();
    let marked = format!("\u{feff}{TEXT}");
    let files: [(&str, Vec<u8>); 4] = [
        ("utf16-le-marked.json", little(&marked)),
        ("utf16-be-marked.json", big(&marked)),
        ("utf16-le.json", little(TEXT)),
        ("utf16-be.json", big(TEXT)),
    ];
    for (name, content) in files {
        is_read_as(stack, name, content, TEXT).await?;
    }
    Ok(())
}

async fn a_byte_order_mark_is_read_and_taken_off(stack: &Stack) -> Result<()> {
    let marked = format!("\u{feff}{TEXT}").into_bytes();
    is_read_as(stack, "marked.json", marked, TEXT).await
}

async fn a_key_with_plus_percent_space_and_accents_is_read(stack: &Stack) -> Result<()> {
    let name = "Q3 +50% é/100%25 of+the plan&co=1?#~ ü.json";
    is_read_as(stack, name, b"[1]".to_vec(), "[1]").await
}

async fn a_key_that_climbs_is_read_as_it_is(stack: &Stack) -> Result<()> {
    is_read_as(stack, "a/../../b/./plan.json", b"[2]".to_vec(), "[2]").await
}

async fn a_key_of_1024_bytes_is_read(stack: &Stack) -> Result<()> {
    let before = "inputs/echo/deep/".len();
    let name = format!("deep/{}é.json", "x".repeat(1_024 - before - "é.json".len()));
    assert_eq!(Upload::new("echo", &name, "").key.len(), 1_024);
    is_read_as(stack, &name, b"[3]".to_vec(), "[3]").await
}

async fn the_same_file_dropped_twice_is_two_runs(stack: &Stack) -> Result<()> {
    let model = stack.model("echo").await?;
    let file = Upload::new(&model, "again.json", "[]");
    let (first, second) = tokio::try_join!(stack.put(&file), stack.put(&file))?;
    ensure!(
        first.is_some() && first != second,
        "the bucket keeps versions"
    );
    let uploads = stack.uploads_of(&file.key, 2).await?;
    let runs: BTreeSet<String> = uploads.iter().map(|it| it.run_id().to_string()).collect();
    assert_eq!(runs.len(), 2, "{runs:?}");
    for upload in &uploads {
        let ended = stack.ended(&upload.run_id()).await?;
        succeeded(&ended)?;
        stack.mail(&ended.run.id).await?;
    }
    let upload = uploads.first().context("an upload")?;
    assert_eq!(stack.runs_of_key(upload).await?.len(), 2);
    Ok(())
}

async fn a_folder_is_no_upload(stack: &Stack) -> Result<()> {
    let file = Upload::new("echo", "folder/", "");
    let dropped = stack.submit(&file).await?;
    until("start-run has seen the folder", || async {
        let lines = stack.function_logs().await?;
        let seen = lines
            .iter()
            .any(|line| line.function == "start-run" && line.text.contains("a folder was created"));
        Ok(seen.then_some(()))
    })
    .await?;
    assert!(stack.store.get(&dropped.run).await?.is_none());
    Ok(())
}

/// A text as S3 wants metadata beyond plain ASCII: RFC 2047.
fn encoded(text: &str) -> String {
    format!("=?UTF-8?B?{}?=", STANDARD.encode(text))
}

async fn a_title_with_line_breaks_is_one_line_and_no_header(stack: &Stack) -> Result<()> {
    let model = stack.model("noop").await?;
    let title = "Q3 plan\r\nBcc: eve@evil.example\r\n\r\nDear all,\u{2028}\0\u{202e}now";
    let file = Upload::new(&model, "line-breaks.json", "1")
        .title(&encoded(title))
        .notify("ana@corp.example");
    let (_, ended) = stack.run(&file).await?;
    succeeded(&ended)?;
    let clean = "Q3 plan Bcc: eve@evil.example Dear all, now";
    assert_eq!(ended.run.title, clean);
    let mail = stack.mail(&ended.run.id).await?;
    assert_eq!(mail.subject, format!("Ready: {clean} (Nothing)"));
    assert_eq!(mail.to, ["ana@corp.example"]);
    let raw = stack.raw(&mail)?;
    let (headers, _) = raw.split_once("\r\n\r\n").context("headers")?;
    assert!(!headers.to_lowercase().contains("\nbcc:"), "{headers}");
    Ok(())
}

async fn a_title_with_html_is_text(stack: &Stack) -> Result<()> {
    let model = stack.model("noop").await?;
    let title = "<script>alert(\"1\")</script> & <b>bold</b>";
    let file = Upload::new(&model, "html.json", "1").title(title);
    let (_, ended) = stack.run(&file).await?;
    succeeded(&ended)?;
    assert_eq!(ended.run.title, title);
    let mail = stack.mail(&ended.run.id).await?;
    assert!(mail.subject.contains(title), "{}", mail.subject);
    assert!(flat(&mail.text).contains(title), "{}", mail.text);
    assert!(!mail.html.contains("<script") && !mail.html.contains("<b>bold"));
    Ok(())
}

async fn junk_among_recipients_is_set_aside_and_the_others_are_mailed(stack: &Stack) -> Result<()> {
    let model = stack.model("noop").await?;
    let list = "ana@Corp.example, nonsense; bo@corp.test ana@corp.example,@,x@y,<script>,eve@evil.example,,";
    let file = Upload::new(&model, "junk.json", "1").notify(list);
    let (_, ended) = stack.run(&file).await?;
    succeeded(&ended)?;
    let run = &ended.run;
    assert_eq!(
        run.notify,
        ["ana@corp.example", "bo@corp.test", "eve@evil.example"]
    );
    assert_eq!(run.notify_unusable, ["nonsense", "@", "x@y", "<script>"]);
    let mails = stack.mailed(&run.id, 2).await?;
    let recipients: BTreeSet<_> = mails.iter().flat_map(|mail| mail.to.clone()).collect();
    assert_eq!(mails.len(), 2);
    assert_eq!(
        recipients,
        BTreeSet::from(["ana@corp.example".to_owned(), "bo@corp.test".to_owned()])
    );
    for mail in &mails {
        let text = flat(&mail.text);
        for note in [
            "because this deployment does not send mail to their domain: eve@evil.example.",
            "because the address is not valid: nonsense, @, x@y, <script>.",
        ] {
            assert!(text.contains(note), "no “{note}” in {text}");
        }
        assert!(!mail.html.contains("<script"));
    }
    Ok(())
}

async fn the_operator_is_mailed_when_all_recipients_are_junk(stack: &Stack) -> Result<()> {
    let model = stack.model("noop").await?;
    let file = Upload::new(&model, "all-junk.json", "1").notify("?;;, eve@evil.example\tana@");
    let (_, ended) = stack.run(&file).await?;
    succeeded(&ended)?;
    let mail = stack.mail(&ended.run.id).await?;
    assert_eq!(mail.to, [OPERATOR]);
    let text = flat(&mail.text);
    assert!(
        text.contains("You receive this mail as the operator"),
        "{text}"
    );
    Ok(())
}

async fn twenty_recipients_get_a_mail_each(stack: &Stack) -> Result<()> {
    let model = stack.model("noop").await?;
    let people: Vec<String> = (0..22).map(|n| format!("person{n}@corp.example")).collect();
    let file = Upload::new(&model, "many-people.json", "1").notify(&people.join(","));
    let (_, ended) = stack.run(&file).await?;
    succeeded(&ended)?;
    let mails = stack.mailed(&ended.run.id, 20).await?;
    let recipients: BTreeSet<_> = mails.iter().flat_map(|mail| mail.to.clone()).collect();
    assert_eq!((mails.len(), recipients.len()), (20, 20));
    assert!(recipients.iter().all(|person| people.contains(person)));
    assert_eq!(ended.run.notify_left_out, people[20..]);
    assert!(ended.run.notify_unusable.is_empty());
    let text = flat(&mails.first().context("a mail")?.text);
    let note = format!("at most 20 addresses: {}.", people[20..].join(", "));
    assert!(text.contains(&note), "no “{note}” in {text}");
    Ok(())
}
