//! `dropcast model`.

mod definition;
mod describe;
mod init;
mod local_run;
mod push;
mod versions;

use std::path::Path;

use comfy_table::{Cell, CellAlignment};
use dropcast_api_types::{ModelDetail, ModelSummary, Models, Registered, VersionView};
use dropcast_domain::{
    ids::Version,
    model::{MANIFEST_FILE, ModelName, Vcpus},
    registry::RegisteredVersion,
};
use dropcast_local_stack::Registry;
use dropcast_model_folder::{FolderError, ModelFolder};
use dropcast_store::{History as _, Models as _};

use crate::{
    args::{self, Common, Register},
    clock,
    exit::{Exit, Stop},
    progress::Steps,
    refresh, registry,
    screen::{Paint, Screen},
    stack::Stack,
    words,
};

/// How many versions of a model are shown, the newest first.
const SHOWN: u32 = 20;

/// Does something with a model's folder, or with what is registered on a stack.
pub async fn run(command: &args::Model, common: &Common, screen: Screen) -> anyhow::Result<Exit> {
    match command {
        args::Model::Init(args) => init::run(args, screen),
        args::Model::Test(args) => Box::pin(local_run::run(args, common, screen)).await,
        args::Model::Describe(args) => describe::run(args, screen),
        _ => {
            let stack = Stack::find(common).await?;
            Box::pin(on_stack(command, &stack, screen)).await
        }
    }
}

async fn on_stack(command: &args::Model, stack: &Stack, screen: Screen) -> anyhow::Result<Exit> {
    match command {
        args::Model::Register(args) => Box::pin(register(args, stack, screen)).await,
        args::Model::Refresh(args) => Box::pin(refresh::run(args, stack, screen)).await,
        args::Model::List => list(stack, screen).await,
        args::Model::Show { model } => show(model, stack, screen).await,
        args::Model::Push(args) => Box::pin(push::run(args, stack, screen)).await,
        args::Model::Versions(command) => Box::pin(versions::run(command, stack, screen)).await,
        // Done without a stack.
        args::Model::Init(_) | args::Model::Test(_) | args::Model::Describe(_) => Ok(Exit::Done),
    }
}

async fn register(args: &Register, stack: &Stack, screen: Screen) -> anyhow::Result<Exit> {
    let registered = match (&stack.local, &args.image, &args.job_definition) {
        (Some(local), None, _) => {
            check_folder(&args.dir)?;
            let steps = Steps::on(screen);
            let registry = Registry::of(local)?;
            let register =
                dropcast_local_stack::register(&args.dir, &registry, clock::now(), &steps);
            Box::pin(register).await.map_err(not_accepted)?
        }
        (None, Some(image), Some(job_definition)) => {
            let spec = read_folder(&args.dir)?.into_version_spec(
                image.clone(),
                job_definition.clone(),
                args.commit.clone(),
                clock::now(),
            );
            definition::check(stack, job_definition, &spec.manifest.name).await?;
            let version = stack.store.register(&spec).await?;
            dropcast_local_stack::Registered { version, new: true }
        }
        (Some(_), Some(_), _) => {
            return Err(Stop::new(
                Exit::Usage,
                "--image and --job-definition are for deployed stacks; the local one takes the folder itself.",
            )
            .into());
        }
        (None, ..) => {
            return Err(Stop::new(
                Exit::Usage,
                format!("A version on the deployed stack {} runs an image from a registry.", stack.name),
            )
            .advice("`dropcast model push DIR` builds it. For an image that exists already, register its Batch job definition and name both: --image URI@sha256:… --job-definition ARN.")
            .into());
        }
    };
    let version = &registered.version;
    let default = stack
        .store
        .model(&version.model)
        .await?
        .map_or(version.version, |model| model.default_version);
    let document = Registered {
        stack: stack.name.clone(),
        model: version.model.clone(),
        new: registered.new,
        default_version: default,
        version: VersionView::from(version),
    };
    screen.show(&document, |paint| {
        let done = if registered.new {
            format!("is registered as version {}", version.version)
        } else {
            format!("has not changed since version {}", version.version)
        };
        let pin = if default == version.version {
            String::new()
        } else {
            format!(" --version {}", version.version)
        };
        let standing = if pin.is_empty() {
            String::new()
        } else {
            format!("Files that pin no version run version {default}, the model's default.\n")
        };
        format!(
            "{} {done}.\n{standing}{}\n",
            paint.bold(version.model.as_str()),
            paint.dim(&format!(
                "Drop a file for it with `{} submit FILE -m {}{pin}`.",
                stack.command(),
                version.model
            ))
        )
    })?;
    Ok(Exit::Done)
}

