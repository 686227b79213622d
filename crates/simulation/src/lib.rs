//! The whole pipeline in one process, on one thread, under one seed.
//!
//! The functions are the real ones, over ports in memory that behave as AWS does: queues deliver
//! late, twice and in any order; invocations stall, end between two calls, or go on after their
//! caller gave up; calls are refused, lose their answer or take effect twice; events are lost. A
//! seed decides all of it, so whatever it finds can be replayed.
//!
//! A function ends "between two calls" when its future is dropped where it waits for one: every
//! port yields once before a call takes effect.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "A simulation that cannot go on is a fault of the simulation."
)]

mod batch;
mod caller;
mod clock;
mod faults;
mod functions;
mod invariants;
mod machine;
mod queue;
mod random;
mod services;
mod settings;
mod shrink;
mod simulation;
mod stream;
mod table;
mod trace;
mod world;

pub use faults::{Fault, Strike};
pub use settings::Campaign;
pub use shrink::shrink;
pub use simulation::{Outcome, simulate};
