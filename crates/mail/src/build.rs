//! The mail about a build.

use dropcast_domain::{
    ids::Version,
    mail::{MailKind, MailTopic},
    registry::{Build, BuildEnd, BuildFailure},
    text,
};

use crate::{
    Fact, MailContent,
    compose::{last_lines, one_line_or},
    facts,
    lengths::{NAME_LENGTH, SENTENCE_LENGTH, TITLE_LENGTH},
};

/// Everything that is known about a build that ended.
#[derive(Debug, Clone, Copy)]
pub struct BuildMailInput<'a> {
    /// The build's record.
    pub build: &'a Build,
    /// The model's title, where the model is registered.
    pub model_title: Option<&'a str>,
    /// The model's default version, where the model is registered.
    pub default: Option<Version>,
    /// Addresses that the deployment does not mail.
    pub refused: &'a [String],
    /// Whether the operator is mailed because nobody else could be.
    pub operator_only: bool,
}

/// Composes the mail about a build that ended.
pub fn compose_build(input: &BuildMailInput) -> MailContent {
    let build = input.build;
    let name = build.model.as_ref().map(AsRef::<str>::as_ref);
    let title = text::one_line(input.model_title.or(name).unwrap_or_default(), TITLE_LENGTH);
    let title = one_line_or(&title, TITLE_LENGTH, "a model");
    let news = match &build.end {
        BuildEnd::Registered { version } => BuildMailText::registered(input, &title, *version),
        BuildEnd::Failed(failure) => BuildMailText::failed(&title, failure),
    };
    MailContent {
        kind: news.kind,
        topic: MailTopic::Build(build.build_id.clone()),
        subject: news.subject,
        model: news.model,
        headline: news.headline.to_owned(),
        lead: news.lead,
        advice: news.advice,
        copy: None,
        copy_link: None,
        happened: news.happened,
        problems: Vec::new(),
        more_problems: 0,
        log: news.log,
        outputs: Vec::new(),
        chart: None,
        input: None,
        facts: facts(input),
        notes: facts::notes_on_recipients("build", input.operator_only, input.refused),
        title,
    }
}

/// The parts of the mail that depend on how the build ended.
struct BuildMailText {
    kind: MailKind,
    subject: String,
    model: String,
    headline: &'static str,
    lead: String,
    happened: Option<String>,
    advice: Option<String>,
    log: Vec<String>,
}

impl BuildMailText {
    fn registered(input: &BuildMailInput, title: &str, version: Version) -> Self {
        let name = input.build.model.as_ref().map(AsRef::<str>::as_ref);
        let (lead, advice) = match input.default {
            Some(default) if default != version => (
                format!("Version {version} of “{title}” is ready to run. Version {default} is still the default: it runs for files that do not pin a version."),
                name.map(|name| format!("To try it, upload a file to inputs/{name}@{version}/. To make it the default, run `dropcast model promote {name} {version}`.")),
            ),
            _ => (
                format!("Version {version} of “{title}” is ready to run and is the default: it runs for files that do not pin a version."),
                None,
            ),
        };
        Self {
            kind: MailKind::Succeeded,
            subject: format!("New version: {title}, version {version}"),
            model: format!("{title}, version {version}"),
            headline: "Your new version is ready",
            lead,
            happened: None,
            advice,
            log: Vec::new(),
        }
    }

    fn failed(title: &str, failure: &BuildFailure) -> Self {
        let happened = one_line_or(&failure.message, SENTENCE_LENGTH, "The reason is unknown.");
        Self {
            kind: MailKind::Failed,
            subject: format!("Build failed: {title}"),
            model: title.to_owned(),
            headline: "Your build failed",
            lead: format!(
                "The build of “{title}” failed, so there is no new version. The existing versions are unchanged."
            ),
            happened: Some(happened),
            advice: Some(failure.advice().to_owned()),
            log: last_lines(&failure.lines),
        }
    }
}

