//! The program, as Lambda starts it.

use std::process::Command;

#[test]
fn a_ca_bundle_that_cannot_be_read_is_an_error_at_the_start() {
    let output = Command::new(env!("CARGO_BIN_EXE_start-run"))
        .env_clear()
        .envs([
            ("RUNS_TABLE", "runs"),
            (
                "STATE_MACHINE_ARN",
                "arn:aws:states:eu-west-1:0:stateMachine:runs",
            ),
            ("RETENTION_DAYS", "365"),
            ("AWS_CA_BUNDLE", "/nowhere/bundle.pem"),
        ])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(
        stderr.contains("AWS_CA_BUNDLE is set to /nowhere/bundle.pem, which cannot be read"),
        "{stderr}"
    );
}
