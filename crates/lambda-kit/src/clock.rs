//! The one clock.

use jiff::Timestamp;

/// The time now. Functions pass it inward; rules never ask for it.
#[expect(
    clippy::disallowed_methods,
    reason = "This is the one place that reads the clock."
)]
pub fn now() -> Timestamp {
    Timestamp::now()
}
