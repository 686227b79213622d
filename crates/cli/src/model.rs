//! `dropcast model`.

mod definition;
mod describe;
mod init;
mod local_run;
mod push;
mod versions;

use comfy_table::{Cell, CellAlignment};
use dropcast_api_types::{ModelDetail, ModelSummary, Models, Registered, VersionView};
use dropcast_app::models::{self, ModelVersions};
use dropcast_domain::{
    model::{ModelName, Vcpus},
    registry::RegisteredVersion,
};
use dropcast_local_stack::Registry;
use dropcast_store::{History as _, Models as _};

use crate::{
    args::{self, Common, Register},
    clock,
    exit::{CliError, Exit},
    messages,
    model_folder::{check_folder, explain_folder_error, read_folder},
    progress::StepReporter,
    refresh, registry,
    screen::{Screen, Style},
    stack::Stack,
};

/// How many versions of a model are shown, newest first.
const MAX_VERSIONS: u16 = 20;

/// Runs a command about a model's folder, or about the models of a stack.
pub async fn run(command: &args::Model, common: &Common, screen: Screen) -> anyhow::Result<Exit> {
    match command {
        args::Model::Init(args) => init::run(args, screen),
        args::Model::Test(args) => Box::pin(local_run::run(args, common, screen)).await,
        args::Model::Describe(args) => describe::run(args, screen),
        _ => {
            let stack = Stack::find(common).await?;
            Box::pin(run_on_stack(command, &stack, screen)).await
        }
    }
}

async fn run_on_stack(
    command: &args::Model,
    stack: &Stack,
    screen: Screen,
) -> anyhow::Result<Exit> {
    match command {
        args::Model::Register(args) => Box::pin(register(args, stack, screen)).await,
        args::Model::Refresh(args) => Box::pin(refresh::run(args, stack, screen)).await,
        args::Model::List => list(stack, screen).await,
        args::Model::Show { model } => show(model, stack, screen).await,
        args::Model::Push(args) => Box::pin(push::run(args, stack, screen)).await,
        args::Model::Versions(command) => Box::pin(versions::run(command, stack, screen)).await,
        // Handled by `run`, since they need no stack.
        args::Model::Init(_) | args::Model::Test(_) | args::Model::Describe(_) => Ok(Exit::Done),
    }
}

