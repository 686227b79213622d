//! How every Dropcast program reaches AWS, and what several of them ask of it.

#![warn(missing_docs)]

#[cfg(feature = "batch")]
pub mod batch;
#[cfg(feature = "sdk")]
mod config;
mod error;
#[cfg(feature = "events")]
pub mod events;
#[cfg(feature = "executions")]
pub mod executions;
#[cfg(feature = "sdk")]
mod http;
#[cfg(all(feature = "batch", feature = "logs"))]
pub mod jobs;
#[cfg(feature = "logs")]
pub mod logs;
pub mod ports;
#[cfg(feature = "s3")]
pub mod s3;
#[cfg(feature = "secrets")]
pub mod secrets;
#[cfg(feature = "sdk")]
pub mod timeouts;
#[cfg(feature = "sdk")]
mod trust;

#[cfg(test)]
#[cfg(feature = "sdk")]
mod tests;

#[cfg(feature = "sdk")]
pub use aws_config::SdkConfig;
pub use error::CallError;
#[cfg(feature = "sdk")]
pub use {
    config::{load, load_in_lambda},
    error::is_transient,
    trust::TrustError,
};
