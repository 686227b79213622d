//! The environment in which a model runs: a copy of its folder, or a Docker image.

use std::{
    ffi::OsString,
    fs::{self, File, Permissions},
    io::{BufRead as _, BufReader},
    os::unix::{fs::PermissionsExt as _, process::ExitStatusExt as _},
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
    time::Duration,
};

use anyhow::Context as _;
use dropcast_domain::ids::RunId;
use dropcast_job_runner::{JobError, LISTING, LocalRun, LocalRunResult, WrittenFile, run_locally};
use dropcast_local_stack::Image;
use dropcast_model_folder::{ModelFolder, local_run::Stage};
use tempfile::TempDir;
use tokio::process::Command;

use crate::exit::{CliError, Exit};

/// The version that a model sees in a local run, as it has none yet.
const NO_VERSION: &str = "0";
/// Where the folders of a local run are inside a container.
const CONTAINER_FOLDER: &str = "/dropcast-local-run";
/// The exit codes of `docker run` for its own errors, for a command that is not executable, and for
/// one that does not exist. See <https://docs.docker.com/engine/containers/run/#exit-status>.
const NOT_RUN: u8 = 125;
const NOT_EXECUTABLE: u8 = 126;
const NOT_FOUND: u8 = 127;
/// How long Amazon ECS waits between SIGTERM and SIGKILL, in seconds.
const STOP_TIMEOUT: &str = "30";

/// The environment in which a model runs.
#[derive(Debug)]
pub(super) enum Runtime {
    /// A copy of its folder with its Python environment, as on the local stack.
    Copy {
        /// The copy.
        image: Image,
        /// The folder of the copy, deleted when dropped.
        _images: TempDir,
    },
    /// A Docker container.
    Docker {
        /// The program that runs images.
        program: PathBuf,
        /// The image.
        image: String,
    },
}

impl Runtime {
    /// Runs the model's command with live output: on stdout, or on stderr if stdout is reserved for
    /// the document.
    pub(super) async fn run(
        &self,
        stage: &Stage,
        model: &ModelFolder,
        run: &RunId,
        stdout_is_taken: bool,
    ) -> anyhow::Result<Result<LocalRunResult, JobError>> {
        let job = &model.manifest.job;
        let limit = Duration::from_mins(job.timeout_minutes.into());
        let variables = [
            ("DROPCAST_RUN_ID", run.to_string()),
            ("DROPCAST_MODEL", model.manifest.name.to_string()),
            ("DROPCAST_VERSION", NO_VERSION.to_owned()),
            ("AWS_BATCH_JOB_ID", run.to_string()),
            ("AWS_BATCH_JOB_ATTEMPT", "1".to_owned()),
        ];
        match self {
            Self::Copy { image, .. } => {
                let command: Vec<OsString> = job.command.iter().map(OsString::from).collect();
                let path = std::env::var_os("PATH").unwrap_or_default();
                let mut variables: Vec<(&str, OsString)> = variables
                    .into_iter()
                    .map(|(name, value)| (name, value.into()))
                    .collect();
                variables.push(("PATH", image.path(std::env::split_paths(&path))));
                variables.push(("TMPDIR", stage.temporary.clone().into()));
                Ok(run_locally(&LocalRun {
                    command: &command,
                    folder: Some(&image.folder),
                    input: &stage.input,
                    original: &stage.original,
                    outputs: &stage.outputs,
                    cache: &stage.cache,
                    variables: &variables,
                    limit: Some(limit),
                    stdout_is_taken,
                })
                .await)
            }
            Self::Docker { program, image } => {
                let container = Container {
                    program,
                    name: format!("dropcast-test-{run}"),
                };
                container
                    .run(image, stage, model, &variables, limit, stdout_is_taken)
                    .await
                    .map(Ok)
            }
        }
    }
}

/// One container, and the program that runs it.
struct Container<'a> {
    program: &'a Path,
    name: String,
}

