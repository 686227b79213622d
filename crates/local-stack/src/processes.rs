//! Finding and ending the processes that belong to a stack.
//!
//! Each carries the stack's mark in its environment: the emulator, the functions that it starts,
//! and the jobs. So none is missed that left its process group or lost its parent.

use std::fs;

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

/// The variable that carries the mark.
pub(crate) const MARK: &str = "DROPCAST_LOCAL_STACK";

/// The processes that carry a mark, our own left out. None where the system has no `/proc`.
pub fn marked(mark: &str) -> Vec<u32> {
    let variable = format!("{MARK}={mark}").into_bytes();
    let Ok(entries) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    entries
        .flatten()
        .filter_map(|entry| {
            let pid = entry.file_name().to_str()?.parse::<u32>().ok()?;
            let environment = fs::read(entry.path().join("environ")).ok()?;
            let carries = environment
                .split(|byte| *byte == 0)
                .any(|entry| entry == variable);
            (carries && pid != std::process::id()).then_some(pid)
        })
        .collect()
}

/// Kills the processes that carry a mark, until a look finds none: one may be starting another.
pub(crate) fn kill_marked(mark: &str) {
    for _ in 0..20 {
        let found = marked(mark);
        if found.is_empty() {
            return;
        }
        for pid in found {
            if let Ok(pid) = i32::try_from(pid) {
                // It may have ended by itself in between.
                let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
            }
        }
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
}
