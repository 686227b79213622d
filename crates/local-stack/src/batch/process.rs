//! Signals for a job's processes.
//!
//! A container takes everything in it along when it ends. Here an attempt is a process group, and
//! whatever left the group is known by the job's own variables in its environment.

use nix::errno::Errno;
use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;

/// The exit code that Docker gives a process that `status` describes.
pub(crate) fn exit_code(status: std::process::ExitStatus) -> i32 {
    use std::os::unix::process::ExitStatusExt;
    status
        .code()
        .or_else(|| status.signal().map(|signal| 128 + signal))
        .unwrap_or(255)
}

/// Sends a signal to a process group; one that is gone is no matter.
pub(crate) fn signal_group(group: i32, signal: Signal) {
    if let Err(error) = killpg(Pid::from_raw(group), signal)
        && error != Errno::ESRCH
    {
        tracing::warn!(group, %signal, %error, "a job's processes could not be signalled");
    }
}

/// Sends a signal to every process that carries this attempt's variables in its environment,
/// those that left the process group included.
pub(crate) fn signal_marked(job_id: &str, attempt: u32, signal: Signal) {
    let id = format!("AWS_BATCH_JOB_ID={job_id}").into_bytes();
    let number = format!("AWS_BATCH_JOB_ATTEMPT={attempt}").into_bytes();
    let Ok(processes) = std::fs::read_dir("/proc") else {
        return;
    };
    for process in processes.flatten() {
        let pid = process
            .file_name()
            .to_str()
            .and_then(|name| name.parse::<i32>().ok());
        let Some(pid) = pid else {
            continue;
        };
        let Ok(environment) = std::fs::read(process.path().join("environ")) else {
            continue;
        };
        let has = |variable: &Vec<u8>| {
            environment
                .split(|byte| *byte == 0)
                .any(|one| one == variable)
        };
        if has(&id) && has(&number) {
            // The process may have ended by itself in between.
            let _ = kill(Pid::from_raw(pid), signal);
        }
    }
}
