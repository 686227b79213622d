//! The use cases: what people and functions ask Dropcast for, answered over the store's ports.
//!
//! The command line and the functions call this crate, so that each question has one answer. It
//! calls no AWS service, reads no clock and prints nothing: times are arguments, and errors are
//! types whose text is the sentence that people read.
//!
//! There is one module for each subject.

#![warn(missing_docs)]

pub mod models;
pub mod refreshes;
pub mod runs;
pub mod uploads;
pub mod versions;
