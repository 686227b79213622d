//! Walks a build through its phases: what a buildspec does on AWS.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use aws_sdk_s3::{error::DisplayErrorContext, primitives::ByteStream};
use dropcast_domain::{
    ids::RunId,
    job::exit_sentence,
    registry::{BuildId, VersionFile},
};
use dropcast_model_folder::{
    FolderError, ModelFolder, examples,
    local_run::{self, Stage},
};
use jiff::Timestamp;
use tokio::{
    sync::{SemaphorePermit, watch},
    time::Instant,
};

use super::{
    core::build::{Build, Outcome, PhaseKind},
    local_run::LocalRun,
    log::{Log, Steps},
    shell::Shell,
    source,
    wire::answers::log_group,
};
use crate::{
    Image,
    service::{clock, logs::LogStream},
};

/// AWS's code for a command that ended with a failure.
const COMMAND_FAILED: &str = "COMMAND_EXECUTION_ERROR";
/// AWS's code for a source or an artifact that could not be had or stored.
const CLIENT_ERROR: &str = "CLIENT_ERROR";

/// Works on a build until it is over.
pub(crate) async fn build(shell: Arc<Shell>, uuid: String, mut stopped: watch::Receiver<bool>) {
    let folder = shell.config.state.join("builds").join(&uuid);
    if let Err(error) = tokio::fs::create_dir_all(&folder).await {
        tracing::error!(%error, folder = %folder.display(), "the folder of a build could not be created");
    }
    let stream = LogStream::open(
        shell.clients.logs.clone(),
        log_group(&shell.config.project),
        uuid.clone(),
        shell.config.log_interval,
    );
    let mut work = Work {
        log: Some(Log::new(stream, &folder.join("build.log")).await),
        shell: &shell,
        folder,
        place: None,
        checked: None,
        image: None,
        version: None,
    };
    let began = Instant::now();
    while let Some(build) = shell.act(|core, _| core.build(&uuid)) {
        let phase = build.current();
        if phase == PhaseKind::Completed {
            break;
        }
        let limit = shell.config.second * 60 * build.timeout_minutes;
        let outcome = if phase < PhaseKind::Finalizing {
            tokio::select! {
                biased;
                _ = stopped.wait_for(|stop| *stop) => Outcome::Stopped,
                () = tokio::time::sleep_until(began + limit) => Outcome::TimedOut,
                outcome = work.perform(phase, &build) => outcome,
            }
        } else {
            work.perform(phase, &build).await
        };
        if let Some(log) = &mut work.log
            && phase > PhaseKind::Provisioning
        {
            log.ended(phase, &outcome).await;
        }
        shell.act(|core, now| core.end_phase(&uuid, outcome, now));
    }
    shell.forget(&uuid);
}

/// One build, and what its phases found out for those after them.
struct Work<'a> {
    shell: &'a Shell,
    folder: PathBuf,
    log: Option<Log>,
    place: Option<SemaphorePermit<'a>>,
    checked: Option<Checked>,
    image: Option<Image>,
    version: Option<VersionFile>,
}

/// A model's folder that has nothing wrong with it.
struct Checked {
    model: ModelFolder,
    /// The examples that the model is run on.
    examples: Vec<PathBuf>,
}

