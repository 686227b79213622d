//! The use cases, over ports of the store and of AWS services.
//!
//! The command line and the functions call them, so that each question has one answer. This crate
//! uses no SDK, reads no clock and prints nothing: times are arguments, and errors are types whose
//! text is the sentence that people read.

#![warn(missing_docs)]

pub mod jobs;
pub mod logs;
pub mod models;
pub mod refreshes;
pub mod repair;
pub mod runs;
pub mod uploads;
pub mod versions;
