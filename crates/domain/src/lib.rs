//! The rules of Dropcast, and nothing else.
//!
//! No I/O, clock, randomness or environment (invariant 9): times and ids come
//! in as arguments, decisions go out as values. Everything that touches AWS
//! lives in the functions and adapters around this crate.

#![warn(missing_docs)]

pub mod cancellation;
pub mod diagnosis;
pub mod event;
pub mod failure;
pub mod ids;
pub mod job;
pub mod keys;
pub mod link;
pub mod mail;
pub mod model;
pub mod output;
pub mod problem;
pub mod recipient;
pub mod registry;
pub mod repair;
pub mod run;
pub mod status;
pub mod table;
pub mod task;
pub mod text;
pub mod title;
pub mod upload;
mod variants;
