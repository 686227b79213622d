//! From the news that a run ended to one mail per recipient.

#![expect(
    clippy::unwrap_used,
    reason = "A test that cannot go on fails, in its helpers too."
)]

mod builds;
mod refresh;
mod world;

use std::time::Duration;

use dropcast_domain::{
    failure::{ErrorCode, Failure},
    mail::{MailKind, MailTopic},
    problem::{Problem, ProblemList},
    status::Status,
};
use dropcast_store::{
    CLAIM_SECONDS, Models as _, RunCompletion as _, Runs as _, Validation as _, ValidationOutcome,
};
use dropcast_test_support::{
    events::{failed, sqs},
    samples::{MODEL, acceptance, metadata, new_run, step, version_spec},
};
use mail_parser::{MessageParser, MessagePart, MimeHeaders as _};
use notify::handle;
use serde_json::json;
use world::{
    ANA, BO, Log, OPERATOR, SendBehavior, deliver, ended, keys, notice, wait_seconds, world,
};

#[tokio::test]
async fn each_kind_of_end_is_mailed_once_to_each_recipient() {
    for (end, kind) in [
        (Status::Succeeded, MailKind::Succeeded),
        (Status::Failed, MailKind::Failed),
        (Status::Rejected, MailKind::Rejected),
        (Status::Cancelled, MailKind::Cancelled),
    ] {
        let mut world = world().await;
        let run = ended(&mut world, end, &[ANA, BO]).await;
        assert!(!deliver(&world, &run).await);
        let sent = world.mailer.sent();
        assert_eq!(world.mailer.recipients(), [ANA, BO], "{end}");
        for sent in sent {
            assert_eq!(
                (sent.kind, sent.topic),
                (kind, MailTopic::Run(run.id.clone()))
            );
            let mail = MessageParser::default().parse(&sent.message).unwrap();
            let to = mail.to().unwrap().first().unwrap().address().unwrap();
            assert_eq!(to, sent.to);
            assert!(mail.subject().unwrap().contains("Q3 plan"));
            let text = mail.body_text(0).unwrap().to_string();
            let expected = match end {
                Status::Succeeded => "https://links.corp.example/r/",
                Status::Failed => "UnknownLine: Cloud",
                Status::Cancelled => "There are no results.",
                _ => "a list",
            };
            assert!(text.contains(expected), "{text}");
        }
    }
}

#[tokio::test]
async fn invariant_5_a_notice_that_is_delivered_again_sends_nothing_again() {
    let mut world = world().await;
    let run = ended(&mut world, Status::Succeeded, &[ANA]).await;
    let notice = notice(&run);
    let answer = handle(&world, sqs([&notice, &notice, &notice]))
        .await
        .unwrap();
    assert!(failed(&answer).is_empty());
    wait_seconds(10 * CLAIM_SECONDS);
    assert!(!deliver(&world, &run).await);
    assert_eq!(world.mailer.recipients(), [ANA]);
}

#[tokio::test]
async fn invariant_5_of_two_deliveries_at_the_same_time_one_sends() {
    let mut world = world().await;
    let run = ended(&mut world, Status::Succeeded, &[ANA, BO]).await;
    tokio::join!(deliver(&world, &run), deliver(&world, &run));
    let mut recipients = world.mailer.recipients();
    recipients.sort();
    assert_eq!(recipients, [ANA, BO]);
}

#[tokio::test]
async fn a_refusal_gives_the_claim_back_and_spares_the_other_recipients() {
    let mut world = world().await;
    let run = ended(&mut world, Status::Failed, &[ANA, BO]).await;
    world.mailer.set_behavior(ANA, Some(SendBehavior::Refuses));
    assert!(deliver(&world, &run).await);
    assert_eq!(world.mailer.recipients(), [BO]);
    world.mailer.set_behavior(ANA, None);
    let log = Log::default();
    let again = log.of(deliver(&world, &run)).await;
    assert!(!again, "at once: no claim has to lapse");
    assert_eq!(world.mailer.recipients(), [BO, ANA]);
    assert!(!log.text().contains("mail_possibly_repeated"));
}

