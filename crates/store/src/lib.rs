//! The DynamoDB table behind ports of a few verbs each.
//!
//! A port has the verbs that one kind of caller needs; [`DynamoStore`]
//! implements them all. Every write but the task token's is conditional, so
//! that each verb can be repeated, and concurrent callers agree.

mod dynamo;
mod error;
#[cfg(feature = "memory")]
pub mod memory;
mod ports;

pub use dynamo::{DynamoStore, items};
pub use error::StoreError;
pub use ports::*;
