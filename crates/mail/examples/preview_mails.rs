//! Writes the three sorts of mail as HTML, text and MIME files, to look at them.
//!
//! `cargo run -p dropcast-mail --example preview_mails -- FOLDER [CHART.png]`

use std::{env, fs, path::PathBuf};

use dropcast_mail::{
    mime::{Chart, Email, message},
    render,
};
use dropcast_test_support::mails as fixtures;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = env::args_os().skip(1);
    let folder = PathBuf::from(arguments.next().unwrap_or_else(|| "target/mails".into()));
    let chart = arguments.next();
    fs::create_dir_all(&folder)?;
    let bytes = chart.as_ref().map(fs::read).transpose()?;
    for story in [
        fixtures::succeeded(),
        fixtures::failed(),
        fixtures::rejected(),
        fixtures::succeeded_table(),
        fixtures::rejected_table(),
    ] {
        let content = story.content();
        let (_, extension) = story.run.upload.key.rsplit_once('.').unwrap_or_default();
        let kind = content.kind.as_str();
        let file = |of: &str| folder.join(format!("{kind}-{extension}.{of}"));
        let rendered = render::render(&content, bytes.is_some())?;
        let html = rendered.html_with_chart.as_ref().unwrap_or(&rendered.html);
        // A browser knows no content ids.
        let shown = chart
            .as_ref()
            .map(|chart| format!("src=\"file://{}\"", chart.to_string_lossy()));
        let html = html.replace(
            &format!("src=\"cid:{}\"", render::CHART_ID),
            &shown.unwrap_or_default(),
        );
        fs::write(file("html"), html)?;
        fs::write(file("txt"), &rendered.text)?;
        let email = Email {
            sender: "forecasts@corp.example",
            recipient: "ana@corp.example",
            content: &content,
            rendered: &rendered,
            chart: bytes.as_deref().map(|bytes| Chart {
                media_type: "image/png",
                bytes,
            }),
            attachment: None,
            date: story.run.current.at,
        };
        fs::write(file("eml"), message(&email)?)?;
    }
    Ok(())
}
