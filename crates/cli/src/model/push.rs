//! `dropcast model push`: a model's folder becomes a build, and the build a version.

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

use self::builder::{Builder, Look};
use super::{not_accepted, read_folder};
use crate::{
    args::Push,
    exit::{Exit, Stop},
    progress::Steps,
    screen::Screen,
    stack::Stack,
    upload,
    validate::folder::check_size,
    words,
};

/// How long a build that has ended may take to be a version: its event may be lost, and then a
/// look at all builds, every quarter of an hour, finds it.
const REGISTRATION: Duration = Duration::from_mins(20);

/// Pushes a model's folder.
pub(super) async fn run(args: &Push, stack: &Stack, screen: Screen) -> anyhow::Result<Exit> {
    let began = Instant::now();
    let model = checked(&args.dir, stack)?;
    let name = &model.manifest.name;
    upload::check_recipients(&args.notify)?;
    let commit = args.commit.clone().or_else(|| commit_of(&args.dir));
    let builder = Builder::of(stack)?;
    let next = stack
        .store
        .model(name)
        .await?
        .map(|model| model.next_version);

    let zip = tempfile::NamedTempFile::new().context("making a zip file")?;
    let packed =
        pack(&args.dir, &model, zip.as_file()).map_err(|error| not_accepted(error.into()))?;
    let steps = Steps::on(screen);
    let key = format!("sources/{name}/{}.zip", packed.sha256);
    let upload = format!("uploading {}", words::size(packed.bytes));
    step(
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
        source: document::source(&builder.bucket, &key, &packed),
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
            document::end(&mut document, end, next);
            document.default_version = default_of(stack, &model).await?;
            anyhow::Ok(())
        };
        match args.timeout {
            None => Box::pin(waiting).await?,
            Some(limit) => match tokio::time::timeout(limit, Box::pin(waiting)).await {
                Ok(ended) => ended?,
                Err(_) => return Err(too_long(limit, &document, stack).into()),
            },
        }
    }
    document.seconds = began.elapsed().as_secs_f64();
    drop(steps);
    screen.show(&document, |paint| {
        document::text(&document, &stack.command(), paint)
    })?;
    Ok(match document.status {
        PushStatus::Failed => Exit::Failed,
        PushStatus::Started | PushStatus::Registered => Exit::Done,
    })
}

/// Reads a folder and holds it against everything that a build would fail for.
fn checked(folder: &Path, stack: &Stack) -> anyhow::Result<ModelFolder> {
    let model = read_folder(folder)?;
    let examples = examples::check(folder, &model).map_err(|error| not_accepted(error.into()))?;
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
        "Correct this and push again; `dropcast validate {}` checks it at once.",
        folder.display()
    );
    Err(Stop::new(Exit::NotAccepted, message).advice(advice).into())
}

/// The commit that a folder is at, if Git keeps it and nothing in it has changed since.
fn commit_of(folder: &Path) -> Option<String> {
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
    // A folder that Git ignores has no changes, and no commit either.
    git(&["ls-files", "--error-unmatch", "model.toml"]).ok()??;
    git(&["rev-parse", "HEAD"]).ok()?
}

/// Follows a build to its end, and to the version if it made one.
async fn follow(
    builder: &Builder,
    build: &BuildId,
    stack: &Stack,
    steps: &Steps,
) -> anyhow::Result<Ended> {
    let mut told: Option<(String, Instant)> = None;
    let end = loop {
        let look = builder.look(build).await?;
        let phase = match &look {
            Look::InProgress { phase } => Some(phase.clone()),
            Look::Over { .. } => None,
        };
        if told.as_ref().map(|(phase, _)| phase) != phase.as_ref() {
            if let Some((phase, since)) = told.take() {
                report(steps, &phase, Some(since.elapsed()));
            }
            if let Some(phase) = phase {
                report(steps, &phase, None);
                told = Some((phase, Instant::now()));
            }
        }
        match look {
            Look::Over { end } => break end,
            Look::InProgress { .. } => tokio::time::sleep(builder.pause).await,
        }
    };
    if let Some(failure) = end {
        let lines = builder.last_lines(build).await;
        return Ok(Ended::Failed {
            phase: failure.phase,
            message: failure.message,
            lines,
        });
    }
    let registered = step(steps, "registering the version", async {
        let began = Instant::now();
        loop {
            if let Some(record) = stack.store.build(build).await? {
                return anyhow::Ok(record);
            }
            if began.elapsed() > REGISTRATION {
                return Err(unregistered(build, stack).into());
            }
            tokio::time::sleep(builder.pause).await;
        }
    });
    Ok(Ended::of(Box::pin(registered).await?))
}

/// How a push ended.
enum Ended {
    Registered(dropcast_domain::ids::Version),
    Failed {
        phase: String,
        message: String,
        lines: Vec<String>,
    },
}

impl Ended {
    fn of(record: Build) -> Self {
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

async fn default_of(stack: &Stack, model: &ModelFolder) -> anyhow::Result<Option<Version>> {
    let found = stack.store.model(&model.manifest.name).await?;
    Ok(found.map(|model| model.default_version))
}

fn report(steps: &Steps, phase: &str, took: Option<Duration>) {
    steps.report(Progress {
        step: phase.to_lowercase().replace('_', " "),
        took,
    });
}

/// Performs a step and tells how long it took.
async fn step<T>(
    steps: &Steps,
    name: &str,
    work: impl Future<Output = anyhow::Result<T>>,
) -> anyhow::Result<T> {
    report(steps, name, None);
    let began = Instant::now();
    let done = work.await?;
    report(steps, name, Some(began.elapsed()));
    Ok(done)
}

fn too_long(limit: Duration, document: &Pushed, stack: &Stack) -> Stop {
    Stop::new(
        Exit::TookTooLong,
        format!(
            "The build {} has not ended in {}; it goes on.",
            document.build_id,
            words::whole(limit)
        ),
    )
    .advice(format!(
        "See what became of it with `{} model builds {}`.",
        stack.command(),
        document.model
    ))
}

fn unregistered(build: &BuildId, stack: &Stack) -> Stop {
    Stop::new(
        Exit::TookTooLong,
        format!("The build {build} succeeded, but no version came of it so far."),
    )
    .advice(format!(
        "Whoever runs the stack {} finds the reason in the log of the function register-version.",
        stack.name
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_has_a_commit_while_git_knows_all_of_it() {
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
        assert_eq!(commit_of(folder.path()), None);
        git(&["init", "-q"]);
        std::fs::write(folder.path().join("model.toml"), "").unwrap();
        assert_eq!(commit_of(folder.path()), None);
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
        assert_eq!(commit_of(folder.path()).unwrap().len(), 40);
        std::fs::write(folder.path().join("new"), "").unwrap();
        assert_eq!(commit_of(folder.path()), None);
    }
}