#[tokio::test]
async fn a_message_that_cannot_be_built_claims_nothing() {
    let mut world = world().await;
    let run = ended(&mut world, Status::Succeeded, &[ANA]).await;
    let sender = std::mem::replace(&mut world.config.sender_address, "nobody".into());
    assert!(deliver(&world, &run).await);
    world.config.sender_address = sender;
    let log = Log::default();
    let again = log.of(deliver(&world, &run)).await;
    assert!(!again, "at once: no claim has to lapse");
    assert_eq!(world.mailer.recipients(), [ANA]);
    assert!(!log.text().contains("mail_possibly_repeated"));
}

#[tokio::test]
async fn a_lost_answer_holds_the_claim_until_it_expires_and_the_repetition_is_counted() {
    let mut world = world().await;
    let run = ended(&mut world, Status::Succeeded, &[ANA]).await;
    world
        .mailer
        .set_behavior(ANA, Some(SendBehavior::LosesAnswer));
    assert!(deliver(&world, &run).await);
    world.mailer.set_behavior(ANA, None);
    wait_seconds(CLAIM_SECONDS - 1);
    assert!(deliver(&world, &run).await, "held");
    assert_eq!(world.mailer.sent().len(), 1);
    wait_seconds(1);
    let log = Log::default();
    assert!(!log.of(deliver(&world, &run)).await);
    assert_eq!(world.mailer.sent().len(), 2);
    assert_eq!(log.text().matches("mail_possibly_repeated").count(), 1);
}

#[tokio::test]
async fn a_crash_between_sess_answer_and_our_record_is_counted() {
    let mut world = world().await;
    let run = ended(&mut world, Status::Succeeded, &[ANA]).await;
    world.mailer.set_behavior(ANA, Some(SendBehavior::Hangs));
    let died = tokio::time::timeout(Duration::from_millis(50), deliver(&world, &run)).await;
    assert!(died.is_err());
    world.mailer.set_behavior(ANA, None);
    assert!(deliver(&world, &run).await, "the dead one's claim is held");
    wait_seconds(CLAIM_SECONDS);
    let log = Log::default();
    assert!(!log.of(deliver(&world, &run)).await);
    assert_eq!(world.mailer.recipients(), [ANA, ANA]);
    assert_eq!(log.text().matches("mail_possibly_repeated").count(), 1);
    assert!(!deliver(&world, &run).await);
    assert_eq!(world.mailer.sent().len(), 2);
}

#[tokio::test]
async fn a_mail_that_is_tried_again_is_the_same_to_the_receiver() {
    let mut world = world().await;
    let run = ended(&mut world, Status::Succeeded, &[ANA]).await;
    world
        .mailer
        .set_behavior(ANA, Some(SendBehavior::LosesAnswer));
    deliver(&world, &run).await;
    wait_seconds(CLAIM_SECONDS);
    deliver(&world, &run).await;
    let ids: Vec<String> = world
        .mailer
        .sent()
        .iter()
        .map(|sent| {
            let mail = MessageParser::default().parse(&sent.message).unwrap();
            format!(
                "{} {}",
                mail.message_id().unwrap(),
                mail.body_text(0).unwrap()
            )
        })
        .collect();
    assert_eq!(ids.len(), 2);
    assert_eq!(ids[0], ids[1]);
}

#[tokio::test]
async fn only_an_end_is_mailed() {
    for status in Status::ALL {
        let mut world = world().await;
        let run = ended(&mut world, status, &[ANA]).await;
        assert_eq!(run.status(), status);
        assert!(!deliver(&world, &run).await);
        let mailed = status.is_terminal();
        assert_eq!(!world.mailer.sent().is_empty(), mailed, "{status}");
    }
}

#[tokio::test]
async fn the_record_counts_and_not_what_the_notice_says() {
    let mut world = world().await;
    let run = ended(&mut world, Status::Succeeded, &[ANA]).await;
    let mut early = notice(&run);
    early["detail"]["status"] = json!("running");
    let answer = handle(&world, sqs([&early])).await.unwrap();
    assert!(failed(&answer).is_empty());
    assert_eq!(world.mailer.recipients(), [ANA]);
    let forgotten = notice(&new_run("forgotten.json"));
    let answer = handle(&world, sqs([&forgotten, &json!({ "junk": 1 })]))
        .await
        .unwrap();
    assert_eq!(failed(&answer), ["message-1"]);
    assert_eq!(world.mailer.sent().len(), 1);
}

