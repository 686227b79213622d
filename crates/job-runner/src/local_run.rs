//! A local run: a model's command run as a job would run it, without S3.
//!
//! It has the same variables, folders, signals and exit codes, and its outputs are held to the
//! same rules. What a job fetches is on disk already, and what it would publish stays there.

use std::{
    ffi::OsString,
    fs::{self, File},
    io::{self, BufWriter, Write as _},
    path::{Path, PathBuf},
    time::Duration,
};

use serde::{Deserialize, Serialize};

use crate::{
    LEFT_PROCESSES, NO_OUTPUTS,
    error::JobError,
    media_type, model,
    model::Bounds,
    publish, say,
    signals::{self, Signals},
};

const NO_CERTIFICATES: &str = "warning: the image contains no CA certificates, which connections to S3 need; install the package ca-certificates in it";
/// What an S3 key spends on `runs/<model>/<run>/outputs/<job>/<attempt>/`, at most.
const MAX_PREFIX: usize = 150;

/// The command of a local run, its files and its bounds.
#[derive(Debug, Clone)]
pub struct LocalRun<'a> {
    /// The model's command and its arguments.
    pub command: &'a [OsString],
    /// The folder that it runs in: in an image, the working directory.
    pub folder: Option<&'a Path>,
    /// The input as the model reads it.
    pub input: &'a Path,
    /// The input as it was dropped.
    pub original: &'a Path,
    /// An empty folder for the outputs.
    pub outputs: &'a Path,
    /// The cache that earlier local runs left; the model may change it.
    pub cache: &'a Path,
    /// Variables beside those that name these files and folders.
    pub variables: &'a [(&'a str, OsString)],
    /// How long the command may take; SIGTERM and, 30 s later, SIGKILL end it then.
    pub limit: Option<Duration>,
    /// Whether its stdout goes to our stderr, because our stdout is for something else.
    pub stdout_is_taken: bool,
}

/// How a local run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalRunResult {
    /// What the job's exit code would be.
    pub exit_code: u8,
    /// Whether the command took longer than it may.
    pub timed_out: bool,
    /// What would be published, by path; nothing unless the exit code is 0.
    pub files: Vec<WrittenFile>,
}

/// One file that would be published.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WrittenFile {
    /// Its path below the output folder.
    pub path: String,
    /// Its size.
    pub bytes: u64,
    /// Its media type by its name.
    pub media_type: String,
}

/// Runs a model's command. Its stdout and stderr are those of this process.
///
/// This process takes over the handling of signals and reaps all of its children meanwhile: it must
/// have none of its own. Fails where `dropcast-job` would fail by itself, with the same error.
pub async fn run_locally(local_run: &LocalRun<'_>) -> Result<LocalRunResult, JobError> {
    let mut signals = Signals::listen()?;
    let own = [
        ("DROPCAST_INPUT_FILE", local_run.input.into()),
        ("DROPCAST_ORIGINAL_FILE", local_run.original.into()),
        ("DROPCAST_OUTPUT_DIR", local_run.outputs.into()),
        ("DROPCAST_CACHE_DIR", local_run.cache.into()),
    ];
    let variables: Vec<(&str, OsString)> = local_run.variables.iter().cloned().chain(own).collect();
    let bounds = Bounds {
        folder: local_run.folder,
        limit: local_run.limit,
        stdout_is_taken: local_run.stdout_is_taken,
    };
    let ended = model::run(local_run.command, &variables, bounds, &mut signals).await?;
    let mut result = LocalRunResult {
        exit_code: ended.exit_code,
        timed_out: ended.timed_out,
        files: Vec::new(),
    };
    if ended.timed_out || ended.exit_code != 0 {
        // AWS Batch fails a job that it had to stop, whatever its exit code.
        result.exit_code = match ended.exit_code {
            0 => 143,
            code => code,
        };
        return Ok(result);
    }
    if let Some(signal) = ended.asked_by {
        return Err(signals::interrupted(signal));
    }
    if ended.left_processes {
        say(LEFT_PROCESSES);
    }
    let max_path_bytes = publish::MAX_KEY - MAX_PREFIX;
    let files = publish::list(local_run.outputs, max_path_bytes)?;
    result.files = files
        .into_iter()
        .map(|file| WrittenFile {
            media_type: media_type::of(&file.path),
            path: file.path,
            bytes: file.bytes,
        })
        .collect();
    Ok(result)
}

/// The name of the list of outputs that a local run leaves in its folder: JSON Lines, one
/// [`WrittenFile`] per line.
pub const LISTING: &str = "files.jsonl";

/// Runs a model on a prepared folder, laid out as `--help` says, and writes the listing there.
pub(crate) async fn run_in_folder(folder: &Path, command: &[OsString]) -> Result<u8, JobError> {
    // Without links, so that what a link among the outputs leads to can be compared with it.
    let folder = folder.canonicalize().map_err(|error| {
        JobError::WorkFolder(format!("{} cannot be used: {error}", folder.display()))
    })?;
    let listing = folder.join(LISTING);
    let listing_failed = |error: io::Error| {
        JobError::WorkFolder(format!("{} cannot be written: {error}", listing.display()))
    };
    // The caller that started the container sees by this file that the outputs are being listed.
    File::create(&listing).map_err(listing_failed)?;
    let input = only_file(&folder.join("input"))?;
    let original = folder.join("original");
    let original = if original.is_dir() {
        only_file(&original)?
    } else {
        input.clone()
    };
    let [outputs, cache] = ["output", "cache"].map(|name| folder.join(name));
    for folder in [&outputs, &cache] {
        fs::create_dir_all(folder).map_err(|error| {
            JobError::WorkFolder(format!("{} cannot be made: {error}", folder.display()))
        })?;
    }
    let result = run_locally(&LocalRun {
        command,
        folder: None,
        input: &input,
        original: &original,
        outputs: &outputs,
        cache: &cache,
        variables: &[],
        limit: None,
        stdout_is_taken: false,
    })
    .await?;
    if result.exit_code != 0 {
        return Ok(result.exit_code);
    }
    if result.files.is_empty() {
        say(NO_OUTPUTS);
    }
    // A job finds this out when it first asks S3, and then it is too late.
    if rustls_native_certs::load_native_certs().certs.is_empty() {
        say(NO_CERTIFICATES);
    }
    write_listing(&listing, &result.files).map_err(listing_failed)?;
    Ok(0)
}

fn write_listing(path: &Path, files: &[WrittenFile]) -> io::Result<()> {
    let mut lines = BufWriter::new(File::create(path)?);
    for file in files {
        serde_json::to_writer(&mut lines, file)?;
        lines.write_all(b"\n")?;
    }
    lines.flush()
}

/// The one file in a folder.
fn only_file(folder: &Path) -> Result<PathBuf, JobError> {
    let wrong = |what: String| JobError::Input(format!("{} {what}", folder.display()));
    let entries =
        fs::read_dir(folder).map_err(|error| wrong(format!("cannot be read: {error}")))?;
    let files: Vec<PathBuf> = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.is_file())
        .collect();
    match <[PathBuf; 1]>::try_from(files) {
        Ok([file]) => Ok(file),
        Err(files) => Err(wrong(format!(
            "contains {} files; it must contain one",
            files.len()
        ))),
    }
}
