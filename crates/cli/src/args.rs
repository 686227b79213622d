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
    versions::{Builds, OfVersion, Versions},
};
use crate::words;

const CODES: &str = "\
Exit codes:
  0    done; for a run: it succeeded
  1    the run failed or was cancelled; validate, doctor: there are problems
  2    the command line does not make sense
  3    not accepted: the run was rejected, the model's folder has problems, or the
       change was refused
  4    no stack: none was found, or it cannot be started or reached
  5    --timeout was over first; the run goes on
  6    there is no such run, model, version, mail or file
  70   Dropcast itself is at fault
  130  stopped with Ctrl-C

With --json exactly one JSON document goes to stdout, on errors too; progress and
prose go to stderr. The documents' schemas are in schemas/cli/. All times are UTC.
Credentials and region come from where AWS's own tools take them (AWS_PROFILE,
AWS_REGION, …); the local stack needs none.

First steps:
  dropcast demo                         watch one file become a mail, in a minute
  dropcast local up                     keep a stack up on this machine
  dropcast validate plan.xlsx -m models/revenue-forecast
  dropcast submit plan.xlsx -m revenue-forecast --wait";

/// Heading of the options that every command takes.
const EVERYWHERE: &str = "Everywhere";

/// Drop a file, get a forecast: runs a team's models on files, and mails the results.
///
/// A file that is dropped in the inputs bucket under inputs/<model>/ starts one
/// run of that model; who dropped it gets a mail with links to the results.
/// This command drops files, follows runs, registers models, and runs the whole
/// on one machine.
#[derive(Debug, Parser)]
#[command(name = "dropcast", version, after_help = CODES, max_term_width = 100, propagate_version = false)]
pub struct Cli {
    /// Where and how.
    #[command(flatten)]
    pub common: Common,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What every command takes.
#[derive(Debug, Clone, Args)]
pub struct Common {
    /// Print one JSON document instead of text
    #[arg(long, global = true, help_heading = EVERYWHERE, display_order = 900)]
    pub json: bool,

    /// Use the deployed CloudFormation stack of this name instead of the local one
    #[arg(
        long,
        global = true,
        value_name = "NAME",
        env = "DROPCAST_STACK",
        hide_env_values = true,
        help_heading = EVERYWHERE,
        display_order = 901
    )]
    pub stack: Option<String>,

    /// Where the local stack keeps its state
    #[arg(
        long,
        global = true,
        value_name = "DIR",
        env = "DROPCAST_STATE_DIR",
        hide_env_values = true,
        default_value = ".dropcast",
        help_heading = EVERYWHERE,
        display_order = 902
    )]
    pub state_dir: PathBuf,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Start, stop and look at the stack on this machine
    #[command(subcommand)]
    Local(Local),
    /// Watch one file go all the way, on a stack that is started for it
    ///
    /// Starts a local stack (or uses the one that is up), registers the example
    /// model, drops a file, follows the run, reads the mail and opens its links;
    /// then drops a file with mistakes. Ends with 0 only if all of that happened.
    #[command(after_help = "\
