//! `dropcast model refresh`.

use dropcast_domain::registry::RegisteredVersion;

use crate::{
    args::Refresh,
    clock,
    exit::{Exit, Stop},
    screen::Screen,
    stack::Stack,
    submit,
};

/// Asks for a refresh, and waits for its end if asked to.
pub async fn run(args: &Refresh, stack: &Stack, screen: Screen) -> anyhow::Result<Exit> {
    // Refused before anything is put.
    let version = submit::registered(stack, &args.model, args.version).await?;
    can_be_refreshed(&version)?;
    let asked = submit::ask_for_refresh(stack, &args.model, args.version, clock::now()).await?;
    submit::follow(stack, &asked, args.wait, args.timeout, screen).await
}

fn can_be_refreshed(version: &RegisteredVersion) -> Result<(), Stop> {
    if version.spec.manifest.refresh.is_some() {
        return Ok(());
    }
    let RegisteredVersion { model, version, .. } = version;
    Err(Stop::new(
        Exit::NotAccepted,
        format!("Version {version} of {model} cannot be refreshed: its manifest has no [refresh] section."),
    )
    .advice("Add one that names the command, for example [refresh] command = [\"python\", \"refresh.py\"], or name a version that has one with --version."))
}
