//! The one place where the local Batch reads the time.

/// Milliseconds since 1970-01-01T00:00:00Z, the unit of every timestamp in the AWS Batch API.
#[expect(
    clippy::disallowed_methods,
    reason = "This is the clock of the local Batch; everything else receives the time as an argument."
)]
pub(crate) fn now() -> i64 {
    jiff::Timestamp::now().as_millisecond()
}
