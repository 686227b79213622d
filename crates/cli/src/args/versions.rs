//! `dropcast model`: the versions of a model, and which of them is the default.

use clap::{Args, Subcommand};
use dropcast_domain::{ids::Version, model::ModelName};

/// Commands about the versions of a model.
#[derive(Debug, Subcommand)]
pub enum Versions {
    /// List a model's versions, and what its default was since when
    Versions {
        /// The model
        model: ModelName,
    },
    /// List a model's finished builds, the newest first
    Builds(Builds),
    /// Make a version the one that runs when a file pins none
    ///
    /// Files that were dropped before keep the version that was the default then. Who
    /// did it and when is kept.
    #[command(after_help = "\
Example:
  dropcast model promote revenue-forecast 4

`dropcast model rollback` undoes it.")]
    Promote(OfVersion),
    /// Make what was the default before the default again
    ///
    /// Each rollback goes back by one promotion. Versions that were retired since are
    /// passed over.
    #[command(after_help = "\
Example:
  dropcast model rollback revenue-forecast")]
    Rollback {
        /// The model
        model: ModelName,
    },
    /// Let a version run no more
    ///
    /// Refused while it is the default or has open runs. A file that pins it is rejected
    /// from then on. Its record, and the runs that it made, stay.
    #[command(after_help = "\
Example:
  dropcast model retire revenue-forecast 2

A version cannot be taken back from retirement; push the same code again instead.")]
    Retire(OfVersion),
}

/// `model builds`.
#[derive(Debug, Args)]
pub struct Builds {
    /// The model
    pub model: ModelName,

    /// List so many at most
    #[arg(short = 'n', long, value_name = "COUNT", default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub limit: u16,
}

/// A version of a model.
#[derive(Debug, Args)]
pub struct OfVersion {
    /// The model
    pub model: ModelName,

    /// The version's number
    pub version: Version,
}