impl Container<'_> {
    async fn run(
        &self,
        image: &str,
        stage: &Stage,
        model: &ModelFolder,
        variables: &[(&str, String)],
        limit: Duration,
        stdout_is_taken: bool,
    ) -> anyhow::Result<LocalRunResult> {
        // The image's user is not the current user.
        for folder in [&stage.folder, &stage.outputs, &stage.cache] {
            fs::set_permissions(folder, Permissions::from_mode(0o777))
                .with_context(|| format!("giving the container access to {}", folder.display()))?;
        }
        let job = &model.manifest.job;
        let mut command = Command::new(self.program);
        command
            .args(["run", "--rm", "--name", &self.name])
            .args(["--cap-drop=ALL", "--security-opt=no-new-privileges"])
            .arg(format!("--memory={}m", job.memory_mib));
        for (from, to) in [
            (&stage.folder, CONTAINER_FOLDER.to_owned()),
            (&stage.outputs, format!("{CONTAINER_FOLDER}/output")),
            (&stage.cache, format!("{CONTAINER_FOLDER}/cache")),
        ] {
            command.arg(format!("--volume={}:{to}", from.display()));
        }
        for (name, value) in variables {
            command.arg(format!("--env={name}={value}"));
        }
        command
            .args([image, "dropcast-job", "--local-run", CONTAINER_FOLDER, "--"])
            .args(&job.command)
            .stdin(Stdio::null());
        if stdout_is_taken {
            command.stdout(std::io::stderr());
        }
        let mut child = command.spawn().map_err(|error| {
            CliError::new(
                Exit::NotFound,
                format!("{} could not be started: {error}.", self.program.display()),
            )
            .advice("Install Docker, or leave out --image to run a copy of the folder.")
        })?;
        let mut timed_out = false;
        let status = if let Ok(status) = tokio::time::timeout(limit, child.wait()).await {
            status
        } else {
            timed_out = true;
            self.stop().await;
            child.wait().await
        };
        let code = to_exit_code(status.context("waiting for the container")?);
        let listing = stage.folder.join(LISTING);
        // dropcast-job creates this file first.
        if !listing.exists()
            && let Some(error) = self.explain_start_failure(image, code)
        {
            return Err(error.into());
        }
        let files = if code == 0 && !timed_out {
            read_listing(&listing).with_context(|| format!("reading {}", listing.display()))?
        } else {
            Vec::new()
        };
        Ok(LocalRunResult {
            exit_code: code,
            timed_out,
            files,
        })
    }

    /// Why the container ended before `dropcast-job` started, by Docker's exit code.
    fn explain_start_failure(&self, image: &str, code: u8) -> Option<CliError> {
        let (message, advice) = match code {
            NOT_RUN => (
                format!(
                    "{} could not run the image {image}. Its own message is above.",
                    self.program.display()
                ),
                "List the local images with `docker image ls`.",
            ),
            NOT_EXECUTABLE | NOT_FOUND => (
                format!(
                    "The image {image} has no dropcast-job that can be executed (exit code {code})."
                ),
                "Copy it to a folder in the image's PATH, built for the image's architecture; see “Images” in docs/MODELS.md.",
            ),
            _ => return None,
        };
        Some(CliError::new(Exit::Failed, message).advice(advice))
    }

    /// Stops the container, unless it has ended.
    async fn stop(&self) {
        let mut stop = Command::new(self.program);
        stop.args(["stop", "--time", STOP_TIMEOUT, &self.name])
            .stdout(Stdio::null());
        let _ = stop.status().await;
    }
}

fn to_exit_code(status: ExitStatus) -> u8 {
    let of_signal = || status.signal().map(|signal| 128 + signal);
    let code = status.code().or_else(of_signal);
    code.and_then(|code| u8::try_from(code).ok())
        .unwrap_or(u8::MAX)
}

/// Reads the list of outputs that `dropcast-job` wrote.
fn read_listing(listing: &Path) -> anyhow::Result<Vec<WrittenFile>> {
    BufReader::new(File::open(listing)?)
        .lines()
        .map(|line| Ok(serde_json::from_str(&line?)?))
        .collect()
}
