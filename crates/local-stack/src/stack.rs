//! Starting and stopping everything, in order.

use std::{
    path::{Path, PathBuf},
    time::Instant,
};

use tokio::signal::unix::{SignalKind, signal};
use uuid::Uuid;

use crate::{
    Connection, Error, ImageBuilder, Options, Progress, Reporter,
    batch::{self, BatchConfig, BatchService},
    codebuild::{CodeBuildConfig, CodeBuildService},
    deploy,
    emulator::{self, Emulator, Plan},
    package, processes,
    state::StateLock,
};

/// What publishes the local Batch's events: the emulator refuses sources that begin with `aws.`.
const BATCH_EVENT_SOURCE: &str = "dropcast.batch";
/// Where the local Batch keeps the output of jobs, inside the state folder.
const BATCH_FOLDER: &str = "batch";
/// What publishes the local CodeBuild's events.
const CODEBUILD_EVENT_SOURCE: &str = "dropcast.codebuild";
/// Where the local CodeBuild keeps logs of builds, inside the state folder.
const CODEBUILD_FOLDER: &str = "codebuild";
/// What images are called on this machine: `local/<model>@sha256:<hex>`.
const IMAGE_REPOSITORY: &str = "local";
/// The program that runs models.
const JOB_RUNNER: &str = "dropcast-job";
/// How often a start is retried when another process took the port that was free.
const PORT_TRIES: u32 = 3;

/// A local stack that runs in this process. Dropping it ends everything at once, also while a
/// panic unwinds; [`stop`](LocalStack::stop) ends it in good order.
#[derive(Debug)]
pub struct LocalStack {
    connection: Connection,
    // In the order in which they are dropped: jobs, then the emulator, then the folder is free.
    services: Services,
    emulator: Emulator,
    lock: StateLock,
}

/// The services of our own.
struct Services {
    codebuild: CodeBuildService,
    batch: BatchService,
}

impl std::fmt::Debug for Services {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Services")
            .field("batch", &self.batch.endpoint())
            .field("codebuild", &self.codebuild.endpoint())
            .finish()
    }
}

impl LocalStack {
    /// Starts a stack and deploys the template. Dropping the future ends what was started.
    pub async fn start(options: Options, reporter: &dyn Reporter) -> Result<Self, Error> {
        let mut options = options;
        options.repository = absolute(&options.repository)?;
        options.binaries = absolute(&options.binaries)?;
        options.python = absolute(&options.python)?;
        options.state = absolute(&options.state)?;
        if !options.python.exists() {
            return Err(Error::Missing {
                what: "The Python environment with the AWS emulator".to_owned(),
                path: options.python,
                remedy: "make setup",
            });
        }
        let lock = StateLock::take(&options.state)?;
        // The jobs and builds of an earlier stack: this one does not know them.
        for folder in [BATCH_FOLDER, CODEBUILD_FOLDER] {
            let _ = tokio::fs::remove_dir_all(options.state.join(folder)).await;
        }
        // Beside the binaries, so that every stack that runs them finds them packed.
        let zips = options.binaries.join("packages");
        let packaged = step(reporter, "packaging the functions", {
            let (repository, binaries) = (options.repository.clone(), options.binaries.clone());
            async {
                let work = move || package::package(&repository, &binaries, &zips, deploy::BUCKET);
                tokio::task::spawn_blocking(work)
                    .await
                    .map_err(Error::call("packaging the functions"))?
            }
        })
        .await?;
        let mark = Uuid::new_v4().simple().to_string();
        let (services, emulator, endpoint) = step(
            reporter,
            "starting the emulator",
            start_services(&options, &mark),
        )
        .await?;
        let mut connection = Connection {
            pid: std::process::id(),
            emulator_pid: emulator.pid(),
            mark,
            endpoint,
            batch_endpoint: services.batch.endpoint().to_owned(),
            codebuild_endpoint: services.codebuild.endpoint().to_owned(),
            region: options.region.clone(),
            stack_name: options.stack_name.clone(),
            outputs: std::collections::BTreeMap::new(),
            state: options.state.clone(),
            python: options.python.clone(),
        };
        let config = connection.sdk_config();
        let mut parameters = options.parameters.clone();
        for (name, value) in [
            ("JobQueueArn", services.batch.queue_arn().to_owned()),
            // What the local Batch plays.
            ("Compute", "EC2".to_owned()),
            ("BatchEventSource", BATCH_EVENT_SOURCE.to_owned()),
            ("JobLogGroup", batch::LOG_GROUP.to_owned()),
            ("LinkBaseUrl", deploy::link_base_url(&connection.endpoint)),
            ("BuildProject", services.codebuild.project().to_owned()),
            ("BuildEventSource", CODEBUILD_EVENT_SOURCE.to_owned()),
            ("ImageRepository", IMAGE_REPOSITORY.to_owned()),
        ] {
            if packaged.parameters.iter().any(|known| known == name) {
                parameters.entry(name.to_owned()).or_insert(value);
            }
        }
        connection.outputs = step(reporter, "deploying the template", async {
            deploy::upload(&config, packaged).await?;
            if let Some(sender) = parameters.get("SenderAddress") {
                deploy::verify_sender(&config, sender).await?;
            }
            deploy::deploy(&config, &options.stack_name, &parameters).await
        })
        .await?;
        lock.publish(&connection)?;
        Ok(Self {
            connection,
            services,
            emulator,
            lock,
        })
    }

