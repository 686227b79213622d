//! `dropcast model push`: builds a model's folder and follows the build until its version is registered.

mod builder;
mod document;

use std::{
    io,
    path::Path,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use dropcast_api_types::{PushStatus, Pushed};
use dropcast_domain::{
    ids::Version,
    registry::{Build, BuildEnd, BuildId},
};
use dropcast_local_stack::{Progress, Reporter as _};
use dropcast_model_folder::{ModelFolder, examples, pack};
use dropcast_store::{Builds as _, Models as _};

use self::builder::{BuildState, Builder};
use crate::{
    args::Push,
    exit::{CliError, Exit},
    messages,
    model_folder::{check_size, explain_folder_error, read_folder},
    progress::StepReporter,
    screen::Screen,
    stack::Stack,
    upload,
};

/// How long registration may take after a build has succeeded. If the build's event is lost, a
/// scheduled scan of all builds finds it within a quarter of an hour.
const REGISTRATION_TIMEOUT: Duration = Duration::from_mins(20);

/// Pushes a model's folder.
pub(super) async fn run(args: &Push, stack: &Stack, screen: Screen) -> anyhow::Result<Exit> {
    let began = Instant::now();
    let model = check_folder_for_build(&args.dir, stack)?;
    let name = &model.manifest.name;
    upload::check_recipients(&args.notify)?;
    let commit = args.commit.clone().or_else(|| find_commit(&args.dir));
    let builder = Builder::new(stack)?;
    let next = stack
        .store
        .model(name)
        .await?
        .map(|model| model.next_version);

    let zip = tempfile::NamedTempFile::new().context("creating a zip file")?;
    let packed = pack(&args.dir, &model, zip.as_file())
        .map_err(|error| explain_folder_error(error.into()))?;
    let steps = StepReporter::new(screen);
    let key = format!("sources/{name}/{}.zip", packed.sha256);
    let upload = format!("uploading {}", messages::format_size(packed.bytes));
    run_step(
        &steps,
        &upload,
        Box::pin(builder.upload(&key, zip.path(), packed.bytes)),
    )
    .await?;

    let caller = stack.caller().await?.arn;
    let variables = [
        ("DROPCAST_MODEL", name.to_string()),
        ("DROPCAST_REQUESTED_BY", caller),
        ("DROPCAST_NOTIFY", args.notify.join(",")),
        ("DROPCAST_COMMIT", commit.clone().unwrap_or_default()),
    ];
    let build = builder.start(&key, &variables).await?;
    let mut document = Pushed {
        stack: stack.name.clone(),
        model: name.clone(),
        source: document::to_source_view(&builder.bucket, &key, &packed),
        commit,
        project: builder.project.clone(),
        build_id: build.clone(),
        status: PushStatus::Started,
        version: None,
        new: None,
        default_version: None,
        phase: None,
        message: None,
        lines: Vec::new(),
        seconds: 0.0,
    };
    if !args.no_wait {
        let waiting = async {
            let end = follow(&builder, &build, stack, &steps).await?;
            document::record_outcome(&mut document, end, next);
            document.default_version = load_default(stack, &model).await?;
            anyhow::Ok(())
        };
        match args.timeout {
            None => Box::pin(waiting).await?,
            Some(limit) => match tokio::time::timeout(limit, Box::pin(waiting)).await {
                Ok(ended) => ended?,
                Err(_) => return Err(build_timed_out(limit, &document, stack).into()),
            },
        }
    }
    document.seconds = began.elapsed().as_secs_f64();
    drop(steps);
    screen.show(&document, |style| {
        document::render(&document, &stack.command(), style)
    })?;
    Ok(match document.status {
        PushStatus::Failed => Exit::Failed,
        PushStatus::Started | PushStatus::Registered => Exit::Done,
    })
}

/// Reads a folder and checks everything that would make its build fail.
fn check_folder_for_build(folder: &Path, stack: &Stack) -> anyhow::Result<ModelFolder> {
    let model = read_folder(folder)?;
    let examples =
        examples::check(folder, &model).map_err(|error| explain_folder_error(error.into()))?;
    let mut failures = examples::find_build_problems(folder, &examples);
    failures.extend(check_size(&model, stack.platform()));
    if failures.is_empty() {
        return Ok(model);
    }
    let message = format!(
        "{} cannot be built:\n{}",
        folder.display(),
        failures.join("\n")
    );
    let advice = format!(
        "Correct this and push again; `dropcast validate {}` runs the same checks.",
        folder.display()
    );
    Err(CliError::new(Exit::NotAccepted, message)
        .advice(advice)
        .into())
}

/// The folder's commit, if it is in a Git repository and has no uncommitted changes.
fn find_commit(folder: &Path) -> Option<String> {
    let git = |arguments: &[&str]| -> io::Result<Option<String>> {
        let output = std::process::Command::new("git")
            .arg("-C")
            .arg(folder)
            .args(arguments)
            .output()?;
        let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        Ok(output.status.success().then_some(text))
    };
    let changed = git(&["status", "--porcelain", "--", "."]).ok()??;
    if !changed.is_empty() {
        return None;
    }
    // A folder that Git ignores has neither changes nor a commit.
    git(&["ls-files", "--error-unmatch", "model.toml"]).ok()??;
    git(&["rev-parse", "HEAD"]).ok()?
}

/// Follows a build to its end, and until its version is registered.
async fn follow(
    builder: &Builder,
    build: &BuildId,
    stack: &Stack,
    steps: &StepReporter,
) -> anyhow::Result<PushOutcome> {
    let mut current: Option<(String, Instant)> = None;
    let end = loop {
        let state = builder.load_state(build).await?;
        let phase = match &state {
            BuildState::InProgress { phase } => Some(phase.clone()),
            BuildState::Over { .. } => None,
        };
        if current.as_ref().map(|(phase, _)| phase) != phase.as_ref() {
            if let Some((phase, since)) = current.take() {
                report(steps, &phase, Some(since.elapsed()));
            }
            if let Some(phase) = phase {
                report(steps, &phase, None);
                current = Some((phase, Instant::now()));
            }
        }
        match state {
            BuildState::Over { end } => break end,
            BuildState::InProgress { .. } => tokio::time::sleep(builder.poll_interval).await,
        }
    };
    if let Some(failure) = end {
        let lines = builder.last_lines(build).await;
        return Ok(PushOutcome::Failed {
            phase: failure.phase,
            message: failure.message,
            lines,
        });
    }
    let registered = run_step(steps, "registering the version", async {
        let began = Instant::now();
        loop {
            if let Some(record) = stack.store.build(build).await? {
                return anyhow::Ok(record);
            }
            if began.elapsed() > REGISTRATION_TIMEOUT {
                return Err(version_not_registered(build, stack).into());
            }
            tokio::time::sleep(builder.poll_interval).await;
        }
    });
    Ok(PushOutcome::from_build(Box::pin(registered).await?))
}

/// The outcome of a push.
enum PushOutcome {
    Registered(dropcast_domain::ids::Version),
    Failed {
        phase: String,
        message: String,
        lines: Vec<String>,
    },
}

impl PushOutcome {
    fn from_build(record: Build) -> Self {
        match record.end {
            BuildEnd::Registered { version } => Self::Registered(version),
            BuildEnd::Failed(failure) => Self::Failed {
                phase: failure.phase.as_str().to_owned(),
                message: failure.message,
                lines: failure.lines,
            },
        }
    }
}

async fn load_default(stack: &Stack, model: &ModelFolder) -> anyhow::Result<Option<Version>> {
    let found = stack.store.model(&model.manifest.name).await?;
    Ok(found.map(|model| model.default_version))
}

fn report(steps: &StepReporter, phase: &str, took: Option<Duration>) {
    steps.report(Progress {
        step: phase.to_lowercase().replace('_', " "),
        took,
    });
}

/// Runs a step and reports its duration.
async fn run_step<T>(
    steps: &StepReporter,
    name: &str,
    work: impl Future<Output = anyhow::Result<T>>,
) -> anyhow::Result<T> {
    report(steps, name, None);
    let began = Instant::now();
    let done = work.await?;
    report(steps, name, Some(began.elapsed()));
    Ok(done)
}

fn build_timed_out(limit: Duration, document: &Pushed, stack: &Stack) -> CliError {
    CliError::new(
        Exit::TimedOut,
        format!(
            "The build {} has not ended within {}; it continues.",
            document.build_id,
            messages::format_whole_duration(limit)
        ),
    )
    .advice(format!(
        "Show its result later with `{} model builds {}`.",
        stack.command(),
        document.model
    ))
}

fn version_not_registered(build: &BuildId, stack: &Stack) -> CliError {
    CliError::new(
        Exit::TimedOut,
        format!("The build {build} succeeded, but its version has not been registered yet."),
    )
    .advice(format!(
        "The operator of the stack {} can find the reason in the log of the function register-version.",
        stack.name
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_has_a_commit_if_all_of_it_is_committed() {
        let folder = tempfile::tempdir().unwrap();
        let git = |arguments: &[&str]| {
            let mut git = std::process::Command::new("git");
            git.arg("-C").arg(folder.path()).args(arguments);
            let identity = ["-c", "user.name=a", "-c", "user.email=a@corp.example"];
            assert!(
                git.args(identity.iter().take(0))
                    .output()
                    .unwrap()
                    .status
                    .success()
            );
        };
        assert_eq!(find_commit(folder.path()), None);
        git(&["init", "-q"]);
        std::fs::write(folder.path().join("model.toml"), "").unwrap();
        assert_eq!(find_commit(folder.path()), None);
        git(&["add", "."]);
        git(&[
            "-c",
            "user.name=a",
            "-c",
            "user.email=a@corp.example",
            "commit",
            "-qm",
            "a",
        ]);
        assert_eq!(find_commit(folder.path()).unwrap().len(), 40);
        std::fs::write(folder.path().join("new"), "").unwrap();
        assert_eq!(find_commit(folder.path()), None);
    }
}