async fn register(args: &Register, stack: &Stack, screen: Screen) -> anyhow::Result<Exit> {
    let registered = match (&stack.local, &args.image, &args.job_definition) {
        (Some(local), None, _) => {
            check_folder(&args.dir)?;
            let steps = StepReporter::new(screen);
            let registry = Registry::of(local)?;
            let register =
                dropcast_local_stack::register(&args.dir, &registry, clock::now(), &steps);
            Box::pin(register).await.map_err(explain_folder_error)?
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
            return Err(CliError::new(
                Exit::Usage,
                "--image and --job-definition are only for deployed stacks; the local stack uses the folder.",
            )
            .into());
        }
        (None, ..) => {
            return Err(CliError::new(
                Exit::Usage,
                format!("A version on the deployed stack {} needs an image from a registry.", stack.name),
            )
            .advice("Build it with `dropcast model push DIR`. To use an existing image, register a Batch job definition for it and name both: --image URI@sha256:… --job-definition ARN.")
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
    screen.show(&document, |style| {
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
        let default_note = if pin.is_empty() {
            String::new()
        } else {
            format!("Files that pin no version run version {default}, the model's default.\n")
        };
        format!(
            "{} {done}.\n{default_note}{}\n",
            style.bold(version.model.as_str()),
            style.dim(&format!(
                "Submit a file to it with `{} submit FILE -m {}{pin}`.",
                stack.command(),
                version.model
            ))
        )
    })?;
    Ok(Exit::Done)
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
    screen.show(&document, |style| {
        if document.models.is_empty() {
            return format!(
                "No models are registered. Push one with `{} model push DIR`.\n",
                stack.command()
            );
        }
        let rows = document.models.iter().map(|model| {
            vec![
                Cell::new(&model.name),
                Cell::new(model.default_version).set_alignment(CellAlignment::Right),
                Cell::new(model.latest_version).set_alignment(CellAlignment::Right),
                Cell::new(messages::sanitize(&model.title)),
            ]
        });
        format!(
            "{}\n",
            style.format_list(&["Model", "Default", "Newest", "Title"], rows)
        )
    })?;
    Ok(Exit::Done)
}

async fn show(name: &ModelName, stack: &Stack, screen: Screen) -> anyhow::Result<Exit> {
    let found = models::show_model(&stack.store, name, MAX_VERSIONS).await?;
    let ModelVersions {
        model,
        versions,
        default,
    } = found.map_err(|unknown| registry::explain_unknown_model(&unknown, &stack.command()))?;
    let document = ModelDetail {
        stack: stack.name.clone(),
        summary: ModelSummary::from(&model),
        versions: versions.iter().map(VersionView::from).collect(),
    };
    screen.show(&document, |style| {
        render(&document, default.as_ref(), style)
    })?;
    Ok(Exit::Done)
}

fn render(model: &ModelDetail, default: Option<&RegisteredVersion>, style: Style) -> String {
    let summary = &model.summary;
    let mut facts = vec![
        ("Model", style.bold(summary.name.as_str())),
        ("Title", messages::sanitize(&summary.title)),
        (
            "Default version",
            format!("{} of {}", summary.default_version, summary.latest_version),
        ),
    ];
    let mut text = String::new();
    if let Some(version) = default {
        facts.extend(list_manifest_fields(version));
        text = render_outputs(version, style);
    }
    let text = format!("{}{text}", style.format_fields(&facts));
    let rows = model.versions.iter().map(|version| {
        vec![
            Cell::new(version.version).set_alignment(CellAlignment::Right),
            Cell::new(messages::format_timestamp_in_column(version.built_at)),
            Cell::new(shorten_image(&version.image)),
            Cell::new(version.commit.as_deref().unwrap_or_default()),
        ]
    });
    let listed = model.versions.len();
    let more = if (listed as u64) < u64::from(model.summary.latest_version.number()) {
        style.dim(&format!("The newest {listed} versions.\n"))
    } else {
        String::new()
    };
    let table = style.format_list(&["Version", "Built (UTC)", "Image", "Commit"], rows);
    format!("{text}\n{table}\n{more}")
}

/// The input, job, refresh and recipients of a version.
fn list_manifest_fields(version: &RegisteredVersion) -> [(&'static str, String); 5] {
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
        messages::format_size(manifest.input.max_bytes)
    );
    let runs = format!(
        "{} with {}, {} MiB, at most {}, {}",
        messages::sanitize(&job.command.join(" ")),
        format_vcpus(job.vcpus),
        job.memory_mib,
        messages::format_count(job.timeout_minutes.into(), "minute"),
        messages::format_count(job.attempts.into(), "attempt"),
    );
    let mails = messages::sanitize(&manifest.notify.recipients.join(", "));
    let secrets: Vec<String> = job
        .secrets
        .iter()
        .map(|(variable, secret)| format!("{variable} ({secret})"))
        .collect();
    let refreshes = manifest.refresh.as_ref().map(|refresh| {
        let when = match &refresh.schedule {
            Some(schedule) => format!("at {schedule} UTC"),
            None => "on request".to_owned(),
        };
        format!("{}, {when}", messages::sanitize(&refresh.command.join(" ")))
    });
    [
        ("Reads", reads),
        ("Runs", runs),
        ("Secrets", secrets.join(", ")),
        ("Refreshes", refreshes.unwrap_or_default()),
        ("Mails", mails),
    ]
}

/// A number of virtual CPUs with its unit.
fn format_vcpus(vcpus: Vcpus) -> String {
    format!("{vcpus} vCPU{}", if vcpus.is_one() { "" } else { "s" })
}

/// The description and the declared outputs of a version.
fn render_outputs(version: &RegisteredVersion, style: Style) -> String {
    let manifest = &version.spec.manifest;
    let rows = manifest.outputs.iter().map(|output| {
        let when = if output.required {
            "always"
        } else {
            "sometimes"
        };
        vec![
            Cell::new(messages::sanitize(&output.path)),
            Cell::new(output.kind.as_str()),
            Cell::new(when),
            Cell::new(messages::sanitize(&output.title)),
        ]
    });
    let description = match manifest.description.as_str() {
        "" => String::new(),
        description => format!("\n{}\n", messages::sanitize(description)),
    };
    let table = style.format_list(&["Writes", "Kind", "", "Title"], rows);
    format!("{description}\n{table}\n")
}

/// Shortens an image's digest to 12 characters, which are enough to tell versions apart.
fn shorten_image(image: &str) -> String {
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
    fn an_image_is_shown_by_the_head_of_its_digest() {
        let image = format!("local/m@sha256:{}", "0a".repeat(32));
        assert_eq!(shorten_image(&image), "local/m@0a0a0a0a0a0a");
        assert_eq!(shorten_image("plain"), "plain");
    }
}
