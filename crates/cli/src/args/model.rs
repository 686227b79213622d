//! `dropcast model`: a model's folder, its versions and its cached data.

use std::{path::PathBuf, time::Duration};

use clap::{Args, Subcommand};
use dropcast_domain::{ids::Version, model::ModelName};

use super::{Describe, Init, Push, Test, Versions};
use crate::messages;

/// Models.
#[derive(Debug, Subcommand)]
pub enum Model {
    /// Create the folder of a new model, with a working example
    Init(Init),
    /// Run a model on this machine exactly as a job would, without a stack
    ///
    /// Checks the input as a run does, prepares a copy of the folder as the model's image
    /// would contain it, runs the model's command with the variables and folders of a job,
    /// and compares the files that it wrote with the outputs declared in model.toml.
    Test(Test),
    /// Build a model's folder into its next version
    ///
    /// Checks the folder and its examples, uploads it, starts a build and follows it.
    /// The build checks the folder again, builds the image and tests it with the
    /// examples. The first version of a model becomes its default; promote later ones
    /// with `dropcast model promote`.
    Push(Push),
    /// Print version.json, the description of a version that a build created
    ///
    /// Called by the build itself: the version is registered from this file.
    Describe(Describe),
    /// Register a model's folder as its next version
    ///
    /// The folder contains model.toml, the input's schema and the program. For the
    /// local stack, the folder is copied as it is and its Python requirements are
    /// installed. For a deployed stack, name an existing image and an existing Batch
    /// job definition.
    #[command(after_help = "Examples:
  dropcast model register models/revenue-forecast
  dropcast --stack dropcast model register models/revenue-forecast \\
      --image 123456789012.dkr.ecr.eu-west-1.amazonaws.com/models@sha256:… \\
      --job-definition arn:aws:batch:eu-west-1:123456789012:job-definition/dropcast_revenue-forecast:7")]
    Register(Register),
    /// Refresh a model's cached data with its [refresh] command
    ///
    /// Starts a run without an input that executes the command in the [refresh] section of
    /// the model's manifest, for example to read a database again. Mails are sent only if it
    /// fails; until it has succeeded, other runs use the previous data.
    Refresh(Refresh),
    /// List the models
    List,
    /// Show one model: its versions, what it reads, how it runs and what it writes
    Show {
        /// The model
        model: ModelName,
    },
    /// Inspect a model's versions and builds, and change its default.
    #[command(flatten)]
    Versions(Versions),
}

/// `model register`.
#[derive(Debug, Args)]
pub struct Register {
    /// The model's folder
    pub dir: PathBuf,

    /// The image, by digest (deployed stacks only)
    #[arg(long, value_name = "URI", requires = "job_definition")]
    pub image: Option<String>,

    /// The Batch job definition with its revision (deployed stacks only)
    #[arg(long, value_name = "ARN", requires = "image")]
    pub job_definition: Option<String>,

    /// The commit from which the image was built (deployed stacks only)
    #[arg(long, value_name = "SHA", requires = "image")]
    pub commit: Option<String>,
}

/// `model refresh`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  dropcast model refresh revenue-forecast --wait
  dropcast model refresh revenue-forecast --version 3

Any S3 client can do the same: upload any object to
s3://<inputs bucket>/refresh/<model>[@<version>]/<anything>. A schedule in [refresh]
does it automatically.")]
pub struct Refresh {
    /// The model
    pub model: ModelName,

    /// The model's version [default: the model's default version]
    #[arg(long, value_name = "N")]
    pub version: Option<Version>,

    /// Wait until the refresh has ended, show it, and exit with its exit code
    #[arg(long)]
    pub wait: bool,

    /// Maximum time to wait, for example 90s, 15m or 2h
    #[arg(long, value_name = "TIME", requires = "wait", value_parser = messages::parse_duration)]
    pub timeout: Option<Duration>,
}
