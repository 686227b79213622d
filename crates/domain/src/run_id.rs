//! Names of things: runs, jobs and model versions.

use std::{fmt, str::FromStr};

use jiff::{Timestamp, tz::TimeZone};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use thiserror::Error;

/// The name of one run: `<UTC time of the upload as YYYYMMDDTHHMMSS>-<12 hex>`.
///
/// The hex digits are the head of SHA-256 over bucket, key and version id, and
/// name the upload. The time is that of S3's event. An event is made once and
/// delivered once or more, each time as it is: so every delivery gives the same
/// id (invariant 1). This rests on the assumption that no delivery changes the
/// event's time. Whoever sends an event again must leave it as it was; one made
/// anew with another time, for the same object version, would be another run.
///
/// It sorts by time and is safe as an execution name, a job name and an S3
/// segment.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(try_from = "String", into = "String")]
#[schemars(
    description = "The id of one run.",
    extend("pattern" = "^[0-9]{8}T[0-9]{6}-[0-9a-f]{12}$")
)]
pub struct RunId(String);

/// Length of every run id in bytes.
const RUN_ID_LENGTH: usize = 28;

impl RunId {
    /// Derives the id of the run that one upload starts.
    ///
    /// `generation` is the object's version id or, in a bucket without
    /// versions, the event's sequencer.
    pub fn derive(uploaded_at: Timestamp, bucket: &str, key: &str, generation: &str) -> Self {
        let time = uploaded_at
            .to_zoned(TimeZone::UTC)
            .strftime("%Y%m%dT%H%M%S")
            .to_string();
        Self(format!("{time}-{}", upload_digest(bucket, key, generation)))
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The twelve hex digits that name the upload, whatever time the event bore.
    pub fn upload_digest(&self) -> &str {
        self.0.get(16..).unwrap_or_default()
    }
}

/// The head of SHA-256 over an upload's coordinates, as twelve hex digits.
///
/// Each part is preceded by its length, so that no two triples collide by
/// shifting characters from one part to the next.
pub fn upload_digest(bucket: &str, key: &str, generation: &str) -> String {
    let mut hash = Sha256::new();
    for part in [bucket, key, generation] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    let digest = hash.finalize();
    hex::encode(digest.get(..6).unwrap_or_default())
}

/// A text that is not a run id.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("“{0}” is not a run id; one looks like 20260301T093000-0123456789ab")]
pub struct NotARunId(String);

impl FromStr for RunId {
    type Err = NotARunId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bytes = text.as_bytes();
        let good = bytes.len() == RUN_ID_LENGTH
            && bytes.iter().enumerate().all(|(at, byte)| match at {
                8 => *byte == b'T',
                15 => *byte == b'-',
                0..=14 => byte.is_ascii_digit(),
                _ => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
            });
        if good {
            Ok(Self(text.to_owned()))
        } else {
            Err(NotARunId(text.chars().take(80).collect()))
        }
    }
}

impl TryFrom<String> for RunId {
    type Error = NotARunId;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<RunId> for String {
    fn from(id: RunId) -> Self {
        id.0
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The id that AWS Batch gave a job (a UUID).
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(try_from = "String", into = "String")]
#[schemars(extend("pattern" = "^[A-Za-z0-9:_-]{1,128}$"))]
pub struct JobId(String);

impl JobId {
    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A text that cannot be a Batch job id.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("“{0}” is not a Batch job id")]
pub struct NotAJobId(String);

impl FromStr for JobId {
    type Err = NotAJobId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // Array children read `<uuid>:<index>`. A slash would break the S3 key it becomes a part of.
        let good = (1..=128).contains(&text.len())
            && text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b':' | b'_'));
        if good {
            Ok(Self(text.to_owned()))
        } else {
            Err(NotAJobId(text.chars().take(80).collect()))
        }
    }
}

impl TryFrom<String> for JobId {
    type Error = NotAJobId;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<JobId> for String {
    fn from(id: JobId) -> Self {
        id.0
    }
}

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The number of a model's version: 1, 2, 3 and so on.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(transparent)]
#[schemars(extend("minimum" = 1, "maximum" = LAST_VERSION))]
pub struct Version(u32);

/// The highest version number that the table's six-digit sort key holds.
const LAST_VERSION: u32 = 999_999;

impl Version {
    /// The first version of a model.
    pub const FIRST: Self = Self(1);

    /// The number.
    pub fn number(self) -> u32 {
        self.0
    }

    /// The version after this one.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }

    /// The version before this one; the first has none before it and stays.
    #[must_use]
    pub fn previous(self) -> Self {
        Self(self.0.saturating_sub(1).max(1))
    }
}

/// A text that is not a version number.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("“{0}” is not a version; a version is a whole number from 1 to {LAST_VERSION}")]
pub struct NotAVersion(String);

impl FromStr for Version {
    type Err = NotAVersion;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.strip_prefix('v').unwrap_or(text).parse::<u32>() {
            Ok(number @ 1..=LAST_VERSION) => Ok(Self(number)),
            _ => Err(NotAVersion(text.chars().take(80).collect())),
        }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_run_id_shows_the_time_and_the_upload() {
        let at = "2026-03-01T09:30:00.75Z".parse().unwrap();
        let id = RunId::derive(at, "in", "inputs/m/a.json", "v1");
        assert!(id.as_str().starts_with("20260301T093000-"), "{id}");
        assert_eq!(
            id.upload_digest(),
            upload_digest("in", "inputs/m/a.json", "v1")
        );
        assert_eq!(id.as_str().parse::<RunId>().unwrap(), id);
    }

    #[test]
    fn shifting_a_character_between_the_parts_gives_another_run() {
        let at = Timestamp::UNIX_EPOCH;
        assert_ne!(
            RunId::derive(at, "ab", "c", "d"),
            RunId::derive(at, "a", "bc", "d")
        );
    }

    #[test]
    fn versions_are_whole_numbers_from_one() {
        assert_eq!("12".parse::<Version>().unwrap().number(), 12);
        assert_eq!("v3".parse::<Version>().unwrap().number(), 3);
        for bad in ["0", "-1", "1.5", "", "latest", "1000000"] {
            assert!(bad.parse::<Version>().is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn every_derived_id_parses(seconds in 0i64..4_000_000_000, bucket in ".*", key in ".*", version in ".*") {
            let id = RunId::derive(Timestamp::from_second(seconds).unwrap(), &bucket, &key, &version);
            prop_assert_eq!(id.as_str().parse::<RunId>().unwrap(), id);
        }

        #[test]
        fn no_other_text_passes_for_a_run_id(text in "\\PC{0,40}") {
            if let Ok(id) = text.parse::<RunId>() {
                prop_assert_eq!(id.as_str().len(), RUN_ID_LENGTH);
            }
        }
    }
}
