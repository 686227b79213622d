//! The versions of a model: which one runs, and changing that.

mod resolve;

pub use resolve::{ResolveError, resolve_refresh, resolve_version};
