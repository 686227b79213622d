//! stub
use crate::{args::Push, exit::Exit, screen::Screen, stack::Stack};
pub(super) async fn run(_: &Push, _: &Stack, _: Screen) -> anyhow::Result<Exit> {
    Ok(Exit::Done)
}
