//! How every Dropcast program reaches AWS, and what it makes of a refusal.

mod http;
mod trust;

#[cfg(test)]
mod tests;

pub use aws_config::SdkConfig;
use aws_config::{BehaviorVersion, environment::EnvironmentVariableCredentialsProvider};
use aws_smithy_runtime_api::client::{orchestrator::HttpResponse, result::SdkError};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use trust::Roots;
pub use trust::TrustError;

/// Settings for a program that people run or that runs in their images: region, credentials and
/// endpoints as AWS's own tools find them, and the machine's certificate authorities.
///
/// One HTTP client serves all services of a process. `AWS_CA_BUNDLE` may name a PEM file with the
/// certificate authorities to trust instead; fails if that file has none.
pub async fn load() -> Result<SdkConfig, TrustError> {
    let http = http::client(Roots::Machine.tls_context()?);
    Ok(aws_config::defaults(BehaviorVersion::latest())
        .http_client(http)
        .load()
        .await)
}

/// As [`load`], for a function: with compiled-in certificate authorities, and with the credentials of its
/// role, which are in its environment.
///
/// Other places to look for credentials would cost a client of STS and one of the instance
/// metadata service at every cold start, used or not.
///
/// <https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime>
pub async fn load_in_lambda() -> Result<SdkConfig, TrustError> {
    let http = http::client(Roots::CompiledIn.tls_context()?);
    Ok(aws_config::defaults(BehaviorVersion::latest())
        .http_client(http)
        .credentials_provider(EnvironmentVariableCredentialsProvider::new())
        .load()
        .await)
}

/// Whether the same call may well succeed a little later.
///
/// True for what never reached the service, timed out, was throttled, met a conflict or failed
/// on the service's side (HTTP 429 and 5xx); false for what the service refused.
pub fn is_transient<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> bool {
    match error {
        SdkError::TimeoutError(_) | SdkError::DispatchFailure(_) | SdkError::ResponseError(_) => {
            true
        }
        SdkError::ServiceError(refusal) => {
            let status = refusal.raw().status().as_u16();
            status == 429 || status >= 500 || refusal.err().code().is_some_and(asks_for_a_retry)
        }
        _ => false,
    }
}

/// The names under which AWS services say "slow down" and "ask again".
fn asks_for_a_retry(code: &str) -> bool {
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
            | "ConditionalRequestConflict"
            | "TransactionInProgressException"
    )
}
