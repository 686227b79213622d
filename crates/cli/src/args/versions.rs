//! `dropcast model`: the versions of a model, and which of them is the default.

use clap::{Args, Subcommand};
use dropcast_domain::{ids::Version, model::ModelName};

/// Commands about the versions of a model.
#[derive(Debug, Subcommand)]
pub enum Versions {
    /// List a model's versions and the changes of its default
    Versions {
        /// The model
        model: ModelName,
    },
    /// List a model's finished builds, newest first
    Builds(Builds),
    /// Make a version the default, which runs on files that pin no version
    ///
    /// Files that were uploaded before run on the previous default. The change is
    /// recorded with its time and author.
    #[command(after_help = "\
Example:
  dropcast model promote revenue-forecast 4

`dropcast model rollback` undoes it.")]
    Promote(VersionArgs),
    /// Return to the previous default
    ///
    /// Each rollback undoes one promotion. Versions that have been retired are skipped.
    #[command(after_help = "\
Example:
  dropcast model rollback revenue-forecast")]
    Rollback {
        /// The model
        model: ModelName,
    },
    /// Prevent a version from running
    ///
    /// Refused while it is the default or has open runs. From then on, a file that pins it
    /// is rejected. Its record and its runs are kept.
    #[command(after_help = "\
Example:
  dropcast model retire revenue-forecast 2

A retirement cannot be undone; push the same code again instead.")]
    Retire(VersionArgs),
}

/// `model builds`.
#[derive(Debug, Args)]
pub struct Builds {
    /// The model
    pub model: ModelName,

    /// Maximum number of builds to list
    #[arg(short = 'n', long, value_name = "COUNT", default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub limit: u16,
}

/// A version of a model.
#[derive(Debug, Args)]
pub struct VersionArgs {
    /// The model
    pub model: ModelName,

    /// The version's number
    pub version: Version,
}
