//! The commands for a model's folder.

use std::{path::PathBuf, time::Duration};

use clap::Args;
use dropcast_domain::registry::BuildId;

use crate::messages;

/// `model init`.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  dropcast model init churn && dropcast model test churn

Creates ./churn with model.toml, the schema of its input, main.py, a Dockerfile, examples and a
test. The model works as it is; change it step by step.")]
pub struct Init {
    /// The model's name: lower-case letters, digits and hyphens
    #[arg(value_name = "NAME")]
    pub name: String,

    /// The folder to create [default: NAME]
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
}

/// `model test`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  dropcast model test models/revenue-forecast
                                        with the first example of each accepted format
  dropcast model test models/revenue-forecast --input plan.xlsx --output out
                                        with a file, keeping the outputs in out/
  dropcast model test models/revenue-forecast --image revenue-forecast:latest
                                        in a local Docker image, as a build does

The exit code is 0 if the model succeeded and wrote every required output, 1 if not, 3 if the
input is not accepted. The model's own output is shown live. The model inherits the environment,
so you can pass it a database's address, for example; DROPCAST_VERSION is 0.")]
pub struct Test {
    /// The model's folder
    pub dir: PathBuf,

    /// The input [default: the first example of each accepted format]
    #[arg(short, long, value_name = "FILE")]
    pub input: Option<PathBuf>,

    /// Keep the outputs in this folder, which must be empty or must not exist
    #[arg(short, long, value_name = "DIR", requires = "input")]
    pub output: Option<PathBuf>,

    /// Keep the model's cache for the next test with this option, and use the one kept last
    #[arg(long)]
    pub keep_cache: bool,

    /// Run the model in this Docker image instead of a copy of its folder
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

Files matched by .dockerignore and folders created by tools are left out. A build whose image and
declarations equal those of the newest version creates no new version. The commit is recorded if
the folder is in a Git repository and has no uncommitted changes.

The exit code is 0 if the version is registered, 1 if the build failed, 3 if the folder has problems.")]
pub struct Push {
    /// The model's folder
    pub dir: PathBuf,

    /// Return as soon as the build has started
    #[arg(long, conflicts_with_all = ["wait", "timeout"])]
    pub no_wait: bool,

    /// Wait until the version is registered (the default)
    #[arg(long)]
    pub wait: bool,

    /// Maximum time to wait, for example 90s, 15m or 2h
    #[arg(long, value_name = "TIME", value_parser = messages::parse_duration)]
    pub timeout: Option<Duration>,

    /// Address to mail when the build has ended; can be repeated
    #[arg(long, value_name = "ADDRESS", value_delimiter = ',')]
    pub notify: Vec<String>,

    /// The folder's commit, if it is not in a Git repository
    #[arg(long, value_name = "SHA")]
    pub commit: Option<String>,
}

/// `model describe`.
#[derive(Debug, Args)]
pub struct Describe {
    /// The model's folder
    pub dir: PathBuf,

    /// The image, by digest
    #[arg(long, value_name = "REPOSITORY@sha256:DIGEST")]
    pub image: String,

    /// The build's id
    #[arg(long, value_name = "UUID")]
    pub build_id: BuildId,

    /// The commit from which it was built
    #[arg(long, value_name = "SHA")]
    pub commit: Option<String>,
}
