//! `dropcast model refresh`.

use crate::{args::Refresh, clock, exit::Exit, registry, screen::Screen, stack::Stack, submit};

/// Asks for a refresh, and waits for its end if asked to.
pub async fn run(args: &Refresh, stack: &Stack, screen: Screen) -> anyhow::Result<Exit> {
    // Refused before anything is put.
    registry::resolve_refresh(stack, &args.model, args.version).await?;
    let asked = submit::ask_for_refresh(stack, &args.model, args.version, clock::now()).await?;
    submit::follow(stack, &asked, args.wait, args.timeout, screen).await
}
