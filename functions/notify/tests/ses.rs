//! What is made of SES's answers, over HTTP.

#![expect(
    clippy::unwrap_used,
    reason = "A test that cannot go on fails, in its helpers too."
)]

use std::{
    io::{Read as _, Write as _},
    net::TcpListener,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use aws_credential_types::Credentials;
use aws_sdk_ses::{
    Client,
    config::{BehaviorVersion, Config, Region},
};
use dropcast_domain::mail::{MailKind, MailTopic};
use dropcast_lambda_kit::telemetry::chain;
use notify::{Mailer as _, Ses};

const SENT: &str = "<SendRawEmailResponse xmlns=\"http://ses.amazonaws.com/doc/2010-12-01/\"><SendRawEmailResult><MessageId>0102-sent</MessageId></SendRawEmailResult><ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></SendRawEmailResponse>";

fn error(code: &str, message: &str) -> String {
    format!(
        "<ErrorResponse xmlns=\"http://ses.amazonaws.com/doc/2010-12-01/\"><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error><RequestId>r</RequestId></ErrorResponse>"
    )
}

/// An SES that gives every request the same answer, or closes the connection.
fn ses(status: u16, body: &str) -> (Ses, Arc<AtomicU32>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let requests = Arc::new(AtomicU32::new(0));
    let (counted, body) = (requests.clone(), body.to_owned());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut request = vec![0; 65_536];
            if stream.read(&mut request).unwrap() == 0 {
                continue;
            }
            counted.fetch_add(1, Ordering::SeqCst);
            if status > 0 {
                let length = body.len();
                let head = format!(
                    "HTTP/1.1 {status} x\r\ncontent-type: text/xml\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n"
                );
                stream.write_all((head + &body).as_bytes()).unwrap();
            }
        }
    });
    let config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-west-1"))
        .endpoint_url(format!("http://127.0.0.1:{port}"))
        .credentials_provider(Credentials::new("test", "test", None, None, "test"))
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .build();
    (Ses::new(Client::from_conf(config)), requests)
}

async fn send(ses: &Ses) -> Result<String, notify::NotSent> {
    let run = MailTopic::Run("20260302T093000-0a1b2c3d4e5f".parse().unwrap());
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
    let (ses, requests) = ses(200, SENT);
    assert_eq!(send(&ses).await.unwrap(), "0102-sent");
    assert_eq!(requests.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_refusal_is_a_refusal_and_names_no_recipient() {
    let message = "Email address is not verified. The following identities failed the check in region EU-WEST-1: ana@corp.example";
    let (ses, _) = ses(400, &error("MessageRejected", message));
    let not_sent = send(&ses).await.unwrap_err();
    assert!(not_sent.refused);
    assert!(!not_sent.error.transient);
    let said = chain(&not_sent.error);
    assert!(said.contains("not verified"), "{said}");
    assert!(!said.contains("ana@"), "{said}");
}

#[tokio::test]
async fn a_throttled_mail_was_not_sent_and_may_be_tried_again() {
    let (ses, requests) = ses(400, &error("Throttling", "Maximum sending rate exceeded."));
    let not_sent = send(&ses).await.unwrap_err();
    assert!(not_sent.refused);
    assert!(not_sent.error.transient);
    assert_eq!(requests.load(Ordering::SeqCst), 1, "the queue tries again");
}

#[tokio::test]
async fn invariant_5_a_mail_that_may_have_been_sent_is_not_sent_again_at_once() {
    for (status, body) in [(0, String::new()), (500, error("InternalFailure", "Oops."))] {
        let (ses, requests) = ses(status, &body);
        let not_sent = send(&ses).await.unwrap_err();
        assert!(!not_sent.refused, "{status}");
        assert!(not_sent.error.transient, "{status}");
        assert_eq!(requests.load(Ordering::SeqCst), 1, "{status}");
    }
}
