//! An uploaded file, and what its key asks for.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    ids::{RunId, Version},
    model::ModelName,
    variants::named_enum,
};

/// The prefix for uploads of input files.
pub const INPUTS_PREFIX: &str = "inputs/";

/// The prefix under which any object starts a refresh of a model's cache.
pub const REFRESH_PREFIX: &str = "refresh/";

named_enum! {
    /// What a run does.
    #[derive(Default)]
    pub enum RunKind {
        /// Runs the model on a file.
        #[default]
        Run = "run",
        /// Refreshes the model's cache with its `[refresh]` command, without an input.
        Refresh = "refresh",
    }
}

impl RunKind {
    /// Whether it is a run on a file, the default in documents.
    pub fn is_run(&self) -> bool {
        *self == Self::Run
    }
}

/// The longest file name that is kept, in bytes. The name becomes a part of
/// longer keys, which S3 limits to 1,024 bytes, and of paths, whose parts
/// Linux limits to 255.
const FILE_NAME_BYTES: usize = 200;

/// One version of an uploaded object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Upload {
    /// The bucket that it was uploaded to.
    pub bucket: String,
    /// Its key, not URL-encoded.
    #[schemars(length(min = 1))]
    pub key: String,
    /// The object's version id, if the bucket is versioned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub version_id: Option<String>,
    /// S3's sequencer, which distinguishes uploads in a bucket without versioning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sequencer: Option<String>,
    /// Size in bytes.
    pub bytes: u64,
    /// When the file was uploaded, as reported by S3.
    pub at: Timestamp,
}

impl Upload {
    /// The id of the run that this upload starts: of the bucket, the key and the version, whenever
    /// the event says that it was written.
    pub fn run_id(&self) -> RunId {
        RunId::derive(
            &self.bucket,
            &self.key,
            self.generation().unwrap_or_default(),
        )
    }

    /// What distinguishes this upload from others under its key: the object's version or, where the bucket
    /// keeps none, S3's sequencer.
    pub fn generation(&self) -> Option<&str> {
        self.version_id.as_deref().or(self.sequencer.as_deref())
    }

    /// Whether this is a folder marker, which starts no run.
    pub fn is_folder(&self) -> bool {
        self.key.ends_with('/')
    }

    /// The kind of run that this upload starts.
    pub fn kind(&self) -> RunKind {
        if self.key.starts_with(REFRESH_PREFIX) {
            RunKind::Refresh
        } else {
            RunKind::Run
        }
    }

    /// The model and version that the key names.
    pub fn request(&self) -> Request {
        Request::from_key(&self.key)
    }

    /// The file's name, safe as a part of a key and of a path.
    pub fn file_name(&self) -> String {
        safe_file_name(self.key.rsplit('/').next().unwrap_or_default())
    }
}

/// The key of the object that starts a model's refresh scheduled for `due`. It is the same for
/// every attempt, so that the refresh is started once.
pub fn scheduled_refresh_key(model: &ModelName, due: Timestamp) -> String {
    let due = due.to_zoned(jiff::tz::TimeZone::UTC);
    format!(
        "{REFRESH_PREFIX}{model}/{}.json",
        due.strftime("%Y%m%dT%H%M%SZ")
    )
}

/// The model and version in a key: `inputs/<model>[@<version>]/<anything>/<file>`, and likewise below
/// `refresh/`.
///
/// Stored as the user wrote it; validation checks whether the model exists, so that a
/// misspelled name becomes a rejected run and not a lost file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(description = "What the key asks for, as the uploader wrote it.")]
pub struct Request {
    /// The model's name as written; empty when the file lies directly under inputs/.
    pub model: String,
    /// The pinned version as written, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
}

impl Request {
    /// A request for a model, optionally with a pinned version.
    pub fn new(model: &ModelName, version: Option<Version>) -> Self {
        Self {
            model: model.to_string(),
            version: version.map(|version| version.to_string()),
        }
    }

    fn from_key(key: &str) -> Self {
        let rest = [INPUTS_PREFIX, REFRESH_PREFIX]
            .iter()
            .find_map(|prefix| key.strip_prefix(prefix))
            .unwrap_or(key);
        let folder = rest.split_once('/').map_or("", |(folder, _)| folder);
        match folder.split_once('@') {
            Some((model, version)) => Self {
                model: model.to_owned(),
                version: Some(version.to_owned()),
            },
            None => Self {
                model: folder.to_owned(),
                version: None,
            },
        }
    }
}

/// A file name that is safe in paths, keys and headers.
///
/// Letters, digits and most punctuation stay; separators, control characters
/// and quotes become `_`. The extension survives the shortening.
pub fn safe_file_name(name: &str) -> String {
    safe_name(name, "input")
}