The first time takes longer: the model's Python packages are installed. Nothing is
left running. What was downloaded stays in <state dir>/demo/. No mail leaves this machine.")]
    Demo,
    /// Check a file before it is dropped, or a model's folder with its examples
    ///
    /// Reads a file on this machine just as a run of the model would, and says what
    /// the mail would: how the file was read, or everything that is wrong with it, by
    /// cell. Nothing is uploaded. Of a model's folder, checks the manifest, the schemas
    /// and the folder's own examples.
    Validate(Validate),
    /// Drop a file for a model
    Submit(Submit),
    /// List runs, the newest first
    Runs(Runs),
    /// Show one run: its timeline, problems, outputs with links, and log lines
    Show(Show),
    /// Wait until a run is over, and end with its exit code
    Wait(Wait),
    /// Register and look at models
    #[command(subcommand)]
    Model(Model),
    /// Examine a stack: whether it can run models, and what to do where it cannot
    ///
    /// Looks at the CloudFormation stack, the sender's identity and the sandbox of SES,
    /// the job queues and what runs them, the address that jobs leave from, the links'
    /// endpoint, dead-letter queues and alarms. Changes nothing but that it sends a file
    /// through the model canary, if there is one, or through the one that --canary names.
    #[cfg(feature = "doctor")]
    Doctor(Doctor),
    /// Read the mails that the local stack sent
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
    /// Start the stack and keep it up until Ctrl-C
    ///
    /// Starts an emulator of AWS on 127.0.0.1, deploys template.yaml with the
    /// functions' real binaries, and serves AWS Batch by running models as
    /// processes. Nothing leaves this machine: mails are kept for `dropcast mail`.
    #[command(after_help = "Examples:
  dropcast local up                     stay in the foreground; Ctrl-C stops all
  dropcast local up --detach            come back when it is up; `dropcast local down` stops it")]
    Up(Up),
    /// Stop the stack, and wait until it is gone
    Down,
    /// Say whether the stack is up, and where
    #[command(after_help = "Exit code 0 when it is up, 4 when it is not.")]
    Status,
}

/// `local up`.
#[derive(Debug, Args)]
pub struct Up {
    /// Go to the background once the stack is up
    #[arg(long)]
    pub detach: bool,

    /// Register this model's folder once the stack is up; may be given more than once
    #[arg(long = "register", value_name = "DIR")]
    pub register: Vec<PathBuf>,
}

/// `validate`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  dropcast validate plan.xlsx -m models/revenue-forecast
                                        by a model's folder: needs no stack
  dropcast validate plan.xlsx -m revenue-forecast
                                        by the version that the local stack runs
  dropcast --stack dropcast validate plan.xlsx -m revenue-forecast@3
                                        by version 3 on the stack dropcast
  dropcast validate plan.xlsx -m models/revenue-forecast --marked faults.xlsx
                                        and mark each faulty cell in a copy
  dropcast validate plan.xlsx -m models/revenue-forecast --json | jq -r '.problems[].at'
  dropcast validate models/revenue-forecast
                                        the folder itself: run it before registering
  dropcast validate models/revenue-forecast --platform fargate
                                        and whether Fargate has a size for its jobs

Exit code 0 when the file is accepted, 1 when it has problems.

