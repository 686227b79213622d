//! What a build that succeeded writes about its version.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{BuildFailure, BuildId, Requester};
use crate::model::Manifest;

/// The largest such file, in bytes. A manifest and its schemas are some kilobytes, and an item of
/// the table, which keeps them, ends at 400 kB.
pub const MAX_VERSION_FILE: u64 = 1024 * 1024;

/// The largest manifest and schemas together, in bytes.
const MAX_DECLARATIONS: usize = 300_000;

/// `version.json`: what a build that succeeded made. The shape is
/// `schemas/version.schema.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(
    title = "Version",
    description = "What a build that succeeded writes to builds/<build id>/version.json in the models bucket, at most 1 MiB: register-version makes a version of it. Manifest and schemas are texts, so that their keys keep their order."
)]
pub struct VersionFile {
    /// The build that wrote it: the UUID after the colon of CodeBuild's own id.
    pub build_id: BuildId,
    /// The image by digest: one of the deployment's own repository.
    #[schemars(regex(pattern = "^[^@]+@sha256:[0-9a-f]{64}$"))]
    pub image: String,
    /// The commit that was built.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// When it was built.
    pub built_at: Timestamp,
    /// The text of model.toml.
    pub manifest: String,
    /// The text of the input's JSON Schema.
    pub input_schema: String,
    /// The text of the JSON Schema of one row, where the manifest names one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub row_schema: Option<String>,
}

impl VersionFile {
    /// Reads what a build wrote; `content` is none where it wrote nothing.
    pub fn read(build: &BuildId, content: Option<&[u8]>) -> Result<Self, BuildFailure> {
        let name = build.version_key();
        let refused = |why: &str| BuildFailure::refused(&format!("{name} {why}"));
        let content = content
            .ok_or_else(|| refused("is missing: the build succeeded but did not write it."))?;
        if content.len() as u64 > MAX_VERSION_FILE {
            return Err(refused(&format!(
                "is larger than the limit of {MAX_VERSION_FILE} bytes."
            )));
        }
        let read: Self = serde_json::from_slice(content)
            .map_err(|error| refused(&format!("could not be parsed: {error}.")))?;
        if read.build_id != *build {
            return Err(refused(&format!(
                "belongs to another build, {}.",
                read.build_id
            )));
        }
        let declared = read.manifest.len()
            + read.input_schema.len()
            + read.row_schema.as_deref().map_or(0, str::len);
        if declared > MAX_DECLARATIONS {
            return Err(BuildFailure::refused(&format!(
                "The manifest and its schemas have {declared} bytes together; the limit is {MAX_DECLARATIONS} bytes."
            )));
        }
        Ok(read)
    }

    /// The manifest, if the image and the model are what they have to be: an image of this
    /// repository, and the model that the requester meant.
    pub fn manifest(
        &self,
        repository: &str,
        requester: &Requester,
    ) -> Result<Manifest, BuildFailure> {
        let image = crate::text::clean_line(&self.image);
        if !is_image_of(&self.image, repository) {
            return Err(BuildFailure::refused(&format!(
                "The image “{image}” is not in the repository {repository}, or has no digest; expected {repository}@sha256:…"
            )));
        }
        let manifest = Manifest::parse(crate::model::MANIFEST_FILE, &self.manifest)
            .map_err(|errors| BuildFailure::refused(&errors.to_string()))?;
        match &requester.model {
            Some(meant) if meant != manifest.name.as_str() => Err(BuildFailure::refused(&format!(
                "The build is for the model “{meant}”, but the name in its manifest is “{}”.",
                manifest.name
            ))),
            _ => Ok(manifest),
        }
    }
}

/// Whether an image is one of a repository, or of one below it, by digest: a tag can be moved.
pub fn is_image_of(image: &str, repository: &str) -> bool {
    let Some(name) = named_by_digest(image) else {
        return false;
    };
    let below = |path: &str| {
        path.strip_prefix('/').is_some_and(|path| {
            path.split('/').all(|part| {
                part.starts_with(|c: char| c.is_ascii_alphanumeric())
                    && part
                        .bytes()
                        .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_' | b'-'))
            })
        })
    };
    name.strip_prefix(repository)
        .is_some_and(|rest| rest.is_empty() || below(rest))
}

