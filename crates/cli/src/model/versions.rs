//! `dropcast model versions`, `builds`, `promote`, `rollback` and `retire`.

use comfy_table::{Cell, CellAlignment};
use dropcast_api_types::{
    BuildView, Builds, DefaultView, Promoted, Retired, RetiredView, VersionSummary, Versions,
};
use dropcast_app::versions::{self, ChangeError, DefaultChange, VersionList};
use dropcast_domain::{
    ids::{RunId, Version},
    model::ModelName,
    registry::{Defaults, Model, PromotionError},
};
use dropcast_store::History as _;

use crate::{
    args,
    exit::{Exit, Stop},
    registry,
    screen::{Paint, Screen},
    stack::Stack,
    words,
};

use super::short;

/// The most versions that are listed.
const MAX_VERSIONS: u16 = 1_000;

/// How many open runs a refusal names.
const NAMED_RUNS: usize = 5;

/// How many changes of the default are shown to people.
const SHOWN_DEFAULTS: usize = 10;

/// Lists or changes what is registered.
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
                versions::promote(&stack.store, name, args.version, caller.act()).await?;
            let change = promoted.map_err(|error| refused(name, &error, "promote", stack))?;
            changed(name, &change, stack, screen)
        }
        args::Versions::Rollback { model: name } => {
            let caller = stack.caller().await?;
            let rolled_back = versions::roll_back(&stack.store, name, caller.act()).await?;
            let change = rolled_back.map_err(|error| refused(name, &error, "roll back", stack))?;
            changed(name, &change, stack, screen)
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
    } = listed.map_err(|unknown| registry::unknown_model(&unknown, &stack.command()))?;
    let document = Versions {
        stack: stack.name.clone(),
        model: name.to_string(),
        default_version: model.default_version,
        versions: versions
            .iter()
            .map(|version| VersionSummary {
                version: version.version,
                default: version.version == model.default_version,
                built_at: version.spec.built_at,
                image: version.spec.image.clone(),
                commit: version.spec.commit.clone(),
                retired: defaults.retirement(version.version).map(RetiredView::from),
            })
            .collect(),
        defaults: defaults.entries.iter().map(DefaultView::from).collect(),
    };
    screen.show(&document, |paint| text(&document, paint))?;
    Ok(Exit::Done)
}

fn text(document: &Versions, paint: Paint) -> String {
    let rows = document.versions.iter().map(|version| {
        let standing = match &version.retired {
            _ if version.default => "default".to_owned(),
            Some(retired) => format!("retired {}", words::moment_in_column(retired.at)),
            None => String::new(),
        };
        vec![
            Cell::new(version.version).set_alignment(CellAlignment::Right),
            Cell::new(standing),
            Cell::new(words::moment_in_column(version.built_at)),
            Cell::new(short(&version.image)),
            Cell::new(version.commit.as_deref().unwrap_or_default()),
        ]
    });
    let versions = paint.list(&["Version", "", "Built (UTC)", "Image", "Commit"], rows);
    let rows = document.defaults.iter().take(SHOWN_DEFAULTS).map(|entry| {
        vec![
            Cell::new(words::moment_in_column(entry.at)),
            Cell::new(entry.version).set_alignment(CellAlignment::Right),
            Cell::new(entry.kind.as_str()),
            Cell::new(words::printable(entry.by.as_deref().unwrap_or_default())),
        ]
    });
    let defaults = paint.list(&["Default since (UTC)", "Version", "", "By"], rows);
    format!("{versions}\n\n{defaults}\n")
}

async fn builds(args: &args::Builds, stack: &Stack, screen: Screen) -> anyhow::Result<Exit> {
    let builds = stack.store.builds_of(&args.model, args.limit).await?;
    // A model whose first build failed is not registered yet.
    if builds.is_empty() {
        registry::find_model(stack, &args.model).await?;
    }
    let document = Builds {
        stack: stack.name.clone(),
        model: args.model.to_string(),
        builds: builds.iter().map(BuildView::from).collect(),
    };
    screen.show(&document, |paint| builds_text(&document, paint))?;
    Ok(Exit::Done)
}

fn builds_text(document: &Builds, paint: Paint) -> String {
    if document.builds.is_empty() {
        return format!("No build of {} is known.\n", document.model);
    }
    let rows = document.builds.iter().map(|build| {
        let came_of_it = match (build.version, &build.failure) {
            (Some(version), _) => format!("version {version}"),
            (None, Some(failure)) => format!("failed in {}", failure.phase.as_str()),
            (None, None) => build.status.as_str().to_owned(),
        };
        vec![
            Cell::new(words::moment_in_column(build.at)),
            Cell::new(came_of_it),
            Cell::new(build.commit.as_deref().unwrap_or_default()),
            Cell::new(&build.build_id),
        ]
    });
    let mut text = paint.list(&["Ended (UTC)", "", "Commit", "Build"], rows);
    text.push('\n');
    // Of the newest, everything: it is what brought the reader here.
    let newest = document.builds.first();
    if let Some(failure) = newest.and_then(|build| build.failure.as_ref()) {
        let message = words::printable(&failure.message);
        text = format!("{text}\n{} {}\n", paint.bold(&message), failure.advice);
        let lines = failure.log.iter();
        text += &words::lines(lines.map(|line| format!("  | {}", words::printable(line))));
    }
    text
}

