//! What the local services have in common: they answer AWS's protocols on a port of their own,
//! publish events, write logs and run processes as containers.

pub(crate) mod aws;
pub(crate) mod clock;
pub(crate) mod events;
pub(crate) mod lines;
pub(crate) mod logs;
pub(crate) mod process;
pub(crate) mod server;

use std::{
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};

/// Why a local service does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The port is in use or reserved.
    #[error("the local {service} cannot listen on 127.0.0.1:{port}")]
    Listen {
        /// The AWS service, for example `Batch`.
        service: &'static str,
        /// The requested port.
        port: u16,
        /// The system's error.
        #[source]
        source: std::io::Error,
    },
    /// The folder for logs and temporary files cannot be created.
    #[error("the local {service} cannot use its folder {}", .folder.display())]
    Folder {
        /// The AWS service, for example `Batch`.
        service: &'static str,
        /// The folder's path.
        folder: PathBuf,
        /// The system's error.
        #[source]
        source: std::io::Error,
    },
}

/// Creates the folder in which a service keeps logs and temporary files.
pub(crate) async fn prepare_state(service: &'static str, folder: &Path) -> Result<(), StartError> {
    tokio::fs::create_dir_all(folder)
        .await
        .map_err(|source| StartError::Folder {
            service,
            folder: folder.to_owned(),
            source,
        })
}

/// Takes a lock, also after a panic in another thread: the guarded state is changed in whole steps.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
