//! A refresh of a model's data: nobody waits for it, and somebody must know when it fails.

use dropcast_domain::{
    failure::{ErrorCode, Failure},
    run::{Acceptance, Run},
    status::Status,
    upload::Upload,
};
use dropcast_store::{
    Models as _, RunCompletion as _, Runs as _, Validation as _, ValidationOutcome,
};
use dropcast_test_support::samples::{MODEL, metadata, run_of, step, upload, version_spec};
use mail_parser::MessageParser;

use crate::world::{ANA, OPERATOR, World, deliver, world};

/// A refresh that nobody in particular asked for, and that has ended so.
async fn ended(world: &World, end: Status) -> Run {
    let run = run_of(Upload {
        key: format!("refresh/{MODEL}/20260302T060000Z.json"),
        ..upload(MODEL, "")
    });
    let store = &world.store;
    store.create_if_absent(&run).await.unwrap();
    let model = store.model(&MODEL.parse().unwrap()).await.unwrap().unwrap();
    let version = model.next_version.number() - 1;
    let acceptance = Acceptance {
        version: version.to_string().parse().unwrap(),
        input: None,
    };
    let mut metadata = metadata(&[]);
    metadata.title.clone_from(&run.title);
    let outcome = ValidationOutcome::Accepted(acceptance);
    store
        .record_validation(&run.id, &metadata, &outcome)
        .await
        .unwrap();
    let failure = (end == Status::Failed)
        .then(|| Failure::new(ErrorCode::JobFailed, "The command exited with code 1."));
    let end = step(1, end, 9_000);
    store.finish(&run.id, end, failure.as_ref()).await.unwrap()
}

#[tokio::test]
async fn a_successful_refresh_sends_no_mail() {
    let world = world().await;
    let run = ended(&world, Status::Succeeded).await;
    assert!(!deliver(&world, &run).await);
    assert!(world.mailer.sent().is_empty());
}

#[tokio::test]
async fn a_refresh_that_failed_is_mailed_to_the_models_own_people_or_else_to_the_operator() {
    for (own, told) in [(None, OPERATOR), (Some(ANA), ANA)] {
        let world = world().await;
        let mut spec = version_spec(MODEL);
        spec.manifest.notify.recipients = own.into_iter().map(str::to_owned).collect();
        world.store.register(&spec).await.unwrap();
        let run = ended(&world, Status::Failed).await;
        assert!(!deliver(&world, &run).await);
        assert_eq!(world.mailer.recipients(), [told]);
        let sent = &world.mailer.sent()[0];
        let mail = MessageParser::default().parse(&sent.message).unwrap();
        let subject = mail.subject().unwrap();
        assert_eq!(
            subject,
            "Failed: Refresh of revenue-forecast (Revenue forecast)"
        );
        for body in [mail.body_text(0).unwrap(), mail.body_html(0).unwrap()] {
            assert!(body.contains("data was not refreshed"), "{body}");
            assert!(body.contains("dropcast model refresh"), "{body}");
            assert!(!body.contains("your file"), "{body}");
        }
    }
}