    /// Finds the stack that another process runs in a state folder.
    pub fn attach(state: &Path) -> Result<Connection, Error> {
        Connection::attach(state)
    }

    /// How to reach it.
    pub fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Waits until the emulator ends by itself, which it should not, and says why it did.
    pub async fn failed(&mut self) -> Error {
        self.emulator.wait_for_exit().await
    }

    /// Ends the jobs, then the emulator and its functions, and frees the state folder.
    pub async fn stop(self) {
        self.lock.withdraw();
        self.services.codebuild.shutdown().await;
        self.services.batch.shutdown().await;
        self.emulator.stop().await;
        processes::kill_marked(&self.connection.mark);
    }
}

/// Waits for a request to stop this process: Ctrl-C, SIGTERM or a closed terminal.
pub async fn stop_requested() -> Result<(), Error> {
    let listen = |kind| signal(kind).map_err(Error::call("listening for signals"));
    let (mut interrupt, mut terminate, mut hangup) = (
        listen(SignalKind::interrupt())?,
        listen(SignalKind::terminate())?,
        listen(SignalKind::hangup())?,
    );
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
        _ = hangup.recv() => {}
    }
    Ok(())
}

/// Starts the services of our own, then the emulator, which has to know where they are.
async fn start_services(
    options: &Options,
    mark: &str,
) -> Result<(Services, Emulator, String), Error> {
    let mut tries = 1;
    loop {
        let port = match options.emulator_port {
            0 => emulator::free_port()?,
            port => port,
        };
        let endpoint = emulator::endpoint(port);
        let batch = BatchService::start(batch_config(options, mark, &endpoint)).await?;
        let codebuild = codebuild_config(options, mark, &endpoint);
        let codebuild = CodeBuildService::start(codebuild).await?;
        let plan = Plan {
            options,
            port,
            batch_endpoint: batch.endpoint(),
            codebuild_endpoint: codebuild.endpoint(),
            mark,
        };
        match Emulator::start(&plan).await {
            Ok(emulator) => return Ok((Services { codebuild, batch }, emulator, endpoint)),
            Err(Error::Emulator { tail, .. })
                if options.emulator_port == 0
                    && tries < PORT_TRIES
                    && tail.contains("already in use") =>
            {
                tries += 1;
            }
            Err(error) => return Err(error),
        }
    }
}

fn batch_config(options: &Options, mark: &str, emulator: &str) -> BatchConfig {
    let state = &options.state;
    let mut config = BatchConfig::new(state.join("images"), state.join(BATCH_FOLDER));
    config.port = options.batch_port;
    config.region.clone_from(&options.region);
    BATCH_EVENT_SOURCE.clone_into(&mut config.event_source);
    config.emulator = Some(emulator.to_owned());
    config.job_runner_folder = Some(options.binaries.clone());
    config.max_vcpus = options.max_vcpus.unwrap_or(config.max_vcpus);
    config.timings = options.timings.clone();
    config
        .time_limit_actions
        .clone_from(&options.time_limit_actions);
    config.environment.clone_from(&options.job_environment);
    let mark = (processes::MARK.to_owned(), mark.to_owned());
    config.environment.extend([mark]);
    config
}

fn codebuild_config(options: &Options, mark: &str, emulator: &str) -> CodeBuildConfig {
    let state = &options.state;
    let images = ImageBuilder::new(state.join("images"), options.python.clone());
    let job_runner = options.binaries.join(JOB_RUNNER);
    let mut config =
        CodeBuildConfig::new(state.join(CODEBUILD_FOLDER), images, job_runner, emulator);
    config.port = options.codebuild_port;
    config.region.clone_from(&options.region);
    CODEBUILD_EVENT_SOURCE.clone_into(&mut config.event_source);
    config.second = options.timings.second;
    config.log_interval = options.timings.log_interval;
    config.environment = vec![(processes::MARK.to_owned(), mark.to_owned())];
    config
}

/// Performs a step and reports how long it took.
pub(crate) async fn step<T>(
    reporter: &dyn Reporter,
    name: &str,
    work: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    let started = Instant::now();
    let report = |took| {
        reporter.report(Progress {
            step: name.to_owned(),
            took,
        });
    };
    report(None);
    // The SDK's futures are large, and a caller may hold several steps.
    let done = Box::pin(work).await?;
    tracing::debug!(
        step = name,
        duration_ms = started.elapsed().as_millis(),
        "done"
    );
    report(Some(started.elapsed()));
    Ok(done)
}

/// A path that means the same from every working folder. Links stay as they are: a virtual
/// environment's Python is one.
fn absolute(path: &Path) -> Result<PathBuf, Error> {
    std::path::absolute(path).map_err(Error::at("finding", path))
}