/// The same, for a file that is called `otherwise` when nothing is left of its name.
pub(crate) fn safe_name(name: &str, otherwise: &str) -> String {
    let cleaned: String = name
        .chars()
        .map(|c| {
            if c.is_control()
                || matches!(c, '/' | '\\' | '"' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
            {
                '_'
            } else {
                c
            }
        })
        .collect();
    if cleaned.trim_matches(['.', ' ']).is_empty() {
        return otherwise.to_owned();
    }
    if cleaned.len() <= FILE_NAME_BYTES {
        return cleaned;
    }
    let (stem, extension) = match cleaned.rsplit_once('.') {
        Some((stem, extension)) if extension.len() <= 16 => (stem, format!(".{extension}")),
        _ => (cleaned.as_str(), String::new()),
    };
    let room = FILE_NAME_BYTES - extension.len();
    let cut = (0..=room)
        .rev()
        .find(|at| stem.is_char_boundary(*at))
        .unwrap_or(0);
    format!("{}{extension}", stem.get(..cut).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn upload(key: &str) -> Upload {
        Upload {
            bucket: "in".into(),
            key: key.into(),
            version_id: Some("v1".into()),
            sequencer: Some("0055".into()),
            bytes: 1,
            at: "2026-03-01T09:30:00Z".parse().unwrap(),
        }
    }

    #[test]
    fn the_first_folder_names_the_model_and_may_pin_a_version() {
        let request = |key: &str| upload(key).request();
        assert_eq!(
            request("inputs/m/a.json"),
            Request {
                model: "m".into(),
                version: None
            }
        );
        assert_eq!(
            request("inputs/m@3/q3/a.json"),
            Request {
                model: "m".into(),
                version: Some("3".into())
            }
        );
        assert_eq!(
            request("inputs/a.json"),
            Request {
                model: String::new(),
                version: None
            }
        );
        assert_eq!(request("inputs/m + é %/..").model, "m + é %");
    }

    #[test]
    fn an_object_below_refresh_starts_a_refresh() {
        let due = "2026-03-01T06:00:00Z".parse().unwrap();
        let key = scheduled_refresh_key(&"m".parse().unwrap(), due);
        assert_eq!(key, "refresh/m/20260301T060000Z.json");
        let refresh = upload(&key);
        assert_eq!(refresh.kind(), RunKind::Refresh);
        assert_eq!(refresh.request().model, "m");
        let pinned = upload("refresh/m@3/now.json").request();
        assert_eq!(pinned.version.as_deref(), Some("3"));
        // A model may be called so.
        let run = upload("inputs/refresh/a.json");
        assert_eq!(run.kind(), RunKind::Run);
        assert_eq!(run.request().model, "refresh");
    }

    #[test]
    fn the_sequencer_distinguishes_uploads_without_versions() {
        let mut one = upload("inputs/m/a.json");
        one.version_id = None;
        let mut two = one.clone();
        two.sequencer = Some("0056".into());
        assert_ne!(one.run_id(), two.run_id());
    }

    #[test]
    fn a_name_that_climbs_becomes_a_plain_one() {
        assert_eq!(upload("inputs/m/..").file_name(), "input");
        assert_eq!(upload("inputs/m/a\"b.json").file_name(), "a_b.json");
        let long = format!("inputs/m/{}.json", "é".repeat(500));
        let name = upload(&long).file_name();
        assert!(name.len() <= FILE_NAME_BYTES);
        assert_eq!(name.rsplit('.').next(), Some("json"));
    }

    proptest! {
        #[test]
        fn invariant_1_one_upload_is_one_run_whatever_else_its_event_says(
            key in "inputs/\\PC{1,60}", seconds in 0i64..4_000_000_000,
            bytes: u64, sequencer in "[0-9A-F]{1,16}"
        ) {
            let first = upload(&key);
            // Reported twice, with two times.
            let at = Timestamp::from_second(seconds).unwrap();
            let again = Upload { sequencer: Some(sequencer), bytes, at, ..first.clone() };
            prop_assert_eq!(first.run_id(), again.run_id());
            let other = Upload { version_id: Some("v2".into()), ..first.clone() };
            prop_assert_ne!(first.run_id(), other.run_id());
            // Without versions the sequencer takes their place, and the time still does not count.
            let first = Upload { version_id: None, ..first };
            let again = Upload { bytes, at, ..first.clone() };
            prop_assert_eq!(first.run_id(), again.run_id());
        }

        #[test]
        fn a_safe_file_name_is_one_path_part(name in any::<String>()) {
            let safe = safe_file_name(&name);
            prop_assert!(!safe.is_empty() && safe != "." && safe != ".." && !safe.contains('/'));
            prop_assert!(safe.len() <= FILE_NAME_BYTES);
        }
    }
}
