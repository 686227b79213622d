//! What can be wrong with a model's folder, as sentences for its author.

use std::{
    io,
    path::{Path, PathBuf},
};

use dropcast_domain::model::ManifestErrors;

/// What is wrong with a model's folder, or why it cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FolderError {
    /// The manifest has problems.
    #[error(transparent)]
    Manifest(#[from] ManifestErrors),
    /// A schema is no JSON Schema that can be used.
    #[error("{}: {problem}", .file.display())]
    Schema {
        /// The schema's file.
        file: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// The folder holds something that cannot be put into an image.
    #[error("{} cannot be part of an image: {problem}.", .path.display())]
    Item {
        /// The entry.
        path: PathBuf,
        /// Why.
        problem: String,
    },
    /// The system refused something.
    #[error("{doing} failed: {source}")]
    System {
        /// What was being done, the path included.
        doing: String,
        /// What the system says.
        #[source]
        source: io::Error,
    },
}

impl FolderError {
    /// For `map_err` behind file operations.
    pub(crate) fn at(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let doing = format!("{doing} {}", path.display());
        move |source| Self::System { doing, source }
    }
}
