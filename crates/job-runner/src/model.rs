//! The model's process.

use std::{
    ffi::OsString,
    fs, io,
    os::unix::process::{CommandExt as _, ExitStatusExt as _},
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
    time::Duration,
};

use nix::{
    errno::Errno,
    sys::{
        prctl::set_child_subreaper,
        signal::{Signal, kill, killpg},
        wait::{Id, WaitPidFlag, WaitStatus, waitid, waitpid},
    },
    unistd::Pid,
};
use tokio::time::Instant;

use crate::{
    error::{JobError, exit_code_of_signal},
    signals::{Signals, asks_for_the_end},
};

/// What the model's other processes have to end by themselves after the model did, such as a
/// `tee` that still writes the last lines.
const GRACE: Duration = Duration::from_secs(1);
const LOOK_AGAIN: Duration = Duration::from_millis(5);
/// What Amazon ECS leaves a container between SIGTERM and SIGKILL.
const GRACE_AT_THE_LIMIT: Duration = Duration::from_secs(30);

/// Where the model runs, and for how long, where nobody outside looks after that.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Bounds<'a> {
    /// The folder that it runs in; the current one otherwise.
    pub(crate) folder: Option<&'a Path>,
    /// How long it may take. AWS Batch sees to that in a job.
    pub(crate) limit: Option<Duration>,
    /// Whether its stdout goes to our stderr.
    pub(crate) stdout_is_taken: bool,
}

/// How the model ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ended {
    /// Its exit code, or 128 + n when signal n ended it.
    pub(crate) exit_code: u8,
    /// The first signal that asked it to end, if one did.
    pub(crate) asked_by: Option<Signal>,
    /// Whether it took longer than it may.
    pub(crate) timed_out: bool,
    /// Whether processes that it left running had to be killed.
    pub(crate) left_processes: bool,
}

/// Runs the model in its folder and a process group of its own, with our stdout and
/// stderr, our environment and `variables`; passes every signal on to the whole group.
///
/// What the model leaves running is ended, as the end of its container would: nothing may write
/// to the output folder while it is uploaded.
pub(crate) async fn run(
    command: &[OsString],
    variables: &[(&str, OsString)],
    bounds: Bounds<'_>,
    signals: &mut Signals,
) -> Result<Ended, JobError> {
    // Orphans of the model become our children, as if we were process 1 of the container: they can
    // be reaped and, at the end, found. Where the kernel refuses, only the group is looked after.
    let _ = set_child_subreaper(true);
    let mut child = start(command, variables, bounds)?;
    let group = Pid::from_raw(child.id().cast_signed());
    let mut asked_by = None;
    let mut timed_out = false;
    let mut due = bounds.limit.map(|limit| Instant::now() + limit);
    let mut ended = tokio::task::spawn_blocking(move || wait_for_the_end(group));
    loop {
        tokio::select! {
            biased;
            _ = &mut ended => break,
            signal = signals.next() => {
                if asks_for_the_end(signal) {
                    asked_by = asked_by.or(Some(signal));
                }
                // It may have ended this moment; it is reaped below, so its id is still its own.
                let _ = killpg(group, signal);
            }
            () = reached(due) => {
                let signal = if timed_out { Signal::SIGKILL } else { Signal::SIGTERM };
                let _ = killpg(group, signal);
                due = (!timed_out).then(|| Instant::now() + GRACE_AT_THE_LIMIT);
                timed_out = true;
            }
        }
    }
    let status = child
        .wait()
        .map_err(|error| JobError::WorkFolder(format!("the model was lost: {error}")))?;
    let left_processes = end_the_rest(group).await;
    Ok(Ended {
        exit_code: exit_code(status),
        asked_by,
        timed_out,
        left_processes,
    })
}

/// Ends when a moment has come; never when there is none.
async fn reached(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due).await,
        None => std::future::pending().await,
    }
}

fn start(
    command: &[OsString],
    variables: &[(&str, OsString)],
    bounds: Bounds<'_>,
) -> Result<Child, JobError> {
    let Some((program, arguments)) = command.split_first() else {
        return Err(JobError::Usage("no command was given".to_owned()));
    };
    let shown = program.to_string_lossy();
    let mut process = Command::new(program);
    if let Some(folder) = bounds.folder {
        process.current_dir(folder);
    }
    if bounds.stdout_is_taken {
        process.stdout(io::stderr());
    }
    process
        .args(arguments)
        .envs(variables.iter().map(|(key, value)| (key, value)))
        // A group in the background that reads from a terminal would be stopped for ever.
        .stdin(Stdio::null())
        .process_group(0)
        .spawn()
        .map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => JobError::NotFound(format!("{shown:?} was not found")),
            _ => JobError::NotExecutable(format!("{shown:?} cannot be started: {error}")),
        })
}

