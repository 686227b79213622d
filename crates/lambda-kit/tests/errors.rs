//! A function's error, as Lambda, Step Functions and SQS see it.

#![expect(
    clippy::unwrap_used,
    reason = "A test that cannot go on fails, in its helpers too."
)]

use aws_smithy_runtime_api::{
    client::{
        orchestrator::HttpResponse,
        result::{ConnectorError, SdkError},
    },
    http::StatusCode,
};
use aws_smithy_types::{body::SdkBody, error::ErrorMetadata};
use dropcast_aws::CallError;
use dropcast_lambda_kit::error::{Class, FunctionError, HandlerError};
use lambda_runtime::Diagnostic;

type Failure = SdkError<ErrorMetadata, HttpResponse>;

fn refused(status: u16, code: &str) -> Failure {
    let answer = HttpResponse::new(StatusCode::try_from(status).unwrap(), SdkBody::empty());
    let error = ErrorMetadata::builder().code(code).message("No.").build();
    SdkError::service_error(error, answer)
}

fn class(failure: Failure) -> Class {
    CallError::of_sdk("s3:GetObject", failure).class()
}

#[test]
fn what_never_got_an_answer_is_tried_again() {
    assert_eq!(class(SdkError::timeout_error("slow")), Class::Transient);
    let lost = ConnectorError::io("connection reset".into());
    assert_eq!(class(SdkError::dispatch_failure(lost)), Class::Transient);
    let garbled = HttpResponse::new(StatusCode::try_from(200).unwrap(), SdkBody::empty());
    assert_eq!(
        class(SdkError::response_error("cut off", garbled)),
        Class::Transient
    );
}

#[test]
fn what_a_service_could_not_do_now_is_tried_again() {
    for (status, code) in [
        (500, "InternalError"),
        (503, "SlowDown"),
        (429, "TooManyRequestsException"),
        (400, "ThrottlingException"),
        (400, "ProvisionedThroughputExceededException"),
    ] {
        assert_eq!(class(refused(status, code)), Class::Transient, "{code}");
    }
}

#[test]
fn what_a_service_refused_is_not_tried_again() {
    for (status, code) in [
        (403, "AccessDenied"),
        (404, "NoSuchBucket"),
        (400, "ValidationException"),
    ] {
        assert_eq!(class(refused(status, code)), Class::Permanent, "{code}");
    }
    let unbuilt = SdkError::construction_failure("no bucket");
    assert_eq!(class(unbuilt), Class::Permanent);
}

#[test]
fn lambda_gets_the_name_and_the_whole_chain() {
    let error = CallError::of_sdk("s3:GetObject", refused(503, "SlowDown"));
    let diagnostic = Diagnostic::from(HandlerError::from(error));
    assert_eq!(diagnostic.error_type, "Transient");
    assert!(
        diagnostic
            .error_message
            .starts_with("s3:GetObject failed: "),
        "{}",
        diagnostic.error_message
    );
    assert!(diagnostic.error_message.contains("SlowDown"));
}

#[derive(Debug, thiserror::Error)]
#[error("somebody else changed it")]
struct Changed;

impl FunctionError for Changed {
    fn class(&self) -> Class {
        Class::Conflict
    }
}

#[test]
fn an_error_without_a_code_of_its_own_is_named_by_its_class() {
    assert_eq!(
        Diagnostic::from(HandlerError::from(Changed)).error_type,
        "Conflict"
    );
    // The runtime logs the debug form beside the answer: it repeats nothing.
    assert_eq!(format!("{:?}", HandlerError::from(Changed)), "Conflict");
}
