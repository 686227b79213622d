//! `dropcast model describe`: the description of a version that a build created.

use dropcast_domain::registry::named_by_digest;

use crate::{
    args::Describe,
    clock,
    exit::{CliError, Exit},
    model_folder::read_folder,
    screen::Screen,
};

/// Prints `version.json`, with `--json` and without.
pub(super) fn run(args: &Describe, screen: Screen) -> anyhow::Result<Exit> {
    if named_by_digest(&args.image).is_none() {
        return Err(CliError::new(
            Exit::Usage,
            format!("{} does not name an image by its digest.", args.image),
        )
        .advice(
            "A tag can change, but a version must not: name the image as REPOSITORY@sha256:DIGEST.",
        )
        .into());
    }
    let model = read_folder(&args.dir)?;
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
