//! `dropcast model describe`: what a build says of the version that it made.

use dropcast_domain::registry::named_by_digest;

use crate::{
    args::Describe,
    clock,
    exit::{Exit, Stop},
    screen::Screen,
};

/// Prints `version.json`; with `--json` or without, it is the same document.
pub(super) fn run(args: &Describe, screen: Screen) -> anyhow::Result<Exit> {
    if named_by_digest(&args.image).is_none() {
        return Err(Stop::new(
            Exit::Usage,
            format!("{} names no image by its digest.", args.image),
        )
        .advice("A version never changes, and a tag may: name the image REPOSITORY@sha256:DIGEST.")
        .into());
    }
    let model = super::read_folder(&args.dir)?;
    let commit = args.commit.clone().filter(|commit| !commit.is_empty());
    let version = model.version_file(
        args.build_id.clone(),
        args.image.clone(),
        commit,
        clock::now(),
    );
    let mut text = serde_json::to_string_pretty(&version)?;
    text.push('\n');
    screen.write(&text)?;
    Ok(Exit::Done)
}
