//! `dropcast model refresh`.

use crate::{args::Refresh, clock, exit::Exit, screen::Screen, stack::Stack, submit, upload};

/// Requests a refresh, and waits for its end with `--wait`.
pub async fn run(args: &Refresh, stack: &Stack, screen: Screen) -> anyhow::Result<Exit> {
    // The version is checked before anything is uploaded.
    let uploaded = upload::request_refresh(stack, &args.model, args.version, clock::now()).await?;
    submit::follow(stack, &uploaded, args.wait, args.timeout, screen).await
}