#[tokio::test]
async fn the_operator_is_mailed_in_place_of_recipients_outside_the_allowed_domains() {
    let mut world = world().await;
    let run = ended(&mut world, Status::Failed, &["eve@evil.example"]).await;
    assert!(!deliver(&world, &run).await);
    assert_eq!(world.mailer.recipients(), [OPERATOR]);

    let mut world = crate::world::world().await;
    let run = ended(&mut world, Status::Failed, &["eve@evil.example", ANA]).await;
    assert!(!deliver(&world, &run).await);
    assert_eq!(world.mailer.recipients(), [ANA]);
    let mail = world.mailer.sent().remove(0).message;
    let mail = MessageParser::default().parse(&mail).unwrap();
    assert!(
        mail.body_text(0).unwrap().contains("eve@evil.example"),
        "the run says so"
    );
}

#[tokio::test]
async fn a_models_own_recipients_hear_of_every_run() {
    let mut world = world().await;
    let mut model = version_spec(MODEL);
    model.manifest.notify.recipients = vec!["team@eu.corp.example".into(), ANA.into()];
    let second = world.store.register(&model).await.unwrap();
    let run = new_run("plan.json");
    world.store.create_if_absent(&run).await.unwrap();
    let mut acceptance = acceptance(&run.id);
    acceptance.version = second.version;
    let outcome = ValidationOutcome::Accepted(acceptance);
    world
        .store
        .record_validation(&run.id, &metadata(&[ANA]), &outcome)
        .await
        .unwrap();
    let run = world
        .store
        .finish(&run.id, step(1, Status::Failed, 9_000), None)
        .await
        .unwrap();
    deliver(&world, &run).await;
    assert_eq!(world.mailer.recipients(), [ANA, "team@eu.corp.example"]);
    world.files.0.clear();
}

#[tokio::test]
async fn a_link_in_a_mail_opens_its_output_for_as_long_as_the_deployment_says() {
    let mut world = world().await;
    let run = ended(&mut world, Status::Succeeded, &[ANA]).await;
    wait_seconds(86_400);
    deliver(&world, &run).await;
    let mail = world.mailer.sent().remove(0).message;
    let mail = MessageParser::default().parse(&mail).unwrap();
    let text = mail.body_text(0).unwrap().to_string();
    let tokens: Vec<&str> = text
        .split("https://links.corp.example/r/")
        .skip(1)
        .map(|rest| rest.split_whitespace().next().unwrap())
        .collect();
    let days = |days: i64| run.current.at + jiff::SignedDuration::from_hours(24 * days);
    let paths: Vec<String> = tokens
        .iter()
        .map(|token| {
            assert!(keys().verify(token, days(30)).is_err());
            let link = keys().verify(token, days(29)).unwrap();
            assert_eq!(link.run, run.id);
            link.path
        })
        .collect();
    assert_eq!(paths, ["forecast.csv", "charts/a b.png"]);
}

#[tokio::test]
async fn the_chart_in_a_mail_is_the_version_that_was_published() {
    let mut world = world().await;
    let run = ended(&mut world, Status::Succeeded, &[ANA]).await;
    let chart = run.outputs.last().unwrap();
    let replaced = b"\x89PNG\r\n\x1a\nreplaced".to_vec();
    world.files.0.insert(chart.key.clone(), replaced);
    deliver(&world, &run).await;
    let mail = world.mailer.sent().remove(0).message;
    let mail = MessageParser::default().parse(&mail).unwrap();
    let images: Vec<&[u8]> = mail
        .parts
        .iter()
        .filter(|part| part.is_content_type("image", "png"))
        .map(MessagePart::contents)
        .collect();
    assert_eq!(images, [b"\x89PNG\r\n\x1a\nx"]);
}

