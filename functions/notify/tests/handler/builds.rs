//! From the news that a build ended to the mails about it.

use dropcast_domain::{
    event::BuildFinished,
    ids::Version,
    mail::MailTopic,
    registry::{Build, BuildCode, BuildEnd, BuildFailure, BuildPhase, EndedBuild, Requester},
};
use dropcast_store::{Builds as _, Models as _};
use dropcast_test_support::{
    events::{failed, sqs},
    samples::{MODEL, at, version_spec},
};
use mail_parser::MessageParser;
use notify::handle;
use serde_json::{Value, json};

use crate::world::{ANA, BO, OPERATOR, World, world};

fn ended(model: Option<&str>, notify: &[&str], end: BuildEnd) -> Build {
    let ended = EndedBuild {
        build_id: "5f1c3a2e-7f0d-4f6a-9c55-0b7c8a4f1d20".parse().unwrap(),
        requester: Requester {
            model: model.map(ToOwned::to_owned),
            by: Some("arn:aws:iam::111122223333:user/ana".into()),
            notify: notify.iter().map(ToString::to_string).collect(),
            commit: Some("0a1b2c3".into()),
        },
        at: at(0),
    };
    ended.record(end)
}

fn failure() -> BuildEnd {
    let lines: Vec<String> = (0..60)
        .map(|line| format!("line {line} \u{1b}[31m"))
        .collect();
    let failure = BuildFailure::new(
        BuildCode::BuildFailed,
        BuildPhase::Build,
        "The image could not be built. The build said: “exit status 1”",
    );
    BuildEnd::Failed(failure.with_log(&lines))
}

fn notice(build: &Build) -> Value {
    json!({
        "detail-type": "Build Finished",
        "source": "dropcast",
        "time": "2026-03-02T09:30:00Z",
        "detail": BuildFinished::from(build),
    })
}

/// Keeps the record and delivers its notice five times.
async fn told(world: &World, build: &Build) {
    world.store.create_build_if_absent(build).await.unwrap();
    let notice = notice(build);
    let answer = handle(world, sqs([&notice; 5])).await.unwrap();
    assert!(failed(&answer).is_empty(), "{:?}", failed(&answer));
}

#[tokio::test]
async fn a_failed_build_is_mailed_once_to_whom_the_pusher_named() {
    let world = world().await;
    let build = ended(Some(MODEL), &[ANA, BO], failure());
    told(&world, &build).await;
    assert_eq!(world.mailer.recipients(), [ANA, BO]);
    for sent in world.mailer.sent() {
        assert_eq!(sent.topic, MailTopic::Build(build.build_id.clone()));
        assert_eq!(sent.topic.mail_name(sent.kind), "build-failed");
        let mail = MessageParser::default().parse(&sent.message).unwrap();
        assert_eq!(mail.subject().unwrap(), "Build failed: Revenue forecast");
        let id = mail.message_id().unwrap();
        assert!(
            id.starts_with("5f1c3a2e-7f0d-4f6a-9c55-0b7c8a4f1d20.build-failed."),
            "{id}"
        );
        let text = mail.body_text(0).unwrap().to_string();
        for part in [
            "WHAT HAPPENED",
            "The image could not be built.",
            "WHAT TO DO",
            "dropcast model test",
            "THE BUILD’S LAST LOG LINES",
            "line 59",
            "ABOUT THIS BUILD",
            "BUILD",
            "0a1b2c3",
            "BuildFailed",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
        assert!(
            !text.contains("line 19") && !text.contains('\u{1b}'),
            "{text}"
        );
        let html = mail.body_html(0).unwrap().to_string();
        assert!(html.contains("The build’s last log lines") && html.contains("About this build"));
    }
}

#[tokio::test]
async fn without_a_list_the_models_own_people_hear_of_a_failure_and_else_the_operator() {
    for (own, model, expected) in [
        (&[BO][..], Some(MODEL), BO),
        (&[], Some(MODEL), OPERATOR),
        (&[BO], None, OPERATOR),
        (&[BO], Some("brand-new"), OPERATOR),
        (&["eve@evil.example"], Some(MODEL), OPERATOR),
    ] {
        let world = world().await;
        let mut newer = version_spec(MODEL);
        newer.manifest.notify.recipients = own.iter().map(ToString::to_string).collect();
        world.store.register(&newer).await.unwrap();
        told(&world, &ended(model, &[], failure())).await;
        assert_eq!(world.mailer.recipients(), [expected], "{own:?} {model:?}");
        if expected == OPERATOR {
            let sent = world.mailer.sent();
            let mail = MessageParser::default().parse(&sent[0].message).unwrap();
            let text = mail.body_text(0).unwrap().replace("\r\n  ", " ");
            assert!(text.contains("as the operator"), "{text}");
        }
    }
}

#[tokio::test]
async fn a_new_version_is_mailed_only_to_those_who_asked_for_it() {
    let registered = || BuildEnd::Registered {
        version: "2".parse::<Version>().unwrap(),
    };
    for (notify, expected) in [
        (&[][..], &[][..]),
        (&[ANA], &[ANA]),
        (&["eve@evil.example"], &[]),
        (&["eve@evil.example", BO], &[BO]),
        (&[OPERATOR], &[OPERATOR]),
    ] {
        let world = world().await;
        let mut newer = version_spec(MODEL);
        newer.manifest.notify.recipients = vec!["model@corp.example".into()];
        world.store.register(&newer).await.unwrap();
        told(&world, &ended(Some(MODEL), notify, registered())).await;
        assert_eq!(world.mailer.recipients(), expected, "{notify:?}");
        for sent in world.mailer.sent() {
            let mail = MessageParser::default().parse(&sent.message).unwrap();
            let text = mail.body_text(0).unwrap().to_string();
            // Lines are wrapped.
            let words: Vec<&str> = text.split_whitespace().collect();
            assert!(
                words.join(" ").contains("Version 1 is still the default"),
                "{text}"
            );
            assert!(mail.subject().unwrap().contains("version 2"));
        }
    }
}

#[tokio::test]
async fn a_build_without_a_record_is_no_news() {
    let world = world().await;
    let notice = notice(&ended(Some(MODEL), &[ANA], failure()));
    let answer = handle(&world, sqs([&notice])).await.unwrap();
    assert!(failed(&answer).is_empty());
    assert!(world.mailer.recipients().is_empty());
}
