//! Images on one machine: folders.

use std::path::{Path, PathBuf};

/// Why an image cannot be used, in the words of Amazon ECS.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ImageError {
    /// The image is none of the local registry.
    #[error(
        "CannotPullContainerError: {0} is not in the local registry; a local image is local/<model>@sha256:<hex>"
    )]
    NotLocal(String),
    /// The folder does not exist.
    #[error(
        "CannotPullContainerError: Error response from daemon: manifest for {0} not found: manifest unknown: Requested image not found"
    )]
    NotFound(String),
}

/// The folder of an image, relative to the images' root.
pub(crate) fn folder(image: &str) -> Result<PathBuf, ImageError> {
    let not_local = || ImageError::NotLocal(image.to_owned());
    let (model, digest) = image
        .strip_prefix("local/")
        .and_then(|rest| rest.split_once("@sha256:"))
        .ok_or_else(not_local)?;
    let plain = |text: &str| {
        !text.is_empty()
            && text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
    };
    let hex = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if plain(model) && hex(digest) {
        Ok(Path::new(model).join(digest))
    } else {
        Err(not_local())
    }
}

/// The existing folder of an image.
pub(crate) fn find(images: &Path, image: &str) -> Result<PathBuf, ImageError> {
    let folder = images.join(folder(image)?);
    if folder.is_dir() {
        Ok(folder)
    } else {
        Err(ImageError::NotFound(image.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_is_a_folder_by_model_and_digest() {
        assert_eq!(
            folder("local/revenue-forecast@sha256:0ab9"),
            Ok(PathBuf::from("revenue-forecast/0ab9"))
        );
    }

    #[test]
    fn an_image_never_leads_out_of_the_registry() {
        for image in [
            "busybox",
            "local/m",
            "local/../m@sha256:ab",
            "local/m@sha256:../../etc",
            "local/@sha256:ab",
            "local/m@sha256:",
        ] {
            assert_eq!(folder(image), Err(ImageError::NotLocal(image.to_owned())));
        }
    }

    #[test]
    fn a_missing_folder_is_an_image_that_cannot_be_pulled() {
        let error = find(Path::new("/nowhere"), "local/m@sha256:ab").unwrap_err();
        assert!(error.to_string().starts_with("CannotPullContainerError: "));
    }
}