fn changed(
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
    screen.show(&document, |paint| {
        format!(
            "Version {} of {} is the default now; it was version {} before.\n{}\n",
            entry.version,
            paint.bold(name.as_str()),
            previous,
            paint.dim(
                "Files that were dropped before (by two seconds) keep the version that they had."
            )
        )
    })?;
    Ok(Exit::Done)
}

async fn retire(args: &args::OfVersion, stack: &Stack, screen: Screen) -> anyhow::Result<Exit> {
    let (name, version) = (&args.model, args.version);
    let caller = stack.caller().await?;
    let retired = versions::retire(&stack.store, name, version, caller.act()).await?;
    let retirement = retired.map_err(|error| refused(name, &error, "retire", stack))?;
    let document = Retired {
        stack: stack.name.clone(),
        model: name.to_string(),
        version,
        retired: RetiredView::from(&retirement),
    };
    screen.show(&document, |paint| {
        format!(
            "Version {version} of {} is retired: no file can run it any more.\n",
            paint.bold(name.as_str())
        )
    })?;
    Ok(Exit::Done)
}

fn still_running(name: &ModelName, version: Version, runs: &[RunId], command: &str) -> Stop {
    let named: Vec<&str> = runs.iter().take(NAMED_RUNS).map(RunId::as_str).collect();
    let more = match runs.len().saturating_sub(NAMED_RUNS) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let message = format!(
        "Version {version} of {name} has {}: {}{more}.",
        words::counted(runs.len() as u64, "open run"),
        named.join(", ")
    );
    Stop::new(Exit::NotAccepted, message).advice(format!(
        "Wait until they are over (`{command} runs -m {name} --open`), then retire it."
    ))
}

/// Why nothing was changed, and what to do instead.
fn refused(name: &ModelName, error: &ChangeError, doing: &str, stack: &Stack) -> Stop {
    let command = stack.command();
    match error {
        ChangeError::UnknownModel(unknown) => registry::unknown_model(unknown, &command),
        ChangeError::OpenRuns { version, runs } => still_running(name, *version, runs, &command),
        ChangeError::Refused(refusal) => in_words(
            &refusal.model,
            &refusal.defaults,
            &refusal.reason,
            doing,
            &command,
        ),
    }
}

fn in_words(
    model: &Model,
    defaults: &Defaults,
    why: &PromotionError,
    doing: &str,
    command: &str,
) -> Stop {
    let name = &model.name;
    let not_accepted = |message: String| Stop::new(Exit::NotAccepted, message);
    match *why {
        PromotionError::NoSuchModel => Stop::new(Exit::NotFound, format!("There is no model {name}.")),
        PromotionError::NoSuchVersion(version) => {
            let message = format!("Model {name} has no version {version}.");
            Stop::new(Exit::NotFound, message).advice(match model.newest().number() {
                1 => "Its one version is 1.".to_owned(),
                newest => format!("Its versions are 1 to {newest}."),
            })
        }
        PromotionError::Retired(version) => {
            let since = defaults.retirement(version).map(|retired| {
                let by = retired.by.as_deref().unwrap_or_default();
                let by = match words::printable(by) {
                    by if by.is_empty() => by,
                    by => format!(", by {by}"),
                };
                format!(" since {}{by}", words::moment(retired.at))
            });
            let since = since.unwrap_or_default();
            let message = format!("Version {version} of {name} is retired{since}.");
            if doing == "retire" {
                not_accepted(message)
            } else {
                not_accepted(message).advice(format!(
                    "Promote another version; `{command} model versions {name}` lists them. The same code can be pushed again as a new version."
                ))
            }
        }
        PromotionError::IsDefault(version) if doing == "retire" => not_accepted(format!(
            "Version {version} is the default of {name}, and the default cannot be retired."
        ))
        .advice(format!(
            "Promote another version first: `{command} model promote {name} VERSION`."
        )),
        PromotionError::IsDefault(version) => {
            not_accepted(format!("Version {version} is the default of {name} already."))
        }
        PromotionError::NoPreviousDefault(version) => not_accepted(format!(
            "There is nothing to roll {name} back to: no version that can still run was its default before version {version}."
        ))
        .advice(format!(
            "Promote the version that you want: `{command} model promote {name} VERSION`."
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
    fn every_refusal_says_why_and_what_to_do() {
        let defaults = Defaults {
            entries: Vec::new(),
            retired: vec![Retirement {
                version: version(2),
                at: Timestamp::UNIX_EPOCH,
                by: Some("arn:aws:iam::1:user/ana\u{1b}[2J".into()),
            }],
        };
        let words = |why, doing| {
            let stop = in_words(&model(3), &defaults, &why, doing, "dropcast");
            let said = format!("{} {}", stop.message, stop.advice.unwrap_or_default());
            assert!(!said.contains('\u{1b}'), "{said}");
            (stop.exit.code(), said)
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
                "is the default of m already.",
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
                "nothing to roll m back to",
            ),
            (
                PromotionError::NoSuchModel,
                "promote",
                6,
                "There is no model m.",
            ),
        ] {
            let (exit, said) = words(why, doing);
            assert_eq!(exit, code, "{said}");
            assert!(said.contains(part), "{said}");
        }
        let stop = in_words(
            &model(1),
            &defaults,
            &PromotionError::NoSuchVersion(version(9)),
            "promote",
            "dropcast",
        );
        assert_eq!(stop.advice.as_deref(), Some("Its one version is 1."));
    }
}
