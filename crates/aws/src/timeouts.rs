//! How long a call may take before it is given up, and tried again where the SDK retries.
//!
//! The SDK itself limits only connecting: a call whose answer never comes would take all the time
//! that its function has.
//! <https://docs.aws.amazon.com/sdk-for-rust/latest/dg/timeouts.html>

use std::time::Duration;

use aws_smithy_types::timeout::TimeoutConfig;

/// How long connecting may take.
const CONNECT: Duration = Duration::from_secs(3);

/// For calls of a function. Two attempts fit into 15 s, the shortest timeout of a function that
/// nobody waits for in a browser.
pub(crate) fn of_functions() -> TimeoutConfig {
    limited(Duration::from_secs(6), Duration::from_secs(14))
}

/// For calls of a program that a person waits for, perhaps over a slow line.
pub(crate) fn of_programs() -> TimeoutConfig {
    limited(Duration::from_secs(30), Duration::from_secs(75))
}

/// For a call that carries the content of an object, or that S3 answers once it has put a large
/// object together: only connecting is limited. The SDK ends transfers that stand still.
pub fn of_transfers() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(CONNECT)
        .disable_operation_attempt_timeout()
        .disable_operation_timeout()
        .build()
}

fn limited(attempt: Duration, operation: Duration) -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(CONNECT)
        .operation_attempt_timeout(attempt)
        .operation_timeout(operation)
        .build()
}
