//! The command line.

#![expect(
    rustdoc::broken_intra_doc_links,
    rustdoc::invalid_html_tags,
    reason = "These comments are the text of --help, where brackets and angle brackets mean themselves."
)]

mod folder;
mod model;
mod versions;

use std::{path::PathBuf, time::Duration};

use clap::{Args, Parser, Subcommand, ValueEnum};
use dropcast_domain::{
    ids::{RunId, Version},
    model::ModelName,
};

pub use self::{
    folder::{Describe, Init, Push, Test},
    model::{Model, Refresh, Register},
    versions::{Builds, VersionArgs, Versions},
};
use crate::{messages, stack::DEFAULT_STATE_DIR};

const AFTER_HELP: &str = "\
Exit codes:
  0    success; for a run: it succeeded
  1    the run failed or was cancelled; validate, doctor: problems were found
  2    the command line is invalid
  3    not accepted: the run was rejected, the model's folder has problems, or the
       change was refused
  4    no stack: none was found, or it cannot be started or reached
  5    --timeout expired; the run continues
  6    there is no such run, model, version, mail or file
  70   internal error in Dropcast
  130  interrupted with Ctrl-C

With --json, exactly one JSON document is written to stdout, also for errors;
progress and messages are written to stderr. The schemas of the documents are in
schemas/cli/. All times are in UTC. Credentials and region are read from the same
places as by AWS's own tools (AWS_PROFILE, AWS_REGION, …); the local stack needs
none.

First steps:
  dropcast demo                         see a file turn into results in a mail, in a minute
  dropcast local up                     run a stack on this machine
  dropcast validate plan.xlsx -m models/revenue-forecast
  dropcast submit plan.xlsx -m revenue-forecast --wait";

/// Heading of the options that every command takes.
const GLOBAL_OPTIONS: &str = "Global options";

/// Upload a file, get a forecast: runs a team's models on files and mails the results.
///
/// Each file that is uploaded to the inputs bucket under inputs/<model>/ starts one
/// run of that model; its recipients get a mail with links to the results. This
/// command submits files, follows runs, manages models, and runs the whole stack on
/// one machine.
#[derive(Debug, Parser)]
#[command(name = "dropcast", version, after_help = AFTER_HELP, max_term_width = 100, propagate_version = false)]
pub struct Cli {
    /// Options of every command.
    #[command(flatten)]
    pub common: Common,
    /// The command.
    #[command(subcommand)]
    pub command: Command,
}

/// Options of every command.
#[derive(Debug, Clone, Args)]
pub struct Common {
    /// Print one JSON document instead of text
    #[arg(long, global = true, help_heading = GLOBAL_OPTIONS, display_order = 900)]
    pub json: bool,

    /// Use the deployed CloudFormation stack of this name instead of the local one
    #[arg(
        long,
        global = true,
        value_name = "NAME",
        env = "DROPCAST_STACK",
        hide_env_values = true,
        help_heading = GLOBAL_OPTIONS,
        display_order = 901
    )]
    pub stack: Option<String>,

    /// The folder for the local stack's state
    #[arg(
        long,
        global = true,
        value_name = "DIR",
        env = "DROPCAST_STATE_DIR",
        hide_env_values = true,
        default_value = DEFAULT_STATE_DIR,
        help_heading = GLOBAL_OPTIONS,
        display_order = 902
    )]
    pub state_dir: PathBuf,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Start, stop and inspect the stack on this machine
    #[command(subcommand)]
    Local(Local),
    /// Follow one file from upload to mail, on a stack that is started for it
    ///
    /// Starts a local stack (or uses the running one), registers the example model,
    /// submits a file, follows its run, reads the mail and opens its links; then
    /// submits a file with mistakes. The exit code is 0 only if every step succeeded.
    #[command(after_help = "\
