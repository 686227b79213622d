//! The only place where the command reads the clock.

use jiff::Timestamp;

/// The current time.
#[expect(
    clippy::disallowed_methods,
    reason = "the command reads the clock here and hands times on as arguments"
)]
pub(crate) fn now() -> Timestamp {
    Timestamp::now()
}
