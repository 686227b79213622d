//! The simulated clock. Each thread has its own, and runs one simulation at a time.

use std::cell::Cell;

use dropcast_test_support::samples;
use jiff::Timestamp;

thread_local! {
    static NOW: Cell<i64> = const { Cell::new(0) };
}

/// Milliseconds since the simulation began.
pub(crate) fn milliseconds() -> i64 {
    NOW.get()
}

/// Sets the clock, in milliseconds since the simulation began.
pub(crate) fn set(milliseconds: i64) {
    NOW.set(milliseconds);
}

/// The time that functions are given.
pub(crate) fn now() -> Timestamp {
    samples::at(NOW.get())
}

/// The time that EventBridge writes on events: whole seconds.
pub(crate) fn whole_seconds() -> Timestamp {
    samples::at(NOW.get() / 1_000 * 1_000)
}

/// When a moment was, in milliseconds since the simulation began.
pub(crate) fn since_start(moment: Timestamp) -> i64 {
    moment.as_millisecond() - samples::at(0).as_millisecond()
}
