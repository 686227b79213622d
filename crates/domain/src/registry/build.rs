//! Finished builds and their results.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use strum::EnumMessage;

use super::{BuildPhase, BuildReport};
use crate::{
    ids::{Version, id_newtype},
    model::ModelName,
    recipient, text,
    variants::named_enum,
};

/// The maximum number of log lines that are kept of a failed build.
pub const MAX_BUILD_LINES: usize = 40;

/// How many lines of a build's log are read to find so many: `CodeBuild` writes some of its own
/// around each command.
pub const BUILD_LINES_READ: usize = 200;

/// How a line of `CodeBuild`'s own begins.
const OWN_LINE: &str = "[Container] ";

/// The longest line that is kept, in characters: all of them fit an item many times over.
const LINE_LENGTH: usize = 500;

/// The longest message that is kept, in characters.
const MESSAGE_LENGTH: usize = 1_000;

/// The maximum length of the requester of a build, or of its commit, in characters. An ARN of a
/// role's session is far shorter.
const NAME_LENGTH: usize = 300;

id_newtype! {
    /// The id of one build: the UUID after the colon of `CodeBuild`'s `<project>:<uuid>`.
    ///
    /// It is part of keys of the table and of the models bucket, so no other text is one. It is
    /// parsed from the UUID alone, or from the whole `<project>:<uuid>` or ARN that ends in it.
    #[schemars(
        description = "The id of a build: the UUID after the colon of CodeBuild's own id.",
        extend("pattern" = "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")
    )]
    pub struct BuildId;
    /// A text that is not a build id.
    #[error(
        "“{0}” is not a build id; one looks like 5f1c3a2e-7f0d-4f6a-9c55-0b7c8a4f1d20, the part after the colon in CodeBuild's build id"
    )]
    pub struct ParseBuildIdError;
    parse_build_id
}

impl BuildId {
    /// The key of the build's `version.json` in the models bucket.
    pub fn version_key(&self) -> String {
        format!("builds/{self}/version.json")
    }
}

fn parse_build_id(text: &str) -> Option<&str> {
    let id = text.rsplit(':').next().unwrap_or_default();
    let good = id.len() == 36
        && id.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
        });
    good.then_some(id)
}

/// The record of a finished build. It never changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Build {
    /// The build's id.
    pub build_id: BuildId,
    /// The model's name, if it is known: from the build's result, or else from the push.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<ModelName>,
    /// The result of the build.
    #[serde(flatten)]
    pub end: BuildEnd,
    /// The commit that was built.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// Who pushed: the caller's ARN, or the name given by the repository's connection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requested_by: Option<String>,
    /// E-mail addresses to notify, as given with the push.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notify: Vec<String>,
    /// When the build ended.
    pub at: Timestamp,
}

/// The result of a build.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "lowercase")]
pub enum BuildEnd {
    /// The build is registered as a version.
    Registered {
        /// The version.
        version: Version,
    },
    /// The build created no version.
    Failed(BuildFailure),
}

impl BuildEnd {
    /// The status.
    pub fn status(&self) -> BuildStatus {
        match self {
            Self::Registered { .. } => BuildStatus::Registered,
            Self::Failed(_) => BuildStatus::Failed,
        }
    }
}

named_enum! {
    /// How a build ended.
    #[schemars(description = "How a build ended.")]
    pub enum BuildStatus {
        /// The build is registered as a version.
        Registered = "registered",
        /// The build created no version.
        Failed = "failed",
    }
}

named_enum! {
    /// A stable name for why a build made no version.
    #[schemars(
        description = "A stable code for why a build made no version; docs/ERRORS.md explains each."
    )]
    #[derive(EnumMessage)]
    pub enum BuildCode {
        /// A command of the build failed: the source could not be fetched, the checks of the folder
        /// failed, the image could not be built or did not run on the model's examples, or it could not
        /// be pushed.
        BuildFailed = "BuildFailed",
        /// The build exceeded its time limit.
        BuildTimedOut = "BuildTimedOut",
        /// Somebody stopped the build.
        BuildStopped = "BuildStopped",
        /// CodeBuild itself failed; nothing is wrong with the model.
        BuildBroke = "BuildBroke",
        /// The build succeeded, but its result cannot be a version: `version.json` is missing, larger
        /// than 1 MiB or does not match its schema, the manifest or a schema has an error, the image is
        /// in another repository or has no digest, the model is not the expected one, Fargate does not
        /// offer its size, or AWS Batch refuses the job definition.
        VersionRefused = "VersionRefused",
        /// The build succeeded, but for an hour Dropcast was not allowed to register a version:
        /// `register-version` lacks a permission, or a permissions boundary denies it. Nothing is wrong
        /// with the model.
        NotRegistered = "NotRegistered",
    }
}