/// Blocks until the model has ended and leaves it to be reaped, so that its id is not given to
/// another process while signals may still be sent to it. Reaps the orphans meanwhile.
fn wait_for_the_end(model: Pid) {
    let mut orphans_too = true;
    loop {
        let whom = if orphans_too { Id::All } else { Id::Pid(model) };
        match waitid(whom, WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT) {
            Err(Errno::EINTR) => {}
            // A process that a real-time signal ended has a status that nix cannot tell; whose it
            // is stays unknown, so orphans have to wait from here on.
            Err(_) if orphans_too => orphans_too = false,
            Err(_) => return,
            Ok(status) => match status.pid() {
                Some(orphan) if orphan != model => {
                    let _ = waitpid(orphan, Some(WaitPidFlag::WNOHANG));
                }
                _ => return,
            },
        }
    }
}

/// Waits for everything that the model started to end, kills what is left after [`GRACE`], and
/// says whether it had to.
async fn end_the_rest(group: Pid) -> bool {
    let all_gone = async |kill_them: bool| {
        while !is_gone(group) {
            if kill_them {
                let _ = killpg(group, Signal::SIGKILL);
                for orphan in children() {
                    let _ = kill(orphan, Signal::SIGKILL);
                }
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    };
    if tokio::time::timeout(GRACE, all_gone(false)).await.is_ok() {
        return false;
    }
    let _ = tokio::time::timeout(GRACE, all_gone(true)).await;
    true
}

/// Reaps every orphan that has ended and says whether none is left, in the group or out of it.
fn is_gone(group: Pid) -> bool {
    loop {
        match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
            Ok(WaitStatus::StillAlive) => return false,
            Err(Errno::ECHILD) => return killpg(group, None) == Err(Errno::ESRCH),
            // A real-time signal's end is an error here, but the process is reaped nevertheless.
            Ok(_) | Err(_) => {}
        }
    }
}

/// Our children, as the kernel lists them: none of them is reaped, so no id is another's by now.
fn children() -> Vec<Pid> {
    let tasks = fs::read_dir("/proc/self/task")
        .into_iter()
        .flatten()
        .flatten();
    let lists = tasks.filter_map(|task| fs::read_to_string(task.path().join("children")).ok());
    let ids = lists.flat_map(|list| {
        let ids = list.split_whitespace().filter_map(|id| id.parse().ok());
        ids.map(Pid::from_raw).collect::<Vec<_>>()
    });
    ids.collect()
}

/// The model's own exit code, or what a shell would say of a signal.
fn exit_code(status: ExitStatus) -> u8 {
    match (status.code(), status.signal()) {
        // The kernel keeps the low eight bits only.
        (Some(code), _) => u8::try_from(code & 0xff).unwrap_or(u8::MAX),
        (None, Some(signal)) => exit_code_of_signal(signal),
        (None, None) => u8::MAX,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exit_codes_are_kept_and_signals_are_reported_as_a_shell_does() {
        assert_eq!(exit_code(ExitStatus::from_raw(0)), 0);
        assert_eq!(exit_code(ExitStatus::from_raw(3 << 8)), 3);
        assert_eq!(exit_code(ExitStatus::from_raw(255 << 8)), 255);
        assert_eq!(exit_code(ExitStatus::from_raw(9)), 137);
        assert_eq!(exit_code(ExitStatus::from_raw(15)), 143);
    }

    #[test]
    fn a_missing_command_has_another_exit_code_than_one_that_cannot_start() {
        let missing = start(&["no-such-command".into()], &[], Bounds::default()).unwrap_err();
        assert_eq!(missing.exit_code(), 127);
        let folder = tempfile::tempdir().unwrap();
        let plain = folder.path().join("plain");
        std::fs::write(&plain, "not a program").unwrap();
        let not_executable = start(&[plain.into()], &[], Bounds::default()).unwrap_err();
        assert_eq!(not_executable.exit_code(), 126);
    }
}
