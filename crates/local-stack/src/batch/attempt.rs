//! Runs one attempt of a job as a process group.

use std::{
    collections::BTreeMap,
    io,
    os::fd::OwnedFd,
    path::{Path, PathBuf},
    process::Stdio,
    sync::Arc,
    time::Duration,
};

use nix::sys::signal::Signal;
use tokio::{
    fs::File,
    io::{AsyncReadExt, AsyncWriteExt},
    net::unix::pipe,
    process::{Child, Command},
    sync::mpsc::UnboundedReceiver,
    time::Instant,
};

use super::{config::BatchConfig, core::LaunchRequest, image, secrets, service::Shell};
use crate::service::{
    aws, clock,
    lines::Lines,
    logs::LogStream,
    process,
    process::{exit_code, signal_group},
};

/// The log group of AWS Batch.
pub(crate) const LOG_GROUP: &str = "/aws/batch/job";
/// How long output may still come once the process has ended and its group is killed.
const LAST_OUTPUT: Duration = Duration::from_millis(500);
/// How long the last lines may take to reach CloudWatch Logs before the job is called ended.
const LAST_LINES: Duration = Duration::from_secs(5);

/// An order to stop: SIGTERM and SIGKILL after the grace, or SIGKILL at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct StopOrder {
    pub(crate) at_once: bool,
}

/// Runs the attempt from its start to its end, and reports both.
pub(crate) async fn run(
    shell: Arc<Shell>,
    launch: LaunchRequest,
    mut orders: UnboundedReceiver<StopOrder>,
) {
    let (job, attempt) = (launch.job_id.clone(), launch.attempt);
    let prepared = prepare(&shell, &launch).await;
    let (mut child, group, folder, output) = match prepared {
        Ok(started) => started,
        Err(reason) => {
            shell.forget(&job, attempt);
            shell.act(|core, now| core.could_not_start(&job, attempt, &reason, now));
            return;
        }
    };
    shell.remember_group(&job, attempt, group);
    shell.act(|core, now| core.started(&job, attempt, now));
    let stream = shell.logs.clone().map(|client| {
        let interval = shell.config.timings.log_interval;
        LogStream::open(client, LOG_GROUP, launch.log_stream_name.clone(), interval)
    });
    let reading = tokio::spawn(read(output, folder.log(), stream));
    let marks = (job.clone(), attempt);
    let status = wait(&mut child, group, &marks, &mut orders, &shell.config).await;
    let ended_at = clock::now();
    signal_group(group, Signal::SIGKILL);
    finish_output(reading, &marks).await;
    // The exit is known now; readers of the event may look for the lines.
    shell.forget(&job, attempt);
    let code = status.map_or(255, exit_code);
    shell.act(|core, _| core.exited(&job, attempt, code, ended_at));
    let temporary = folder.temporary();
    // Not on the way of the job's event: both can take some milliseconds.
    let _ = tokio::task::spawn_blocking(move || {
        signal_marked(&marks.0, marks.1, Signal::SIGKILL);
        if let Err(error) = std::fs::remove_dir_all(&temporary) {
            tracing::debug!(%error, folder = %temporary.display(), "temporary files could not be deleted");
        }
    })
    .await;
}

/// Where an attempt keeps its files.
struct Folder {
    job: PathBuf,
    attempt: u32,
}

impl Folder {
    fn log(&self) -> PathBuf {
        self.job.join(format!("attempt-{}.log", self.attempt))
    }

    fn temporary(&self) -> PathBuf {
        self.job.join(format!("attempt-{}.tmp", self.attempt))
    }
}

/// Starts the process, or says in the words of Amazon ECS why it cannot be.
async fn prepare(
    shell: &Shell,
    launch: &LaunchRequest,
) -> Result<(Child, i32, Folder, pipe::Receiver), String> {
    let config = &shell.config;
    let snapshot = image::find(&config.images, &launch.image).map_err(|error| error.to_string())?;
    let Some((program, arguments)) = launch.command.split_first() else {
        return Err(
            "CannotStartContainerError: Error response from daemon: no command specified"
                .to_owned(),
        );
    };
    let secrets = secrets::fetch(shell.secrets.as_ref(), &launch.secrets).await?;
    let folder = Folder {
        job: config.state.join("jobs").join(&launch.job_id),
        attempt: launch.attempt,
    };
    let temporary = folder.temporary();
    let created = |error: io::Error| {
        format!(
            "CannotCreateContainerError: {}: {error}",
            temporary.display()
        )
    };
    tokio::fs::create_dir_all(&temporary)
        .await
        .map_err(created)?;
    let (reader, writer) = io::pipe().map_err(created)?;
    let output = pipe::Receiver::from_owned_fd(OwnedFd::from(reader)).map_err(created)?;
    let mut command = Command::new(program);
    command
        .args(arguments)
        .current_dir(&snapshot)
        .env_clear()
        .envs(environment(config, &snapshot, &temporary))
        .envs(launch.environment.iter().map(|(name, value)| (name, value)))
        .envs(secrets)
        .stdin(Stdio::null())
        .stdout(writer.try_clone().map_err(created)?)
        .stderr(writer)
        .process_group(0)
        .kill_on_drop(true);
    let child = command.spawn().map_err(|error| {
        format!("CannotStartContainerError: Error response from daemon: failed to create task: exec: \"{program}\": {error}")
    })?;
    let group = child.id().and_then(|id| i32::try_from(id).ok());
    let group =
        group.ok_or_else(|| "CannotStartContainerError: the process has no id".to_owned())?;
    Ok((child, group, folder, output))
}

