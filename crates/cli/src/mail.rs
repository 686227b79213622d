//! `dropcast mail`: what the local SES was given.

mod page;

use anyhow::Context as _;
use comfy_table::Cell;
use dropcast_api_types::{MailView, Mails};
use dropcast_domain::ids::RunId;

use crate::{
    args::{Common, Mail},
    exit::{Exit, Stop},
    screen::{Paint, Screen},
    stack::{self, LOCAL},
    words,
};

/// A mail of the local SES as a document.
pub fn view(mail: dropcast_local_stack::Mail) -> MailView {
    MailView {
        message_id: mail.message_id,
        at: mail.at,
        run_id: run_in(&mail.text),
        from: mail.from,
        to: mail.to,
        subject: mail.subject,
        links: links_in(&mail.text),
        text: mail.text,
        html: mail.html,
        file: mail.file.map(|file| file.display().to_string()),
    }
}

/// Lists or shows mails.
pub async fn run(args: &Mail, common: &Common, screen: Screen) -> anyhow::Result<Exit> {
    if let Some(name) = common.stack.as_deref().filter(|name| *name != LOCAL) {
        return Err(Stop::new(
            Exit::Usage,
            format!("The mails of the deployed stack {name} are in its recipients' mailboxes; SES keeps none."),
        )
        .advice("Leave --stack out to read what the local stack sent.")
        .into());
    }
    let connection = stack::attach(&common.state_dir)?;
    let mut mails: Vec<MailView> = connection
        .mailbox()
        .await
        .context("the local stack's mailbox cannot be read")?
        .into_iter()
        .map(view)
        .collect();
    if let Some(run) = &args.run {
        mails.retain(|mail| mail.run_id.as_ref().map(RunId::as_str) == Some(run.as_str()));
    }
    if args.last || args.html.is_some() {
        mails = mails.pop().into_iter().collect();
    }
    if mails.is_empty() && (args.run.is_some() || args.last || args.html.is_some()) {
        return Err(none(args).into());
    }
    if let Some(file) = &args.html {
        let html = mails.last().map(page::of).transpose()?.unwrap_or_default();
        std::fs::write(file, html).with_context(|| format!("cannot write {}", file.display()))?;
        screen.note(&format!("Wrote {}.", file.display()));
    }
    let document = Mails {
        stack: LOCAL.to_owned(),
        mails,
    };
    let whole = args.run.is_some() || args.last;
    screen.show(&document, |paint| {
        if args.html.is_some() {
            String::new()
        } else if whole {
            let texts: Vec<String> = document
                .mails
                .iter()
                .map(|mail| text(mail, paint))
                .collect();
            texts.join("\n")
        } else {
            list(&document.mails, paint)
        }
    })?;
    Ok(Exit::Done)
}

fn none(args: &Mail) -> Stop {
    let about = args
        .run
        .as_ref()
        .map_or_else(String::new, |run| format!(" about run {run}"));
    Stop::new(Exit::NotFound, format!("No mail{about} was sent."))
        .advice("A mail is sent when a run is over; `dropcast runs` lists runs.")
}

fn list(mails: &[MailView], paint: Paint) -> String {
    if mails.is_empty() {
        return "No mail was sent yet. A mail is sent when a run is over.\n".to_owned();
    }
    let rows = mails.iter().map(|mail| {
        vec![
            Cell::new(words::moment_in_column(mail.at)),
            Cell::new(mail.run_id.as_ref().map(RunId::as_str).unwrap_or_default()),
            Cell::new(words::printable(&mail.to.join(", "))),
            Cell::new(words::printable(&mail.subject)),
        ]
    });
    format!(
        "{}\n{}\n",
        paint.list(&["Sent (UTC)", "Run", "To", "Subject"], rows),
        paint.dim("Read one with `dropcast mail --run RUN` or `dropcast mail --last`.")
    )
}

/// A mail as text: its head, a blank line, its body.
pub fn text(mail: &MailView, paint: Paint) -> String {
    let head = paint.facts(&[
        ("From", words::printable(&mail.from)),
        ("To", words::printable(&mail.to.join(", "))),
        ("Date", words::moment(mail.at)),
        ("Subject", paint.bold(&words::printable(&mail.subject))),
    ]);
    let body = words::lines(mail.text.lines().map(words::printable));
    format!("{head}\n{body}")
}

/// The run that a mail is about: the last run id in its text, since the facts
/// about the run close the mail, and what people wrote stands before them.
fn run_in(text: &str) -> Option<RunId> {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '-')
        .filter(|word| word.len() == RunId::CHARS)
        .filter_map(|word| word.parse().ok())
        .next_back()
}

/// The http and https links in a text, each once.
fn links_in(text: &str) -> Vec<String> {
    let mut links: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        let Some(at) = word.find("http://").or_else(|| word.find("https://")) else {
            continue;
        };
        let link = word
            .get(at..)
            .unwrap_or_default()
            .trim_end_matches(['.', ',', ')', '>', ';']);
        if !links.iter().any(|known| known == link) {
            links.push(link.to_owned());
        }
    }
    links
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    const TEXT: &str = "nbswy3dpo5xxe3denbswy3dpoe is ready\n\n\
        Forecast table: <http://127.0.0.1:1/r/abc.def>.\n\
        Chart (https://x.example/r/1), again http://127.0.0.1:1/r/abc.def\n\
        Run: mfrggzdfmztwq2lknnwg23tpoa\n";

    #[test]
    fn the_run_is_the_last_one_that_the_text_names() {
        assert_eq!(run_in(TEXT).unwrap().as_str(), "mfrggzdfmztwq2lknnwg23tpoa");
        assert!(run_in("no run here").is_none());
    }

    #[test]
    fn links_come_out_without_what_surrounds_them_and_once() {
        assert_eq!(
            links_in(TEXT),
            ["http://127.0.0.1:1/r/abc.def", "https://x.example/r/1"]
        );
    }

    #[test]
    fn a_mail_cannot_steer_the_terminal() {
        let mail = MailView {
            message_id: "1".into(),
            at: Timestamp::UNIX_EPOCH,
            run_id: None,
            from: "a@b.example".into(),
            to: vec!["c@d.example".into()],
            subject: "x\u{1b}[31m".into(),
            text: "one\n\u{1b}[2Jtwo".into(),
            html: String::new(),
            links: Vec::new(),
            file: None,
        };
        let paint = Paint::plain(80);
        let shown = text(&mail, paint);
        assert!(!shown.contains('\u{1b}'));
        assert!(shown.contains("\n\none\n"), "{shown}");
    }
}
