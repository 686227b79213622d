//! A local AWS Batch: the API of AWS Batch for one machine, where a job is a process.
//!
//! It is for developing and testing on one machine and schedules nothing in production. It speaks
//! the REST-JSON API of 2016-08-10 (`SubmitJob`, `DescribeJobs`, `ListJobs`, `TerminateJob`, `CancelJob`,
//! `RegisterJobDefinition`, `DeregisterJobDefinition`, `DescribeJobDefinitions`, `DescribeJobQueues`,
//! `DescribeComputeEnvironments`), sends the events of AWS Batch through an emulator's EventBridge
//! and writes the jobs' output into its CloudWatch Logs. There is one queue with one compute
//! environment. An image `local/<model>@sha256:<hex>` is a folder, and a job runs its command in
//! that folder.
//!
//! Tests ask for what only a cloud provokes at `/_dropcast/faults`: `POST` a fault, `GET` those
//! that are still to come, `DELETE` all.
//!
//! The rules are in `core`, which performs nothing; the other modules perform and decide nothing.

mod attempt;
mod config;
mod core;
mod error;
mod image;
mod secrets;
mod server;
mod service;
mod wire;

use std::{sync::Arc, time::Duration};

pub(crate) use attempt::LOG_GROUP;
pub use config::{BatchConfig, LimitAction, TimeLimitAction, Timings};
use service::Shell;
use tokio::{sync::mpsc, task::JoinHandle};

use self::core::names::Arns;
use crate::service::{StartError, aws::Clients, events, prepare_state, server::Server};

/// How long events that are already decided may take to leave at the end.
const LAST_EVENTS: Duration = Duration::from_millis(500);

/// A running local Batch. Dropping it kills every process that it started; [`shutdown`] does so
/// in good order.
///
/// [`shutdown`]: BatchService::shutdown
pub struct BatchService {
    queue_arn: String,
    shell: Arc<Shell>,
    server: Server,
    publisher: Option<JoinHandle<()>>,
}

impl BatchService {
    /// Starts the service on 127.0.0.1. It must run inside a Tokio runtime with more than one
    /// thread or one that is driven all the time.
    pub async fn start(config: BatchConfig) -> Result<Self, StartError> {
        prepare_state("Batch", &config.state).await?;
        let port = config.port;
        let queue_arn =
            Arns::new(config.account.clone(), config.region.clone()).queue(&config.queue_name);
        let clients = config
            .emulator
            .as_deref()
            .map(|endpoint| Clients::new(endpoint, &config.region));
        let (logs, secrets, announcements, publisher) = match clients {
            Some(Clients {
                events,
                logs,
                secrets,
                ..
            }) => {
                let (sender, receiver) = mpsc::unbounded_channel();
                let source = config.event_source.clone();
                let publisher = tokio::spawn(events::publish(events, source, receiver));
                (Some(logs), Some(secrets), Some(sender), Some(publisher))
            }
            None => (None, None, None, None),
        };
        let shell = Shell::new(config, logs, secrets, announcements);
        let router = || server::router(Arc::clone(&shell));
        let server = Server::start("Batch", port, router).await?;
        Ok(Self {
            queue_arn,
            shell,
            server,
            publisher,
        })
    }

    /// Where the API is, for example `http://127.0.0.1:40123`: what `AWS_ENDPOINT_URL_BATCH`
    /// is set to.
    pub fn endpoint(&self) -> &str {
        self.server.endpoint()
    }

    /// The ARN of the job queue.
    pub fn queue_arn(&self) -> &str {
        &self.queue_arn
    }

    /// Stops answering, ends every process that was started (SIGTERM, and SIGKILL after
    /// [`Timings::shutdown_grace`]) and lets the events go out that are already decided. The ends
    /// of the jobs that it stops are not announced: nothing is left to act on them.
    pub async fn shutdown(mut self) {
        self.shell.close();
        self.server.stop();
        let grace = self.shell.config.timings.shutdown_grace;
        self.shell.stop_all(grace).await;
        if let Some(publisher) = &mut self.publisher {
            let _ = tokio::time::timeout(LAST_EVENTS, publisher).await;
        }
    }
}

impl Drop for BatchService {
    fn drop(&mut self) {
        self.shell.close();
        self.shell.kill_all();
        if let Some(publisher) = &self.publisher {
            publisher.abort();
        }
    }
}