/// What a job's environment holds before its definition's own variables.
fn environment(
    config: &BatchConfig,
    snapshot: &Path,
    temporary: &Path,
) -> BTreeMap<String, std::ffi::OsString> {
    let mut all: BTreeMap<String, std::ffi::OsString> = BTreeMap::new();
    for (name, value) in &config.inherited {
        all.insert(name.clone(), value.into());
    }
    let folders = [
        Some(snapshot.join(".venv/bin")),
        config.job_runner_folder.clone(),
    ];
    let inherited = config.inherited.get("PATH").cloned().unwrap_or_default();
    let path = folders
        .into_iter()
        .flatten()
        .chain(std::env::split_paths(&inherited));
    // Fails only for a folder with a colon in its name, which then cannot be in a PATH.
    if let Ok(path) = std::env::join_paths(path) {
        all.insert("PATH".to_owned(), path);
    }
    all.insert("TMPDIR".to_owned(), temporary.into());
    for name in ["AWS_REGION", "AWS_DEFAULT_REGION"] {
        all.insert(name.to_owned(), config.region.clone().into());
    }
    all.insert("AWS_ACCESS_KEY_ID".to_owned(), aws::ACCESS_KEY.into());
    all.insert("AWS_SECRET_ACCESS_KEY".to_owned(), aws::SECRET_KEY.into());
    if let Some(endpoint) = &config.emulator {
        all.insert("AWS_ENDPOINT_URL".to_owned(), endpoint.into());
    }
    for (name, value) in &config.environment {
        all.insert(name.clone(), value.into());
    }
    all
}

/// Sends a signal to everything that belongs to an attempt.
pub(crate) fn signal_marked(job: &str, attempt: u32, signal: Signal) {
    let attempt = attempt.to_string();
    let marks = [
        ("AWS_BATCH_JOB_ID", job),
        ("AWS_BATCH_JOB_ATTEMPT", attempt.as_str()),
    ];
    process::signal_marked(&marks, signal);
}

/// Waits for the process to end, and stops it on request.
async fn wait(
    child: &mut Child,
    group: i32,
    marks: &(String, u32),
    orders: &mut UnboundedReceiver<StopOrder>,
    config: &BatchConfig,
) -> Option<std::process::ExitStatus> {
    let mut kill_at: Option<Instant> = None;
    loop {
        let grace_over = async {
            match kill_at {
                Some(instant) => tokio::time::sleep_until(instant).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            status = child.wait() => return status.ok(),
            Some(order) = orders.recv() => {
                if order.at_once {
                    kill_all(group, marks).await;
                } else if kill_at.is_none() {
                    signal_group(group, Signal::SIGTERM);
                    kill_at = Some(Instant::now() + config.timings.kill_grace);
                }
            }
            () = grace_over => {
                kill_at = None;
                kill_all(group, marks).await;
            }
        }
    }
}

/// Kills the group and everything else that belongs to the attempt: like the end of a container.
async fn kill_all(group: i32, marks: &(String, u32)) {
    let (job, attempt) = marks.clone();
    let _ = tokio::task::spawn_blocking(move || {
        signal_marked(&job, attempt, Signal::SIGKILL);
        signal_group(group, Signal::SIGKILL);
    })
    .await;
}

/// Waits for the end of the output; processes that left the group and still hold it are killed.
async fn finish_output(
    mut reading: tokio::task::JoinHandle<Option<LogStream>>,
    marks: &(String, u32),
) {
    let mut read = tokio::time::timeout(LAST_OUTPUT, &mut reading).await;
    if read.is_err() {
        let (job, attempt) = marks.clone();
        let _ = tokio::task::spawn_blocking(move || {
            signal_marked(&job, attempt, Signal::SIGKILL);
        })
        .await;
        read = tokio::time::timeout(LAST_OUTPUT, &mut reading).await;
    }
    match read {
        Ok(Ok(Some(stream))) => stream.close(LAST_LINES).await,
        Ok(_) => {}
        Err(_) => reading.abort(),
    }
}

/// Copies output into the file and the log stream until it ends.
async fn read(
    mut output: pipe::Receiver,
    path: PathBuf,
    stream: Option<LogStream>,
) -> Option<LogStream> {
    let mut file = match File::create(&path).await {
        Ok(file) => Some(file),
        Err(error) => {
            tracing::warn!(%error, file = %path.display(), "a job's output could not be stored");
            None
        }
    };
    let mut lines = Lines::default();
    let mut chunk = vec![0; 16 * 1024];
    while let Ok(length) = output.read(&mut chunk).await {
        let bytes = chunk.get(..length).unwrap_or_default();
        let complete = if bytes.is_empty() {
            lines.finish()
        } else {
            lines.feed(bytes)
        };
        if let Some(stream) = &stream {
            for line in complete {
                stream.write(line).await;
            }
        }
        if let Some(file) = &mut file {
            // A full disk must not end the job; its output is in CloudWatch Logs.
            let _ = file.write_all(bytes).await;
        }
        if bytes.is_empty() {
            break;
        }
    }
    if let Some(file) = &mut file {
        let _ = file.flush().await;
    }
    stream
}
