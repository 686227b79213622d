//! `dropcast model`: a model's folder, its versions, and what it keeps between its runs.

use std::{path::PathBuf, time::Duration};

use clap::{Args, Subcommand};
use dropcast_domain::{ids::Version, model::ModelName};

use super::{Describe, Init, Push, Test, Versions};
use crate::words;

/// Models.
#[derive(Debug, Subcommand)]
pub enum Model {
    /// Make the folder of a new model: a working skeleton
    Init(Init),
    /// Run a model on this machine exactly as a job would, without any stack
    ///
    /// Checks the input as a run does, prepares what the model's image holds, runs the
    /// model's command with the variables and folders of a job, and holds what it wrote
    /// against what model.toml declares.
    Test(Test),
    /// Build a model's folder into its next version
    ///
    /// Checks the folder and its examples, uploads it, starts a build and follows it.
    /// The build checks the folder again, builds the image and tests it on the
    /// examples. The first version of a model becomes its default; later ones wait to
    /// be promoted.
    Push(Push),
    /// Print the record of a version that a build made: version.json
    ///
    /// For the build itself: what it prints is what registers the version.
    Describe(Describe),
    /// Register a model's folder as its next version
    ///
    /// The folder holds model.toml, the input's schema and the program. On the
    /// local stack it is copied as it is now, and its Python requirements are
    /// installed. On a deployed stack the version runs an image and a Batch job
    /// definition that exist already.
    #[command(after_help = "Examples:
  dropcast model register models/revenue-forecast
  dropcast --stack dropcast model register models/revenue-forecast \\
      --image 123456789012.dkr.ecr.eu-west-1.amazonaws.com/models@sha256:… \\
      --job-definition arn:aws:batch:eu-west-1:123456789012:job-definition/dropcast_revenue-forecast:7")]
    Register(Register),
    /// Refresh what a model keeps between its runs, by its [refresh] command
    ///
    /// Starts a run without an input that does what [refresh] in the model's manifest
    /// says, such as reading a database anew. Nobody is mailed unless it fails; until
    /// it has succeeded, other runs see what was kept before.
    Refresh(Refresh),
    /// List the models
    List,
    /// Show one model: its versions, what it reads, how it runs and what it writes
    Show {
        /// The model
        model: ModelName,
    },
    /// Look at a model's versions and builds, and change its default.
    #[command(flatten)]
    Versions(Versions),
}

/// `model register`.
#[derive(Debug, Args)]
pub struct Register {
    /// The model's folder
    pub dir: PathBuf,

    /// The image by digest (deployed stacks only)
    #[arg(long, value_name = "URI", requires = "job_definition")]
    pub image: Option<String>,

    /// The Batch job definition with its revision (deployed stacks only)
    #[arg(long, value_name = "ARN", requires = "image")]
    pub job_definition: Option<String>,

    /// The commit that the image was built from (deployed stacks only)
    #[arg(long, value_name = "SHA", requires = "image")]
    pub commit: Option<String>,
}

/// `model refresh`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  dropcast model refresh revenue-forecast --wait
  dropcast model refresh revenue-forecast --version 3

The same can be done without this command: put any object under
s3://<inputs bucket>/refresh/<model>[@<version>]/<anything>. A schedule in [refresh]
does it by itself.")]
pub struct Refresh {
    /// The model
    pub model: ModelName,

    /// The model's version; its default version otherwise
    #[arg(long, value_name = "N")]
    pub version: Option<Version>,

    /// Wait until the refresh is over, show it, and end with its exit code
    #[arg(long)]
    pub wait: bool,

    /// Wait no longer than this, for example 90s, 15m or 2h
    #[arg(long, value_name = "TIME", requires = "wait", value_parser = words::parse_length)]
    pub timeout: Option<Duration>,
}
