//! The state folder: who holds it, and where the stack is that runs in it.
//!
//! A running stack holds a lock on the file `lock`. The kernel gives it back when the process ends,
//! however it ends, so that a `stack.json` whose lock is free is known to be left over.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Write},
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

use crate::{Connection, Error, processes};

const DESCRIPTION: &str = "stack.json";
const LOCK: &str = "lock";
/// Commands that ask whether a stack is running hold the lock for a moment; a starting stack waits.
const LOCK_TIMEOUT: Duration = Duration::from_millis(200);
/// A stack that is asked to stop ends its jobs first, which get a second.
const STOP_LIMIT: Duration = Duration::from_secs(15);
const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// A state folder that is ours as long as this lives.
#[derive(Debug)]
pub(crate) struct StateLock {
    _lock: File,
    state: PathBuf,
}

impl StateLock {
    /// Makes the folder ours, or says whose it is. What a dead stack left there is cleared away.
    pub(crate) fn take(state: &Path) -> Result<Self, Error> {
        fs::create_dir_all(state).map_err(Error::at("creating", state))?;
        // The folder is for this machine only, whatever the repository's own rules say.
        let ignore = state.join(".gitignore");
        fs::write(&ignore, "*\n").map_err(Error::at("writing", &ignore))?;
        let path = state.join(LOCK);
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(Error::at("opening", &path))?;
        let started = Instant::now();
        loop {
            match lock.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) if started.elapsed() < LOCK_TIMEOUT => {
                    thread::sleep(POLL_INTERVAL);
                }
                Err(TryLockError::WouldBlock) => {
                    return Err(Error::AlreadyUp {
                        state: state.to_owned(),
                        pid: describe(state).ok().map(|running| running.pid),
                    });
                }
                Err(TryLockError::Error(source)) => {
                    return Err(Error::at("locking", &path)(source));
                }
            }
        }
        if let Ok(left_over) = describe(state) {
            processes::kill_marked(&left_over.mark);
        }
        let state_lock = Self {
            _lock: lock,
            state: state.to_owned(),
        };
        state_lock.withdraw();
        Ok(state_lock)
    }

    /// Publishes where the stack is. Readers see the whole description or none.
    pub(crate) fn publish(&self, connection: &Connection) -> Result<(), Error> {
        let path = self.state.join(DESCRIPTION);
        let unfinished = self.state.join(format!("{DESCRIPTION}.new"));
        let write = || -> io::Result<()> {
            let mut file = File::create(&unfinished)?;
            serde_json::to_writer_pretty(&mut file, connection)?;
            file.write_all(b"\n")?;
            fs::rename(&unfinished, &path)
        };
        write().map_err(Error::at("writing", &path))
    }

    /// Removes the published description.
    pub(crate) fn withdraw(&self) {
        // Absent when nothing was published.
        let _ = fs::remove_file(self.state.join(DESCRIPTION));
    }
}

impl Drop for StateLock {
    fn drop(&mut self) {
        self.withdraw();
    }
}

/// The stack that is up in a state folder.
pub(crate) fn read_running(state: &Path) -> Result<Connection, Error> {
    if is_free(state) {
        return Err(Error::NotUp {
            state: state.to_owned(),
        });
    }
    match describe(state) {
        // The stack is starting or stopping.
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(Error::NotUp {
            state: state.to_owned(),
        }),
        description => description.map_err(Error::at("reading", &state.join(DESCRIPTION))),
    }
}

/// Asks the stack's process to stop and waits until it has let go of its folder.
pub(crate) async fn stop(connection: &Connection) -> Result<(), Error> {
    let doing = || format!("stopping the local stack (process {})", connection.pid);
    // The lock proves that the process is alive, so that no other process with its id is killed.
    if read_running(&connection.state).is_ok_and(|running| running.mark == connection.mark) {
        let pid = i32::try_from(connection.pid).map_err(Error::call(doing()))?;
        kill(Pid::from_raw(pid), Signal::SIGTERM).map_err(Error::call(doing()))?;
    }
    let started = Instant::now();
    while !is_free(&connection.state) {
        if started.elapsed() > STOP_LIMIT {
            return Err(Error::call(doing())("it did not stop in time"));
        }
        tokio::time::sleep(POLL_INTERVAL).await;
    }
    Ok(())
}

fn describe(state: &Path) -> io::Result<Connection> {
    Ok(serde_json::from_slice(&fs::read(state.join(DESCRIPTION))?)?)
}

/// Whether no process has locked the folder.
fn is_free(state: &Path) -> bool {
    match File::open(state.join(LOCK)) {
        Ok(file) => !matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)),
        Err(_) => true,
    }
}
