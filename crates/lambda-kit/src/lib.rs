//! What every function needs and nothing more.

#![warn(missing_docs)]

pub mod batch;
pub mod clock;
pub mod config;
pub mod error;
pub mod telemetry;
