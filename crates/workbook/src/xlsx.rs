//! xlsx: a zip archive of XML parts.

pub(crate) mod archive;
mod parts;
pub(crate) mod rows;