The first time takes longer because the model's Python packages are installed. Nothing
is left running. Downloaded files stay in <state dir>/demo/. No mail leaves this machine.")]
    Demo,
    /// Check a file before it is submitted, or a model's folder with its examples
    ///
    /// Reads a file on this machine exactly as a run of the model would, and reports
    /// what the mail would: how the file was read, or every problem in it, by cell.
    /// Nothing is uploaded. For a model's folder, checks the manifest, the schemas
    /// and the examples.
    Validate(Validate),
    /// Submit a file to a model
    Submit(Submit),
    /// List runs, newest first
    Runs(Runs),
    /// Show one run: its timeline, problems, outputs with links, and log lines
    Show(Show),
    /// Wait until a run has ended, and exit with its exit code
    Wait(Wait),
    /// Print the log of a run's job, whole or as it comes
    Logs(Logs),
    /// Cancel a run, and stop its job
    Cancel(Cancel),
    /// Create, register and inspect models
    #[command(subcommand)]
    Model(Model),
    /// Check whether a stack can run models, and say how to fix problems
    ///
    /// Checks the CloudFormation stack, the sender's identity and the sandbox of SES,
    /// the job queues and their compute environments, the address from which jobs
    /// connect, the endpoint of the links, dead-letter queues and alarms. Changes nothing,
    /// except that it submits a file to the model canary, if it is registered, or to the
    /// model that --canary names.
    #[cfg(feature = "doctor")]
    Doctor(Doctor),
    /// Read the mails sent by the local stack
    Mail(Mail),
    /// Print a completion script for a shell
    #[command(after_help = "Example:
  dropcast completions bash > ~/.local/share/bash-completion/completions/dropcast")]
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
}

/// The stack on this machine.
#[derive(Debug, Subcommand)]
pub enum Local {
    /// Start the stack and keep it running until Ctrl-C
    ///
    /// Starts an emulator of AWS on 127.0.0.1, deploys template.yaml with the real
    /// binaries of the functions, and emulates AWS Batch by running models as
    /// processes. Nothing leaves this machine: mails are kept for `dropcast mail`.
    #[command(after_help = "Examples:
  dropcast local up                     run in the foreground; Ctrl-C stops it
  dropcast local up --detach            return when it is up; `dropcast local down` stops it")]
    Up(Up),
    /// Stop the stack, and wait until it has stopped
    Down,
    /// Show whether the stack is up, and its endpoints
    #[command(after_help = "Exit code 0 when it is up, 4 when it is not.")]
    Status,
}

/// `local up`.
#[derive(Debug, Args)]
pub struct Up {
    /// Run in the background once the stack is up
    #[arg(long)]
    pub detach: bool,

    /// Register this model's folder once the stack is up; can be repeated
    #[arg(long = "register", value_name = "DIR")]
    pub register: Vec<PathBuf>,
}

/// `validate`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  dropcast validate plan.xlsx -m models/revenue-forecast
                                        against a model's folder; needs no stack
  dropcast validate plan.xlsx -m revenue-forecast
                                        against the default version on the local stack
  dropcast --stack dropcast validate plan.xlsx -m revenue-forecast@3
                                        against version 3 on the stack dropcast
  dropcast validate plan.xlsx -m models/revenue-forecast --marked faults.xlsx
                                        and mark the faulty cells in a copy
  dropcast validate plan.xlsx -m models/revenue-forecast --json | jq -r '.problems[].at'
  dropcast validate models/revenue-forecast
                                        the folder itself, before it is registered
  dropcast validate models/revenue-forecast --platform fargate
                                        and whether Fargate offers the size of its jobs

Exit code 0 when the file is accepted, 1 when it has problems.

