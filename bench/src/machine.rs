//! The machine, and what others are doing with it.

use std::{fmt, fs, path::Path, process::Command, time::Duration};

use anyhow::Context as _;
use nix::{time::clock_getcpuclockid, unistd::Pid};
use serde::Serialize;

/// What a figure depends on beside the code.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Machine {
    cores: usize,
    processor: String,
    memory_mb: u64,
    /// Processes that ran or wanted to, as means over 1, 5 and 15 minutes.
    load_before: [f64; 3],
    /// The commit that is checked out.
    commit: Option<String>,
}

impl Machine {
    /// Looks at the machine now.
    pub(crate) fn look(repository: &Path) -> anyhow::Result<Self> {
        let processors = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let processor = processors
            .lines()
            .find_map(|line| line.strip_prefix("model name"))
            .map_or("unknown", |rest| rest.trim_start_matches([' ', '\t', ':']));
        let memory = fs::read_to_string("/proc/meminfo").unwrap_or_default();
        Ok(Self {
            cores: std::thread::available_parallelism()?.get(),
            processor: processor.to_owned(),
            memory_mb: kib(&memory, "MemTotal:").unwrap_or_default() / 1_000,
            load_before: load()?,
            commit: commit(repository),
        })
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [one, five, _] = self.load_before;
        write!(
            f,
            "  {} cores ({}), load before {one} (1 min), {five} (5 min)",
            self.cores, self.processor
        )
    }
}

/// The load averages.
pub(crate) fn load() -> anyhow::Result<[f64; 3]> {
    let text = fs::read_to_string("/proc/loadavg").context("the bench needs Linux's /proc")?;
    let mut means = text.split(' ').map(str::parse);
    let mut next = || anyhow::Ok(means.next().context("/proc/loadavg is short")??);
    Ok([next()?, next()?, next()?])
}

/// The most memory that a process has had in its RAM so far, in bytes.
pub(crate) fn peak_memory(pid: u32) -> anyhow::Result<u64> {
    let path = format!("/proc/{pid}/status");
    let status = fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))?;
    let peak = kib(&status, "VmHWM:").with_context(|| format!("{path} has no VmHWM"))?;
    Ok(peak * 1_024)
}

/// The processor time that a process has used so far, that of its ended threads included. The
/// kernel's clock of a process counts nanoseconds, `/proc` hundredths of a second.
pub(crate) fn processor_time(pid: u32) -> anyhow::Result<Duration> {
    let clock = clock_getcpuclockid(Pid::from_raw(pid.try_into()?))
        .with_context(|| format!("the process {pid} has no clock"))?;
    Ok(clock.now()?.into())
}

/// One variable of a process's environment.
pub(crate) fn variable_of(pid: u32, name: &str) -> Option<String> {
    let environment = fs::read(format!("/proc/{pid}/environ")).ok()?;
    environment.split(|byte| *byte == 0).find_map(|entry| {
        let (key, value) = std::str::from_utf8(entry).ok()?.split_once('=')?;
        (key == name).then(|| value.to_owned())
    })
}

fn kib(text: &str, key: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(key))?;
    line.trim().trim_end_matches(" kB").parse().ok()
}

fn commit(repository: &Path) -> Option<String> {
    let answer = Command::new("git")
        .args(["rev-parse", "--short", "HEAD"])
        .current_dir(repository)
        .output()
        .ok()?;
    let text = String::from_utf8(answer.stdout).ok()?;
    answer.status.success().then(|| text.trim().to_owned())
}