impl BuildCode {
    /// What happened, in sentences: the comment of the variant.
    pub fn meaning(self) -> String {
        let comment = self.get_documentation().unwrap_or_default();
        comment.split_whitespace().collect::<Vec<_>>().join(" ")
    }
}

/// Why a build created no version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BuildFailure {
    /// The error code.
    pub code: BuildCode,
    /// The phase in which the build failed.
    pub phase: BuildPhase,
    /// What happened, in one or more sentences.
    pub message: String,
    /// The last log lines of the build, at most [`MAX_BUILD_LINES`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lines: Vec<String>,
}

impl BuildFailure {
    /// A failure without log lines; the message is shortened to what a record can hold.
    pub fn new(code: BuildCode, phase: BuildPhase, message: &str) -> Self {
        Self {
            code,
            phase,
            message: text::shorten(message, MESSAGE_LENGTH),
            lines: Vec::new(),
        }
    }

    /// The same failure with the last lines that the build logged, as far as they are kept.
    #[must_use]
    pub fn with_log(self, logged: &[String]) -> Self {
        Self {
            lines: last_build_lines(logged),
            ..self
        }
    }

    /// What was built can be no version, for this reason.
    pub fn refused(message: &str) -> Self {
        Self::new(BuildCode::VersionRefused, BuildPhase::Register, message)
    }

    /// Dropcast was not able to register what was built, for this reason.
    pub fn not_registered(reason: &str) -> Self {
        Self::new(BuildCode::NotRegistered, BuildPhase::Register, reason)
    }
}

/// The last lines of a build's log that are not `CodeBuild`'s own, at most [`MAX_BUILD_LINES`].
pub fn last_build_lines(logged: &[String]) -> Vec<String> {
    let mut lines: Vec<String> = logged
        .iter()
        .map(|line| line.trim_end())
        .filter(|line| !line.is_empty() && !line.starts_with(OWN_LINE))
        .map(|line| text::shorten(line, LINE_LENGTH))
        .collect();
    lines.split_off(lines.len().saturating_sub(MAX_BUILD_LINES))
}

/// What the caller who started a build passed about it in the build's environment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Requester {
    /// The name of the model that is to come of it, as given.
    pub model: Option<String>,
    /// Who it is.
    pub by: Option<String>,
    /// Whom to mail.
    pub notify: Vec<String>,
    /// The commit.
    pub commit: Option<String>,
}

impl Requester {
    /// Takes what the build's environment variables say: `DROPCAST_MODEL`,
    /// `DROPCAST_REQUESTED_BY`, `DROPCAST_NOTIFY` (addresses separated by commas) and
    /// `DROPCAST_COMMIT`. An empty one says nothing, and others are not looked at.
    pub fn of_variables<'a>(variables: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut said = Self::default();
        for (name, value) in variables {
            let value = crate::text::clean_line(value);
            if value.is_empty() {
                continue;
            }
            let text = Some(text::shorten(&value, NAME_LENGTH));
            match name {
                "DROPCAST_MODEL" => said.model = text,
                "DROPCAST_REQUESTED_BY" => said.by = text,
                "DROPCAST_NOTIFY" => said.notify = recipient::parse_list(&value).addresses,
                "DROPCAST_COMMIT" => said.commit = text,
                _ => {}
            }
        }
        said
    }

    /// The same with what `CodeBuild` itself knows, where nothing is said: who began the build, and
    /// the source's version if it is a commit.
    #[must_use]
    pub fn or_else(self, initiator: Option<&str>, source_version: Option<&str>) -> Self {
        let by = || {
            Some(text::shorten(
                &crate::text::clean_line(initiator?),
                NAME_LENGTH,
            ))
        };
        let is_commit = |version: &&str| {
            (7..=64).contains(&version.len())
                && version.bytes().all(|byte| byte.is_ascii_hexdigit())
        };
        let commit = source_version.filter(is_commit).map(ToOwned::to_owned);
        Self {
            by: self.by.or_else(by),
            commit: self.commit.or(commit),
            ..self
        }
    }

    /// The model that is to come of it, if that can be a model's name.
    pub fn model_name(&self) -> Option<ModelName> {
        self.model.as_deref()?.parse().ok()
    }
}