A model's examples:
  examples/FILE                         must be accepted
  examples/rejected/FILE                must be rejected with exactly the problems that
                                        examples/rejected/FILE.problems.json lists, in the
                                        order in which they are reported. `at` is where;
                                        `message`, if given, is a part of what is said:
                                          [{ \"at\": \"Plan!C7\", \"message\": \"#REF!\" }]
Names that begin with a dot, and other folders, are left alone.")]
pub struct Validate {
    /// The file, or a model's folder
    #[arg(value_name = "FILE|DIR")]
    pub path: PathBuf,

    /// The model that is to read the file: its folder, or the name of a registered one,
    /// with @N for a version other than its default
    #[arg(short, long, value_name = "MODEL")]
    pub model: Option<String>,

    /// Write what the model would get: the clean CSV, or the JSON with defaults filled in
    #[arg(long, value_name = "FILE", requires = "model")]
    pub clean: Option<PathBuf>,

    /// Write a workbook in which the faulty cells of a rejected table are marked
    #[arg(long, value_name = "FILE", requires = "model")]
    pub marked: Option<PathBuf>,

    /// What the jobs of the folder's model are to run on; a deployment's is its output
    /// `JobPlatform` [default: anything]
    #[arg(long, value_enum, ignore_case = true, conflicts_with = "model")]
    pub platform: Option<Platform>,
}

/// What jobs run on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Platform {
    /// AWS Fargate, which has certain sizes
    Fargate,
    /// Instances
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

The same can be done without this command: copy the file to
s3://<inputs bucket>/inputs/<model>[@<version>]/<anything>/<file>, with the metadata
notify and title if you like.")]
pub struct Submit {
    /// The file to drop
    pub file: PathBuf,

    /// The model that runs on it
    #[arg(short, long, value_name = "MODEL")]
    pub model: ModelName,

    /// The model's version; its default version otherwise
    #[arg(long, value_name = "N")]
    pub version: Option<Version>,

    /// Who is mailed, beside the model's own list; may be given more than once
    #[arg(long, value_name = "ADDRESS", value_delimiter = ',')]
    pub notify: Vec<String>,

    /// What the run is called; the file's name otherwise
    #[arg(long)]
    pub title: Option<String>,

    /// Wait until the run is over, show it, and end with its exit code
    #[arg(long)]
    pub wait: bool,

    /// Wait no longer than this, for example 90s, 15m or 2h
    #[arg(long, value_name = "TIME", requires = "wait", value_parser = words::parse_length)]
    pub timeout: Option<Duration>,
}

/// `runs`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  dropcast runs --open                  what is going on right now
  dropcast runs -m revenue-forecast --limit 5

Without --model and --open: the runs of every registered model, and open runs. A run
whose file named a model that does not exist is listed with --model and that name.")]
pub struct Runs {
    /// Only runs of this model, as the dropped file's key names it
    #[arg(short, long, value_name = "MODEL")]
    pub model: Option<String>,

    /// Only runs that are not over
    #[arg(long)]
    pub open: bool,

    /// List so many at most
    #[arg(short = 'n', long, value_name = "COUNT", default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub limit: u16,
}

/// `show`.
#[derive(Debug, Args)]
#[command(after_help = "\
Links to outputs are signed with your own credentials: they open without a login for
as long as --links-for says, or until those credentials expire if that is sooner.

Examples:
  dropcast show mfrggzdfmztwq2lknnwg23tpoa
  dropcast show mfrggzdfmztwq2lknnwg23tpoa --json | jq -r '.outputs[].url'")]
pub struct Show {
    /// The run's id
    pub run: RunId,

    /// How long links to outputs work, at most 7d
    #[arg(long, value_name = "TIME", default_value = "1h", value_parser = words::parse_length)]
    pub links_for: Duration,
}

/// `wait`.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  dropcast wait mfrggzdfmztwq2lknnwg23tpoa --timeout 15m && echo it succeeded

Shows the run when it is over, as `dropcast show` does.")]
pub struct Wait {
    /// The run's id
    pub run: RunId,

    /// Wait no longer than this, for example 90s, 15m or 2h
    #[arg(long, value_name = "TIME", value_parser = words::parse_length)]
    pub timeout: Option<Duration>,
}

/// `doctor`.
#[cfg(feature = "doctor")]
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  dropcast doctor                       the local stack
  dropcast model init canary && dropcast model push canary
                                        give it a model to send a file through, once
  dropcast --stack dropcast doctor --canary models/revenue-forecast
                                        send the first example of another model through
  dropcast --stack dropcast doctor --json | jq '.checks[] | select(.outcome == \"fail\")'

Each check is ok, warn or fail, or was not checked, and says why. Exit code 0 when none
failed, 1 otherwise.")]
pub struct Doctor {
    /// Send the first example of this model's folder through, instead of the one that `model init
    /// canary` writes
    #[arg(long, value_name = "DIR")]
    pub canary: Option<PathBuf>,

    /// How long the canary may take, for example 90s, 15m or 2h
    #[arg(long, value_name = "TIME", default_value = "30m", value_parser = words::parse_length)]
    pub timeout: Duration,
}

/// `mail`.
#[derive(Debug, Args)]
#[command(after_help = "\
Without options: the list of mails. With --run or --last: the mail's text.

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

    /// Write the newest such mail's HTML to a file, to open in a browser
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
