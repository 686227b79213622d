//! Refreshes, and runs that were cancelled.

use dropcast_domain::cancellation::Cancellation;

use super::*;

pub(super) fn refresh(status: Status) -> Run {
    let mut run = run(status);
    let upload = Upload {
        key: "refresh/revenue-forecast/20260301T060000Z.json".into(),
        ..run.upload.clone()
    };
    let begun = Run::received(upload, run.expires_at);
    (run.kind, run.title, run.upload) = (begun.kind, begun.title, begun.upload);
    run.input = None;
    run
}

#[test]
fn a_failed_refresh_has_its_own_messages() {
    let mut run = refresh(Status::Failed);
    let sentence = "The command exited with code 1.";
    for code in ErrorCode::ALL {
        run.failure = Some(Failure::new(code, sentence));
        let links = BTreeMap::new();
        let content = composed(&input(&run, &links));
        assert_eq!(content.headline, "The model's data was not refreshed");
        assert_eq!(
            content.subject,
            "Failed: Refresh of revenue-forecast (Revenue forecast)"
        );
        assert!(content.lead.ends_with("of the last successful refresh."));
        assert!(fact(&content, "File").is_none());
        assert!(fact(&content, "Requested").is_some());
        assert_eq!(content.happened.as_deref(), Some(sentence));
    }
    // There is no file to upload again.
    for code in [
        ErrorCode::JobFailed,
        ErrorCode::OutOfMemory,
        ErrorCode::TimedOut,
        ErrorCode::SecretMissing,
        ErrorCode::CapacityUnavailable,
        ErrorCode::HostLost,
        ErrorCode::Cancelled,
        ErrorCode::JobLost,
        ErrorCode::Internal,
        ErrorCode::InputRejected,
        ErrorCode::ModelUnknown,
    ] {
        let advice = code.advice_on(RunKind::Refresh);
        let lower = advice.to_lowercase();
        for word in ["drop ", "upload ", "your file"] {
            assert!(!lower.contains(word), "{code}: {advice}");
        }
    }
    let mut run = refresh(Status::Rejected);
    run.failure = Some(Failure::new(ErrorCode::InputRejected, sentence));
    let links = BTreeMap::new();
    let content = composed(&input(&run, &links));
    assert_eq!(content.headline, "The refresh was not started");
}

#[test]
fn a_cancellation_says_who_cancelled_what_and_that_there_are_no_results() {
    let mut run = run(Status::Cancelled);
    let request = Cancellation::new(
        "arn:aws:iam::1:user/ana",
        Some("wrong file"),
        run.current.at,
    );
    run.failure = Some(request.failure());
    let none = BTreeMap::new();
    let content = composed(&input(&run, &none));
    assert_eq!(content.subject, "Cancelled: Plan 2027 (Revenue forecast)");
    assert_eq!(content.headline, "Your run was cancelled");
    assert_eq!(
        content.lead,
        "“Plan 2027” was cancelled after 3 min 12 s. There are no results."
    );
    assert_eq!(
        content.happened.as_deref(),
        Some("The run was cancelled by ana: “wrong file”.")
    );
    assert!(fact(&content, "Error code").is_none());
    assert!(content.log.is_empty());
    let mut refresh = refresh(Status::Cancelled);
    refresh.failure = Some(request.failure());
    let content = composed(&input(&refresh, &none));
    assert_eq!(content.headline, "The model's data was not refreshed");
}