impl Work<'_> {
    async fn perform(&mut self, phase: PhaseKind, build: &Build) -> Outcome {
        match phase {
            PhaseKind::Queued => {
                self.place = self.shell.places.acquire().await.ok();
                Outcome::Succeeded
            }
            PhaseKind::DownloadSource => {
                let zip = self.folder.join("source.zip");
                let (client, source) = (&self.shell.clients.s3, self.source());
                let fetched = source::fetch(client, &build.source, &zip, &source).await;
                outcome(CLIENT_ERROR, fetched)
            }
            PhaseKind::PreBuild => self.validate(build).await,
            PhaseKind::Build => {
                let made = self.make_image().await;
                match made {
                    Outcome::Succeeded => self.run_examples(build).await,
                    failed => failed,
                }
            }
            PhaseKind::PostBuild => self.describe(build).await,
            PhaseKind::UploadArtifacts => self.upload(build).await,
            PhaseKind::Finalizing => {
                self.finish().await;
                Outcome::Succeeded
            }
            PhaseKind::Submitted
            | PhaseKind::Provisioning
            | PhaseKind::Install
            | PhaseKind::Completed => Outcome::Succeeded,
        }
    }

    fn source(&self) -> PathBuf {
        self.folder.join("source")
    }

    async fn say(&mut self, text: &str) {
        if let Some(log) = &mut self.log {
            log.say(text).await;
        }
    }

    async fn note(&mut self, text: &str) {
        if let Some(log) = &mut self.log {
            log.note(text).await;
        }
    }

    /// Says why a command failed, and returns what CodeBuild makes of it.
    async fn failed(&mut self, command: &str, why: &str) -> Outcome {
        self.say(why).await;
        self.note(&format!(
            "Command did not exit successfully {command} exit status 1"
        ))
        .await;
        Outcome::Failed(
            COMMAND_FAILED,
            format!("Error while executing command: {command}. Reason: exit status 1"),
        )
    }

    /// Checks the folder and its examples.
    async fn validate(&mut self, build: &Build) -> Outcome {
        const COMMAND: &str = "dropcast validate .";
        self.note(&format!("Running command {COMMAND}")).await;
        let source = self.source();
        let check = move || check(&source);
        let checked = match tokio::task::spawn_blocking(check).await {
            Ok(Ok(checked)) => checked,
            Ok(Err(why)) => return self.failed(COMMAND, &self.relative(&why)).await,
            Err(error) => return self.failed(COMMAND, &error.to_string()).await,
        };
        let name = checked.model.manifest.name.clone();
        self.say(&format!("{name} and its examples are valid."))
            .await;
        if let Some(expected) = build.variable("DROPCAST_MODEL")
            && expected != name.as_str()
        {
            let why = format!(
                "The build is for the model {expected}, but the name in model.toml is {name}."
            );
            return self.failed(COMMAND, &why).await;
        }
        self.checked = Some(checked);
        Outcome::Succeeded
    }

    /// Messages name files relative to the model's folder, as its author knows them.
    fn relative(&self, text: &str) -> String {
        text.replace(&format!("{}/", self.source().display()), "")
    }

    /// Makes the image.
    async fn make_image(&mut self) -> Outcome {
        const COMMAND: &str = "docker build .";
        self.note(&format!("Running command {COMMAND}")).await;
        let Some(checked) = self.checked.take() else {
            return self.failed(COMMAND, "Nothing was checked.").await;
        };
        let (steps, source) = (Steps::default(), self.source());
        let images = &self.shell.config.images;
        let made = images.build(&checked.model, &source, &steps).await;
        self.checked = Some(checked);
        self.say(&steps.text()).await;
        match made {
            Ok(image) => {
                self.say(&format!("The image is {}.", image.reference))
                    .await;
                self.image = Some(image);
                Outcome::Succeeded
            }
            Err(error) => {
                let why = self.relative(&chain(&error));
                self.failed(COMMAND, &why).await
            }
        }
    }

    /// Runs the image on one example of each format.
    async fn run_examples(&mut self, build: &Build) -> Outcome {
        let (Some(checked), Some(image)) = (self.checked.take(), self.image.clone()) else {
            return Outcome::Succeeded;
        };
        let mut outcome = Outcome::Succeeded;
        for (number, example) in checked.examples.iter().enumerate() {
            let stage = self.folder.join("local-runs").join(number.to_string());
            outcome = self
                .run_example(build, &checked.model, &image, example, &stage)
                .await;
            if outcome != Outcome::Succeeded {
                break;
            }
        }
        self.checked = Some(checked);
        outcome
    }

    async fn run_example(
        &mut self,
        build: &Build,
        model: &ModelFolder,
        image: &Image,
        example: &Path,
        folder: &Path,
    ) -> Outcome {
        let file = self.relative(&example.to_string_lossy());
        let command = format!("dropcast model test . --input {file}");
        self.note(&format!("Running command {command}")).await;
        let made = std::fs::create_dir_all(folder).and_then(|()| folder.canonicalize());
        let folder = match made {
            Ok(folder) => folder,
            Err(error) => return self.failed(&command, &error.to_string()).await,
        };
        let stage = match Stage::prepare(&folder, model, example) {
            Ok(Ok(stage)) => stage,
            Ok(Err(rejected)) => return self.failed(&command, &rejected.message()).await,
            Err(error) => return self.failed(&command, &error.to_string()).await,
        };
        let local_run = LocalRun {
            config: &self.shell.config,
            build: &build.id,
            model,
            image,
            run: RunId::derive("build", &build.uuid, &file),
        };
        let Some(log) = &mut self.log else {
            return Outcome::Succeeded;
        };
        let minutes = model.manifest.job.timeout_minutes;
        let limit: Duration = self.shell.config.second * 60 * minutes;
        let result = match tokio::time::timeout(limit, local_run.run(&stage, log)).await {
            Ok(Ok(result)) => result,
            Ok(Err(error)) => return self.failed(&command, &error.to_string()).await,
            Err(_) => {
                let plural = if minutes == 1 { "" } else { "s" };
                let why = format!(
                    "The model was stopped: it exceeded the time limit of {minutes} minute{plural} in model.toml."
                );
                return self.failed(&command, &why).await;
            }
        };
        if result.exit_code != 0 {
            let why = exit_sentence(result.exit_code);
            return self.failed(&command, &why).await;
        }
        let paths: Vec<&str> = result.paths.iter().map(String::as_str).collect();
        let matched = local_run::match_outputs(&model.manifest.outputs, &paths);
        if !matched.missing.is_empty() {
            let why = local_run::describe_missing(&matched.missing);
            return self.failed(&command, &why).await;
        }
        self.say(&format!("It wrote {}.", paths.join(", "))).await;
        Outcome::Succeeded
    }

    /// Makes `version.json`, if there is a version.
    async fn describe(&mut self, build: &Build) -> Outcome {
        if !build.is_well() {
            self.say("The build failed: there is no version to describe.")
                .await;
            return Outcome::Succeeded;
        }
        let (Some(checked), Some(image)) = (&self.checked, &self.image) else {
            return Outcome::Succeeded;
        };
        let made = build.uuid.parse::<BuildId>().map(|id| {
            let commit = build.variable("DROPCAST_COMMIT").map(str::to_owned);
            checked
                .model
                .version_file(id, image.reference.clone(), commit, now())
        });
        match made {
            Ok(version) => {
                self.version = Some(version);
                Outcome::Succeeded
            }
            Err(error) => {
                self.failed("dropcast model describe .", &error.to_string())
                    .await
            }
        }
    }

    async fn upload(&mut self, build: &Build) -> Outcome {
        let Some(version) = self.version.take() else {
            return Outcome::Succeeded;
        };
        let content = match serde_json::to_vec_pretty(&version) {
            Ok(content) => content,
            Err(error) => return outcome(CLIENT_ERROR, Err(error.to_string())),
        };
        let put = self.shell.clients.s3.put_object();
        let put = put
            .bucket(&build.source.bucket)
            .key(version.build_id.version_key())
            .content_type("application/json")
            .body(ByteStream::from(content))
            .send()
            .await;
        outcome(
            CLIENT_ERROR,
            put.map(drop)
                .map_err(|error| DisplayErrorContext(&error).to_string()),
        )
    }

    /// Sees the log off, and clears away all but that.
    async fn finish(&mut self) {
        self.place = None;
        if let Some(log) = self.log.take() {
            log.close().await;
        }
        for name in ["source", "local-runs"] {
            let _ = tokio::fs::remove_dir_all(self.folder.join(name)).await;
        }
        let _ = tokio::fs::remove_file(self.folder.join("source.zip")).await;
    }
}

fn outcome(code: &'static str, result: Result<(), String>) -> Outcome {
    match result {
        Ok(()) => Outcome::Succeeded,
        Err(why) => Outcome::Failed(code, why),
    }
}

/// Reads a folder and holds its examples against it; fails with everything that is wrong.
fn check(folder: &Path) -> Result<Checked, String> {
    let said = |error: FolderError| error.to_string();
    if !folder.join(dropcast_domain::model::MANIFEST_FILE).is_file() {
        return Err("The source is no model: it has no model.toml.".to_owned());
    }
    let model = ModelFolder::read(folder).map_err(said)?;
    let examples = examples::check(folder, &model).map_err(said)?;
    let faults = examples::find_build_problems(folder, &examples);
    if !faults.is_empty() {
        return Err(faults.join("\n"));
    }
    let examples = examples::one_of_each_format(folder, &examples);
    Ok(Checked { model, examples })
}

/// An error and its causes, each once.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let said = cause.to_string();
        if !text.contains(&said) {
            text = format!("{text}: {said}");
        }
        next = cause.source();
    }
    text
}

fn now() -> Timestamp {
    Timestamp::from_millisecond(clock::now()).unwrap_or_default()
}
