//! Runs a model's image on an example, as `docker run … dropcast-job --local-run …` would.

use std::{
    fs::File,
    io::{self, BufRead, BufReader},
    os::fd::OwnedFd,
    path::Path,
    process::Stdio,
};

use dropcast_domain::ids::RunId;
use dropcast_model_folder::{ModelFolder, local_run::Stage};
use nix::sys::signal::Signal;
use serde::Deserialize;
use tokio::{io::AsyncReadExt, net::unix::pipe, process::Command};

use super::{config::CodeBuildConfig, log::Log};
use crate::{
    Image,
    service::{
        lines::Lines,
        process::{exit_code, inherit_environment, signal_group, signal_marked},
    },
};

/// The variable by which the processes of a build are known.
const MARK: &str = "CODEBUILD_BUILD_ID";
/// Where a local run lists what the model wrote.
const LISTING: &str = "files.jsonl";

/// A local run of an image.
pub(crate) struct LocalRun<'a> {
    pub(crate) config: &'a CodeBuildConfig,
    pub(crate) build: &'a str,
    pub(crate) model: &'a ModelFolder,
    pub(crate) image: &'a Image,
    pub(crate) run: RunId,
}

/// How a local run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LocalRunResult {
    pub(crate) exit_code: i32,
    /// What would be published, by path; nothing unless the exit code is 0.
    pub(crate) paths: Vec<String>,
}

#[derive(Deserialize)]
struct Line {
    path: String,
}

impl LocalRun<'_> {
    /// Runs the model's command on the files of a stage; its lines go to the log.
    pub(crate) async fn run(&self, stage: &Stage, log: &mut Log) -> io::Result<LocalRunResult> {
        let (reader, writer) = io::pipe()?;
        let mut output = pipe::Receiver::from_owned_fd(OwnedFd::from(reader))?;
        let mut command = self.command(stage);
        command.stdout(writer.try_clone()?).stderr(writer);
        let mut child = command.spawn()?;
        // It holds the pipe's other end, which must close with the processes.
        drop(command);
        let group = child.id().and_then(|id| i32::try_from(id).ok());
        // Dropped when the build is stopped, too.
        let _processes = Processes {
            group,
            build: self.build,
        };
        let mut lines = Lines::default();
        let mut chunk = vec![0; 16 * 1024];
        loop {
            let read = output.read(&mut chunk).await?;
            let complete = match read {
                0 => lines.finish(),
                _ => lines.feed(chunk.get(..read).unwrap_or_default()),
            };
            for line in complete {
                log.say(&line).await;
            }
            if read == 0 {
                break;
            }
        }
        let exit_code = exit_code(child.wait().await?);
        let paths = match exit_code {
            0 => listed(&stage.folder.join(LISTING))?,
            _ => Vec::new(),
        };
        Ok(LocalRunResult { exit_code, paths })
    }

    fn command(&self, stage: &Stage) -> Command {
        let inherited = inherit_environment();
        let path = inherited.get("PATH").cloned().unwrap_or_default();
        let runner = self.config.job_runner.parent().map(Path::to_owned);
        let path = self
            .image
            .path(runner.into_iter().chain(std::env::split_paths(&path)));
        let mut command = Command::new(&self.config.job_runner);
        command
            .arg("--local-run")
            .arg(&stage.folder)
            .arg("--")
            .args(&self.model.manifest.job.command)
            .current_dir(&self.image.folder)
            .env_clear()
            .envs(inherited)
            .envs(
                self.config
                    .environment
                    .iter()
                    .map(|(name, value)| (name, value)),
            )
            .env("PATH", path)
            .env("TMPDIR", &stage.temporary)
            .env("DROPCAST_RUN_ID", self.run.as_str())
            .env("DROPCAST_MODEL", self.model.manifest.name.as_str())
            .env("DROPCAST_VERSION", "0")
            .env("AWS_BATCH_JOB_ID", self.run.as_str())
            .env("AWS_BATCH_JOB_ATTEMPT", "1")
            .env(MARK, self.build)
            .stdin(Stdio::null())
            .process_group(0)
            .kill_on_drop(true);
        command
    }
}

/// The processes of a local run, which end with it.
struct Processes<'a> {
    group: Option<i32>,
    build: &'a str,
}

impl Drop for Processes<'_> {
    fn drop(&mut self) {
        if let Some(group) = self.group {
            signal_group(group, Signal::SIGKILL);
        }
        signal_marked(&[(MARK, self.build)], Signal::SIGKILL);
    }
}

fn listed(listing: &Path) -> io::Result<Vec<String>> {
    let lines = BufReader::new(File::open(listing)?).lines();
    lines
        .map(|line| Ok(serde_json::from_str::<Line>(&line?)?.path))
        .collect()
}
