//! The AWS emulator: one child process with a process group and a data folder of its own.

use std::{
    fs::{self, File},
    net::{Ipv4Addr, TcpListener},
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use nix::{
    sys::signal::{Signal, killpg},
    unistd::Pid,
};
use tokio::{
    process::{Child, ChildStdin, Command},
    time::{Instant, sleep},
};

use crate::{CALLS_FILE, Error, Options, processes};

/// Its start script inside the repository.
const LAUNCHER: &str = "crates/local-stack/emulator/launch.py";
/// Where it says that it is ready.
const HEALTH: &str = "/_ministack/health";
/// It is up within a second; a machine that is busy building may need far longer.
const START_LIMIT: Duration = Duration::from_mins(1);
const POLL_INTERVAL: Duration = Duration::from_millis(20);
/// How many lines of its log an error shows.
const TAIL_LINES: usize = 15;
/// What of our own environment it may see: the shell's AWS settings and proxies would mislead it
/// and the functions, which inherit everything.
const INHERITED: [&str; 4] = ["PATH", "HOME", "LANG", "TZ"];

/// A running emulator. Dropping it kills it and everything that it started.
#[derive(Debug)]
pub(crate) struct Emulator {
    child: Child,
    /// Its standard input, whose end makes it stop.
    _tether: Option<ChildStdin>,
    group: i32,
    mark: String,
    log: PathBuf,
    data: PathBuf,
}

/// What of the emulator is decided before it starts.
pub(crate) struct Plan<'a> {
    pub(crate) options: &'a Options,
    pub(crate) port: u16,
    pub(crate) batch_endpoint: &'a str,
    pub(crate) codebuild_endpoint: &'a str,
    pub(crate) mark: &'a str,
}

impl Emulator {
    /// Starts it and waits until it answers.
    pub(crate) async fn start(plan: &Plan<'_>) -> Result<Self, Error> {
        let state = &plan.options.state;
        let (data, log) = (state.join("emulator"), state.join("emulator.log"));
        let mails = crate::mailbox::folder(state);
        for folder in [&data, &mails] {
            if folder.exists() {
                fs::remove_dir_all(folder).map_err(Error::at("emptying", folder))?;
            }
            fs::create_dir_all(folder).map_err(Error::at("creating", folder))?;
        }
        let output = File::create(&log).map_err(Error::at("creating", &log))?;
        let errors = output.try_clone().map_err(Error::at("opening", &log))?;
        let endpoint = endpoint(plan.port);
        let mut command = Command::new(&plan.options.python);
        command
            .arg(plan.options.repository.join(LAUNCHER))
            .env_clear()
            .envs(
                std::env::vars_os().filter(|(name, _)| {
                    name.to_str().is_some_and(|name| INHERITED.contains(&name))
                }),
            )
            .envs([
                ("GATEWAY_PORT", plan.port.to_string().as_str()),
                ("BIND_HOST", "127.0.0.1"),
                ("MINISTACK_HOST", "127.0.0.1"),
                ("MINISTACK_REGION", &plan.options.region),
                // Holds every function to its role in the template.
                ("AUTH", "true"),
                // Both would listen on fixed ports.
                ("IOT_MTLS_ENABLED", "0"),
                ("SFTP_ENABLED", "0"),
                ("AWS_ENDPOINT_URL", &endpoint),
                ("AWS_ENDPOINT_URL_BATCH", plan.batch_endpoint),
                ("AWS_ENDPOINT_URL_CODEBUILD", plan.codebuild_endpoint),
                ("AWS_DEFAULT_REGION", &plan.options.region),
                ("AWS_ACCESS_KEY_ID", "test"),
                ("AWS_SECRET_ACCESS_KEY", "test"),
                ("PYTHONUNBUFFERED", "1"),
                (processes::MARK, plan.mark),
            ])
            .envs([
                ("TMPDIR", &data),
                ("STATE_DIR", &data),
                ("S3_DATA_DIR", &data),
                ("DROPCAST_MAILS", &mails),
                ("DROPCAST_CALLS", &data.join(CALLS_FILE)),
            ])
            .envs(&plan.options.emulator_environment)
            .current_dir(&data)
            // The script ends everything when this pipe closes, which it does however we end.
            .stdin(Stdio::piped())
            .stdout(output)
            .stderr(errors)
            // A Ctrl-C at the terminal must reach us alone: we stop things in their order.
            .process_group(0)
            .kill_on_drop(true);
        let mut child = command
            .spawn()
            .map_err(Error::at("starting", &plan.options.python))?;
        // Held here, for waiting on a child closes the pipe that it still holds.
        let tether = child.stdin.take();
        let group = child.id().and_then(|id| i32::try_from(id).ok());
        let mut emulator = Self {
            group: group.ok_or_else(|| Error::call("starting the emulator")("it has no id"))?,
            child,
            _tether: tether,
            mark: plan.mark.to_owned(),
            log,
            data,
        };
        emulator.until_ready(&endpoint).await?;
        Ok(emulator)
    }

    /// Its process, which leads its process group.
    pub(crate) fn pid(&self) -> u32 {
        self.group.unsigned_abs()
    }

    /// Waits until it ends by itself, which it should not.
    pub(crate) async fn wait_for_exit(&mut self) -> Error {
        let what = match self.child.wait().await {
            Ok(status) => format!("ended by itself ({status})"),
            Err(error) => format!("was lost ({error})"),
        };
        self.failure(what)
    }

    /// Ends it. Its state is in memory and dies with it, so there is nothing to wait for.
    pub(crate) async fn stop(mut self) {
        self.kill();
        // Fails only when it was waited for already.
        let _ = self.child.wait().await;
        let data = std::mem::take(&mut self.data);
        // The unpacked functions are large and not needed any more.
        let _ = tokio::fs::remove_dir_all(data).await;
    }

    async fn until_ready(&mut self, endpoint: &str) -> Result<(), Error> {
        let url = format!("{endpoint}{HEALTH}");
        let client = crate::http::client()?;
        let deadline = Instant::now() + START_LIMIT;
        while Instant::now() < deadline {
            if let Some(status) = self.child.try_wait().ok().flatten() {
                return Err(self.failure(format!("ended while it started ({status})")));
            }
            let answer = client.get(&url).send().await;
            if answer.is_ok_and(|answer| answer.status().is_success()) {
                return Ok(());
            }
            sleep(POLL_INTERVAL).await;
        }
        Err(self.failure(format!("was not ready after {} s", START_LIMIT.as_secs())))
    }

    fn failure(&self, what: String) -> Error {
        Error::Emulator {
            what,
            log: self.log.clone(),
            tail: tail(&self.log),
        }
    }

    fn kill(&self) {
        // Gone already is as good.
        let _ = killpg(Pid::from_raw(self.group), Signal::SIGKILL);
        processes::kill_marked(&self.mark);
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Where an emulator on this port answers. By address: S3 then keeps buckets in paths, and nothing
/// has to resolve a name.
pub(crate) fn endpoint(port: u16) -> String {
    format!("http://127.0.0.1:{port}")
}

/// A port that is free now.
pub(crate) fn free_port() -> Result<u16, Error> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .and_then(|listener| listener.local_addr())
        .map(|address| address.port())
        .map_err(Error::call("finding a free port"))
}

fn tail(log: &Path) -> String {
    let text = fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(TAIL_LINES)..].join("\n")
}
