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

use std::{sync::Arc, time::Duration};

pub use config::CodeBuildConfig;
use shell::Shell;
use tokio::{sync::mpsc, task::JoinHandle};

use crate::service::{StartError, aws::Clients, events, prepare_state, server::Server};

/// How long builds that are stopped may take to end.
const LAST_BUILDS: Duration = Duration::from_secs(1);
const POLL_INTERVAL: Duration = Duration::from_millis(5);

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
        prepare_state("CodeBuild", &config.state).await?;
        let port = config.port;
        let clients = Clients::new(&config.emulator, &config.region);
        let (sender, receiver) = mpsc::unbounded_channel();
        let source = config.event_source.clone();
        let publisher = tokio::spawn(events::publish(clients.events.clone(), source, receiver));
        let shell = Shell::new(config, clients, sender);
        let server =
            Server::start("CodeBuild", port, || server::router(Arc::clone(&shell))).await?;
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
    /// announced: nothing is left to act on them.
    pub async fn shutdown(mut self) {
        self.server.stop();
        self.shell.close();
        let all_ended = async {
            while !self.shell.is_idle() {
                tokio::time::sleep(POLL_INTERVAL).await;
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