fn facts(input: &BuildMailInput) -> Vec<Fact> {
    let build = input.build;
    let mut facts = Vec::new();
    let mut add = |label, value: &str| {
        let value = text::one_line(value, NAME_LENGTH);
        if !value.is_empty() {
            facts.push(Fact { label, value });
        }
    };
    add(
        "Model",
        build.model.as_ref().map_or("", |name| name.as_str()),
    );
    if let BuildEnd::Failed(failure) = &build.end {
        add("Phase", failure.phase.as_str());
    }
    add("Commit", build.commit.as_deref().unwrap_or_default());
    add(
        "Pushed by",
        build.requested_by.as_deref().unwrap_or_default(),
    );
    add("Ended", &text::moment(build.at));
    if let BuildEnd::Failed(failure) = &build.end {
        add("Error code", failure.code.as_str());
    }
    add("Build", build.build_id.as_str());
    facts
}

#[cfg(test)]
mod tests {
    use dropcast_domain::registry::{BuildCode, BuildPhase, EndedBuild, Requester};
    use jiff::Timestamp;

    use super::*;

    fn build(end: BuildEnd) -> Build {
        let ended = EndedBuild {
            build_id: "5f1c3a2e-7f0d-4f6a-9c55-0b7c8a4f1d20".parse().unwrap(),
            requester: Requester {
                model: Some("churn".into()),
                by: Some("arn:aws:iam::111122223333:user/ana\r\nBcc: eve@evil.example".into()),
                commit: Some("0a1b2c3".into()),
                notify: Vec::new(),
            },
            at: Timestamp::UNIX_EPOCH,
        };
        ended.record(end)
    }

    fn composed(end: BuildEnd, default: Option<Version>) -> MailContent {
        compose_build(&BuildMailInput {
            build: &build(end),
            model_title: None,
            default,
            refused: &["eve@evil.example".to_owned()],
            operator_only: true,
        })
    }

    #[test]
    fn a_failure_says_where_what_and_what_to_do() {
        let failure = BuildFailure::new(BuildCode::BuildFailed, BuildPhase::Build, "It broke.\nX")
            .with_log(&["one\u{1b}[2J".to_owned(), String::new(), "two".to_owned()]);
        let mail = composed(BuildEnd::Failed(failure), None);
        assert_eq!(mail.subject, "Build failed: churn");
        assert_eq!(mail.topic.mail_name(mail.kind), "build-failed");
        assert_eq!(mail.happened.as_deref(), Some("It broke. X"));
        assert!(mail.advice.unwrap().contains("dropcast model test"));
        assert_eq!(mail.log.len(), 2);
        assert!(!mail.log[0].contains('\u{1b}'));
        let fact = |label| mail.facts.iter().find(|fact| fact.label == label).unwrap();
        assert_eq!(fact("Phase").value, "BUILD");
        assert!(!fact("Pushed by").value.contains('\n'));
        assert_eq!(mail.notes.len(), 2);
        assert!(
            mail.notes[0].contains("notified of this build"),
            "{:?}",
            mail.notes
        );
    }

    #[test]
    fn a_new_version_says_whether_it_is_the_default() {
        let version: Version = "2".parse().unwrap();
        let end = BuildEnd::Registered { version };
        let waiting = composed(end.clone(), Some(Version::FIRST));
        assert_eq!(waiting.topic.mail_name(waiting.kind), "build-registered");
        assert!(
            waiting.lead.contains("Version 1 is still the default"),
            "{}",
            waiting.lead
        );
        let advice = waiting.advice.unwrap();
        assert!(advice.contains("model promote churn 2"), "{advice}");
        let default = composed(end, Some(version));
        assert!(default.lead.contains("is the default"), "{}", default.lead);
        assert_eq!(default.advice, None);
        assert_eq!(default.subject, "New version: churn, version 2");
    }
}