A model's examples:
  examples/FILE                         must be accepted
  examples/rejected/FILE                must be rejected with exactly the problems that
                                        examples/rejected/FILE.problems.json lists, in the
                                        order in which they are reported. `at` is the
                                        location; `message`, if given, is a part of the text:
                                          [{ \"at\": \"Plan!C7\", \"message\": \"#REF!\" }]
Names that begin with a dot, and other folders, are ignored.")]
pub struct Validate {
    /// The file, or a model's folder
    #[arg(value_name = "FILE|DIR")]
    pub path: PathBuf,

    /// The model to check the file against: its folder, or the name of a registered model,
    /// with @N for a version other than the default
    #[arg(short, long, value_name = "MODEL")]
    pub model: Option<String>,

    /// Write the model's input to a file: the clean CSV, or the JSON with defaults filled in
    #[arg(long, value_name = "FILE", requires = "model")]
    pub clean: Option<PathBuf>,

    /// Write a workbook in which the faulty cells of a rejected table are marked
    #[arg(long, value_name = "FILE", requires = "model")]
    pub marked: Option<PathBuf>,

    /// The platform on which the model's jobs will run; for a deployed stack, its output
    /// `JobPlatform` [default: any]
    #[arg(long, value_enum, ignore_case = true, conflicts_with = "model")]
    pub platform: Option<Platform>,
}

/// The platform on which jobs run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Platform {
    /// AWS Fargate, which offers certain sizes only
    Fargate,
    /// EC2 instances
    Ec2,
}

/// `submit`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  dropcast submit plan.json -m revenue-forecast
  dropcast submit plan.json -m revenue-forecast --title 'Plan 2027' \\
      --notify ana@corp.example --notify bo@corp.example --wait
  dropcast submit plan.json -m revenue-forecast --version 3 --json | jq -r .run.id

Any S3 client can do the same: copy the file to
s3://<inputs bucket>/inputs/<model>[@<version>]/<anything>/<file>, optionally with
notify and title in the object's metadata.")]
pub struct Submit {
    /// The file to upload
    pub file: PathBuf,

    /// The model to run
    #[arg(short, long, value_name = "MODEL")]
    pub model: ModelName,

    /// The model's version [default: the model's default version]
    #[arg(long, value_name = "N")]
    pub version: Option<Version>,

    /// Address to mail, in addition to the model's own list; can be repeated
    #[arg(long, value_name = "ADDRESS", value_delimiter = ',')]
    pub notify: Vec<String>,

    /// The run's title [default: the file's name]
    #[arg(long)]
    pub title: Option<String>,

    /// Wait until the run has ended, show it, and exit with its exit code
    #[arg(long)]
    pub wait: bool,

    /// Maximum time to wait, for example 90s, 15m or 2h
    #[arg(long, value_name = "TIME", requires = "wait", value_parser = messages::parse_duration)]
    pub timeout: Option<Duration>,
}

/// `runs`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  dropcast runs --open                  the runs that have not ended
  dropcast runs -m revenue-forecast --limit 5

Without --model and --open, lists the runs of all registered models and all open runs.
To list the runs of a model that does not exist, give its name with --model.")]
pub struct Runs {
    /// Only runs of this model, as named in the key of the uploaded file
    #[arg(short, long, value_name = "MODEL")]
    pub model: Option<String>,

    /// Only runs that have not ended
    #[arg(long)]
    pub open: bool,

    /// Maximum number of runs to list
    #[arg(short = 'n', long, value_name = "COUNT", default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub limit: u16,
}

/// `show`.
#[derive(Debug, Args)]
#[command(after_help = "\
Links to outputs are signed with your own credentials: they open without a login for
the time given with --links-for, or until those credentials expire, if that is earlier.

Examples:
  dropcast show mfrggzdfmztwq2lknnwg23tpoa
  dropcast show mfrggzdfmztwq2lknnwg23tpoa --json | jq -r '.outputs[].url'")]
pub struct Show {
    /// The run's id
    pub run: RunId,

    /// How long links to outputs are valid, at most 7d
    #[arg(long, value_name = "TIME", default_value = "1h", value_parser = messages::parse_duration)]
    pub links_for: Duration,
}

/// `logs`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  dropcast logs mfrggzdfmztwq2lknnwg23tpoa
  dropcast logs mfrggzdfmztwq2lknnwg23tpoa --follow
  dropcast logs mfrggzdfmztwq2lknnwg23tpoa --json | jq -r '.lines[] | [.at, .message] | @tsv'

Prints what the job wrote to its standard output and standard error in its latest attempt,
for a run or a refresh of any status.")]
pub struct Logs {
    /// The run's id
    pub run: RunId,

    /// Wait for the job, and print its log as it comes until the job has ended
    #[arg(short, long)]
    pub follow: bool,
}

/// `cancel`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  dropcast cancel mfrggzdfmztwq2lknnwg23tpoa
  dropcast cancel mfrggzdfmztwq2lknnwg23tpoa --reason 'wrong file' \\
      && dropcast wait mfrggzdfmztwq2lknnwg23tpoa

Records who cancels the run and why, and stops its job: the model gets SIGTERM, and SIGKILL
if it has not ended after 30 seconds. The recipients of the run's mails are notified.

Exit code 0 also if the run is being cancelled already, 3 if it is too late: the run or
its job has ended.")]
pub struct Cancel {
    /// The run's id
    pub run: RunId,

    /// The reason, for the record and the mail
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
}

/// `wait`.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  dropcast wait mfrggzdfmztwq2lknnwg23tpoa --timeout 15m && echo it succeeded

Shows the run when it has ended, like `dropcast show`.")]
pub struct Wait {
    /// The run's id
    pub run: RunId,

    /// Maximum time to wait, for example 90s, 15m or 2h
    #[arg(long, value_name = "TIME", value_parser = messages::parse_duration)]
    pub timeout: Option<Duration>,
}

/// `doctor`.
#[cfg(feature = "doctor")]
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  dropcast doctor                       the local stack
  dropcast model init canary && dropcast model push canary
                                        register a model for the last check, once
  dropcast --stack dropcast doctor --canary models/revenue-forecast
                                        submit the first example of another model
  dropcast --stack dropcast doctor --json | jq '.checks[] | select(.outcome == \"fail\")'

Each check is ok, warn, fail or not checked, with the reason. The exit code is 0 if no
check failed, 1 otherwise.")]
pub struct Doctor {
    /// Submit the first example of this model's folder, instead of the one that `model init
    /// canary` writes
    #[arg(long, value_name = "DIR")]
    pub canary: Option<PathBuf>,

    /// Maximum time for the canary's run, for example 90s, 15m or 2h
    #[arg(long, value_name = "TIME", default_value = "30m", value_parser = messages::parse_duration)]
    pub timeout: Duration,
}

/// `mail`.
#[derive(Debug, Args)]
#[command(after_help = "\
Without options, lists the mails. With --run or --last, shows the mail's text.

Examples:
  dropcast mail
  dropcast mail --last
  dropcast mail --run mfrggzdfmztwq2lknnwg23tpoa --html mail.html")]
pub struct Mail {
    /// Only mails about this run
    #[arg(long, value_name = "RUN")]
    pub run: Option<RunId>,

    /// Only the newest mail
    #[arg(long)]
    pub last: bool,

    /// Write the HTML of the newest matching mail to a file, to open in a browser
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    fn parse(line: &str) -> Result<Cli, clap::Error> {
        Cli::try_parse_from(line.split(' '))
    }

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_name_that_is_no_model_is_refused_with_a_sentence() {
        let error = parse("dropcast submit a.json -m Revenue").unwrap_err();
        assert_eq!(error.exit_code(), 2);
        assert!(
            error
                .to_string()
                .contains("begins with a letter from a to z"),
            "{error}"
        );
    }

    #[test]
    fn several_addresses_may_be_given_either_way() {
        let Command::Submit(submit) = parse(
            "dropcast submit a.json -m m --notify a@x.example,b@x.example --notify c@x.example",
        )
        .unwrap()
        .command
        else {
            panic!("not submit")
        };
        assert_eq!(submit.notify.len(), 3);
    }

    #[test]
    fn what_is_written_of_a_file_needs_its_model() {
        assert!(parse("dropcast validate plan.csv --clean c.csv").is_err());
        assert!(parse("dropcast validate plan.csv -m m --clean c.csv --marked m.xlsx").is_ok());
        assert!(parse("dropcast validate models/m").is_ok());
    }

    #[test]
    fn a_time_limit_without_waiting_makes_no_sense() {
        assert!(parse("dropcast submit a.json -m m --timeout 5m").is_err());
        assert!(parse("dropcast submit a.json -m m --wait --timeout 5m").is_ok());
    }
}
