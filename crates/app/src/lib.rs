//! The use cases: what people and functions ask Dropcast for, answered over the store's ports.
//!
//! Whoever answers a request, a command or an event calls this crate, so that each question has
//! one answer. It calls no AWS service itself, reads no clock and prints nothing: times are
//! arguments, and refusals are types whose text is the sentence for people.
//!
//! One module for each kind of thing that is asked about.

pub mod models;
pub mod runs;
pub mod uploads;
pub mod versions;