/// Says what is wrong with a model's folder as something to correct, not as a fault of ours.
pub fn not_accepted(error: dropcast_local_stack::Error) -> anyhow::Error {
    use dropcast_local_stack::Error;
    match &error {
        Error::Folder(error) if is_the_models_fault(error) => {
            Stop::new(Exit::NotAccepted, error.to_string())
                .advice("Correct this and register the folder again.")
                .into()
        }
        Error::Venv { .. } => Stop::new(Exit::NotAccepted, error.to_string())
            .advice("Correct the requirements, or the network if pip could not reach the package index, and register again.")
            .into(),
        Error::NotUp { .. } => Stop::new(Exit::NoStack, error.to_string()).into(),
        Error::Missing { .. } => Stop::new(Exit::NotFound, error.to_string()).into(),
        _ => error.into(),
    }
}

pub(crate) fn check_folder(dir: &Path) -> Result<(), Stop> {
    if dir.join(MANIFEST_FILE).is_file() {
        return Ok(());
    }
    let message = if dir.is_dir() {
        format!("{} is no model: it has no {MANIFEST_FILE}.", dir.display())
    } else {
        format!("There is no folder {}.", dir.display())
    };
    Err(Stop::new(Exit::NotFound, message)
        .advice("docs/MODELS.md says what a model's folder holds; models/revenue-forecast is one."))
}

/// What a model's folder declares.
pub(crate) fn read_folder(dir: &Path) -> anyhow::Result<ModelFolder> {
    check_folder(dir)?;
    ModelFolder::read(dir).map_err(|error| not_accepted(error.into()))
}

/// Whether whoever wrote a model has something to correct.
pub(crate) fn is_the_models_fault(error: &FolderError) -> bool {
    matches!(
        error,
        FolderError::Manifest(_) | FolderError::Schema { .. } | FolderError::Item { .. }
    )
}

async fn list(stack: &Stack, screen: Screen) -> anyhow::Result<Exit> {
    let document = Models {
        stack: stack.name.clone(),
        models: stack
            .store
            .models()
            .await?
            .iter()
            .map(ModelSummary::from)
            .collect(),
    };
    screen.show(&document, |paint| {
        if document.models.is_empty() {
            return format!(
                "No model is registered. Push one with `{} model push DIR`.\n",
                stack.command()
            );
        }
        let rows = document.models.iter().map(|model| {
            vec![
                Cell::new(&model.name),
                Cell::new(model.default_version).set_alignment(CellAlignment::Right),
                Cell::new(model.latest_version).set_alignment(CellAlignment::Right),
                Cell::new(words::printable(&model.title)),
            ]
        });
        format!(
            "{}\n",
            paint.list(&["Model", "Default", "Newest", "Title"], rows)
        )
    })?;
    Ok(Exit::Done)
}

async fn show(name: &ModelName, stack: &Stack, screen: Screen) -> anyhow::Result<Exit> {
    let model = registry::find_model(stack, name).await?;
    let latest = model.newest().number();
    let mut versions = Vec::new();
    for number in (1..=latest).rev().take(SHOWN as usize) {
        let Ok(number) = number.to_string().parse::<Version>() else {
            continue;
        };
        versions.extend(stack.store.version(name, number).await?);
    }
    let shown = versions
        .iter()
        .find(|version| version.version == model.default_version)
        .or(versions.first())
        .cloned();
    let document = ModelDetail {
        stack: stack.name.clone(),
        summary: ModelSummary::from(&model),
        versions: versions.iter().map(VersionView::from).collect(),
    };
    screen.show(&document, |paint| text(&document, shown.as_ref(), paint))?;
    Ok(Exit::Done)
}

fn text(model: &ModelDetail, shown: Option<&RegisteredVersion>, paint: Paint) -> String {
    let summary = &model.summary;
    let mut facts = vec![
        ("Model", paint.bold(summary.name.as_str())),
        ("Title", words::printable(&summary.title)),
        (
            "Default version",
            format!("{} of {}", summary.default_version, summary.latest_version),
        ),
    ];
    let mut text = String::new();
    if let Some(version) = shown {
        facts.extend(manifest_facts(version));
        text = writes(version, paint);
    }
    let text = format!("{}{text}", paint.facts(&facts));
    let rows = model.versions.iter().map(|version| {
        vec![
            Cell::new(version.version).set_alignment(CellAlignment::Right),
            Cell::new(words::moment_in_column(version.built_at)),
            Cell::new(short(&version.image)),
            Cell::new(version.commit.as_deref().unwrap_or_default()),
        ]
    });
    let listed = model.versions.len();
    let more = if (listed as u64) < u64::from(model.summary.latest_version.number()) {
        paint.dim(&format!("The newest {listed} versions.\n"))
    } else {
        String::new()
    };
    let table = paint.list(&["Version", "Built (UTC)", "Image", "Commit"], rows);
    format!("{text}\n{table}\n{more}")
}