#[tokio::test]
async fn the_marked_copy_of_a_rejected_table_is_attached_or_linked_if_it_is_large() {
    for (bytes, attached) in [(1_000, true), (6_000_000, false)] {
        let mut world = world().await;
        let run = new_run("plan.xlsx");
        world.store.create_if_absent(&run).await.unwrap();
        let outcome = ValidationOutcome::Rejected {
            problem_count: 2,
            version: None,
            marked: true,
        };
        let store = &world.store;
        store
            .record_validation(&run.id, &metadata(&[ANA]), &outcome)
            .await
            .unwrap();
        let end = step(1, Status::Rejected, 9_000);
        let failure = Failure::new(ErrorCode::InputRejected, "The file has 2 problems.");
        let run = store.finish(&run.id, end, Some(&failure)).await.unwrap();
        let problem = Problem::new("Plan!C7", "\"ten\"", "a number").with_count(2, ["Plan!C9"]);
        let problems = serde_json::to_vec(&ProblemList::of(problem)).unwrap();
        let files = &mut world.files.0;
        files.insert(run.keys().problems(), problems);
        files.insert(run.keys().marked(), vec![b'P'; bytes]);
        assert!(!deliver(&world, &run).await);
        let mail = world.mailer.sent().remove(0).message;
        let mail = MessageParser::default().parse(&mail).unwrap();
        let text = mail.body_text(0).unwrap().to_string();
        assert!(text.contains("Plan!C7 and 1 more"), "{text}");
        assert_eq!(mail.attachment_count(), usize::from(attached));
        let link = text.split("https://links.corp.example/r/").nth(1);
        if attached {
            assert_eq!(mail.attachment(0).unwrap().contents().len(), bytes);
            assert_eq!(link, None);
        } else {
            let token = link.unwrap().split_whitespace().next().unwrap();
            let link = keys().verify(token, run.current.at).unwrap();
            assert_eq!(
                (link.run, link.path),
                (run.id.clone(), "marked.xlsx".into())
            );
        }
    }
}

#[tokio::test]
async fn files_that_are_gone_or_do_not_read_do_not_keep_a_mail_back() {
    for end in [Status::Succeeded, Status::Failed, Status::Rejected] {
        for content in [None, Some(b"{ not json".to_vec())] {
            let mut world = world().await;
            let run = ended(&mut world, end, &[ANA]).await;
            match content {
                None => world.files.0.clear(),
                Some(content) => world
                    .files
                    .0
                    .values_mut()
                    .for_each(|file| file.clone_from(&content)),
            }
            assert!(!deliver(&world, &run).await, "{end}");
            assert_eq!(world.mailer.recipients(), [ANA]);
        }
    }
}

#[tokio::test]
async fn each_failure_is_logged_once_however_many_recipients_have_one() {
    let mut world = world().await;
    let run = ended(&mut world, Status::Failed, &[ANA, BO]).await;
    world
        .mailer
        .set_behavior(ANA, Some(SendBehavior::LosesAnswer));
    world.mailer.set_behavior(BO, Some(SendBehavior::Refuses));
    let log = Log::default();
    assert!(log.of(deliver(&world, &run)).await);
    assert_eq!(log.text().matches("ERROR").count(), 1, "{}", log.text());
    let told = log.text().matches("ses:SendRawEmail failed: no").count();
    assert_eq!(told, 2, "{}", log.text());

    // A held claim is what a delivery comes back for, and no failure beside one.
    let log = Log::default();
    assert!(log.of(deliver(&world, &run)).await);
    let text = log.text();
    assert_eq!(text.matches("ERROR").count(), 1, "{text}");
    assert_eq!(text.matches("ses:SendRawEmail failed: no").count(), 1);
    assert!(!text.contains("another delivery"), "{text}");
    world.mailer.set_behavior(BO, None);
    let log = Log::default();
    assert!(log.of(deliver(&world, &run)).await);
    assert_eq!(log.text().matches("another delivery").count(), 1);
}

#[tokio::test]
async fn no_address_link_or_input_is_logged() {
    let log = Log::default();
    for end in [Status::Succeeded, Status::Failed, Status::Rejected] {
        for behavior in [
            None,
            Some(SendBehavior::Refuses),
            Some(SendBehavior::LosesAnswer),
        ] {
            let mut world = world().await;
            let run = ended(&mut world, end, &[ANA, "eve@evil.example"]).await;
            world.mailer.set_behavior(ANA, behavior);
            log.of(deliver(&world, &run)).await;
        }
    }
    let text = log.text();
    assert!(
        text.contains("mailed") && text.contains("was not sent"),
        "{text}"
    );
    for secret in [
        "@corp.example",
        "@evil.example",
        "/r/",
        "Hardware",
        "Traceback",
    ] {
        assert!(!text.contains(secret), "{secret}: {text}");
    }
}
