//! A local AWS CodeBuild: the API of AWS CodeBuild for one machine, where an image is a snapshot of
//! a model's folder.
//!
//! It speaks the JSON 1.1 API of 2016-10-06 (`StartBuild`, `StopBuild`, `BatchGetBuilds`,
//! `ListBuildsForProject`, `ListBuilds`, `BatchGetProjects`), walks a build through the phases of AWS
//! CodeBuild, sends its events through an emulator's EventBridge and writes the builds' logs into
//! its CloudWatch Logs. There is one project. It builds a zip file in S3: checks the model's folder
//! and its examples as `dropcast validate` does, makes the image, runs it on the first
//! accepted example of each format by `dropcast-job --local-run`, and writes
//! `builds/<build id>/version.json` into the bucket that the zip file lies in. Builds are kept for as
//! long as the service runs.
//!
//! Tests ask for what only a cloud provokes at `/_dropcast/faults`: `POST` a fault, `GET` those
//! that are still to come, `DELETE` all.
//!
//! The rules are in `core`, which performs nothing; the other modules perform and decide nothing.

mod config;
mod core;
mod error;
mod local_run;
mod log;
mod server;
mod shell;
mod source;
mod wire;
mod work;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinHandle;

pub use config::CodeBuildConfig;

use crate::service::aws::Clients;
use crate::service::events;
use crate::service::server::Server;
use shell::Shell;

/// How long builds that are told to stop may take to do so.
const LAST_BUILDS: Duration = Duration::from_secs(1);
const GLANCE: Duration = Duration::from_millis(5);

/// Why the local CodeBuild does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The port cannot be had.
    #[error("the local CodeBuild cannot listen on 127.0.0.1:{port}")]
    Listen {
        /// The port that was asked for.
        port: u16,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
    /// The folder for sources and logs cannot be made.
    #[error("the local CodeBuild cannot use its folder {}", .folder.display())]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
}

/// A running local CodeBuild. Dropping it ends every build and what it started;
/// [`shutdown`](CodeBuildService::shutdown) waits until that is done.
pub struct CodeBuildService {
    server: Server,
    shell: Arc<Shell>,
    publisher: JoinHandle<()>,
}

impl CodeBuildService {
    /// Starts the service on 127.0.0.1. It must run inside a Tokio runtime with more than one
    /// thread or one that is driven all the time.
    pub async fn start(config: CodeBuildConfig) -> Result<Self, StartError> {
        tokio::fs::create_dir_all(&config.state)
            .await
            .map_err(|source| StartError::Folder {
                folder: config.state.clone(),
                source,
            })?;
        let port = config.port;
        let clients = Clients::new(&config.emulator, &config.region);
        let (sender, receiver) = mpsc::unbounded_channel();
        let source = config.event_source.clone();
        let publisher = tokio::spawn(events::publish(clients.events.clone(), source, receiver));
        let shell = Shell::new(config, clients, sender);
        let server = Server::start("CodeBuild", port, || server::router(Arc::clone(&shell)))
            .await
            .map_err(|source| StartError::Listen { port, source })?;
        Ok(Self {
            server,
            shell,
            publisher,
        })
    }

    /// Where the API is, for example `http://127.0.0.1:40123`: what `AWS_ENDPOINT_URL_CODEBUILD`
    /// is set to.
    pub fn endpoint(&self) -> &str {
        self.server.endpoint()
    }

    /// The name of the one project.
    pub fn project(&self) -> &str {
        &self.shell.config.project
    }

    /// Stops answering and ends every build. The ends of the builds that it stops are not
    /// announced: there is nobody left to act on them.
    pub async fn shutdown(mut self) {
        self.server.stop();
        self.shell.close();
        let all_ended = async {
            while !self.shell.is_idle() {
                tokio::time::sleep(GLANCE).await;
            }
        };
        let _ = tokio::time::timeout(LAST_BUILDS, all_ended).await;
    }
}

impl Drop for CodeBuildService {
    fn drop(&mut self) {
        self.shell.close();
        self.publisher.abort();
    }
}
