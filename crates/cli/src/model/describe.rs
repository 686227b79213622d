//! `dropcast model describe`: the record of a version, for the build that made it.

use dropcast_model_folder::VersionRecord;

use crate::{
    args::Describe,
    clock,
    exit::{Exit, Stop},
    screen::Screen,
};

/// Prints `version.json`; with `--json` or without, it is the same document.
pub(super) fn run(args: &Describe, screen: Screen) -> anyhow::Result<Exit> {
    if !is_digest(&args.image) {
        return Err(Stop::new(
            Exit::Usage,
            format!("{} names no image by its digest.", args.image),
        )
        .advice("A version never changes, and a tag may: name the image REPOSITORY@sha256:DIGEST.")
        .into());
    }
    let model = super::read_folder(&args.dir)?;
    let commit = args.commit.clone().filter(|commit| !commit.is_empty());
    let record = VersionRecord::of(
        &model,
        args.build_id.to_string(),
        &args.image,
        commit,
        clock::now(),
    );
    let mut text = serde_json::to_string_pretty(&record)?;
    text.push('\n');
    screen.write(&text)?;
    Ok(Exit::Done)
}

/// Whether an image is named as `<repository>@sha256:<64 hex digits>`.
fn is_digest(image: &str) -> bool {
    image
        .split_once("@sha256:")
        .is_some_and(|(repository, digest)| {
            let hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
            !repository.is_empty() && digest.len() == 64 && digest.bytes().all(hex)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_is_named_by_its_digest() {
        let digest = "0a".repeat(32);
        assert!(is_digest(&format!("host/models@sha256:{digest}")));
        for image in [
            format!("@sha256:{digest}"),
            format!("host/models:{digest}"),
            format!("host/models@sha256:{}", &digest[1..]),
            format!("host/models@sha256:{}", digest.to_uppercase()),
        ] {
            assert!(!is_digest(&image), "{image}");
        }
    }
}
