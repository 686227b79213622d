//! `dropcast model versions`, `builds`, `promote`, `rollback` and `retire`.

use comfy_table::{Cell, CellAlignment};
use dropcast_api_types::{
    BuildView, Builds, DefaultView, Promoted, Retired, RetiredView, VersionSummary, Versions,
};
use dropcast_app::{
    models,
    versions::{self, ChangeError, DefaultChange, VersionList},
};
use dropcast_domain::{
    ids::{RunId, Version},
    model::ModelName,
    registry::{Defaults, Model, PromotionError},
};

use super::shorten_image;
use crate::{
    args,
    exit::{CliError, Exit},
    messages, registry,
    screen::{Screen, Style},
    stack::Stack,
};

/// How many versions are listed.
const MAX_VERSIONS: u16 = 1_000;

/// How many open runs an error message names.
const MAX_NAMED_RUNS: usize = 5;

/// How many changes of the default the text shows.
const MAX_SHOWN_DEFAULTS: usize = 10;

/// Lists or changes the versions of a model.
pub(super) async fn run(
    command: &args::Versions,
    stack: &Stack,
    screen: Screen,
) -> anyhow::Result<Exit> {
    match command {
        args::Versions::Versions { model } => list(model, stack, screen).await,
        args::Versions::Builds(args) => builds(args, stack, screen).await,
        args::Versions::Promote(args) => {
            let caller = stack.caller().await?;
            let name = &args.model;
            let promoted =
                versions::promote(&stack.store, name, args.version, caller.audit_stamp()).await?;
            let change =
                promoted.map_err(|error| explain_change_error(name, &error, "promote", stack))?;
            show_change(name, &change, stack, screen)
        }
        args::Versions::Rollback { model: name } => {
            let caller = stack.caller().await?;
            let rolled_back = versions::roll_back(&stack.store, name, caller.audit_stamp()).await?;
            let change = rolled_back
                .map_err(|error| explain_change_error(name, &error, "roll back", stack))?;
            show_change(name, &change, stack, screen)
        }
        args::Versions::Retire(args) => retire(args, stack, screen).await,
    }
}

async fn list(name: &ModelName, stack: &Stack, screen: Screen) -> anyhow::Result<Exit> {
    let listed = versions::list_versions(&stack.store, name, MAX_VERSIONS).await?;
    let VersionList {
        model,
        versions,
        defaults,
    } = listed.map_err(|unknown| registry::explain_unknown_model(&unknown, &stack.command()))?;
    let document = Versions {
        stack: stack.name.clone(),
        model: name.to_string(),
        default_version: model.default_version,
        versions: versions
            .iter()
            .map(|version| VersionSummary::of(version, model.default_version, &defaults))
            .collect(),
        defaults: defaults.entries.iter().map(DefaultView::from).collect(),
    };
    screen.show(&document, |style| render(&document, style))?;
    Ok(Exit::Done)
}

fn render(document: &Versions, style: Style) -> String {
    let rows = document.versions.iter().map(|version| {
        let state = match &version.retired {
            _ if version.default => "default".to_owned(),
            Some(retired) => format!(
                "retired {}",
                messages::format_timestamp_in_column(retired.at)
            ),
            None => String::new(),
        };
        vec![
            Cell::new(version.version).set_alignment(CellAlignment::Right),
            Cell::new(state),
            Cell::new(messages::format_timestamp_in_column(version.built_at)),
            Cell::new(shorten_image(&version.image)),
            Cell::new(version.commit.as_deref().unwrap_or_default()),
        ]
    });
    let versions = style.format_list(&["Version", "", "Built (UTC)", "Image", "Commit"], rows);
    let rows = document
        .defaults
        .iter()
        .take(MAX_SHOWN_DEFAULTS)
        .map(|entry| {
            vec![
                Cell::new(messages::format_timestamp_in_column(entry.at)),
                Cell::new(entry.version).set_alignment(CellAlignment::Right),
                Cell::new(entry.kind.as_str()),
                Cell::new(messages::sanitize(entry.by.as_deref().unwrap_or_default())),
            ]
        });
    let defaults = style.format_list(&["Default since (UTC)", "Version", "", "By"], rows);
    format!("{versions}\n\n{defaults}\n")
}

async fn builds(args: &args::Builds, stack: &Stack, screen: Screen) -> anyhow::Result<Exit> {
    let builds = models::list_builds(&stack.store, &args.model, args.limit).await?;
    let builds =
        builds.map_err(|unknown| registry::explain_unknown_model(&unknown, &stack.command()))?;
    let document = Builds {
        stack: stack.name.clone(),
        model: args.model.to_string(),
        builds: builds.iter().map(BuildView::from).collect(),
    };
    screen.show(&document, |style| render_builds(&document, style))?;
    Ok(Exit::Done)
}