/// The repository of an image that is named as `<repository>@sha256:<64 hex digits>`.
pub fn named_by_digest(image: &str) -> Option<&str> {
    let (repository, digest) = image.split_once("@sha256:")?;
    let is_hex = |byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    (!repository.is_empty() && digest.len() == 64 && digest.bytes().all(is_hex))
        .then_some(repository)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "5f1c3a2e-7f0d-4f6a-9c55-0b7c8a4f1d20";
    const REPOSITORY: &str = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/models";

    fn file(manifest: &str) -> VersionFile {
        VersionFile {
            build_id: ID.parse().unwrap(),
            image: format!("{REPOSITORY}@sha256:{}", "0a".repeat(32)),
            commit: None,
            built_at: Timestamp::UNIX_EPOCH,
            manifest: manifest.to_owned(),
            input_schema: "{}".to_owned(),
            row_schema: None,
        }
    }

    const MANIFEST: &str = "name = \"m\"\ntitle = \"M\"\n[job]\ncommand = [\"true\"]\n[input]\naccepts = [\"json\"]\nschema = \"in.json\"\n";

    #[test]
    fn a_file_that_is_not_what_a_build_writes_is_refused_with_a_sentence() {
        let id: BuildId = ID.parse().unwrap();
        let good = serde_json::to_vec(&file(MANIFEST)).unwrap();
        assert_eq!(VersionFile::read(&id, Some(&good)).unwrap(), file(MANIFEST));
        let large = vec![b' '; usize::try_from(MAX_VERSION_FILE).unwrap() + 1];
        let fat = VersionFile {
            input_schema: "x".repeat(MAX_DECLARATIONS),
            ..file(MANIFEST)
        };
        let fat = serde_json::to_vec(&fat).unwrap();
        let other = ID.replace('5', "6").parse().unwrap();
        for (id, content, words) in [
            (&id, None, "is missing"),
            (&id, Some(large.as_slice()), "is larger than"),
            (&id, Some(b"{".as_slice()), "could not be parsed"),
            (&id, Some(b"{}".as_slice()), "missing field `buildId`"),
            (&other, Some(good.as_slice()), "belongs to another build"),
            (&id, Some(fat.as_slice()), "bytes together"),
        ] {
            let failure = VersionFile::read(id, content).unwrap_err();
            assert!(failure.message.contains(words), "{}", failure.message);
            assert!(failure.message.ends_with('.'), "{}", failure.message);
        }
    }

    #[test]
    fn only_an_image_of_the_repository_by_digest_is_taken() {
        let digest = "0a".repeat(32);
        assert!(is_image_of(&format!("local/m@sha256:{digest}"), "local"));
        assert!(is_image_of(
            &format!("{REPOSITORY}@sha256:{digest}"),
            REPOSITORY
        ));
        for bad in [
            format!("{REPOSITORY}:latest"),
            format!("{REPOSITORY}@sha256:{}", "0a".repeat(31)),
            format!("{REPOSITORY}@sha256:{}", "0A".repeat(32)),
            format!("{REPOSITORY}-evil@sha256:{digest}"),
            format!("{REPOSITORY}/../other@sha256:{digest}"),
            format!("{REPOSITORY}:v1@sha256:{digest}"),
            format!("evil.example/{REPOSITORY}@sha256:{digest}"),
            String::new(),
        ] {
            assert!(!is_image_of(&bad, REPOSITORY), "{bad}");
        }
    }

    #[test]
    fn an_image_is_named_by_its_digest() {
        let digest = "0a".repeat(32);
        let image = format!("host/models@sha256:{digest}");
        assert_eq!(named_by_digest(&image), Some("host/models"));
        assert_eq!(named_by_digest(&format!("@sha256:{digest}")), None);
        assert_eq!(named_by_digest(&format!("host/models:{digest}")), None);
    }

    #[test]
    fn the_model_is_the_one_that_was_meant() {
        let meant = |name: &str| Requester {
            model: Some(name.to_owned()),
            ..Requester::default()
        };
        let file = file(MANIFEST);
        assert!(file.manifest(REPOSITORY, &meant("m")).is_ok());
        assert!(file.manifest(REPOSITORY, &Requester::default()).is_ok());
        for (file, repository, requester, words) in [
            (file.clone(), REPOSITORY, meant("other"), "“other”"),
            (
                file.clone(),
                "elsewhere",
                meant("m"),
                "not in the repository elsewhere",
            ),
            (
                VersionFile {
                    manifest: MANIFEST.replace("title", "titel"),
                    ..file
                },
                REPOSITORY,
                meant("m"),
                "titel",
            ),
        ] {
            let failure = file.manifest(repository, &requester).unwrap_err();
            assert!(failure.message.contains(words), "{}", failure.message);
        }
    }
}