/// What a version reads, how it runs and whom it mails.
fn manifest_facts(version: &RegisteredVersion) -> [(&'static str, String); 5] {
    let manifest = &version.spec.manifest;
    let job = &manifest.job;
    let accepts: Vec<&str> = manifest
        .input
        .accepts
        .iter()
        .map(|format| format.as_str())
        .collect();
    let reads = format!(
        "{}, at most {}",
        accepts.join(", "),
        words::size(manifest.input.max_bytes)
    );
    let runs = format!(
        "{} with {}, {} MiB, {} at most, {}",
        words::printable(&job.command.join(" ")),
        vcpus(job.vcpus),
        job.memory_mib,
        words::counted(job.timeout_minutes.into(), "minute"),
        words::counted(job.attempts.into(), "attempt"),
    );
    let mails = words::printable(&manifest.notify.recipients.join(", "));
    let secrets: Vec<String> = job
        .secrets
        .iter()
        .map(|(variable, secret)| format!("{variable} ({secret})"))
        .collect();
    let refreshes = manifest.refresh.as_ref().map(|refresh| {
        let when = match &refresh.schedule {
            Some(schedule) => format!("at {schedule} UTC"),
            None => "when asked to".to_owned(),
        };
        format!("{}, {when}", words::printable(&refresh.command.join(" ")))
    });
    [
        ("Reads", reads),
        ("Runs", runs),
        ("Secrets", secrets.join(", ")),
        ("Refreshes", refreshes.unwrap_or_default()),
        ("Mails", mails),
    ]
}

/// Virtual CPUs with their noun.
fn vcpus(vcpus: Vcpus) -> String {
    format!("{vcpus} vCPU{}", if vcpus.is_one() { "" } else { "s" })
}

/// What a version is for and what it writes.
fn writes(version: &RegisteredVersion, paint: Paint) -> String {
    let manifest = &version.spec.manifest;
    let rows = manifest.outputs.iter().map(|output| {
        let when = if output.required {
            "always"
        } else {
            "sometimes"
        };
        vec![
            Cell::new(words::printable(&output.path)),
            Cell::new(output.kind.as_str()),
            Cell::new(when),
            Cell::new(words::printable(&output.title)),
        ]
    });
    let description = match manifest.description.as_str() {
        "" => String::new(),
        description => format!("\n{}\n", words::printable(description)),
    };
    let table = paint.list(&["Writes", "Kind", "", "Title"], rows);
    format!("{description}\n{table}\n")
}

/// An image whose digest is cut to what tells versions apart.
fn short(image: &str) -> String {
    match image.split_once("@sha256:") {
        Some((name, digest)) if digest.len() > 12 => {
            format!("{name}@{}", digest.get(..12).unwrap_or(digest))
        }
        _ => image.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_without_a_manifest_is_no_model() {
        let folder = tempfile::tempdir().unwrap();
        let stop = check_folder(folder.path()).unwrap_err();
        assert_eq!(stop.exit, Exit::NotFound);
        assert!(
            stop.message.contains("has no model.toml"),
            "{}",
            stop.message
        );
        let stop = check_folder(&folder.path().join("nowhere")).unwrap_err();
        assert!(stop.message.starts_with("There is no folder"));
    }

    #[test]
    fn problems_of_a_manifest_are_something_to_correct() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(MANIFEST_FILE), "nmae = \"m\"\n").unwrap();
        let error = read_folder(folder.path()).unwrap_err();
        let stop = error.downcast_ref::<Stop>().unwrap();
        assert_eq!(stop.exit, Exit::NotAccepted);
        assert!(stop.message.contains("nmae"), "{}", stop.message);
    }

    #[test]
    fn an_image_is_shown_by_the_head_of_its_digest() {
        let image = format!("local/m@sha256:{}", "0a".repeat(32));
        assert_eq!(short(&image), "local/m@0a0a0a0a0a0a");
        assert_eq!(short("plain"), "plain");
    }
}
