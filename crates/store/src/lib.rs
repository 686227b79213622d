//! The runs table behind ports of a few operations each.
//!
//! A port has the operations that one kind of caller needs; `DynamoStore` implements them all.
//! Every write but the notes of due mails is conditional, so that each operation can be repeated and
//! concurrent callers agree. Those notes are the same however often they are written.

#![warn(missing_docs)]

#[cfg(feature = "dynamo")]
mod dynamo;
mod error;
#[cfg(feature = "memory")]
pub mod memory;
mod ports;

#[cfg(feature = "dynamo")]
pub use dynamo::{DynamoStore, items};
pub use error::StoreError;
pub use ports::*;
