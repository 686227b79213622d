//! The command line of what is done with a model's folder.

use std::{path::PathBuf, time::Duration};

use clap::Args;
use dropcast_domain::registry::BuildId;

use crate::words;

/// `model init`.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  dropcast model init churn && dropcast model test churn

Makes ./churn with model.toml, the schema of its input, main.py, a Dockerfile, examples and a
test. All of it works as it stands: change it bit by bit.")]
pub struct Init {
    /// The model's name: lower-case letters, digits and hyphens
    #[arg(value_name = "NAME")]
    pub name: String,

    /// The folder to make [default: NAME]
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
}

/// `model test`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  dropcast model test models/revenue-forecast
                                        on the first example of each format that it accepts
  dropcast model test models/revenue-forecast --input plan.xlsx --output out
                                        on a file, and keep what the model wrote in out/
  dropcast model test models/revenue-forecast --image revenue-forecast:latest
                                        in an image that Docker has, as a build does

Exit code 0 when the model ended well and wrote every required output, 1 when not, 3 when
the input is not accepted. What the model prints is shown as it comes. The environment is passed
on, so that a database's address can be given there; DROPCAST_VERSION is 0.")]
pub struct Test {
    /// The model's folder
    pub dir: PathBuf,

    /// The input [default: the first of the model's own examples of each format]
    #[arg(short, long, value_name = "FILE")]
    pub input: Option<PathBuf>,

    /// Keep the outputs in this folder, which must be empty or not there yet
    #[arg(short, long, value_name = "DIR", requires = "input")]
    pub output: Option<PathBuf>,

    /// Give the model the cache that the last test with this option left, and keep it again
    #[arg(long)]
    pub keep_cache: bool,

    /// Run it in this Docker image instead of a copy of the folder
    #[arg(long, value_name = "IMAGE")]
    pub image: Option<String>,

    /// The program that runs images
    #[arg(
        long,
        value_name = "PROGRAM",
        default_value = "docker",
        env = "DROPCAST_DOCKER",
        hide_env_values = true,
        hide = true
    )]
    pub docker: PathBuf,
}

/// `model push`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  dropcast model push models/revenue-forecast
  dropcast --stack dropcast model push models/revenue-forecast --notify ana@corp.example --no-wait
  dropcast model push models/revenue-forecast --json | jq -r .version

What .dockerignore and tools' own folders hold is left out. A build that makes the newest
version's image once more, with the same declarations, gives that version. The commit is
recorded when the folder is in a Git repository without changes.

Exit code 0 when the version stands, 1 when the build failed, 3 when the folder has problems.")]
pub struct Push {
    /// The model's folder
    pub dir: PathBuf,

    /// Come back as soon as the build has started
    #[arg(long, conflicts_with_all = ["wait", "timeout"])]
    pub no_wait: bool,

    /// Wait until the version stands (this is the default)
    #[arg(long)]
    pub wait: bool,

    /// Wait no longer than this, for example 90s, 15m or 2h
    #[arg(long, value_name = "TIME", value_parser = words::parse_length)]
    pub timeout: Option<Duration>,

    /// Who is mailed when the build has ended; may be given more than once
    #[arg(long, value_name = "ADDRESS", value_delimiter = ',')]
    pub notify: Vec<String>,

    /// The commit that the folder is at, where Git cannot say
    #[arg(long, value_name = "SHA")]
    pub commit: Option<String>,
}

/// `model describe`.
#[derive(Debug, Args)]
pub struct Describe {
    /// The model's folder
    pub dir: PathBuf,

    /// The image by digest
    #[arg(long, value_name = "REPOSITORY@sha256:DIGEST")]
    pub image: String,

    /// The build's own id
    #[arg(long, value_name = "UUID")]
    pub build_id: BuildId,

    /// The commit that it was built from
    #[arg(long, value_name = "SHA")]
    pub commit: Option<String>,
}
