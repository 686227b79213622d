//! `dropcast mail`: the mails that the local SES has accepted.

mod page;

use anyhow::Context as _;
use comfy_table::Cell;
use dropcast_api_types::{MailView, Mails};
use dropcast_domain::ids::RunId;

use crate::{
    args::{Common, Mail},
    exit::{CliError, Exit},
    messages,
    screen::{Screen, Style},
    stack::{self, LOCAL},
};

/// Turns a mail of the local SES into a document.
pub fn to_mail_view(mail: dropcast_local_stack::Mail) -> MailView {
    MailView {
        message_id: mail.message_id,
        at: mail.at,
        run_id: find_run_id(&mail.text),
        from: mail.from,
        to: mail.to,
        subject: mail.subject,
        links: find_links(&mail.text),
        text: mail.text,
        html: mail.html,
        file: mail.file.map(|file| file.display().to_string()),
    }
}

/// Lists or shows mails.
pub async fn run(args: &Mail, common: &Common, screen: Screen) -> anyhow::Result<Exit> {
    if let Some(name) = common.stack.as_deref().filter(|name| *name != LOCAL) {
        return Err(CliError::new(
            Exit::Usage,
            format!("Mails of the deployed stack {name} cannot be listed: SES keeps no copies. They are in their recipients' mailboxes."),
        )
        .advice("Leave out --stack to read the mails of the local stack.")
        .into());
    }
    let connection = stack::attach(&common.state_dir)?;
    let mut mails: Vec<MailView> = connection
        .mailbox()
        .await
        .context("the local stack's mailbox cannot be read")?
        .into_iter()
        .map(to_mail_view)
        .collect();
    if let Some(run) = &args.run {
        mails.retain(|mail| mail.run_id.as_ref().map(RunId::as_str) == Some(run.as_str()));
    }
    if args.last || args.html.is_some() {
        mails = mails.pop().into_iter().collect();
    }
    if mails.is_empty() && (args.run.is_some() || args.last || args.html.is_some()) {
        return Err(no_mail_found(args).into());
    }
    if let Some(file) = &args.html {
        let html = mails
            .last()
            .map(page::render)
            .transpose()?
            .unwrap_or_default();
        std::fs::write(file, html).with_context(|| format!("cannot write {}", file.display()))?;
        screen.note(&format!("Wrote {}.", file.display()));
    }
    let document = Mails {
        stack: LOCAL.to_owned(),
        mails,
    };
    let full_text = args.run.is_some() || args.last;
    screen.show(&document, |style| {
        if args.html.is_some() {
            String::new()
        } else if full_text {
            let texts: Vec<String> = document
                .mails
                .iter()
                .map(|mail| render(mail, style))
                .collect();
            texts.join("\n")
        } else {
            render_list(&document.mails, style)
        }
    })?;
    Ok(Exit::Done)
}

fn no_mail_found(args: &Mail) -> CliError {
    let about = args
        .run
        .as_ref()
        .map_or_else(String::new, |run| format!(" about run {run}"));
    CliError::new(Exit::NotFound, format!("No mail{about} has been sent."))
        .advice("A mail is sent when a run has ended; `dropcast runs` lists runs.")
}

fn render_list(mails: &[MailView], style: Style) -> String {
    if mails.is_empty() {
        return "No mails have been sent yet. A mail is sent when a run has ended.\n".to_owned();
    }
    let rows = mails.iter().map(|mail| {
        vec![
            Cell::new(messages::format_timestamp_in_column(mail.at)),
            Cell::new(mail.run_id.as_ref().map(RunId::as_str).unwrap_or_default()),
            Cell::new(messages::sanitize(&mail.to.join(", "))),
            Cell::new(messages::sanitize(&mail.subject)),
        ]
    });
    format!(
        "{}\n{}\n",
        style.format_list(&["Sent (UTC)", "Run", "To", "Subject"], rows),
        style.dim("Read one with `dropcast mail --run RUN` or `dropcast mail --last`.")
    )
}

/// Renders a mail as text: headers, a blank line, the body.
pub fn render(mail: &MailView, style: Style) -> String {
    let head = style.format_fields(&[
        ("From", messages::sanitize(&mail.from)),
        ("To", messages::sanitize(&mail.to.join(", "))),
        ("Date", messages::format_timestamp(mail.at)),
        ("Subject", style.bold(&messages::sanitize(&mail.subject))),
    ]);
    let body = messages::join_lines(mail.text.lines().map(messages::sanitize));
    format!("{head}\n{body}")
}

/// The run that a mail is about: the last run id in its text, because the section about the run is
/// at the end, after all text written by users.
fn find_run_id(text: &str) -> Option<RunId> {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '-')
        .filter(|word| word.len() == RunId::CHARS)
        .filter_map(|word| word.parse().ok())
        .next_back()
}

/// The http and https links in a text, without duplicates.
fn find_links(text: &str) -> Vec<String> {
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
    fn the_run_is_the_last_one_in_the_text() {
        assert_eq!(
            find_run_id(TEXT).unwrap().as_str(),
            "mfrggzdfmztwq2lknnwg23tpoa"
        );
        assert!(find_run_id("no run here").is_none());
    }

    #[test]
    fn links_are_found_once_and_without_punctuation() {
        assert_eq!(
            find_links(TEXT),
            ["http://127.0.0.1:1/r/abc.def", "https://x.example/r/1"]
        );
    }

    #[test]
    fn a_mail_cannot_control_the_terminal() {
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
        let style = Style::plain(80);
        let shown = render(&mail, style);
        assert!(!shown.contains('\u{1b}'));
        assert!(shown.contains("\n\none\n"), "{shown}");
    }
}
