//! What is made of SES's answers, over HTTP.

#![expect(
    clippy::unwrap_used,
    reason = "A test that cannot go on fails, in its helpers too."
)]

use std::iter;

use aws_sdk_ses::Client;
use dropcast_domain::mail::{MailKind, MailTopic};
use dropcast_lambda_kit::telemetry::chain;
use dropcast_test_support::{
    http::{Response, Server},
    sdk_config,
};
use notify::{Mailer as _, Ses};

const SENT: &str = "<SendRawEmailResponse xmlns=\"http://ses.amazonaws.com/doc/2010-12-01/\"><SendRawEmailResult><MessageId>0102-sent</MessageId></SendRawEmailResult><ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></SendRawEmailResponse>";

fn error(status: &str, code: &str, message: &str) -> Response {
    let body = format!(
        "<ErrorResponse xmlns=\"http://ses.amazonaws.com/doc/2010-12-01/\"><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error><RequestId>r</RequestId></ErrorResponse>"
    );
    Response::xml(status, &body)
}

/// An SES that gives every request the same response, and counts them.
fn ses(response: Response) -> (Ses, Server) {
    let server = Server::start(iter::repeat(response));
    let client = Client::new(&sdk_config(server.endpoint()));
    (Ses::new(client), server)
}

async fn send(ses: &Ses) -> Result<String, notify::SendError> {
    let run = MailTopic::Run("nbswy3dpo5xxe3denbswy3dpoe".parse().unwrap());
    let message = b"Subject: x\r\n\r\nx".to_vec();
    ses.send(
        "forecasts@corp.example",
        "ana@corp.example",
        message,
        &run,
        MailKind::Succeeded,
    )
    .await
}

#[tokio::test]
async fn a_sent_mail_has_sess_message_id() {
    let (ses, server) = ses(Response::xml("200 OK", SENT));
    assert_eq!(send(&ses).await.unwrap(), "0102-sent");
    assert_eq!(server.requests(), 1);
}

#[tokio::test]
async fn a_refusal_is_a_refusal_and_names_no_recipient() {
    let message = "Email address is not verified. The following identities failed the check in region EU-WEST-1: ana@corp.example";
    let (ses, _) = ses(error("400 Bad Request", "MessageRejected", message));
    let not_sent = send(&ses).await.unwrap_err();
    assert!(not_sent.refused);
    assert!(!not_sent.error.transient);
    let said = chain(&not_sent.error);
    assert!(said.contains("not verified"), "{said}");
    assert!(!said.contains("ana@"), "{said}");
}

#[tokio::test]
async fn a_throttled_mail_was_not_sent_and_may_be_tried_again() {
    let (ses, server) = ses(error(
        "400 Bad Request",
        "Throttling",
        "Maximum sending rate exceeded.",
    ));
    let not_sent = send(&ses).await.unwrap_err();
    assert!(not_sent.refused);
    assert!(not_sent.error.transient);
    assert_eq!(server.requests(), 1, "the queue tries again");
}

#[tokio::test]
async fn invariant_5_a_mail_that_may_have_been_sent_is_not_sent_again_at_once() {
    let failure = error("500 Internal Server Error", "InternalFailure", "Oops.");
    for response in [Response::hang_up(), failure] {
        let (ses, server) = ses(response.clone());
        let not_sent = send(&ses).await.unwrap_err();
        assert!(!not_sent.refused, "{response:?}");
        assert!(not_sent.error.transient, "{response:?}");
        assert_eq!(server.requests(), 1, "{response:?}");
    }
}
