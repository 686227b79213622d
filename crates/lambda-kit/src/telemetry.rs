//! Logs.

/// Starts the runtime's own subscriber: JSON or text and the level as the
/// function's logging configuration says.
///
/// See <https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-advanced.html>.
pub fn start() {
    lambda_runtime::tracing::init_default_subscriber();
}

/// Logs an error once, where it is handled, with its whole chain of causes.
pub fn log_failure(error: &(dyn std::error::Error + 'static), context: &str) {
    tracing::error!(error = %chain(error), "{context}");
}

/// An error and its causes on one line.
pub fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    std::iter::successors(Some(error), |error| error.source())
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(": ")
}
