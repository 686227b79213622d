//! stub
use crate::{args::Init, exit::Exit, screen::Screen};
pub(super) fn run(_: &Init, _: Screen) -> anyhow::Result<Exit> {
    Ok(Exit::Done)
}
