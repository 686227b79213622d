//! The JSON of the AWS Batch API (2016-08-10), as far as the local Batch speaks it.
//!
//! Fields that AWS knows and the local Batch does not look at are tolerated; the properties of a
//! container that have no meaning for a process are kept and given back as they came.

pub(crate) mod details;
pub(crate) mod operations;
pub(crate) mod requests;
pub(crate) mod shared;
