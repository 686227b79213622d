//! What the tests of several crates share.
//!
//! A development dependency only. Crates that this one depends on use it from their integration
//! tests: in their unit tests its types would be those of another compilation.

#![warn(missing_docs)]
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "A test that cannot go on fails, in its helpers too."
)]

pub mod emulator;
pub mod events;
pub mod executions;
mod fixtures;
pub mod http;
pub mod mails;
pub mod samples;

use std::path::{Path, PathBuf};

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};
use dropcast_aws::CallError;
pub use fixtures::fixture;

/// The region of tests that name none.
pub const REGION: &str = "eu-west-1";

/// The repository's root.
pub fn repository() -> PathBuf {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent();
    crates.and_then(Path::parent).unwrap().to_owned()
}

/// The names of the functions: every folder of `functions/` with a manifest, sorted.
pub fn functions() -> Vec<String> {
    let entries = std::fs::read_dir(repository().join("functions")).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.path().join("Cargo.toml").is_file())
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

/// How to reach a service on this machine, without TLS.
pub fn sdk_config(endpoint: &str) -> SdkConfig {
    let credentials = Credentials::new("test", "test", None, None, "test");
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(REGION))
        .endpoint_url(endpoint)
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .build()
}

/// The error of a call whose service is unavailable for a while.
pub fn unavailable(call: &'static str) -> CallError {
    CallError {
        call,
        transient: true,
        source: "the service is unavailable".into(),
    }
}
