//! The command line.

use std::{
    ffi::OsString,
    num::{NonZeroU32, NonZeroU64},
    path::PathBuf,
};

use clap::Parser;

/// How to run the model. What to run it on is in the environment; see
/// [`Config`](crate::config::Config).
#[derive(Debug, Clone, Parser)]
#[command(name = "dropcast-job", version, about, long_about = LONG_ABOUT, after_long_help = AFTER_HELP)]
pub struct Args {
    /// Folder in which the work folder is made [default: the system's temporary folder]
    #[arg(long, value_name = "DIR", env = "DROPCAST_WORK_DIR")]
    pub work_dir: Option<PathBuf>,

    /// Leave the work folder in place at the end, to look into it
    #[arg(long)]
    pub keep_work_dir: bool,

    /// Transfers at a time; each holds one part in memory
    #[arg(
        long,
        value_name = "N",
        default_value = "16",
        env = "DROPCAST_CONCURRENCY"
    )]
    pub concurrency: NonZeroU32,

    /// Size of a part in MiB, 5 at least; a larger file is uploaded in parts
    #[arg(long, value_name = "MIB", default_value = "8", env = "DROPCAST_PART_MIB", value_parser = part_mib)]
    pub part_mib: NonZeroU64,

    /// Run COMMAND on the files of this folder instead, without S3, to test an image
    #[arg(long, value_name = "DIR", conflicts_with_all = ["work_dir", "keep_work_dir"])]
    pub local_run: Option<PathBuf>,

    /// The model's command and its arguments, after --
    #[arg(last = true, required = true, value_name = "COMMAND")]
    pub command: Vec<OsString>,
}

/// S3 takes parts of 5 MiB to 5 GiB
/// (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html>).
fn part_mib(text: &str) -> Result<NonZeroU64, String> {
    match text.parse::<NonZeroU64>() {
        Ok(mib) if (5..=1024).contains(&mib.get()) => Ok(mib),
        _ => Err("must be a whole number from 5 to 1024".to_owned()),
    }
}

const LONG_ABOUT: &str = "\
Runs a model inside its container: files in, files out.

Fetches the run's input and the model's cache from S3, runs COMMAND in the current folder, and, \
when COMMAND exits 0, uploads everything under $DROPCAST_OUTPUT_DIR and stores the cache back. \
COMMAND needs no AWS code. Its stdout and stderr are those of dropcast-job, signals are passed \
on to it, and its exit code is returned.";

const AFTER_HELP: &str = "\
Set for COMMAND:
  DROPCAST_INPUT_FILE     the input, on disk (not in a refresh): JSON with its defaults filled in, or a clean CSV
  DROPCAST_ORIGINAL_FILE  the input as it was uploaded, on disk (not in a refresh)
  DROPCAST_OUTPUT_DIR     an empty folder; all of it is uploaded when COMMAND exits 0
  DROPCAST_CACHE_DIR      what earlier runs of the model left; changes are kept for later runs
  The rest of the environment is passed on as it is.

Read from the environment:
  DROPCAST_RUN_KIND      run (the default), or refresh, which has no input
  DROPCAST_INPUT_URI     s3://bucket/key of the input as the model reads it
  DROPCAST_ORIGINAL_URI  s3://bucket/key of the input as it was uploaded
  DROPCAST_OUTPUT_URI    s3://bucket/prefix/ of the outputs; <job>/<attempt>/ is appended
  DROPCAST_CACHE_URI     s3://bucket/prefix/ of the model's cache
  DROPCAST_RUN_ID, DROPCAST_MODEL, DROPCAST_VERSION
  AWS_BATCH_JOB_ID, AWS_BATCH_JOB_ATTEMPT
  Region, credentials and endpoint are read from the same places as by AWS's own tools.

What is uploaded:
  Files and links to files or folders inside the output folder. A link that leads out of it, a \
socket, pipe or device, and a name that is not UTF-8 are refused, and nothing is published. The \
last upload is <attempt>.files.jsonl beside the outputs: one JSON object per line with path, bytes, \
sha256 and mediaType. If COMMAND exits with another code or was asked to stop, nothing is uploaded.

The cache:
  Only files that COMMAND changed are stored, after the outputs have been published. Each is stored \
as a new object; then one index that names all files of the cache replaces the previous index, so a \
job never sees a partial update. A file that COMMAND deleted is removed, unless another run has \
replaced it in the meantime. If two runs change the same file, the later change is kept; what a \
refresh stored is not replaced by a run that began before it. A cache that cannot be read or stored \
causes a warning, and a failure only in a refresh.

With --local-run DIR:
  The environment needs no settings, and nothing leaves the machine. COMMAND runs as in a job: the \
input is the one file in DIR/input, the original is the one in DIR/original (or else the input), the \
outputs are left in DIR/output and the cache in DIR/cache. DIR/files.jsonl, which is created at the \
start, finally lists the outputs that would have been published.

Exit codes:
  COMMAND's own, or 128+n when signal n ended it or asked dropcast-job to end
   64  the arguments or the environment are wrong
   70  the work folder could not be made
   71  the input could not be fetched
   72  the output folder holds something that must not be published
   73  the outputs could not be stored
   74  a refresh could not store the cache
  126  COMMAND cannot be started
  127  COMMAND was not found

Examples:
  dropcast-job -- python -m forecast
  docker run -v \"$PWD/local-run:/local-run\" IMAGE dropcast-job --local-run /local-run -- python -m forecast";

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Args::command().debug_assert();
    }

    #[test]
    fn the_models_own_options_are_left_to_the_model() {
        let args = Args::try_parse_from(["dropcast-job", "--", "python", "-m", "m", "--help"]);
        assert_eq!(args.unwrap().command, ["python", "-m", "m", "--help"]);
    }

    #[test]
    fn a_command_is_required() {
        assert!(Args::try_parse_from(["dropcast-job"]).is_err());
        assert!(Args::try_parse_from(["dropcast-job", "--"]).is_err());
    }

    #[test]
    fn the_help_names_every_exit_code_of_our_own() {
        for code in ["64", "70", "71", "72", "73", "74", "126", "127", "128+n"] {
            assert!(AFTER_HELP.contains(code), "{code}");
        }
    }
}
