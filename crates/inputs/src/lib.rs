//! Reading what people drop: from the bytes of a file to the document that a
//! model may rely on, or to every problem in it with its place.
//!
//! Pure: bytes in, values out. One module a kind of input ([`json`], [`table`]); what they
//! share is next to them: text encodings, schemas, defaults and the words
//! in which a broken rule is explained.

#![warn(missing_docs)]

pub mod declarations;
mod defaults;
mod encoding;
mod explain;
pub mod file;
pub mod json;
mod json_parser;
mod limits;
mod schema;
pub mod table;

pub use encoding::Encoding;
pub use limits::Limits;
pub use schema::{CompiledSchema, SchemaError};