fn render_builds(document: &Builds, style: Style) -> String {
    if document.builds.is_empty() {
        return format!("No builds of {} are recorded.\n", document.model);
    }
    let rows = document.builds.iter().map(|build| {
        let result = match (build.version, &build.failure) {
            (Some(version), _) => format!("version {version}"),
            (None, Some(failure)) => format!("failed in {}", failure.phase.as_str()),
            (None, None) => build.status.as_str().to_owned(),
        };
        vec![
            Cell::new(messages::format_timestamp_in_column(build.at)),
            Cell::new(result),
            Cell::new(build.commit.as_deref().unwrap_or_default()),
            Cell::new(&build.build_id),
        ]
    });
    let mut text = style.format_list(&["Ended (UTC)", "", "Commit", "Build"], rows);
    text.push('\n');
    // The newest build in full, because it is the most likely reason for this command.
    let newest = document.builds.first();
    if let Some(failure) = newest.and_then(|build| build.failure.as_ref()) {
        let message = messages::sanitize(&failure.message);
        text = format!("{text}\n{} {}\n", style.bold(&message), failure.advice);
        let lines = failure.log.iter();
        text +=
            &messages::join_lines(lines.map(|line| format!("  | {}", messages::sanitize(line))));
    }
    text
}

fn show_change(
    name: &ModelName,
    change: &DefaultChange,
    stack: &Stack,
    screen: Screen,
) -> anyhow::Result<Exit> {
    let DefaultChange { previous, entry } = change;
    let document = Promoted {
        stack: stack.name.clone(),
        model: name.to_string(),
        entry: DefaultView::from(entry),
        previous_version: Some(*previous),
    };
    screen.show(&document, |style| {
        format!(
            "Version {} of {} is now the default; it was version {} before.\n{}\n",
            entry.version,
            style.bold(name.as_str()),
            previous,
            style.dim(
                "Files that were uploaded at least two seconds before this change run on the previous default."
            )
        )
    })?;
    Ok(Exit::Done)
}

async fn retire(args: &args::VersionArgs, stack: &Stack, screen: Screen) -> anyhow::Result<Exit> {
    let (name, version) = (&args.model, args.version);
    let caller = stack.caller().await?;
    let retired = versions::retire(&stack.store, name, version, caller.audit_stamp()).await?;
    let retirement =
        retired.map_err(|error| explain_change_error(name, &error, "retire", stack))?;
    let document = Retired {
        stack: stack.name.clone(),
        model: name.to_string(),
        version,
        retired: RetiredView::from(&retirement),
    };
    screen.show(&document, |style| {
        format!(
            "Version {version} of {} is retired: it can no longer run.\n",
            style.bold(name.as_str())
        )
    })?;
    Ok(Exit::Done)
}

fn explain_open_runs(
    name: &ModelName,
    version: Version,
    runs: &[RunId],
    command: &str,
) -> CliError {
    let named: Vec<&str> = runs
        .iter()
        .take(MAX_NAMED_RUNS)
        .map(RunId::as_str)
        .collect();
    let more = match runs.len().saturating_sub(MAX_NAMED_RUNS) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let message = format!(
        "Version {version} of {name} has {}: {}{more}.",
        messages::format_count(runs.len() as u64, "open run"),
        named.join(", ")
    );
    CliError::new(Exit::NotAccepted, message).advice(format!(
        "Wait until they have ended (`{command} runs -m {name} --open`), then retire it."
    ))
}

/// Explains why nothing was changed, and what to do instead.
fn explain_change_error(
    name: &ModelName,
    error: &ChangeError,
    action: &str,
    stack: &Stack,
) -> CliError {
    let command = stack.command();
    match error {
        ChangeError::UnknownModel(unknown) => registry::explain_unknown_model(unknown, &command),
        ChangeError::OpenRuns { version, runs } => {
            explain_open_runs(name, *version, runs, &command)
        }
        ChangeError::TooManyOpenRuns => CliError::new(
            Exit::NotAccepted,
            "The version cannot be retired now: its model has so many open runs that they cannot all be checked.",
        )
        .advice(format!(
            "Retire it when there are fewer; `{command} runs --open` lists them."
        )),
        ChangeError::Refused(refusal) => explain_promotion_error(
            &refusal.model,
            &refusal.defaults,
            &refusal.reason,
            action,
            &command,
        ),
    }
}

