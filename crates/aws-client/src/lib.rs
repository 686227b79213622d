//! How every Dropcast program reaches AWS, and what it makes of a refusal.

use aws_config::{BehaviorVersion, SdkConfig};
use aws_smithy_http_client::tls::{self, rustls_provider::CryptoMode};
use aws_smithy_runtime_api::client::{orchestrator::HttpResponse, result::SdkError};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

/// Loads region, credentials and endpoints as AWS's own tools do.
///
/// TLS is rustls over ring: one HTTPS client for all services of a process.
pub async fn load() -> SdkConfig {
    let https = aws_smithy_http_client::Builder::new()
        .tls_provider(tls::Provider::Rustls(CryptoMode::Ring))
        .build_https();
    aws_config::defaults(BehaviorVersion::latest())
        .http_client(https)
        .load()
        .await
}

/// Whether the same call may well succeed a little later.
///
/// True for what never reached the service, timed out, was throttled or failed
/// on the service's side (HTTP 429 and 5xx); false for what the service refused.
pub fn is_transient<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> bool {
    match error {
        SdkError::TimeoutError(_) | SdkError::DispatchFailure(_) | SdkError::ResponseError(_) => {
            true
        }
        SdkError::ServiceError(refusal) => {
            let status = refusal.raw().status().as_u16();
            status == 429 || status >= 500 || refusal.err().code().is_some_and(is_throttling)
        }
        _ => false,
    }
}

/// The names under which AWS services say "slow down".
fn is_throttling(code: &str) -> bool {
    matches!(
        code,
        "Throttling"
            | "ThrottlingException"
            | "ThrottledException"
            | "TooManyRequestsException"
            | "ProvisionedThroughputExceededException"
            | "RequestLimitExceeded"
            | "LimitExceededException"
            | "SlowDown"
            | "TransactionInProgressException"
    )
}
