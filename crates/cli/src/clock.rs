//! The command's one clock.

use jiff::Timestamp;

/// The present time.
#[expect(
    clippy::disallowed_methods,
    reason = "the command reads the clock here and hands times on as arguments"
)]
pub(crate) fn now() -> Timestamp {
    Timestamp::now()
}