fn explain_promotion_error(
    model: &Model,
    defaults: &Defaults,
    reason: &PromotionError,
    action: &str,
    command: &str,
) -> CliError {
    let name = &model.name;
    let not_accepted = |message: String| CliError::new(Exit::NotAccepted, message);
    match *reason {
        PromotionError::NoSuchModel => CliError::new(Exit::NotFound, format!("There is no model {name}.")),
        PromotionError::NoSuchVersion(version) => {
            let message = format!("Model {name} has no version {version}.");
            CliError::new(Exit::NotFound, message).advice(match model.newest().number() {
                1 => "Its only version is 1.".to_owned(),
                newest => format!("Its versions are 1 to {newest}."),
            })
        }
        PromotionError::Retired(version) => {
            let since = defaults.retirement(version).map(|retired| {
                let by = retired.by.as_deref().unwrap_or_default();
                let by = match messages::sanitize(by) {
                    by if by.is_empty() => by,
                    by => format!(", by {by}"),
                };
                format!(" since {}{by}", messages::format_timestamp(retired.at))
            });
            let since = since.unwrap_or_default();
            let message = format!("Version {version} of {name} is retired{since}.");
            if action == "retire" {
                not_accepted(message)
            } else {
                not_accepted(message).advice(format!(
                    "Promote another version (`{command} model versions {name}` lists them), or push the same code again as a new version."
                ))
            }
        }
        PromotionError::IsDefault(version) if action == "retire" => not_accepted(format!(
            "Version {version} is the default of {name}, and the default cannot be retired."
        ))
        .advice(format!(
            "Promote another version first: `{command} model promote {name} VERSION`."
        )),
        PromotionError::IsDefault(version) => {
            not_accepted(format!("Version {version} is already the default of {name}."))
        }
        PromotionError::NoPreviousDefault(version) => not_accepted(format!(
            "The default of {name} cannot be rolled back: no version that can still run was the default before version {version}."
        ))
        .advice(format!(
            "Promote a version instead: `{command} model promote {name} VERSION`."
        )),
    }
}

#[cfg(test)]
mod tests {
    use dropcast_domain::registry::Retirement;
    use jiff::Timestamp;

    use super::*;

    fn version(number: u32) -> Version {
        number.to_string().parse().unwrap()
    }

    fn model(newest: u32) -> Model {
        Model {
            name: "m".parse().unwrap(),
            title: "M".into(),
            default_version: Version::FIRST,
            next_version: version(newest).next(),
        }
    }

    #[test]
    fn every_refusal_gives_its_reason_and_advice() {
        let defaults = Defaults {
            entries: Vec::new(),
            retired: vec![Retirement {
                version: version(2),
                at: Timestamp::UNIX_EPOCH,
                by: Some("arn:aws:iam::1:user/ana\u{1b}[2J".into()),
            }],
        };
        let words = |why, doing| {
            let error = explain_promotion_error(&model(3), &defaults, &why, doing, "dropcast");
            let text = format!("{} {}", error.message, error.advice.unwrap_or_default());
            assert!(!text.contains('\u{1b}'), "{text}");
            (error.exit.code(), text)
        };
        for (why, doing, code, part) in [
            (
                PromotionError::NoSuchVersion(version(9)),
                "promote",
                6,
                "Its versions are 1 to 3.",
            ),
            (
                PromotionError::Retired(version(2)),
                "promote",
                3,
                "by arn:aws:iam::1:user/ana",
            ),
            (
                PromotionError::Retired(version(2)),
                "retire",
                3,
                "is retired since",
            ),
            (
                PromotionError::IsDefault(version(1)),
                "promote",
                3,
                "is already the default of m.",
            ),
            (
                PromotionError::IsDefault(version(1)),
                "retire",
                3,
                "Promote another version first",
            ),
            (
                PromotionError::NoPreviousDefault(version(1)),
                "roll back",
                3,
                "The default of m cannot be rolled back",
            ),
            (
                PromotionError::NoSuchModel,
                "promote",
                6,
                "There is no model m.",
            ),
        ] {
            let (exit, text) = words(why, doing);
            assert_eq!(exit, code, "{text}");
            assert!(text.contains(part), "{text}");
        }
        let error = explain_promotion_error(
            &model(1),
            &defaults,
            &PromotionError::NoSuchVersion(version(9)),
            "promote",
            "dropcast",
        );
        assert_eq!(error.advice.as_deref(), Some("Its only version is 1."));
    }
}
