//! A model's folder: what it declares, its own examples, and the zip file that it travels in.
//!
//! [`ModelFolder::read`] reads the declarations, [`examples::check`] checks the examples against
//! them, [`pack`] makes a zip file of a folder's content, and [`unpack`] extracts such a file,
//! which may be hostile.

#![warn(missing_docs)]

mod error;
pub mod examples;
mod expected_problems;
mod folder;
mod ignore;
mod items;
pub mod local_run;
mod pack;
mod unpack;

pub use error::FolderError;
pub use folder::{Input, ModelFolder};
pub use items::{Item, ItemKind, items};
pub use pack::{Packed, pack};
pub use unpack::{MAX_BYTES, UnpackError, unpack};
