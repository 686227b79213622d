//! A failed call of an AWS service, and whether the same call may succeed later.

use std::error::Error;

#[cfg(feature = "sdk")]
use aws_smithy_runtime_api::client::{orchestrator::HttpResponse, result::SdkError};
#[cfg(feature = "sdk")]
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

/// A call of an AWS service that failed.
#[derive(Debug, thiserror::Error)]
#[error("{call} failed")]
pub struct CallError {
    /// The action, as IAM names it.
    pub call: &'static str,
    /// Whether it may succeed later.
    pub transient: bool,
    /// What the SDK says.
    #[source]
    pub source: Box<dyn Error + Send + Sync>,
}

#[cfg(feature = "sdk")]
impl CallError {
    /// The failure of an SDK operation.
    pub fn of_sdk<E>(call: &'static str, error: SdkError<E, HttpResponse>) -> Self
    where
        E: ProvideErrorMetadata + Error + Send + Sync + 'static,
    {
        Self {
            call,
            transient: is_transient(&error),
            source: Box::new(error),
        }
    }
}

/// Whether the same call may well succeed a little later.
///
/// True for what never reached the service, timed out, was throttled, met a conflict or failed
/// on the service's side (HTTP 429 and 5xx); false for what the service refused.
#[cfg(feature = "sdk")]
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
#[cfg(feature = "sdk")]
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