/// A build that has ended, before it is known what becomes of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndedBuild {
    /// The build's id.
    pub build_id: BuildId,
    /// What its requester said.
    pub requester: Requester,
    /// When the build ended.
    pub at: Timestamp,
}

impl From<BuildReport> for EndedBuild {
    fn from(report: BuildReport) -> Self {
        Self {
            build_id: report.build,
            requester: report.requester,
            at: report.at,
        }
    }
}

impl EndedBuild {
    /// Its record.
    pub fn record(&self, end: BuildEnd) -> Build {
        let requester = &self.requester;
        Build {
            build_id: self.build_id.clone(),
            model: requester.model_name(),
            end,
            commit: requester.commit.clone(),
            requested_by: requester.by.clone(),
            notify: requester.notify.clone(),
            at: self.at,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "5f1c3a2e-7f0d-4f6a-9c55-0b7c8a4f1d20";

    #[test]
    fn a_build_id_is_read_from_a_uuid_an_id_or_an_arn() {
        for told in [
            ID.to_owned(),
            format!("dropcast-models:{ID}"),
            format!("arn:aws:codebuild:eu-west-1:111122223333:build/dropcast-models:{ID}"),
        ] {
            assert_eq!(told.parse::<BuildId>().unwrap().as_str(), ID, "{told}");
        }
        for bad in [
            "",
            "p:",
            "../../x",
            &ID.to_uppercase(),
            "5f1c3a2e7f0d4f6a9c550b7c8a4f1d20",
        ] {
            assert!(bad.parse::<BuildId>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_record_lies_flat_and_reads_back() {
        let requester = Requester::of_variables([
            ("DROPCAST_MODEL", "revenue-forecast"),
            (
                "DROPCAST_NOTIFY",
                "ana@corp.example, nobody, bo@corp.example",
            ),
            ("DROPCAST_COMMIT", " "),
            (
                "DROPCAST_REQUESTED_BY",
                "arn:aws:iam::111122223333:user/ana",
            ),
            ("PATH", "/bin"),
        ]);
        let failed = BuildEnd::Failed(BuildFailure {
            lines: vec!["npm: not found".to_owned()],
            ..BuildFailure::new(
                BuildCode::BuildFailed,
                BuildPhase::Install,
                &"x".repeat(5_000),
            )
        });
        let ended = EndedBuild {
            build_id: ID.parse().unwrap(),
            requester,
            at: Timestamp::UNIX_EPOCH,
        };
        let build = ended.record(failed);
        let json = serde_json::to_value(&build).unwrap();
        assert_eq!(json["status"], "failed");
        assert_eq!(json["phase"], "INSTALL");
        assert_eq!(
            json["notify"],
            serde_json::json!(["ana@corp.example", "bo@corp.example"])
        );
        assert!(json.get("commit").is_none());
        assert_eq!(json["message"].as_str().unwrap().chars().count(), 1_001);
        assert_eq!(serde_json::from_value::<Build>(json).unwrap(), build);

        let registered = Build {
            end: BuildEnd::Registered {
                version: Version::FIRST,
            },
            ..build
        };
        let json = serde_json::to_value(&registered).unwrap();
        assert_eq!(
            (json["status"].as_str(), json["version"].as_u64()),
            (Some("registered"), Some(1))
        );
        assert_eq!(serde_json::from_value::<Build>(json).unwrap(), registered);
    }

    #[test]
    fn the_last_lines_are_those_of_the_models_own_build() {
        let lines: Vec<String> = (0..100)
            .flat_map(|number| [format!("[Container] x {number}"), number.to_string()])
            .collect();
        let last = last_build_lines(&lines);
        assert_eq!(last.len(), MAX_BUILD_LINES);
        assert_eq!(last.first().map(String::as_str), Some("60"));
    }
}
