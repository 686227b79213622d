//! Signals for the processes of what would be a container.
//!
//! A container takes everything in it along when it ends. Here it is a process group, and
//! whatever left the group is known by variables of its own in its environment.

use std::collections::BTreeMap;

use nix::{
    errno::Errno,
    sys::signal::{Signal, kill, killpg},
    unistd::Pid,
};

/// Variables of our own process that a job may see; nothing else of it reaches a job.
const INHERITED: [&str; 6] = ["PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR"];

/// The part of our own environment that what runs in a container may see.
pub(crate) fn inherit_environment() -> BTreeMap<String, String> {
    std::env::vars()
        .filter(|(name, _)| INHERITED.contains(&name.as_str()))
        .collect()
}

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
        tracing::warn!(group, %signal, %error, "processes could not be signalled");
    }
}

/// Sends a signal to every process that carries these variables in its environment, those that
/// left the process group included.
pub(crate) fn signal_marked(marks: &[(&str, &str)], signal: Signal) {
    let marks: Vec<Vec<u8>> = marks
        .iter()
        .map(|(name, value)| format!("{name}={value}").into_bytes())
        .collect();
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
        if marks.iter().all(has) {
            // The process may have ended by itself in between.
            let _ = kill(Pid::from_raw(pid), signal);
        }
    }
}
