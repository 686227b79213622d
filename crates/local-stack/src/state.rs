//! The state folder: who holds it, and where the stack is that runs in it.
//!
//! A running stack holds a lock on the file `lock`. The kernel gives it back when the process ends,
//! however it ends, so that a `stack.json` whose lock is free is known to be left over.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::{Connection, Error, processes};

const DESCRIPTION: &str = "stack.json";
const LOCK: &str = "lock";
/// Those who only look hold the lock for a moment; a stack that starts then tries again.
const PATIENCE: Duration = Duration::from_millis(200);
/// A stack that is asked to stop ends its jobs first, which get a second.
const STOP_LIMIT: Duration = Duration::from_secs(15);
const GLANCE: Duration = Duration::from_millis(20);

/// A state folder that is ours as long as this lives.
#[derive(Debug)]
pub(crate) struct Hold {
    _lock: File,
    state: PathBuf,
}

impl Hold {
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
                Err(TryLockError::WouldBlock) if started.elapsed() < PATIENCE => {
                    thread::sleep(GLANCE);
                }
                Err(TryLockError::WouldBlock) => {
                    return Err(Error::AlreadyUp {
                        state: state.to_owned(),
                        pid: describe(state).ok().map(|standing| standing.pid),
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
        let hold = Self {
            _lock: lock,
            state: state.to_owned(),
        };
        hold.withdraw();
        Ok(hold)
    }

    /// Tells others where the stack is. They read the whole description or none.
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

    /// Tells nobody any more.
    pub(crate) fn withdraw(&self) {
        // Absent when nothing was published.
        let _ = fs::remove_file(self.state.join(DESCRIPTION));
    }
}

impl Drop for Hold {
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
    // The lock tells that the process lives, so that no stranger with its number is met.
    if read_running(&connection.state).is_ok_and(|running| running.mark == connection.mark) {
        let pid = i32::try_from(connection.pid).map_err(Error::call(doing()))?;
        kill(Pid::from_raw(pid), Signal::SIGTERM).map_err(Error::call(doing()))?;
    }
    let started = Instant::now();
    while !is_free(&connection.state) {
        if started.elapsed() > STOP_LIMIT {
            return Err(Error::call(doing())("it did not stop in time"));
        }
        tokio::time::sleep(GLANCE).await;
    }
    Ok(())
}

fn describe(state: &Path) -> io::Result<Connection> {
    Ok(serde_json::from_slice(&fs::read(state.join(DESCRIPTION))?)?)
}

/// Whether nobody holds the folder.
fn is_free(state: &Path) -> bool {
    match File::open(state.join(LOCK)) {
        Ok(file) => !matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)),
        Err(_) => true,
    }
}
